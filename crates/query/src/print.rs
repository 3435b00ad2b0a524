//! A tree as text. Reading the text gives the tree back.
//!
//! Printing is canonical: one space between clauses, `-` for `NOT`, nothing for `AND`, parentheses only where they are
//! needed, quotes where they were written or are needed.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{Ast, Comparison, Condition, RangeEnd, Value};
use crate::limits::QUERY_BYTES_MAX;
use crate::term::{METADATA, is_bare_value, is_word_character};

impl Display for Ast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let spaced = Printer { tight: false }.tree(self);
        if spaced.len() <= QUERY_BYTES_MAX {
            return f.write_str(&spaced);
        }
        // A text may have been written without the spaces that parentheses make needless. With them its print could be
        // too long to be read again.
        f.write_str(&Printer { tight: true }.tree(self))
    }
}

/// Writes trees. Their depth is bounded, and so is the recursion.
struct Printer {
    /// Without the spaces that can be left out.
    tight: bool,
}

impl Printer {
    fn tree(&self, ast: &Ast) -> String {
        match ast {
            Ast::And(members) => {
                let members = members
                    .iter()
                    .map(|member| self.grouped(member, matches!(member, Ast::And(_) | Ast::Or(_))));
                members.reduce(|text, next| self.and(text, &next)).unwrap_or_default()
            }
            Ast::Or(members) => {
                let members = members
                    .iter()
                    .map(|member| self.grouped(member, matches!(member, Ast::Or(_))));
                members.reduce(|text, next| self.or(text, &next)).unwrap_or_default()
            }
            Ast::Not(inner) => format!("-{}", self.grouped(inner, matches!(**inner, Ast::And(_) | Ast::Or(_)))),
            Ast::Word {
                text, quoted, prefix, ..
            } => {
                let text = if *quoted || !is_bare_word(text, *prefix) {
                    in_quotes(text)
                } else {
                    text.clone()
                };
                if *prefix { text + "*" } else { text }
            }
            Ast::Field { field, condition, .. } => format!("{}:{condition}", field_name(field)),
        }
    }

    fn grouped(&self, ast: &Ast, group: bool) -> String {
        let text = self.tree(ast);
        if group { format!("({text})") } else { text }
    }

    fn and(&self, text: String, next: &str) -> String {
        let space = !(self.tight && (text.ends_with(')') || next.starts_with('(')));
        text + if space { " " } else { "" } + next
    }

    fn or(&self, text: String, next: &str) -> String {
        let space_before = !(self.tight && text.ends_with(')'));
        let space_behind = !(self.tight && next.starts_with(['(', '"']));
        text + if space_before { " " } else { "" } + "OR" + if space_behind { " " } else { "" } + next
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
                    f.write_str(&in_quotes(&value.text))
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
            f.write_str(&in_quotes(&self.text))?;
        } else {
            f.write_str(&self.text)?;
        }
        f.write_str(if self.prefix { "*" } else { "" })
    }
}

/// Would this be read as one bare word?
fn is_bare_word(text: &str, prefix: bool) -> bool {
    let operator = matches!(text, "AND" | "OR" | "NOT") && !prefix;
    !text.is_empty() && !text.starts_with('-') && !operator && text.chars().all(is_word_character)
}

fn field_name(field: &str) -> Cow<'_, str> {
    match field.strip_prefix(METADATA) {
        Some(key) if !key.chars().all(is_word_character) => Cow::Owned(format!("{METADATA}{}", in_quotes(key))),
        _ => Cow::Borrowed(field),
    }
}

fn write_end(f: &mut Formatter<'_>, end: &RangeEnd) -> fmt::Result {
    match &end.value {
        Some(value) => value.fmt(f),
        None => f.write_char('*'),
    }
}

/// A backslash is doubled only where it would be read as an escape, so that no print is longer than its text.
fn in_quotes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '"' || (c == '\\' && matches!(characters.peek(), None | Some('"' | '\\'))) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}
