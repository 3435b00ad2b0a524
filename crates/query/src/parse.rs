//! The grammar of the search language: how clauses go together. What one clause looks like is in `term.rs`.
//!
//! ```text
//! query     = any
//! any       = all { OR all }
//! all       = not { [AND] not }
//! not       = { "-" | NOT } primary
//! primary   = "(" any ")" | term
//! term      = word [*] | field ":" condition
//! condition = value [*] | (">=" | ">" | "<=" | "<") value | ("[" | "{") end TO end ("]" | "}")
//! end       = value | "*"
//! ```
//!
//! Every choice is made on the next characters alone and never taken back, so reading is linear in the length of the text.
//! The length is checked before anything is read, clauses and depth while reading: a hostile text costs no more than a
//! long honest one.

use winnow::error::{ErrMode, ParserError};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};
use winnow::token::{literal, take_while};

use crate::ast::{Ast, Span};
use crate::error::{QueryError, code};
use crate::limits::{QUERY_BYTES_MAX, QUERY_DEPTH_MAX};
use crate::term;

/// Reads a search text. A text of nothing but white space says nothing: None.
///
/// # Errors
///
/// The first place, from the left, at which the text cannot be read on, and what would have been right there.
pub fn parse(text: &str) -> Result<Option<Ast>, QueryError> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(too_long(text));
    }
    if text.trim().is_empty() {
        return Ok(None);
    }
    let state = State {
        text,
        depth: 0,
        clauses: 0,
    };
    let mut input = Input {
        input: LocatingSlice::new(text),
        state,
    };
    query(&mut input).map(Some).map_err(|error| match error {
        ErrMode::Cut(failure) | ErrMode::Backtrack(failure) => failure.located(text),
        ErrMode::Incomplete(_) => Failure::unexpected(text.len(), "more text", "the text ends too early").located(text),
    })
}

pub(crate) type Input<'t> = Stateful<LocatingSlice<&'t str>, State<'t>>;
pub(crate) type Parsed<T> = ModalResult<T, Failure>;

/// What reading needs besides the rest of the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State<'t> {
    pub(crate) text: &'t str,
    depth: usize,
    pub(crate) clauses: usize,
}

/// A mistake and the byte at which it stands.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) at: usize,
    pub(crate) code: &'static str,
    pub(crate) expected: String,
    pub(crate) detail: String,
    pub(crate) suggestion: Option<&'static str>,
}

impl Failure {
    pub(crate) fn unexpected(at: usize, expected: &str, detail: impl Into<String>) -> Failure {
        Failure {
            at,
            code: code::UNEXPECTED,
            expected: expected.to_owned(),
            detail: detail.into(),
            suggestion: None,
        }
    }

    pub(crate) fn coded(mut self, code: &'static str) -> Failure {
        self.code = code;
        self
    }

    /// The grammar never tries a second reading, so every failure is final.
    pub(crate) fn cut<T>(self) -> Parsed<T> {
        Err(ErrMode::Cut(self))
    }

    fn located(self, text: &str) -> QueryError {
        QueryError {
            code: self.code,
            position: characters(text, self.at),
            expected: self.expected,
            detail: self.detail,
            suggestion: self.suggestion.map(str::to_owned),
        }
    }
}

/// What winnow's own parsers fail with; the grammar replaces it wherever a user could see it.
impl<'t> ParserError<Input<'t>> for Failure {
    type Inner = Failure;

    fn from_input(input: &Input<'t>) -> Self {
        Failure::unexpected(at(input), CLAUSE, "the text cannot be read from here on")
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

/// What may stand where a clause begins.
pub(crate) const CLAUSE: &str = "a word, a field such as status:DONE, or (";

fn query(input: &mut Input<'_>) -> Parsed<Ast> {
    let ast = any(input)?;
    match next(input) {
        None => Ok(ast),
        // `any` ends at the end of the text or before a `)`.
        Some(_) => Failure::unexpected(at(input), "the end of the text", "this ) closes nothing").cut(),
    }
}

fn any(input: &mut Input<'_>) -> Parsed<Ast> {
    let mut parts = vec![all(input)?];
    while keyword(input, "OR") {
        space(input)?;
        parts.push(all(input)?);
    }
    match Ast::any_of(parts) {
        Some(ast) => Ok(ast),
        None => Failure::unexpected(at(input), CLAUSE, "there is nothing to search for").cut(),
    }
}

fn all(input: &mut Input<'_>) -> Parsed<Ast> {
    space(input)?;
    let mut parts = vec![not(input)?];
    loop {
        space(input)?;
        if matches!(next(input), None | Some(')')) || looks_like_keyword(input, "OR") {
            break;
        }
        if keyword(input, "AND") {
            space(input)?;
        }
        parts.push(not(input)?);
    }
    match Ast::all_of(parts) {
        Some(ast) => Ok(ast),
        None => Failure::unexpected(at(input), CLAUSE, "there is nothing to search for").cut(),
    }
}

fn not(input: &mut Input<'_>) -> Parsed<Ast> {
    let outer_depth = input.state.depth;
    let mut negations = 0_usize;
    loop {
        if negations > 1 {
            deeper(input)?;
        }
        let start = at(input);
        if next(input) == Some('-') {
            literal("-").void().parse_next(input)?;
            if next(input).is_none_or(|c| c.is_whitespace() || c == ')') {
                return Failure::unexpected(
                    at(input),
                    "what is left out, directly behind the -",
                    "this - stands alone; in quotes it is a character to search for",
                )
                .cut();
            }
        } else if keyword(input, "NOT") {
            space(input)?;
            if next(input).is_none_or(|c| c == ')') {
                return Failure::unexpected(
                    at(input),
                    CLAUSE,
                    format!(
                        "the NOT at character {} has nothing behind it",
                        characters(input.state.text, start)
                    ),
                )
                .cut();
            }
        } else {
            break;
        }
        negations += 1;
    }
    let mut ast = primary(input)?;
    // Whatever was opened here is closed again.
    input.state.depth = outer_depth;
    for _ in 0..negations {
        ast = Ast::Not(Box::new(ast));
    }
    Ok(ast)
}

fn primary(input: &mut Input<'_>) -> Parsed<Ast> {
    if next(input) != Some('(') {
        return term::term(input);
    }
    let opened = at(input);
    deeper(input)?;
    literal("(").void().parse_next(input)?;
    let ast = any(input)?;
    if next(input) != Some(')') {
        let detail = format!(
            "the ( at character {} is not closed",
            characters(input.state.text, opened)
        );
        return Failure::unexpected(at(input), ")", detail).coded(code::UNCLOSED).cut();
    }
    literal(")").void().parse_next(input)?;
    Ok(ast)
}

fn deeper(input: &mut Input<'_>) -> Parsed<()> {
    input.state.depth += 1;
    if input.state.depth > QUERY_DEPTH_MAX {
        let expected = format!("at most {QUERY_DEPTH_MAX} levels of parentheses");
        return Failure::unexpected(at(input), &expected, "the text is nested too deeply")
            .coded(code::QUERY_TOO_DEEP)
            .cut();
    }
    Ok(())
}

/// Takes the word `AND`, `OR` or `NOT` if it stands here as an operator.
fn keyword(input: &mut Input<'_>, word: &'static str) -> bool {
    looks_like_keyword(input, word) && literal::<_, _, ErrMode<Failure>>(word).parse_next(input).is_ok()
}

/// Operators are whole words in upper case: `ORDER`, `or`, `OR:x` and `OR*` are none.
pub(crate) fn looks_like_keyword(input: &Input<'_>, word: &str) -> bool {
    rest(input)
        .strip_prefix(word)
        .is_some_and(|behind| !behind.starts_with(|c| term::is_word_character(c) || c == ':' || c == '*'))
}

pub(crate) fn space(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., char::is_whitespace).void().parse_next(input)
}

pub(crate) fn rest<'t>(input: &Input<'t>) -> &'t str {
    input.input.peek_finish()
}

pub(crate) fn next(input: &Input<'_>) -> Option<char> {
    rest(input).chars().next()
}

/// The byte that is read next.
pub(crate) fn at(input: &Input<'_>) -> usize {
    input.input.current_token_start()
}

/// From the byte `start` up to what is read next.
pub(crate) fn span_from(input: &Input<'_>, start: usize) -> Span {
    Span {
        start: characters(input.state.text, start),
        end: characters(input.state.text, at(input)),
    }
}

pub(crate) fn text_position(input: &Input<'_>, byte: usize) -> usize {
    characters(input.state.text, byte)
}

/// How many characters begin before this byte.
fn characters(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(start, _)| *start < byte).count()
}

fn too_long(text: &str) -> QueryError {
    // The first character that does not fit.
    let position = text
        .char_indices()
        .take_while(|(start, c)| start + c.len_utf8() <= QUERY_BYTES_MAX)
        .count();
    QueryError {
        code: code::QUERY_TOO_LONG,
        position,
        expected: format!("at most {QUERY_BYTES_MAX} bytes of UTF-8"),
        detail: format!("the text has {} bytes, {QUERY_BYTES_MAX} are allowed", text.len()),
        suggestion: None,
    }
}
