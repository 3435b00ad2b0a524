//! One accepted message, and how its fields are read.

use super::{instant, money};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Payment,
    Cancellation,
    Settlement,
}

impl Kind {
    pub(crate) fn of_type(name: &str) -> Option<Self> {
        match name {
            "payment.recorded.v1" => Some(Self::Payment),
            "cancellation.recorded.v1" => Some(Self::Cancellation),
            "settlement.recorded.v1" => Some(Self::Settlement),
            _ => None,
        }
    }

    pub(crate) fn id_field(self) -> &'static str {
        match self {
            Self::Payment => "payment_key",
            Self::Cancellation => "cancellation_id",
            Self::Settlement => "settlement_id",
        }
    }
}

/// A message that kept every rule of the contract: its redacted `data`, nulls taken out, and what identifies it.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    pub(crate) version: i64,
    /// SHA-256 of the canonical `data` as it was sent.
    pub(crate) digest: [u8; 32],
    pub(crate) had_card_number: bool,
    pub(crate) data: Map<String, Value>,
}

impl Message {
    /// The string at a path such as `card.issuer`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        at_path(&self.data, path)?.as_str()
    }

    /// A string that validation made sure of.
    pub(crate) fn required(&self, path: &str) -> &str {
        self.text(path).unwrap_or_default()
    }

    pub(crate) fn payment_key(&self) -> &str {
        self.required("payment_key")
    }

    pub(crate) fn entry_id(&self) -> &str {
        self.required(self.kind.id_field())
    }

    pub(crate) fn merchant(&self) -> &str {
        self.required("merchant_id")
    }

    pub(crate) fn currency(&self) -> &str {
        self.required("currency")
    }

    pub(crate) fn status(&self) -> &str {
        self.required("status")
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.data.get("deleted") == Some(&Value::Bool(true))
    }

    /// The amount at a path, in minor units.
    pub(crate) fn minor(&self, path: &str) -> Option<i128> {
        money::minor_units(self.text(path)?, self.currency()).map(i128::from)
    }

    /// An amount that validation made sure of.
    pub(crate) fn required_minor(&self, path: &str) -> i128 {
        self.minor(path).unwrap_or(0)
    }

    /// The sum of a list of `{type, amount}`.
    pub(crate) fn sum_of(&self, list: &str) -> i128 {
        self.items(list)
            .iter()
            .filter_map(|item| money::minor_units(item.get("amount")?.as_str()?, self.currency()))
            .map(i128::from)
            .sum()
    }

    pub(crate) fn items(&self, list: &str) -> &[Value] {
        self.data.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.data.get(name)?.as_object()
    }

    pub(crate) fn instant(&self, path: &str) -> Option<DateTime<Utc>> {
        instant::instant(self.text(path)?)
    }

    pub(crate) fn date(&self, path: &str) -> Option<NaiveDate> {
        instant::date(self.text(path)?)
    }

    /// The entry's own instant; a settlement line has none.
    pub(crate) fn own_instant(&self) -> Option<DateTime<Utc>> {
        match self.kind {
            Kind::Payment => self.instant("approved_at").or_else(|| self.instant("requested_at")),
            Kind::Cancellation => self.instant("canceled_at").or_else(|| self.instant("requested_at")),
            Kind::Settlement => None,
        }
    }

    /// The given last four digits of the card, else the trailing four of the mask.
    pub(crate) fn last4(&self) -> Option<String> {
        if let Some(given) = self.text("card.last4") {
            return Some(given.to_owned());
        }
        let mask: Vec<char> = self.text("card.number_masked")?.chars().collect();
        let tail = mask.get(mask.len().checked_sub(4)?..)?;
        tail.iter().all(char::is_ascii_digit).then(|| tail.iter().collect())
    }
}

/// The value at a dotted path of members.
pub(crate) fn at_path<'a>(data: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => data.get(path),
        Some((head, rest)) => at_path(data.get(head)?.as_object()?, rest),
    }
}
