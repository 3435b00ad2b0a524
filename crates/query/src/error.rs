//! What is wrong with a question, said so that its writer can mend it.

/// Stable names of mistakes. Clients switch on them, so a name is never changed or reused.
pub mod code {
    /// The text has more bytes than allowed.
    pub const QUERY_TOO_LONG: &str = "query_too_long";
    /// The text has more words and fields than allowed.
    pub const QUERY_TOO_MANY_CLAUSES: &str = "query_too_many_clauses";
    /// Parentheses are nested deeper than allowed.
    pub const QUERY_TOO_DEEP: &str = "query_too_deep";
    /// Something stands where the language expects something else.
    pub const UNEXPECTED: &str = "unexpected";
    /// A quote, parenthesis or bracket is not closed.
    pub const UNCLOSED: &str = "unclosed";
    /// No field has this name.
    pub const UNKNOWN_FIELD: &str = "unknown_field";
    /// A word of fewer than two characters.
    pub const WORD_TOO_SHORT: &str = "word_too_short";
    /// A prefix of fewer than four characters.
    pub const PREFIX_TOO_SHORT: &str = "prefix_too_short";
    /// A prefix on a field that is no identifier.
    pub const PREFIX_NOT_ALLOWED: &str = "prefix_not_allowed";
    /// The field or parameter has a value but no order: no comparison, no range.
    pub const OPERATOR_NOT_ALLOWED: &str = "operator_not_allowed";
    /// The value is not of the field's kind.
    pub const BAD_VALUE: &str = "bad_value";
    /// The value is none of the field's closed list.
    pub const UNKNOWN_VALUE: &str = "unknown_value";
    /// The endpoint has no such parameter.
    pub const UNKNOWN_PARAMETER: &str = "unknown_parameter";
    /// The name in brackets is no comparison.
    pub const UNKNOWN_OPERATOR: &str = "unknown_operator";
    /// A parameter that stands once was given more than once.
    pub const REPEATED_PARAMETER: &str = "repeated_parameter";
    /// A parameter was repeated more often than allowed.
    pub const TOO_MANY_VALUES: &str = "too_many_values";
}

/// A search text that cannot be read or has no meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct QueryError {
    /// One of [`code`].
    pub code: &'static str,
    /// Where in the text, in characters (Unicode scalar values) from 0. The length of the text where its end is the mistake.
    pub position: usize,
    /// What the language takes at that position.
    pub expected: String,
    /// A sentence for the person who wrote the text.
    pub detail: String,
    /// The nearest thing that would have been right.
    pub suggestion: Option<String>,
}

/// A parameter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ParamError {
    /// The name as it was sent, brackets included.
    pub parameter: String,
    /// Of `q`: where in its text, as in [`QueryError::position`].
    pub position: Option<usize>,
    pub code: &'static str,
    pub detail: String,
    pub expected: Option<String>,
    pub suggestion: Option<String>,
}

impl ParamError {
    /// A mistake in the search text that the parameter `parameter` carried.
    pub fn from_query(parameter: &str, error: QueryError) -> ParamError {
        ParamError {
            parameter: parameter.to_owned(),
            position: Some(error.position),
            code: error.code,
            detail: error.detail,
            expected: Some(error.expected),
            suggestion: error.suggestion,
        }
    }
}
