//! The kinds of problems. A code is stable: clients switch on it, so it is never changed or reused. Each has a page at
//! `/problems/{code}` that says what happened and what to do.

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) code: &'static str,
    pub(crate) status: u16,
    pub(crate) title: &'static str,
    /// What to do about it.
    pub(crate) advice: &'static str,
    /// It is what the bare status means where nothing more is known.
    pub(crate) stands_for_status: bool,
}

/// Declares the kinds and the list of them all. A `*` marks those that stand for their status.
macro_rules! kinds {
    ($($name:ident = $status:literal $code:literal $title:literal $advice:literal $(, $star:literal)?;)+) => {
        $(pub(crate) const $name: Kind = Kind {
            code: $code,
            status: $status,
            title: $title,
            advice: $advice,
            stands_for_status: false $(|| $star)?,
        };)+

        /// Every kind.
        pub(crate) const ALL: &[&Kind] = &[$(&$name),+];
    };
}

kinds! {
    BAD_REQUEST = 400 "bad_request" "The request cannot be understood"
        "The detail says what is wrong. Compare the request with openapi.yaml.", true;
    UNKNOWN_PARAMETER = 400 "unknown_parameter" "There is no such parameter here"
        "Nothing is ignored silently. The error names the parameter and the nearest one that exists.";
    MISSING_PARAMETER = 400 "missing_parameter" "A required parameter is missing"
        "Add the parameter that the error names.";
    REPEATED_PARAMETER = 400 "repeated_parameter" "A parameter that stands once was given more than once"
        "Send it once. Filters that may be repeated for alternatives are listed in openapi.yaml.";
    TOO_MANY_VALUES = 400 "too_many_values" "A parameter was repeated too often"
        "A filter takes at most 1,000 different values. Ask in several requests.";
    UNKNOWN_OPERATOR = 400 "unknown_operator" "There is no such comparison"
        "The brackets behind a parameter hold gte, gt, lte or lt.";
    OPERATOR_NOT_ALLOWED = 400 "operator_not_allowed" "This field cannot be compared"
        "Only amounts, days and times have an order. Repeat other parameters for alternatives.";
    BAD_VALUE = 400 "bad_value" "A value is not of the kind that belongs here"
        "The error says what is expected: amounts are decimals in major units such as 15000 or 10.50, days are \
         YYYY-MM-DD, times are RFC 3339 with an offset, limit is a whole number from 1.";
    UNKNOWN_VALUE = 400 "unknown_value" "A value is none of the closed list"
        "The error names the values there are and the nearest one. They are written exactly so.";
    BAD_ENCODING = 400 "bad_encoding" "The address is not percent-encoded UTF-8"
        "Each byte that is no letter, digit or one of - . _ ~ is written as % and two hexadecimal digits, of the text in UTF-8.";
    BAD_CURSOR = 400 "bad_cursor" "The cursor does not belong to this request"
        "A cursor works with the very filters, the order and the key that it was given to. Send the same parameters again \
         with next_cursor unchanged, or begin without a cursor.";
    NOT_JSON = 400 "not_json" "The body is not JSON"
        "Send one JSON object in UTF-8.";
    WRONG_TYPE = 400 "wrong_type" "A value has another JSON type"
        "Values are strings, or arrays of strings for alternatives; limit may be a number. Amounts are strings, \
         never numbers. Leave a member out instead of sending null or an empty array.";
    DUPLICATE_MEMBER = 400 "duplicate_member" "A member stands twice in the body"
        "Send each member once; an array gives alternatives.";
    UNEXPECTED = 400 "unexpected" "The search text cannot be read"
        "The error says at which character (from 0) and what is expected there. Words with any of ( ) \" : * [ ] { } go in quotes.";
    UNCLOSED = 400 "unclosed" "A quote, parenthesis or bracket of the search text is not closed"
        "Close it.";
    UNKNOWN_FIELD = 400 "unknown_field" "There is no such search field"
        "GET /v1/search/fields lists the fields. To look for a word with a colon in it, put it in quotes.";
    WORD_TOO_SHORT = 400 "word_too_short" "A word of the search text is too short"
        "A word has two characters or more, because one matches nearly everything.";
    PREFIX_TOO_SHORT = 400 "prefix_too_short" "The beginning before * is too short"
        "Four characters or more stand before the *.";
    PREFIX_NOT_ALLOWED = 400 "prefix_not_allowed" "Only identifiers are found by their beginning"
        "Leave the * out. Texts are found by any part of them as it is.";
    QUERY_TOO_LONG = 400 "query_too_long" "The search text is too long"
        "It may have 1,024 bytes of UTF-8.";
    QUERY_TOO_MANY_CLAUSES = 400 "query_too_many_clauses" "The search text has too many clauses"
        "It may have 32 words and fields. Filters can be sent as parameters as well.";
    QUERY_TOO_DEEP = 400 "query_too_deep" "The search text is nested too deeply"
        "It may have 8 levels of parentheses.";
    SPAN_TOO_LONG = 400 "span_too_long" "The report spans too many years"
        "A report spans up to 20 years. Ask for each part.";
    REPORT_TOO_LARGE = 400 "report_too_large" "The report has too many rows"
        "A report has up to 100,000 rows. Take a shorter span, fewer groups (month instead of day), or filter by merchant, method or currency.";
    AMBIGUOUS_EVENT = 400 "ambiguous_event" "Several services used this event id"
        "An id is unique per source alone. Send the parameter source; the error lists those that are known.";
    UNAUTHENTICATED = 401 "unauthenticated" "A key is needed"
        "Send the header Authorization: Bearer KEY with a key that was not revoked.", true;
    FORBIDDEN = 403 "forbidden" "This key may not do that"
        "The role of the key does not reach here. Ask an administrator for a key with the right role.", true;
    NOT_FOUND = 404 "not_found" "There is nothing here"
        "The address is wrong. openapi.yaml lists the addresses there are.", true;
    PAYMENT_NOT_FOUND = 404 "payment_not_found" "There is no such payment"
        "No payment with this key exists that your key may see. Payment keys are compared exactly, letter case included.";
    PAYOUT_NOT_FOUND = 404 "payout_not_found" "There is no such payout"
        "No settlement line that your key may see names this payout. Payout ids in an address are compared exactly.";
    EVENT_NOT_SEEN = 404 "event_not_seen" "No message of this event has come yet"
        "It may be on its way: compare the offset that the broker gave it with GET /v1/ingest/status. A message whose id cannot be read is \
         found in quarantine alone.";
    EVENT_NOT_KEPT = 404 "event_not_kept" "What became of this event is no longer kept"
        "It came before the newest messages that are remembered (ledger.events_max). Ask for its payment, whose timeline is kept for good.";
    QUARANTINE_ROW_NOT_FOUND = 404 "quarantine_row_not_found" "There is no such row in quarantine"
        "GET /v1/quarantine lists the rows with their numbers. Rows of entries that are no longer set aside are gone.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed" "This address does not take that method"
        "The header Allow lists the methods it takes.", true;
    NOT_ACCEPTABLE = 406 "not_acceptable" "There is no format that the client takes"
        "Send an Accept with one of the media types that the detail lists, or the parameter format.", true;
    QUARANTINE_ROW_CLOSED = 409 "quarantine_row_closed" "The row is closed already"
        "GET /v1/quarantine/{n} says when and how. A message that still should count is published again.";
    NOT_REPLAYABLE = 409 "not_replayable" "The row cannot be replayed"
        "The detail says why. The message must be published again; the row can then be closed, where it is about a refused message.";
    NOT_CLOSABLE = 409 "not_closable" "The row cannot be closed"
        "Rows with merchant_mismatch or currency_mismatch are not closed by hand: a message with a higher version that names the payment's \
         own merchant and currency ends them.";
    NOT_CAUGHT_UP = 412 "not_caught_up" "The ledger has not reached what was asked for"
        "Try again after the seconds in Retry-After, or send Prefer: wait=10 to wait for it. The header Ledger-As-Of says how far it is.", true;
    BODY_TOO_LARGE = 413 "body_too_large" "The body is too large"
        "The body of a search may have 64 KiB, that of a lookup 1 MiB.", true;
    URI_TOO_LONG = 414 "uri_too_long" "The address is too long"
        "An address with its parameters may have 32 KiB. POST /v1/payments/search takes the same parameters in a body.", true;
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type" "The body is not of a type that is read here"
        "Send Content-Type: application/json, without a Content-Encoding.", true;
    RATE_LIMITED = 429 "rate_limited" "This key asks too often"
        "Try again after the seconds in Retry-After. RateLimit-Policy says how many requests of this kind a key may send in how many \
         seconds, RateLimit how many are left.", true;
    INTERNAL_ERROR = 500 "internal_error" "Something went wrong on our side"
        "Trying again may help. If it does not, tell the operator of the service the request_id.", true;
    OVERLOADED = 503 "overloaded" "Too much is being asked at the moment"
        "Try again after the seconds in Retry-After.", true;
    TIMED_OUT = 503 "timed_out" "The answer took too long"
        "Try again later, or ask for less: fewer days, more filters.";
    SEARCH_UNAVAILABLE = 503 "search_unavailable" "Identifiers cannot be looked up at the moment"
        "Try again after the seconds in Retry-After: the search index is being made. Everything else, searches included, is answered meanwhile.";
    LEDGER_UNAVAILABLE = 503 "ledger_unavailable" "The ledger cannot be read at the moment"
        "Try again after the seconds in Retry-After. If it lasts, tell the operator of the service.";
    WRITER_UNAVAILABLE = 503 "writer_unavailable" "The writer does not take it at the moment"
        "Look at the row, then try again after the seconds in Retry-After.";
    AUDIT_UNAVAILABLE = 503 "audit_unavailable" "The audit log cannot be written"
        "Nothing is shown or done that cannot be put on the audit log. Tell the operator of the service: the disk may be full.";
    NOT_READY = 503 "not_ready" "The service is not ready yet"
        "The detail says what it waits for. Requests may be answered already, but late or incompletely.";
}

/// The kind with this code.
pub(crate) fn find(code: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.code == code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_one_kind_at_most_stands_for_a_status() {
        let codes: BTreeSet<&str> = ALL.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), ALL.len());
        let bare: Vec<u16> = ALL
            .iter()
            .filter(|kind| kind.stands_for_status)
            .map(|kind| kind.status)
            .collect();
        assert_eq!(bare.iter().collect::<BTreeSet<_>>().len(), bare.len());
    }

    #[test]
    fn every_mistake_of_a_question_is_a_kind() {
        use query::code;
        for code in [
            code::QUERY_TOO_LONG,
            code::QUERY_TOO_MANY_CLAUSES,
            code::QUERY_TOO_DEEP,
            code::UNEXPECTED,
            code::UNCLOSED,
            code::UNKNOWN_FIELD,
            code::WORD_TOO_SHORT,
            code::PREFIX_TOO_SHORT,
            code::PREFIX_NOT_ALLOWED,
            code::OPERATOR_NOT_ALLOWED,
            code::BAD_VALUE,
            code::UNKNOWN_VALUE,
            code::UNKNOWN_PARAMETER,
            code::UNKNOWN_OPERATOR,
            code::REPEATED_PARAMETER,
            code::TOO_MANY_VALUES,
        ] {
            assert_eq!(find(code).map(|kind| kind.status), Some(400), "{code}");
        }
    }
}
