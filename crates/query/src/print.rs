//! A tree as text. Reading the text gives the tree back.
//!
//! Printing is canonical: one space between clauses, `-` for `NOT`, nothing for `AND`, parentheses only where they are
//! needed, quotes where they were written or are needed.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{Ast, Comparison, Condition, RangeEnd, Value};
use crate::term::{METADATA, is_bare_value, is_word_character};

impl Display for Ast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Ast::And(members) => join(f, members, " ", |member| {
                matches!(member, Ast::And(_) | Ast::Or(_))
            }),
            Ast::Or(members) => join(f, members, " OR ", |member| matches!(member, Ast::Or(_))),
            Ast::Not(inner) => {
                f.write_char('-')?;
                grouped(f, inner, matches!(**inner, Ast::And(_) | Ast::Or(_)))
            }
            Ast::Word {
                text,
                quoted,
                prefix,
                ..
            } => {
                if *quoted || !is_bare_word(text, *prefix) {
                    write_quoted(f, text)?;
                } else {
                    f.write_str(text)?;
                }
                f.write_str(if *prefix { "*" } else { "" })
            }
            Ast::Field {
                field, condition, ..
            } => {
                write_field(f, field)?;
                f.write_char(':')?;
                condition.fmt(f)
            }
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Is(value) => value.fmt(f),
            Condition::Compare(comparison, value) => {
                comparison.fmt(f)?;
                // `>` and `=5` would be read as `>=` and `5`.
                if value.text.starts_with('=') {
                    write_quoted(f, &value.text)
                } else {
                    value.fmt(f)
                }
            }
            Condition::Range { lower, upper } => {
                f.write_char(if lower.inclusive { '[' } else { '{' })?;
                write_end(f, lower)?;
                f.write_str(" TO ")?;
                write_end(f, upper)?;
                f.write_char(if upper.inclusive { ']' } else { '}' })
            }
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.quoted || !is_bare_value(&self.text) {
            write_quoted(f, &self.text)?;
        } else {
            f.write_str(&self.text)?;
        }
        f.write_str(if self.prefix { "*" } else { "" })
    }
}

fn join(
    f: &mut Formatter<'_>,
    members: &[Ast],
    separator: &str,
    needs_group: fn(&Ast) -> bool,
) -> fmt::Result {
    for (i, member) in members.iter().enumerate() {
        if i > 0 {
            f.write_str(separator)?;
        }
        grouped(f, member, needs_group(member))?;
    }
    Ok(())
}

fn grouped(f: &mut Formatter<'_>, ast: &Ast, group: bool) -> fmt::Result {
    if group {
        write!(f, "({ast})")
    } else {
        ast.fmt(f)
    }
}

/// Would this be read as one bare word?
fn is_bare_word(text: &str, prefix: bool) -> bool {
    let operator = matches!(text, "AND" | "OR" | "NOT") && !prefix;
    !text.is_empty() && !text.starts_with('-') && !operator && text.chars().all(is_word_character)
}

fn write_field(f: &mut Formatter<'_>, field: &str) -> fmt::Result {
    match field.strip_prefix(METADATA) {
        Some(key) if !key.chars().all(is_word_character) => {
            f.write_str(METADATA)?;
            write_quoted(f, key)
        }
        _ => f.write_str(field),
    }
}

fn write_end(f: &mut Formatter<'_>, end: &RangeEnd) -> fmt::Result {
    match &end.value {
        Some(value) => value.fmt(f),
        None => f.write_char('*'),
    }
}

fn write_quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
