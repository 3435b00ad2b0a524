//! How large a question may be. Each bound is a constant with its reason; the reference for users repeats them.

/// Bytes of a search text. A URL of 8 KiB must hold the text percent-encoded (up to 3 bytes for each) and its cursor, and
/// nobody types more; programs that look up many identifiers have the lookup endpoint.
pub const QUERY_BYTES_MAX: usize = 1024;

/// Words and fields in a search text. Every clause costs one look into the index and one test on each row read.
pub const QUERY_CLAUSES_MAX: usize = 32;

/// Parentheses inside parentheses. It bounds every recursion over a query (parse, bind, print, evaluate), so that none of
/// them can exhaust the stack. A `NOT` that stands directly before another `NOT` counts as a level too.
pub const QUERY_DEPTH_MAX: usize = 8;

/// Characters of a word, counted in the text normal form. Text is found by its pairs of neighbouring characters, and a
/// single character would match nearly every payment.
pub const WORD_CHARS_MIN: usize = 2;

/// Characters before the `*` of a prefix, counted in the text normal form. A shorter prefix matches so many identifiers
/// that reading them all costs more than the answer is worth.
pub const PREFIX_CHARS_MIN: usize = 4;

/// Values of one repeated filter parameter, the same number that one bulk lookup takes.
pub const PARAMETER_VALUES_MAX: usize = 1000;

/// Characters of a metadata key: messages with a longer key are refused, so none can match.
pub const METADATA_KEY_CHARS_MAX: usize = 40;

/// Mistakes that one answer reports. Nobody reads more, and an answer must not be many times its request.
pub const PARAMETER_ERRORS_MAX: usize = 100;
