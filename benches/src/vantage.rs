//! What an asker knows: payments drawn evenly from the stream, of every age, and the words in them.
//!
//! Drawn from the generator and not from the server, so that nothing is asked that was just read: what is asked is as
//! cold as the store left it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Datelike as _, FixedOffset, Months, NaiveDate};
use generator::{Plan, Single};
use serde_json::Value;

/// How many payments are drawn. A share of 5 % is told from one of 4 % by some 3,000.
const DRAWN: u64 = 4_000;
/// Whole hours east of Greenwich of the zone in which the stream's days are cut.
const KOREA_HOURS: i32 = 9;

/// A payment that the store must know.
pub(crate) struct Known {
    pub(crate) payment_key: String,
    pub(crate) merchant_id: String,
    pub(crate) sale_day: NaiveDate,
    /// Identifiers that lead to this payment alone, with their field.
    pub(crate) identifiers: Vec<(&'static str, String)>,
    pub(crate) customer: Option<String>,
    /// Everything a bare word looks into, in lower case.
    texts: String,
}

pub(crate) struct Vantage {
    pub(crate) known: Vec<Known>,
    /// Each with the share of drawn payments that it is in, rarest first.
    pub(crate) words: Vec<(String, f64)>,
    /// The same for two neighbouring Hangul syllables.
    pub(crate) pairs: Vec<(String, f64)>,
}

impl Vantage {
    /// `loaded` payments of the plan are in the store, with the messages that came before `until_ms`.
    pub(crate) fn draw(plan: &Plan, loaded: u64, until_ms: i64) -> Result<Self> {
        let mut single = Single::new(plan.clone())?;
        let step = (loaded / DRAWN).max(1);
        let mut known = Vec::new();
        for number in (0..loaded).step_by(usize::try_from(step)?) {
            let messages = single.messages(number);
            let there = messages.iter().filter(|message| message.at_ms < until_ms);
            known.extend(of_messages(there.map(|message| message.value.as_slice()))?);
        }
        // Neighbours in time would be neighbours in every file too: a fixed shuffle.
        known.sort_by_key(|known| known.payment_key.bytes().rev().collect::<Vec<_>>());
        anyhow::ensure!(!known.is_empty(), "too few payments to ask for");
        let words = shares(&known, |text| text.split_whitespace().map(str::to_owned).collect());
        let pairs = shares(&known, korean_pairs);
        Ok(Vantage { known, words, pairs })
    }

    /// The texts that about this share of all payments hold.
    pub(crate) fn about(texts: &[(String, f64)], share: f64, count: usize) -> Vec<&str> {
        let mut texts: Vec<_> = texts.iter().collect();
        texts.sort_by(|a, b| (a.1 - share).abs().total_cmp(&(b.1 - share).abs()));
        texts.into_iter().take(count).map(|(text, _)| text.as_str()).collect()
    }

    /// Merchants by how often they were drawn, the busiest first.
    pub(crate) fn merchants(&self) -> Vec<&str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for known in &self.known {
            *counts.entry(&known.merchant_id).or_default() += 1;
        }
        let mut merchants: Vec<_> = counts.into_iter().collect();
        merchants.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        merchants.into_iter().map(|(merchant, _)| merchant).collect()
    }
}

impl Known {
    /// The first day of the month of sale, and that of the next one.
    pub(crate) fn month(&self) -> (String, String) {
        let first = self.sale_day.with_day(1).unwrap_or(self.sale_day);
        (first.to_string(), (first + Months::new(1)).to_string())
    }

    /// The twelve months from its month of sale on.
    pub(crate) fn year(&self) -> (String, String) {
        let first = self.sale_day.with_day(1).unwrap_or(self.sale_day);
        (first.to_string(), (first + Months::new(12)).to_string())
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.texts.contains(text)
    }

    /// Two neighbouring Hangul syllables of its texts.
    pub(crate) fn pair(&self) -> Option<String> {
        korean_pairs(&self.texts).into_iter().next()
    }
}

/// The payment that some messages tell of; none if the message of the payment itself is not among them.
fn of_messages<'a>(messages: impl Iterator<Item = &'a [u8]>) -> Result<Option<Known>> {
    let mut identifiers = BTreeSet::new();
    let mut payment = None;
    for message in messages {
        let mut event: Value = serde_json::from_slice(message).context("a generated message")?;
        let data = event["data"].take();
        for name in ["transaction_key", "cancellation_id", "settlement_id", "order_id"] {
            if let Some(text) = data[name].as_str() {
                identifiers.insert((name, text.to_owned()));
            }
        }
        if data["order_id"].is_string() {
            payment = Some(data);
        }
    }
    let Some(data) = payment else { return Ok(None) };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let instant = data["approved_at"]
        .as_str()
        .or(data["requested_at"].as_str())
        .unwrap_or_default();
    let zone = FixedOffset::east_opt(KOREA_HOURS * 3_600).context("a zone")?;
    let sold_at = DateTime::parse_from_rfc3339(instant).context("a generated instant")?;
    let customer = data["customer"]["name"].as_str().map(str::to_owned);
    let order_name = text(&data["order_name"]);
    Ok(Some(Known {
        payment_key: text(&data["payment_key"]),
        merchant_id: text(&data["merchant_id"]),
        sale_day: sold_at.with_timezone(&zone).date_naive(),
        identifiers: identifiers.into_iter().collect(),
        texts: format!("{order_name} {}", customer.as_deref().unwrap_or_default()).to_lowercase(),
        customer,
    }))
}

/// Texts of two or more characters that some drawn payment holds, with the share that holds each.
fn shares(known: &[Known], texts_of: impl Fn(&str) -> Vec<String>) -> Vec<(String, f64)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for known in known {
        let texts: BTreeSet<String> = texts_of(&known.texts).into_iter().collect();
        for text in texts.into_iter().filter(|text| is_word(text)) {
            *counts.entry(text).or_default() += 1;
        }
    }
    let mut shares: Vec<_> = counts
        .into_iter()
        .map(|(text, count)| (text, count as f64 / known.len() as f64))
        .collect();
    shares.sort_by(|a, b| a.1.total_cmp(&b.1));
    shares
}

/// Letters only: nothing that the search language would read as something else.
fn is_word(text: &str) -> bool {
    text.chars().count() >= 2 && text.chars().all(char::is_alphabetic)
}

fn korean_pairs(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let hangul = |character: &char| ('가'..='힣').contains(character);
    let pairs = characters.windows(2).filter(|pair| pair.iter().all(hangul));
    pairs.map(|pair| pair.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use generator::Mix;

    use super::*;
    use crate::arguments::plan;

    #[test]
    fn drawn_payments_are_of_every_age_and_have_identifiers() {
        let vantage = Vantage::draw(&plan(5_000, 1, Mix::Full), 5_000, i64::MAX).unwrap();
        assert!(vantage.known.len() > 3_000);
        let days: BTreeSet<_> = vantage.known.iter().map(|known| known.sale_day).collect();
        assert!(days.len() > 900, "{} days", days.len());
        assert!(vantage.known.iter().all(|known| !known.identifiers.is_empty()));
        assert!(vantage.merchants().len() > 100);
    }

    #[test]
    fn texts_are_found_by_their_share() {
        let vantage = Vantage::draw(&plan(5_000, 1, Mix::Full), 5_000, i64::MAX).unwrap();
        let broad = Vantage::about(&vantage.words, 0.05, 1)[0].to_owned();
        let holding = vantage.known.iter().filter(|known| known.has(&broad)).count();
        let share = holding as f64 / vantage.known.len() as f64;
        assert!((0.02..0.12).contains(&share), "{broad}: {share}");
        assert!(vantage.pairs.iter().all(|(pair, _)| pair.chars().count() == 2));
    }
}
