//! One clause: a word, or a field with its condition.

use winnow::prelude::*;
use winnow::token::{literal, take_while};

use crate::ast::{Ast, Comparison, Condition, RangeEnd, Value};
use crate::error::code;
use crate::limits::QUERY_CLAUSES_MAX;
use crate::parse::{
    CLAUSE, Failure, Input, Parsed, at, looks_like_keyword, next, rest, space, span_from, text_position,
};

/// White space ends a word, and these characters mean something of their own. All others are literal, in any script.
pub(crate) fn is_word_character(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | '"' | ':' | '*' | '[' | ']' | '{' | '}')
}

/// A value may hold colons as well: times do.
pub(crate) fn is_value_character(c: char) -> bool {
    is_word_character(c) || c == ':'
}

/// Would this be read as one bare value?
pub(crate) fn is_bare_value(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_value_character) && !text.starts_with(['<', '>'])
}

/// `metadata.` may be followed by a quoted key.
pub(crate) const METADATA: &str = "metadata.";

pub(crate) fn term(input: &mut Input<'_>) -> Parsed<Ast> {
    refuse_what_begins_no_term(input)?;
    count(input)?;
    let start = at(input);
    if next(input) == Some('"') {
        let text = quoted(input)?;
        let prefix = star(input)?;
        let span = span_from(input, start);
        end_of_term(input)?;
        return Ok(Ast::Word {
            text,
            quoted: true,
            prefix,
            span,
        });
    }
    let mut text: String = take_while(1.., is_word_character).parse_to().parse_next(input)?;
    if text == METADATA && next(input) == Some('"') {
        text.push_str(&quoted(input)?);
        if next(input) != Some(':') {
            return Failure::unexpected(at(input), ": and a value", "the metadata key has no value").cut();
        }
    }
    if next(input) == Some(':') {
        let span = span_from(input, start);
        literal(":").void().parse_next(input)?;
        let condition = condition(input)?;
        end_of_term(input)?;
        return Ok(Ast::Field {
            field: text,
            condition,
            span,
        });
    }
    let prefix = star(input)?;
    let span = span_from(input, start);
    end_of_term(input)?;
    Ok(Ast::Word {
        text,
        quoted: false,
        prefix,
        span,
    })
}

fn refuse_what_begins_no_term(input: &Input<'_>) -> Parsed<()> {
    let detail = match next(input) {
        None => "the text ends where something to search for is missing",
        Some(')') => "there is nothing to search for before this )",
        Some(':') => "a field name is missing before this :",
        Some('*') => "a * stands only at the end of a word",
        Some('[' | ']' | '{' | '}') => {
            "a range stands behind a field and its colon; to search for brackets, put the word in quotes"
        }
        Some(_) if looks_like_keyword(input, "AND") || looks_like_keyword(input, "OR") => {
            "this operator has nothing before it; in quotes it is a word to search for"
        }
        Some(_) => return Ok(()),
    };
    Failure::unexpected(at(input), CLAUSE, detail).cut()
}

fn count(input: &mut Input<'_>) -> Parsed<()> {
    input.state.clauses += 1;
    if input.state.clauses > QUERY_CLAUSES_MAX {
        let expected = format!("at most {QUERY_CLAUSES_MAX} words and fields");
        return Failure::unexpected(at(input), &expected, "the text has too many words and fields")
            .coded(code::QUERY_TOO_MANY_CLAUSES)
            .cut();
    }
    Ok(())
}

/// `"..."`, in which `\"` is a quote and `\\` a backslash. Any other backslash is itself.
fn quoted(input: &mut Input<'_>) -> Parsed<String> {
    let opened = at(input);
    literal("\"").void().parse_next(input)?;
    let mut text = String::new();
    loop {
        let plain: &str = take_while(0.., |c| c != '"' && c != '\\').parse_next(input)?;
        text.push_str(plain);
        let behind = rest(input);
        let (length, character) = match behind.as_bytes() {
            [] => {
                let detail = format!("the quote at character {} is not closed", text_position(input, opened));
                return Failure::unexpected(at(input), "\"", detail).coded(code::UNCLOSED).cut();
            }
            [b'"', ..] => {
                literal("\"").void().parse_next(input)?;
                return Ok(text);
            }
            [b'\\', b'"', ..] => (2, '"'),
            [b'\\', b'\\', ..] => (2, '\\'),
            _ => (1, '\\'),
        };
        take_while(length..=length, ['\\', '"']).void().parse_next(input)?;
        text.push(character);
    }
}

fn star(input: &mut Input<'_>) -> Parsed<bool> {
    let here = next(input) == Some('*');
    if here {
        literal("*").void().parse_next(input)?;
    }
    Ok(here)
}

fn end_of_term(input: &Input<'_>) -> Parsed<()> {
    let detail = match next(input) {
        None | Some('(' | ')') => return Ok(()),
        Some(c) if c.is_whitespace() => return Ok(()),
        Some('*') => "only one * stands at the end of a word",
        Some('"') => "a quote begins a new word, and white space is missing before it",
        Some('[' | ']' | '{' | '}') => {
            "brackets belong to ranges such as amount:[1 TO 5]; to search for them, put the word in quotes"
        }
        Some(':') => "a value that holds this : must be in quotes, and so must a word",
        Some(_) if input_ends_in_star(input) => "a * stands only at the end of a word",
        Some(_) => "white space is missing before this character",
    };
    Failure::unexpected(at(input), "white space, a parenthesis or the end of the text", detail).cut()
}

fn input_ends_in_star(input: &Input<'_>) -> bool {
    input.state.text[..at(input)].ends_with('*')
}

fn condition(input: &mut Input<'_>) -> Parsed<Condition> {
    match next(input) {
        Some('[' | '{') => range(input),
        Some('>' | '<') => {
            let comparison = comparison(input)?;
            if next(input) == Some('=') {
                return Failure::unexpected(at(input), "a value", "the comparisons are >=, >, <= and <").cut();
            }
            Ok(Condition::Compare(comparison, value(input)?))
        }
        Some('(') => Failure::unexpected(
            at(input),
            "a value",
            "alternatives repeat the field: (status:DONE OR status:CANCELED)",
        )
        .cut(),
        _ => {
            let mut value = value(input)?;
            let start = value.span.start;
            value.prefix = star(input)?;
            value.span.end = text_position(input, at(input));
            value.span.start = start;
            Ok(Condition::Is(value))
        }
    }
}

fn comparison(input: &mut Input<'_>) -> Parsed<Comparison> {
    for comparison in [
        Comparison::GreaterOrEqual,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::Less,
    ] {
        if rest(input).starts_with(comparison.symbol()) {
            literal(comparison.symbol()).void().parse_next(input)?;
            return Ok(comparison);
        }
    }
    Failure::unexpected(at(input), ">=, >, <= or <", "this is no comparison").cut()
}

fn value(input: &mut Input<'_>) -> Parsed<Value> {
    let start = at(input);
    let (text, quoted) = match next(input) {
        Some('"') => (quoted(input)?, true),
        Some(c) if is_value_character(c) && !matches!(c, '<' | '>') => {
            (take_while(1.., is_value_character).parse_to().parse_next(input)?, false)
        }
        found => {
            let detail = match found {
                None => "the text ends where a value is missing",
                Some('*') => "a * stands behind the beginning of an identifier, or alone as the open end of a range",
                Some(c) if c.is_whitespace() => "the value follows without white space",
                Some('<' | '>') => "the comparisons are >=, >, <= and <",
                Some(_) => "a value with this character must be in quotes",
            };
            return Failure::unexpected(at(input), "a value", detail).cut();
        }
    };
    Ok(Value {
        text,
        quoted,
        prefix: false,
        span: span_from(input, start),
    })
}

fn range(input: &mut Input<'_>) -> Parsed<Condition> {
    let opened = at(input);
    let lower_inclusive = next(input) == Some('[');
    take_while(1..=1, ['[', '{']).void().parse_next(input)?;
    let lower = RangeEnd {
        value: range_value(input, opened)?,
        inclusive: lower_inclusive,
    };
    if !looks_like_keyword(input, "TO") {
        return no_to(input, opened);
    }
    literal("TO").void().parse_next(input)?;
    let value = range_value(input, opened)?;
    let upper_inclusive = match next(input) {
        Some(']') => true,
        Some('}') => false,
        None => return unclosed_range(input, opened),
        Some(_) => {
            return Failure::unexpected(at(input), "] or }", "the range goes on where it should be closed").cut();
        }
    };
    take_while(1..=1, [']', '}']).void().parse_next(input)?;
    Ok(Condition::Range {
        lower,
        upper: RangeEnd {
            value,
            inclusive: upper_inclusive,
        },
    })
}

fn range_value(input: &mut Input<'_>, opened: usize) -> Parsed<Option<Value>> {
    space(input)?;
    let value = match next(input) {
        None => return unclosed_range(input, opened),
        Some('*') => {
            star(input)?;
            None
        }
        Some(']' | '}') => {
            return Failure::unexpected(
                at(input),
                "a value or *",
                "this end of the range is missing; * leaves it open",
            )
            .cut();
        }
        Some(_) => Some(value(input)?),
    };
    space(input)?;
    Ok(value)
}

fn no_to<T>(input: &Input<'_>, opened: usize) -> Parsed<T> {
    if next(input).is_none() {
        return unclosed_range(input, opened);
    }
    let behind = rest(input);
    let mut failure = Failure::unexpected(at(input), "TO", "a range is written [a TO b]");
    if behind.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("TO")) {
        failure.suggestion = Some("TO");
    } else if behind.get(2..3) == Some(":") {
        failure.detail =
            "a range is written [a TO b]; where this is the offset of a time, its + must be written %2B in a URL"
                .to_owned();
    }
    failure.cut()
}

fn unclosed_range<T>(input: &Input<'_>, opened: usize) -> Parsed<T> {
    let detail = format!(
        "the range that begins at character {} is not closed",
        text_position(input, opened)
    );
    Failure::unexpected(at(input), "] or }", detail)
        .coded(code::UNCLOSED)
        .cut()
}
