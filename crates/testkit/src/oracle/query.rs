//! The search language as a tree, and its printer.

use std::fmt;

/// A question in the search language. Every field stands by its name in the language (`metadata.store` included).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefQuery {
    /// A bare word, or quoted words that stay together.
    Word(String),
    /// `field:value`, `field:>=value`.
    Compare {
        /// The field.
        field: String,
        /// How it is compared.
        by: By,
        /// The value as it is written.
        value: String,
    },
    /// `field:prefix*`, on identifiers.
    Prefix {
        /// The field.
        field: String,
        /// What stands before the star, at least four characters.
        prefix: String,
    },
    /// `field:[low TO high}`.
    Range {
        /// The field.
        field: String,
        /// The lower end, `None` for an open one.
        low: Option<End>,
        /// The upper end.
        high: Option<End>,
    },
    /// Every part holds.
    And(Vec<RefQuery>),
    /// At least one part holds.
    Or(Vec<RefQuery>),
    /// The part does not hold.
    Not(Box<RefQuery>),
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The value as it is written.
    pub value: String,
    /// Whether the value itself belongs to the range.
    pub inclusive: bool,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `field:value`: equals, or contains on text fields.
    Value,
    /// `field:>value`.
    Gt,
    /// `field:>=value`.
    Gte,
    /// `field:<value`.
    Lt,
    /// `field:<=value`.
    Lte,
}

impl By {
    /// The operator as the language writes it.
    fn operator(self) -> &'static str {
        match self {
            Self::Value => "",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Lt => "<",
            Self::Lte => "<=",
        }
    }
}

impl fmt::Display for RefQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(&written(word, Place::Bare)),
            Self::Compare { field, by, value } => {
                write!(f, "{field}:{}{}", by.operator(), written(value, Place::Value))
            }
            Self::Prefix { field, prefix } => write!(f, "{field}:{prefix}*"),
            Self::Range { field, low, high } => {
                let open = if low.as_ref().is_none_or(|end| end.inclusive) {
                    '['
                } else {
                    '{'
                };
                let close = if high.as_ref().is_none_or(|end| end.inclusive) {
                    ']'
                } else {
                    '}'
                };
                let end = |end: &Option<End>| {
                    end.as_ref()
                        .map_or("*".to_owned(), |end| written(&end.value, Place::Value))
                };
                write!(f, "{field}:{open}{} TO {}{close}", end(low), end(high))
            }
            Self::And(parts) => write!(f, "({})", joined(parts, " ")),
            Self::Or(parts) => write!(f, "({})", joined(parts, " OR ")),
            Self::Not(part) => write!(f, "-{part}"),
        }
    }
}

fn joined(parts: &[RefQuery], between: &str) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

#[derive(PartialEq)]
enum Place {
    Bare,
    Value,
}

/// A word as it is, or in quotes where a character of it could mean something to the language.
fn written(word: &str, place: Place) -> String {
    let literal = |c: char| c.is_alphanumeric() || "@~+._/-".contains(c);
    let leads_badly = place == Place::Bare && word.starts_with(['-', '+']);
    let reserved = ["AND", "OR", "NOT", "TO"].contains(&word);
    if word.chars().all(literal) && !leads_badly && !reserved && !word.is_empty() {
        word.to_owned()
    } else {
        format!("\"{word}\"")
    }
}
