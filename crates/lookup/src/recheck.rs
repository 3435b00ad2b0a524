//! Whether one payment satisfies a filter: the whole meaning of a question, decided on the row that was read.
//!
//! The index and the ledger's plans only propose payments. Here every condition is checked again on the payment as the
//! reader's scope sees it, so a proposal that is out of date can never show.
//!
//! A leaf on a field of an entry holds when one live entry satisfies it, a leaf on an absent value never does, and AND, OR
//! and NOT act on the answers of their members, that is on the payment. A filter's values are in normal form already; the
//! payment's are brought into it here, each at most once and only if a leaf asks for it.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ops::Bound;

use chrono::{DateTime, NaiveDate, Utc};
use domain::derive::{Flag, Payment, UNKNOWN};
use domain::money::{Currency, cmp_major};
use domain::time::business_day;
use query::{
    AmountField, DayField, Filter, IdentField, Interval, KeywordField, TextField, TimeField, Word, fold, ident,
};
use rust_decimal::Decimal;
use search::values::{self, StableKeyword};

/// Whether the payment satisfies the filter at `now`. Of all values only the flag `unsettled_overdue` looks at the clock:
/// it is raised `overdue_days` days after the sale.
pub fn satisfies(filter: &Filter, payment: &Payment<'_>, now: DateTime<Utc>, overdue_days: u32) -> bool {
    Row::new(payment, now, overdue_days).satisfies(filter)
}

/// A payment with the normal forms of its values, as far as they have been asked for.
struct Row<'r, 'p> {
    payment: &'r Payment<'p>,
    now: DateTime<Utc>,
    overdue_days: u32,
    /// In the order of [`IdentField::ALL`].
    identifiers: [OnceCell<Vec<String>>; IdentField::ALL.len()],
    /// In the order of [`TextField::ALL`].
    texts: [OnceCell<Vec<String>>; TextField::ALL.len()],
    metadata: OnceCell<Vec<(&'p str, String)>>,
    flags: OnceCell<Vec<Flag>>,
}

impl<'r, 'p> Row<'r, 'p> {
    fn new(payment: &'r Payment<'p>, now: DateTime<Utc>, overdue_days: u32) -> Self {
        Row {
            payment,
            now,
            overdue_days,
            identifiers: Default::default(),
            texts: Default::default(),
            metadata: OnceCell::new(),
            flags: OnceCell::new(),
        }
    }

    fn satisfies(&self, filter: &Filter) -> bool {
        match filter {
            Filter::All => true,
            Filter::And(members) => members.iter().all(|member| self.satisfies(member)),
            Filter::Or(members) => members.iter().any(|member| self.satisfies(member)),
            Filter::Not(member) => !self.satisfies(member),
            Filter::Word(word) => self.word(word),
            Filter::Ident { field, value, prefix } => self.identifier(*field, value, *prefix),
            Filter::Text { field, needle } => self.text(*field, needle),
            Filter::Metadata { key, value } => self
                .metadata()
                .iter()
                .any(|(other_key, other)| other_key == key && other == value),
            Filter::Keyword { field, value } => self.keyword(*field, value),
            Filter::Amount { field, interval } => self.amount(*field, interval),
            Filter::Day { field, interval } => self.day(*field, interval),
            Filter::Time { field, interval } => self.time(*field, interval),
        }
    }

    /// The cheapest reading comes first: comparing four digits needs no normal form, and texts are the longest.
    fn word(&self, word: &Word) -> bool {
        let is_last4 = || {
            word.last4
                .as_ref()
                .is_some_and(|last4| self.stable_keyword(StableKeyword::Last4, last4))
        };
        let is_identifier = || {
            word.ident.as_ref().is_some_and(|ident| {
                IdentField::ALL
                    .into_iter()
                    .any(|field| self.identifier(field, ident, word.prefix))
            })
        };
        let is_in_text = || {
            TextField::ALL.into_iter().any(|field| self.text(field, &word.text))
                || self.metadata().iter().any(|(_, value)| value.contains(&word.text))
        };
        is_last4() || is_identifier() || (!word.prefix && is_in_text())
    }

    fn identifier(&self, field: IdentField, value: &str, prefix: bool) -> bool {
        let holds = |other: &String| {
            if prefix {
                other.starts_with(value)
            } else {
                other == value
            }
        };
        self.identifiers(field).iter().any(holds)
    }

    fn identifiers(&self, field: IdentField) -> &[String] {
        self.identifiers[field as usize].get_or_init(|| {
            let mut normal = Vec::new();
            values::identifiers(self.payment, field, |_, sent| normal.push(ident(sent)));
            normal
        })
    }

    fn text(&self, field: TextField, needle: &str) -> bool {
        let normal = self.texts[field as usize].get_or_init(|| {
            let mut normal = Vec::new();
            values::texts(self.payment, field, |sent| normal.push(fold(sent)));
            normal
        });
        normal.iter().any(|text| text.contains(needle))
    }

    fn metadata(&self) -> &[(&'p str, String)] {
        self.metadata.get_or_init(|| {
            let mut normal = Vec::new();
            values::metadata(self.payment, |key, sent| normal.push((key, fold(sent))));
            normal
        })
    }

    fn keyword(&self, field: KeywordField, value: &str) -> bool {
        let payment = self.payment;
        match field {
            KeywordField::MerchantId => payment.merchant_id == Some(value),
            KeywordField::Status => payment.status == value,
            KeywordField::SettlementStatus => payment.settlement_status == value,
            KeywordField::Method => payment.record.map_or(UNKNOWN, |record| &record.method) == value,
            KeywordField::Currency => payment.currency.is_some_and(|currency| currency.code() == value),
            KeywordField::Flag => {
                let flags = self.flags.get_or_init(|| payment.flags_at(self.now, self.overdue_days));
                flags.iter().any(|flag| flag.as_str() == value)
            }
            KeywordField::Last4 => self.stable_keyword(StableKeyword::Last4, value),
            KeywordField::Issuer => self.stable_keyword(StableKeyword::Issuer, value),
            KeywordField::Provider => self.stable_keyword(StableKeyword::Provider, value),
            KeywordField::Bank => self.stable_keyword(StableKeyword::Bank, value),
            KeywordField::ReasonCode => self.stable_keyword(StableKeyword::ReasonCode, value),
            KeywordField::Channel => self.stable_keyword(StableKeyword::Channel, value),
            // Rows of entries have a kind, payments have none.
            KeywordField::Kind => false,
        }
    }

    fn stable_keyword(&self, field: StableKeyword, value: &str) -> bool {
        let mut found = false;
        values::keywords(self.payment, field, |sent| found |= sent == value);
        found
    }

    fn amount(&self, field: AmountField, interval: &Interval<Decimal>) -> bool {
        let minor = match field {
            AmountField::Amount => self.payment.record.map(|record| i128::from(record.amount.total)),
            AmountField::BalanceAmount => self.payment.balance_amount,
        };
        let (Some(minor), Some(currency)) = (minor, self.payment.currency) else {
            return false;
        };
        amount_lies_in(minor, currency, interval)
    }

    fn day(&self, field: DayField, interval: &Interval<NaiveDate>) -> bool {
        let payment = self.payment;
        let mut lines = payment.settlements.iter().map(|line| line.record);
        match field {
            DayField::SaleDay => payment.event_day.is_some_and(|day| interval.contains(&day)),
            DayField::EventDay => {
                let mut others = payment
                    .cancellations
                    .iter()
                    .map(|live| business_day(live.record.instant(), live.zone));
                payment.event_day.is_some_and(|day| interval.contains(&day))
                    || others.any(|day| interval.contains(&day))
            }
            DayField::SoldOn => lines.any(|line| interval.contains(&line.sold_on)),
            DayField::PaidOutOn => lines
                .filter_map(|line| line.paid_out_on)
                .any(|day| interval.contains(&day)),
        }
    }

    fn time(&self, field: TimeField, interval: &Interval<DateTime<Utc>>) -> bool {
        match field {
            TimeField::ApprovedAt => self
                .payment
                .record
                .and_then(|record| record.approved_at)
                .is_some_and(|at| interval.contains(&at)),
            TimeField::CanceledAt => {
                let mut cancellations = self.payment.cancellations.iter();
                cancellations.any(|live| live.record.canceled_at.is_some_and(|at| interval.contains(&at)))
            }
        }
    }
}

/// Both ends are in major units of the amount's own currency.
fn amount_lies_in(minor: i128, currency: Currency, interval: &Interval<Decimal>) -> bool {
    let against = |end: &Decimal| cmp_major(minor, currency, end);
    let above = match &interval.lower {
        Bound::Included(end) => against(end) != Ordering::Less,
        Bound::Excluded(end) => against(end) == Ordering::Greater,
        Bound::Unbounded => true,
    };
    let below = match &interval.upper {
        Bound::Included(end) => against(end) != Ordering::Greater,
        Bound::Excluded(end) => against(end) == Ordering::Less,
        Bound::Unbounded => true,
    };
    above && below
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod superset;
#[cfg(test)]
mod tests;
