//! A tree of names and texts becomes a filter of fields and values.

use std::ops::Bound;

use crate::ast::{Ast, Condition, RangeEnd, Span, Value};
use crate::catalogue::{Target, catalogue, field};
use crate::error::{QueryError, code};
use crate::filter::{Filter, Word};
use crate::limits::{METADATA_KEY_CHARS_MAX, PREFIX_CHARS_MIN, WORD_CHARS_MIN};
use crate::nearest::nearest;
use crate::normalize::{fold, ident};
use crate::parse::parse;
use crate::value::{self, End, ValueError, shown};

/// Reads a search text and gives it its meaning. A blank text has no condition: [`Filter::All`].
///
/// # Errors
///
/// As [`parse`] and [`bind`].
pub fn compile(text: &str) -> Result<Filter, QueryError> {
    match parse(text)? {
        Some(ast) => bind(&ast),
        None => Ok(Filter::All),
    }
}

/// Gives every name and value of the tree its meaning.
///
/// # Errors
///
/// The first name or value, from the left, that has none.
pub fn bind(ast: &Ast) -> Result<Filter, QueryError> {
    match ast {
        Ast::And(members) => Ok(Filter::all_of(members.iter().map(bind).collect::<Result<Vec<_>, _>>()?)),
        Ast::Or(members) => Ok(Filter::any_of(members.iter().map(bind).collect::<Result<Vec<_>, _>>()?)),
        Ast::Not(inner) => Ok(!bind(inner)?),
        Ast::Word { text, prefix, span, .. } => word(text, *prefix, *span),
        Ast::Field { field, condition, span } => clause(field, condition, *span),
    }
}

fn word(written: &str, prefix: bool, span: Span) -> Result<Filter, QueryError> {
    let text = fold(written);
    if prefix {
        let beginning = beginning(written, span)?;
        return Ok(Filter::Word(Word {
            text,
            ident: Some(beginning),
            last4: None,
            prefix,
        }));
    }
    if text.chars().count() < WORD_CHARS_MIN {
        return Err(QueryError {
            code: code::WORD_TOO_SHORT,
            position: span.start,
            expected: format!("a word of {WORD_CHARS_MIN} or more characters"),
            detail: format!(
                "{} is too short: one character would match nearly everything",
                shown(written)
            ),
            suggestion: None,
        });
    }
    let ident = Some(ident(&text)).filter(|ident| !ident.is_empty());
    let last4 = value::four_digits(&text);
    Ok(Filter::Word(Word {
        text,
        ident,
        last4,
        prefix,
    }))
}

/// The identifier normal form of a prefix that is long enough.
fn beginning(written: &str, span: Span) -> Result<String, QueryError> {
    let beginning = ident(written);
    // Spaces and hyphens are not compared, so enough must be left without them to narrow anything down.
    if fold(written).chars().count() < PREFIX_CHARS_MIN || beginning.chars().count() < WORD_CHARS_MIN {
        return Err(QueryError {
            code: code::PREFIX_TOO_SHORT,
            position: span.start,
            expected: format!("{PREFIX_CHARS_MIN} or more characters before the *"),
            detail: format!("{} is too short for a prefix", shown(written)),
            suggestion: None,
        });
    }
    Ok(beginning)
}

fn clause(name: &str, condition: &Condition, span: Span) -> Result<Filter, QueryError> {
    let Some((info, key)) = field(name) else {
        return Err(unknown_field(name, span));
    };
    let target = info.target;
    match condition {
        Condition::Is(value) if value.prefix => prefixed(name, target, value),
        Condition::Is(value) => {
            value::equals(target, key, &value.text).map_err(|error| at(error, name, value.span.start))
        }
        // The comparison stands directly behind the colon, and so does the bracket of a range.
        _ if !target.is_ordered() => Err(at(value::no_order(), name, span.end + 1)),
        Condition::Compare(comparison, value) => {
            value::compares(target, *comparison, &value.text).map_err(|error| at(error, name, value.span.start))
        }
        Condition::Range { lower, upper } => {
            value::between(target, bound(lower), bound(upper)).map_err(|(end, error)| {
                let end = if end == End::Lower { lower } else { upper };
                at(
                    error,
                    name,
                    end.value.as_ref().map_or(span.end, |value| value.span.start),
                )
            })
        }
    }
}

fn prefixed(name: &str, target: Target, value: &Value) -> Result<Filter, QueryError> {
    let Target::Ident(field) = target else {
        return Err(QueryError {
            code: code::PREFIX_NOT_ALLOWED,
            position: value.span.end.saturating_sub(1),
            expected: "white space or the end of the text".to_owned(),
            detail: match target {
                Target::Text(_) => {
                    format!("{name} is searched for any part of it already, without a *")
                }
                _ => format!("{name} is no identifier, and only identifiers are found by their beginning"),
            },
            suggestion: None,
        });
    };
    Ok(Filter::Ident {
        field,
        value: beginning(&value.text, value.span)?,
        prefix: true,
    })
}

fn bound(end: &RangeEnd) -> Bound<&str> {
    match &end.value {
        None => Bound::Unbounded,
        Some(value) if end.inclusive => Bound::Included(&value.text),
        Some(value) => Bound::Excluded(&value.text),
    }
}

fn at(error: ValueError, name: &str, position: usize) -> QueryError {
    QueryError {
        code: error.code,
        position,
        expected: error.expected,
        detail: format!("{name}: {}", error.detail),
        suggestion: error.suggestion,
    }
}

fn unknown_field(name: &str, span: Span) -> QueryError {
    if name == "metadata" || name.starts_with("metadata.") {
        return QueryError {
            code: code::UNKNOWN_FIELD,
            position: span.start,
            expected: format!("metadata. and a key of 1 to {METADATA_KEY_CHARS_MAX} characters"),
            detail: "a metadata field names its key: metadata.store:s12".to_owned(),
            suggestion: None,
        };
    }
    let names = || catalogue().iter().map(|info| info.name);
    QueryError {
        code: code::UNKNOWN_FIELD,
        position: span.start,
        expected: format!("one of {}", names().collect::<Vec<_>>().join(", ")),
        detail: format!(
            "there is no field {}; a word that holds a : must be in quotes",
            shown(name)
        ),
        suggestion: nearest(name, names()).map(str::to_owned),
    }
}
