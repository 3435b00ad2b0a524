//! What the rows of an export have: scalar members as columns, and the sums that prove them.

use std::borrow::Cow;

use domain::time::{parse_date, parse_time};
use serde_json::Value;

/// What a column holds, which decides how a format writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A decimal in major units of the row's currency.
    Money,
    /// A whole number.
    Number,
    /// `YYYY-MM-DD`.
    Day,
    /// RFC 3339, UTC, microseconds.
    Time,
}

/// A scalar member of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its JSON name; of a member of a member both names with a dot between.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// What is added up per currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    /// As the manifest names it.
    pub(crate) name: &'static str,
    /// [`Kind::Money`] or [`Kind::Number`].
    pub(crate) kind: Kind,
}

/// The shape of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    /// In the order in which a producer gives the figures of a row.
    pub(crate) sums: Vec<Sum>,
}

/// The columns named, in that order.
pub(crate) fn columns(kind: Kind, names: &[&'static str]) -> impl Iterator<Item = Column> {
    names.iter().map(move |name| Column { name, kind })
}

pub(crate) fn sums(kind: Kind, names: &[&'static str]) -> impl Iterator<Item = Sum> {
    names.iter().map(move |name| Sum { name, kind })
}

/// The text with a `'` in front where a spreadsheet may take it for a formula and run it (OWASP, *CSV injection*).
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// One value of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Empty,
    Text(&'a str),
    Money(&'a str),
    Number(i64),
    Day(&'a str),
    Time(&'a str),
}

impl Table {
    /// The cells of a printed row, in the order of the columns.
    pub(crate) fn cells<'a>(&'a self, row: &'a Value) -> impl Iterator<Item = Cell<'a>> {
        self.columns.iter().map(move |column| {
            let mut place = Some(row);
            for name in column.name.split('.') {
                place = place.and_then(|object| object.get(name));
            }
            match (place, column.kind) {
                (Some(Value::Number(number)), _) => number.as_i64().map_or(Cell::Empty, Cell::Number),
                (Some(Value::String(text)), Kind::Text | Kind::Number) => Cell::Text(text),
                (Some(Value::String(text)), Kind::Money) => Cell::Money(text),
                (Some(Value::String(text)), Kind::Day) => Cell::Day(text),
                (Some(Value::String(text)), Kind::Time) => Cell::Time(text),
                _ => Cell::Empty,
            }
        })
    }
}

/// Days since 1970-01-01.
pub(crate) fn epoch_days(day: &str) -> Option<i32> {
    Some(parse_date(day)?.to_epoch_days())
}

/// Microseconds since 1970-01-01T00:00:00Z.
pub(crate) fn epoch_micros(time: &str) -> Option<i64> {
    Some(parse_time(time)?.timestamp_micros())
}
