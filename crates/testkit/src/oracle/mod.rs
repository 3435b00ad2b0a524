//! The reference model: what the contract says about a set of messages, worked out the slow way.
//!
//! # Theory
//!
//! [`Oracle`] keeps every message it is fed and nothing else. An answer is a function of the *set* of messages: for each
//! question the entries are gathered, each entry's state is the greatest version (of two contents the one with the greater
//! digest), the live ones are picked out, and every figure is added up from them. There is no incremental state that
//! could depend on an order, so a disagreement with the stores means that one of the two misread a rule.
//!
//! Nothing here uses another crate of the workspace: the JSON reader, money, times, redaction, normaliser and validation
//! are written a second time on purpose.
//!
//! What depends on the order of arrival is not answered: verdicts and positions.
//!
//! # Decisions
//!
//! Where the contract can be read in two ways, this is the reading taken here.
//!
//! Reading a message
//! - Depth counts objects and lists, the outermost of the message as sent as 1: in structured mode `data` is 2.
//! - A refused message tells its payment when it is JSON by grammar, whatever its size and depth, and has one `data` with one
//!   `payment_key`, a string of 1 to 200 characters. Repeated names and lone surrogates elsewhere do not hide it.
//! - A byte order mark, invalid UTF-8 and text after the document are "not JSON". A number no `f64` holds is refused.
//! - Envelope `id` and `source` are not empty and have no upper length; `subject` is not looked at, `datacontenttype` is a string.
//! - Seconds are 00 to 59: a leap second is refused, and so is an instant whose UTC year has not four digits.
//! - `T`, `t`, `Z` and `z` are accepted, a space between date and time is not.
//! - Identifiers (1 to 200 characters): every `*_id`, `*_key`, `*_no`, `account_number`, `contract.id`, and `method`.
//! - `card.last4` is any string, `installment_months` a whole number from 0, `contract.fee_rate` a string.
//! - "Signed the same way" describes fees, VAT and costs; only the sign of `amount` refuses a message.
//! - The sign of a cancellation's `tax_free` is not judged. A null among the pairs of `metadata` is refused.
//! - A `payout_currency` that is not the string of the currency is refused.
//!
//! Card numbers
//! - Redaction comes before the other rules: a full number in `number_masked` becomes a valid mask.
//! - What is exempt is told by the member's name at any depth, in metadata too: identifiers, the money fields, `*_at`, `*_on`,
//!   `*_url`. An element of a list answers to the name of its list.
//! - "Maximal run": a phone number joined to a card number by one space is one run of too many digits, and stays.
//!
//! Who sees what
//! - On a payment whose live payment entry is the reader's own, entries naming another merchant are set aside and show as
//!   flags (`quarantined`, `conflict`) to every reader. Without a live payment entry they do not exist for a restricted key.
//! - A refused message flags every view of its payment. A deleted entry is not set aside.
//!
//! The answer
//! - `settlement` as a whole is null where the currency is null. `method` of an orphan is null in the payment (`UNKNOWN` in filters and reports).
//! - A group that was sent shows the known members that were sent, `{}` where none was; `card.last4` is added where it can be told.
//! - One `*` for each hidden character. A name of one character is hidden whole; so is a phone or an account of up to four.
//! - Rows of a report stand in the order of the group keys as asked for, then by currency; without a group, one row per currency.
//! - `orphans_left_out` looks at merchant and currency only, not at `method`, and is 0 in settlement reports.
//! - The conflict rows of quarantine are those of every version, not of the greatest alone.
//!
//! Search
//! - Typed `order_id` and `payout_id` compare as identifiers do; `merchant_id`, enums, `method`, `issuer`, `provider`, `bank`, `reason_code`, `channel` are equal to the letter.
//! - `cancellation_id` finds a payment by a settlement line that names the cancellation, too.
//! - `issuer` is of the card or the gift certificate, `bank` of the virtual account or the transfer.
//! - White space at the ends of a word or a text does not count. Hyphens are U+002D, U+2010 and U+2011.
//! - A time in a filter is RFC 3339 (a date alone is not a time).

mod entries;
mod evaluate;
mod filters;
mod instant;
mod json;
mod mask;
mod message;
mod money;
mod normal;
mod query;
mod redact;
mod render;
mod reports;
mod rules;
mod state;
mod validate;

#[cfg(test)]
mod tests;

pub use entries::Content;
pub use filters::Filters;
pub use instant::Zones;
pub use query::{By, End, RefQuery};
pub use reports::{Basis, Group, ReportParams};
pub use state::Scope;
pub use validate::{MESSAGE_BYTES_MAX, Refusal};

use chrono::{DateTime, Utc};
use message::Message;
use serde_json::Value;
use state::{Circumstances, View};
use std::collections::BTreeSet;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The merchants whose payments the reader may see.
    pub scope: Scope,
    /// `cost`, `costs` and `net_profit` are shown.
    pub provider_figures: bool,
    /// Personal data is shown in full.
    pub unmasked: bool,
}

impl Reader {
    /// A merchant's key.
    pub fn merchant<'a>(merchants: impl IntoIterator<Item = &'a str>) -> Self {
        let merchants = merchants.into_iter().map(str::to_owned).collect();
        Self {
            scope: Scope::Merchants(merchants),
            provider_figures: false,
            unmasked: false,
        }
    }

    /// A key of role finance, or of operator or admin without `unmask`.
    pub fn finance() -> Self {
        Self {
            scope: Scope::All,
            provider_figures: true,
            unmasked: false,
        }
    }

    /// An operator who gave a reason to see personal data.
    pub fn unmasking_operator() -> Self {
        Self {
            unmasked: true,
            ..Self::finance()
        }
    }
}

/// A row of quarantine as far as it does not depend on order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuarantineRow {
    /// `conflict`, `merchant_mismatch`, `currency_mismatch`, or `refused` for any broken rule of a message.
    pub code: &'static str,
    /// Where it can be read.
    pub payment_key: Option<String>,
}

/// Every message of a history, and the answers that follow from them.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    zones: Zones,
    accepted: Vec<Message>,
    refused: Vec<(Vec<u8>, Refusal)>,
    overdue: Option<(DateTime<Utc>, i64)>,
}

impl Oracle {
    /// An oracle that has seen nothing. Without a clock `unsettled_overdue` is never raised.
    pub fn new(zones: Zones) -> Self {
        Self {
            zones,
            ..Self::default()
        }
    }

    /// Sets the clock and the days after which an unsettled payment is overdue.
    pub fn set_clock(&mut self, now: DateTime<Utc>, overdue_days: i64) {
        self.overdue = Some((now, overdue_days));
    }

    /// Takes a structured-mode message; the error says that, and why, it was refused.
    pub fn feed(&mut self, raw: &[u8]) -> Result<(), Refusal> {
        self.take(raw, validate::structured(raw))
    }

    /// Takes a binary-mode message: the attributes without their `ce_` prefix, and `data`.
    pub fn feed_binary(&mut self, attributes: &[(String, String)], data: &[u8]) -> Result<(), Refusal> {
        self.take(data, validate::binary(attributes, data))
    }

    fn take(&mut self, raw: &[u8], judged: Result<Message, Refusal>) -> Result<(), Refusal> {
        match judged {
            Ok(message) => {
                self.accepted.push(message);
                Ok(())
            }
            Err(refusal) => {
                self.refused.push((raw.to_vec(), refusal.clone()));
                Err(refusal)
            }
        }
    }

    /// Every payment key that an accepted message names, whether a reader finds it or not.
    pub fn payment_keys(&self) -> BTreeSet<String> {
        self.accepted.iter().map(|m| m.payment_key().to_owned()).collect()
    }

    /// The unified ledger of one payment, without `as_of`; `None` is a 404.
    pub fn payment(&self, payment_key: &str, reader: &Reader) -> Option<Value> {
        self.view(payment_key, &reader.scope)
            .map(|view| render::payment(&view, &self.cut(reader)))
    }

    /// The keys of a list or a search in their order: newest `occurred_at` first, then by key.
    pub fn list(&self, reader: &Reader, filters: &Filters) -> Vec<String> {
        let mut found = self.views(&reader.scope);
        found.retain(|view| evaluate::satisfies(view, filters, &self.zones));
        found.sort_by_key(|view| view.payment_key);
        found.sort_by_key(|view| view.occurred_at);
        if !filters.ascending {
            // Stable, so that keys of one instant still ascend.
            found.sort_by_key(|view| std::cmp::Reverse(view.occurred_at));
        }
        found.into_iter().map(|view| view.payment_key.to_owned()).collect()
    }

    /// The sales report: `data`, `totals`, `orphans_left_out`.
    pub fn sales(&self, reader: &Reader, params: &ReportParams) -> Value {
        reports::sales(&self.views(&reader.scope), params, &self.zones)
    }

    /// The settlement report: `data`, `totals`, `orphans_left_out`.
    pub fn settlements(&self, reader: &Reader, params: &ReportParams) -> Value {
        reports::settlements(&self.views(&reader.scope), params, reader.provider_figures)
    }

    /// Every row of `/v1/entries` in its order.
    pub fn entries(&self, reader: &Reader) -> Vec<Value> {
        entries::rows(&self.views(&reader.scope), reader.provider_figures, &self.zones)
    }

    /// The payments that one identifier of a lookup finds, in list order, with the field it is found by.
    pub fn found(&self, reader: &Reader, id: &str) -> Vec<(String, &'static str)> {
        entries::found(self.views(&reader.scope), id, &self.zones)
    }

    /// The contents of a payment's timeline, without what depends on order; `None` is a 404.
    pub fn timeline(&self, payment_key: &str, reader: &Reader) -> Option<BTreeSet<Content>> {
        self.view(payment_key, &reader.scope)?;
        let entries = state::entries_of(&self.accepted, payment_key);
        Some(entries::contents(&entries, &reader.scope))
    }

    /// What quarantine lists, each kind of row once per payment.
    pub fn quarantine(&self) -> BTreeSet<QuarantineRow> {
        let row = |code, payment_key| QuarantineRow { code, payment_key };
        let mut rows: BTreeSet<_> = self
            .refused
            .iter()
            .map(|(_, r)| row("refused", r.payment_key.clone()))
            .collect();
        for key in self.payment_keys() {
            let entries = state::entries_of(&self.accepted, &key);
            if entries.iter().any(|entry| !entry.conflicting_versions().is_empty()) {
                rows.insert(row("conflict", Some(key.clone())));
            }
            let codes = state::set_aside(&entries).into_iter().flat_map(|(_, codes)| codes);
            rows.extend(codes.map(|code| row(code, Some(key.clone()))));
        }
        rows
    }

    /// Operators close the rows of these refused contents: they flag no payment and wait for nobody any more, however often
    /// they come again.
    pub fn close_refused(&mut self, chosen: impl Fn(&[u8]) -> bool) {
        self.refused.retain(|(raw, _)| !chosen(raw));
    }

    /// How many distinct contents were refused and are open: the rows that quarantine holds for them.
    pub fn refused_contents(&self) -> usize {
        self.refused.iter().map(|(raw, _)| raw).collect::<BTreeSet<_>>().len()
    }

    fn cut(&self, reader: &Reader) -> render::Cut<'_> {
        render::Cut {
            zones: &self.zones,
            provider_figures: reader.provider_figures,
            unmasked: reader.unmasked,
        }
    }

    fn views(&self, scope: &Scope) -> Vec<View<'_>> {
        self.payment_keys()
            .iter()
            .filter_map(|key| self.view(key, scope))
            .collect()
    }

    fn view(&self, payment_key: &str, scope: &Scope) -> Option<View<'_>> {
        let was_refused = self
            .refused
            .iter()
            .any(|(_, r)| r.payment_key.as_deref() == Some(payment_key));
        let around = Circumstances {
            zones: &self.zones,
            was_refused,
            overdue: self.overdue,
        };
        state::view(&state::entries_of(&self.accepted, payment_key), scope, &around)
    }
}
