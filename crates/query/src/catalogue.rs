//! The catalogue of fields: one table that the binder, the parameters, `GET /v1/search/fields` and the documentation read,
//! so that none of them can name a field the others do not know.

use crate::fields::{FIELDS, METADATA};
use crate::filter::{AmountField, DayField, IdentField, KeywordField, TextField, TimeField};
use crate::limits::METADATA_KEY_CHARS_MAX;

/// All that is known of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// As written before the colon. Of metadata the pattern `metadata.<key>`.
    pub name: &'static str,
    pub target: Target,
    /// Whose value it is.
    pub holder: Holder,
    pub description: &'static str,
    /// Clauses that can be tried as they stand.
    pub examples: &'static [&'static str],
    /// Is it a filter parameter of the payments list and search as well?
    pub parameter: bool,
}

/// Where a field's value comes from, which decides how two conditions on it go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The payment has one value.
    Payment,
    /// Each entry of the payment may have one: the condition holds when one live entry satisfies it.
    Entry,
}

/// What a name stands for in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Ident(IdentField),
    Text(TextField),
    Keyword(KeywordField, Vocabulary),
    Amount(AmountField),
    Day(DayField),
    Time(TimeField),
    Metadata,
}

/// Which values a keyword can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// Any; compared as stored.
    Open,
    /// Any; these are the usual ones, for documentation and completion.
    Usual(&'static [&'static str]),
    /// One of these, written so.
    Closed(&'static [&'static str]),
    /// An ISO 4217 code in upper case.
    Currency,
    /// Four ASCII digits.
    FourDigits,
}

/// A field's kind, as the catalogue endpoint names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Identifier,
    Text,
    Keyword,
    Flag,
    Last4,
    Amount,
    Day,
    Time,
    Metadata,
}

/// What may stand behind a field's colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `field:value`, the values are the same.
    Equals,
    /// `field:value`, the value is a part.
    Contains,
    /// `field:value*`
    Prefix,
    /// `field:>value`, `>=`, `<`, `<=`
    Compare,
    /// `field:[a TO b]`, `{a TO b}`, `*`
    Range,
}

/// Every field of the search language, metadata last.
pub fn catalogue() -> &'static [FieldInfo] {
    FIELDS
}

/// The field of this name and, of `metadata.<key>`, the key.
pub fn field(name: &str) -> Option<(&'static FieldInfo, Option<&str>)> {
    if let Some(key) = name.strip_prefix("metadata.") {
        let fits = (1..=METADATA_KEY_CHARS_MAX).contains(&key.chars().count());
        return fits.then_some((&METADATA, Some(key)));
    }
    FIELDS
        .iter()
        .find(|info| info.name == name && info.target != Target::Metadata)
        .map(|info| (info, None))
}

impl FieldInfo {
    pub fn kind(&self) -> FieldKind {
        self.target.kind()
    }

    pub fn operators(&self) -> &'static [Operator] {
        self.target.operators()
    }

    /// The values to choose from: all of a closed list, the usual ones of an open list.
    pub fn values(&self) -> Option<&'static [&'static str]> {
        match self.target {
            Target::Keyword(_, Vocabulary::Closed(values) | Vocabulary::Usual(values)) => Some(values),
            _ => None,
        }
    }

    /// Are [`values`](Self::values) all there are?
    pub fn is_closed(&self) -> bool {
        matches!(self.target, Target::Keyword(_, Vocabulary::Closed(_)))
    }

    /// What may stand in brackets behind the parameter's name: `amount[gte]`. Empty where the parameter is repeated instead.
    pub fn bracket_operators(&self) -> &'static [&'static str] {
        if self.parameter && self.target.is_ordered() {
            &BRACKET_OPERATORS
        } else {
            &[]
        }
    }
}

/// The comparisons of a filter parameter.
pub(crate) const BRACKET_OPERATORS: [&str; 4] = ["gte", "gt", "lte", "lt"];

impl Target {
    /// Can its values be compared for more than sameness?
    pub fn is_ordered(self) -> bool {
        matches!(self, Target::Amount(_) | Target::Day(_) | Target::Time(_))
    }

    pub fn kind(self) -> FieldKind {
        match self {
            Target::Ident(_) => FieldKind::Identifier,
            Target::Text(_) => FieldKind::Text,
            Target::Keyword(KeywordField::Flag, _) => FieldKind::Flag,
            Target::Keyword(KeywordField::Last4, _) => FieldKind::Last4,
            Target::Keyword(..) => FieldKind::Keyword,
            Target::Amount(_) => FieldKind::Amount,
            Target::Day(_) => FieldKind::Day,
            Target::Time(_) => FieldKind::Time,
            Target::Metadata => FieldKind::Metadata,
        }
    }

    pub fn operators(self) -> &'static [Operator] {
        match self {
            Target::Ident(_) => &[Operator::Equals, Operator::Prefix],
            Target::Text(_) => &[Operator::Contains],
            Target::Keyword(..) | Target::Metadata => &[Operator::Equals],
            Target::Amount(_) | Target::Day(_) | Target::Time(_) => {
                &[Operator::Equals, Operator::Compare, Operator::Range]
            }
        }
    }
}

impl FieldKind {
    pub fn as_str(self) -> &'static str {
        match self {
            FieldKind::Identifier => "identifier",
            FieldKind::Text => "text",
            FieldKind::Keyword => "keyword",
            FieldKind::Flag => "flag",
            FieldKind::Last4 => "last4",
            FieldKind::Amount => "amount",
            FieldKind::Day => "day",
            FieldKind::Time => "time",
            FieldKind::Metadata => "metadata",
        }
    }
}

impl Operator {
    pub fn as_str(self) -> &'static str {
        match self {
            Operator::Equals => "equals",
            Operator::Contains => "contains",
            Operator::Prefix => "prefix",
            Operator::Compare => "compare",
            Operator::Range => "range",
        }
    }
}
