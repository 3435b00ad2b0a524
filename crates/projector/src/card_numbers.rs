//! How many messages held a full card number, by the source that published them.

use std::collections::{BTreeMap, BTreeSet};

use domain::redact::redact_text;
use ledger::Incoming;
use parking_lot::Mutex;

/// So many sources are told apart; the others are counted together. Whoever collects metrics keeps a series for each, and a
/// producer may make up a new source for every message.
const SOURCES_MAX: usize = 100;

const OTHERS: &str = "(other sources)";

/// Characters of a source that are shown.
const SOURCE_CHARS_MAX: usize = 200;

/// Those told apart in this process.
static SOURCES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Messages of one batch by source.
#[derive(Debug, Default)]
pub(crate) struct CardNumbers(BTreeMap<String, u64>);

impl CardNumbers {
    pub(crate) fn of(items: &[Incoming]) -> Self {
        let mut by_source: BTreeMap<String, u64> = BTreeMap::new();
        for item in items {
            let source = match &item.content {
                Ok(message) if message.redacted => message.envelope.source.as_str(),
                Err(refused) if refused.raw_redacted => {
                    refused.event.as_ref().map_or("", |(_, source)| source.as_str())
                }
                _ => continue,
            };
            *by_source.entry(source.to_owned()).or_default() += 1;
        }
        CardNumbers(by_source)
    }

    /// Adds them to the metric, once their batch is durable.
    pub(crate) fn count(self) {
        for (source, count) in self.0 {
            let source = shown(&source, &mut SOURCES.lock());
            metrics::counter!("ledgerlens_card_numbers_redacted_total", "source" => source).increment(count);
        }
    }
}

fn shown(source: &str, told_apart: &mut BTreeSet<String>) -> String {
    // Before it is cut: half a number cannot be told from any other digits.
    let source = redact_text(source).unwrap_or_else(|| source.to_owned());
    let source: String = source.chars().take(SOURCE_CHARS_MAX).collect();
    if told_apart.contains(&source) {
        return source;
    }
    if told_apart.len() >= SOURCES_MAX {
        return OTHERS.to_owned();
    }
    told_apart.insert(source.clone());
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_beyond_the_limit_are_counted_together_and_none_shows_a_card_number() {
        let mut told_apart = BTreeSet::new();
        for n in 0..SOURCES_MAX {
            assert_eq!(shown(&format!("/pay/{n}"), &mut told_apart), format!("/pay/{n}"));
        }
        assert_eq!(shown("/pay/new", &mut told_apart), OTHERS);
        assert_eq!(shown("/pay/7", &mut told_apart), "/pay/7");
        assert_eq!(
            shown("/pay/4111111111111111", &mut BTreeSet::new()),
            "/pay/************1111"
        );
    }
}
