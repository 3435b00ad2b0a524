//! Each mistake, where it stands and what would have been right.

use query::{QueryError, code, compile};

#[track_caller]
fn refuse(text: &str) -> QueryError {
    match compile(text) {
        Ok(filter) => panic!("{text} was understood: {filter:?}"),
        Err(error) => {
            assert!(error.position <= text.chars().count(), "{text}: {error:?}");
            assert!(!error.expected.is_empty(), "{text}: {error:?}");
            assert!(
                !error.detail.is_empty() && !error.detail.ends_with('.'),
                "{text}: {error:?}"
            );
            error
        }
    }
}

/// `expected` must be part of what the error says it expected.
#[track_caller]
fn check(text: &str, code: &str, position: usize, expected: &str) {
    let error = refuse(text);
    assert_eq!((error.code, error.position), (code, position), "{text}: {error:?}");
    assert!(error.expected.contains(expected), "{text}: {error:?}");
}

#[track_caller]
fn check_suggestion(text: &str, code: &str, position: usize, suggestion: &str) {
    let error = refuse(text);
    assert_eq!((error.code, error.position), (code, position), "{text}: {error:?}");
    assert_eq!(error.suggestion.as_deref(), Some(suggestion), "{text}: {error:?}");
}

#[test]
fn the_grammar_says_where_it_cannot_go_on() {
    for (text, position, expected) in [
        ("-", 1, "directly behind the -"),
        ("aa -", 4, "directly behind the -"),
        ("- aa", 1, "directly behind the -"),
        ("(-)", 2, "directly behind the -"),
        ("NOT", 3, "a word"),
        ("NOT )", 4, "a word"),
        ("NOT AND aa", 4, "a word"),
        ("()", 1, "a word"),
        ("(  )", 3, "a word"),
        ("aa ()", 4, "a word"),
        ("AND", 0, "a word"),
        ("OR", 0, "a word"),
        ("aa AND", 6, "a word"),
        ("aa OR", 5, "a word"),
        ("aa OR ", 6, "a word"),
        ("OR bb", 0, "a word"),
        ("AND bb", 0, "a word"),
        ("aa AND AND bb", 7, "a word"),
        ("aa AND OR bb", 7, "a word"),
        ("aa OR OR bb", 6, "a word"),
        ("aa OR AND bb", 6, "a word"),
        ("(aa OR) bb", 6, "a word"),
        (")", 0, "a word"),
        ("aa)", 2, "the end of the text"),
        ("(aa))", 4, "the end of the text"),
        ("커피) aa", 2, "the end of the text"),
        (":aa", 0, "a word"),
        ("status :DONE", 7, "a word"),
        ("*", 0, "a word"),
        ("aa *", 3, "a word"),
        ("*coffee", 0, "a word"),
        ("co*ffee", 3, "white space"),
        ("coffee**", 7, "white space"),
    ] {
        check(text, code::UNEXPECTED, position, expected);
    }
}

#[test]
fn so_do_fields_and_ranges() {
    for (text, position, expected) in [
        ("[특가] 커피", 0, "a word"),
        ("커피[특가]", 2, "white space"),
        ("amount[gte]:5", 6, "white space"),
        ("aa\"bb\"", 2, "white space"),
        ("\"aa\"bb", 4, "white space"),
        ("\"aa\"\"bb\"", 4, "white space"),
        ("\"aa\":bb", 4, "white space"),
        ("metadata.\"a b\" x", 14, ":"),
        ("status:", 7, "a value"),
        ("status: DONE", 7, "a value"),
        ("status:)", 7, "a value"),
        ("(status:)", 8, "a value"),
        ("status:(DONE OR CANCELED)", 7, "a value"),
        ("order_id:*", 9, "a value"),
        ("order_id:AB[1]", 11, "white space"),
        ("order_id:AB\"1\"", 11, "white space"),
        ("amount:>=", 9, "a value"),
        ("amount:>= 5", 9, "a value"),
        ("amount:>>5", 8, "a value"),
        ("amount:>==5", 9, "a value"),
        ("amount:>=*", 9, "a value"),
        ("amount:>=[1 TO 2]", 9, "a value"),
        ("amount:[]", 8, "a value or *"),
        ("amount:[1 TO]", 12, "a value or *"),
        ("amount:[TO 5]", 11, "TO"),
        ("amount:[1, 5]", 11, "TO"),
        ("amount:[1]", 9, "TO"),
        ("amount:[1 TO 5 TO 6]", 15, "] or }"),
        ("amount:[1* TO 5]", 9, "TO"),
        ("amount:[1 TO 5*]", 14, "] or }"),
        ("amount:[1 TO 5]x", 15, "white space"),
    ] {
        check(text, code::UNEXPECTED, position, expected);
    }
    check_suggestion("amount:[1 to 5]", code::UNEXPECTED, 10, "TO");
}

#[test]
fn what_is_opened_must_be_closed() {
    for (text, position, expected) in [
        ("\"", 1, "\""),
        ("\"스타 커피", 6, "\""),
        ("aa \"bb\\\"", 8, "\""),
        ("order_id:\"aa", 12, "\""),
        ("metadata.\"aa", 12, "\""),
        ("(aa", 3, ")"),
        ("(aa OR (bb)", 11, ")"),
        ("aa (bb ", 7, ")"),
        ("amount:[", 8, "] or }"),
        ("amount:[1", 9, "] or }"),
        ("amount:[1 TO", 12, "] or }"),
        ("amount:[1 TO 5", 14, "] or }"),
        ("amount:{1 TO 5 ", 15, "] or }"),
    ] {
        check(text, code::UNCLOSED, position, expected);
    }
    assert_eq!(refuse("aa (bb").detail, "the ( at character 3 is not closed");
}

#[test]
fn words_and_prefixes_have_a_least_length() {
    for (text, position) in [
        ("a", 0),
        ("aa b", 3),
        ("김", 0),
        ("스타 김 커피", 3),
        // One syllable, whether written in one character or in three.
        ("\u{1100}\u{1175}\u{11b7}", 0),
        ("\"\"", 0),
        ("\"  \"", 0),
        ("\" a \"", 0),
        ("-a", 1),
        ("(aa OR b)", 7),
        ("order_name:a", 11),
        ("order_name:\"\"", 11),
        ("reason:김", 7),
    ] {
        check(text, code::WORD_TOO_SHORT, position, "2 or more characters");
    }
    for (text, position) in [
        ("abc*", 0),
        ("aa abc*", 3),
        ("a*", 0),
        ("\"\"*", 0),
        ("order_id:ORD*", 9),
        ("order_id:\"----\"*", 9),
        ("\"a---\"*", 0),
    ] {
        check(
            text,
            code::PREFIX_TOO_SHORT,
            position,
            "4 or more characters before the *",
        );
    }
    for (text, position) in [
        ("order_name:coffee*", 17),
        ("status:DONE*", 11),
        ("amount:1000*", 11),
        ("metadata.store:s12345*", 21),
    ] {
        check(text, code::PREFIX_NOT_ALLOWED, position, "white space");
    }
}

#[test]
fn unknown_names_get_the_nearest() {
    check_suggestion("stauts:DONE", code::UNKNOWN_FIELD, 0, "status");
    check_suggestion("커피 order:1", code::UNKNOWN_FIELD, 3, "order_id");
    check_suggestion("Status:DONE", code::UNKNOWN_FIELD, 0, "status");
    check_suggestion("-flags:conflict", code::UNKNOWN_FIELD, 1, "flag");
    check("http://example.com", code::UNKNOWN_FIELD, 0, "payment_key");
    check("metadata:x", code::UNKNOWN_FIELD, 0, "metadata. and a key");
    check("metadata.:x", code::UNKNOWN_FIELD, 0, "metadata. and a key");
    check(
        &format!("metadata.{}:x", "k".repeat(41)),
        code::UNKNOWN_FIELD,
        0,
        "metadata. and a key",
    );
}

#[test]
fn unknown_values_get_the_nearest() {
    check_suggestion("status:CANCELLED", code::UNKNOWN_VALUE, 7, "CANCELED");
    check_suggestion("status:done", code::UNKNOWN_VALUE, 7, "DONE");
    check_suggestion(
        "settlement_status:PARTIALY_PAID",
        code::UNKNOWN_VALUE,
        18,
        "PARTIALLY_PAID",
    );
    check_suggestion("currency:krw", code::UNKNOWN_VALUE, 9, "KRW");
    check_suggestion("currency:KRV", code::UNKNOWN_VALUE, 9, "KRW");
    check_suggestion("flag:awaiting", code::UNKNOWN_VALUE, 5, "awaiting_payment");
    check_suggestion("channel:console", code::UNKNOWN_VALUE, 8, "CONSOLE");
    check("status:PENDING", code::UNKNOWN_VALUE, 7, "WAITING_FOR_DEPOSIT");
    check("status:\"\"", code::BAD_VALUE, 7, "a value");
    check("merchant_id:\"\"", code::BAD_VALUE, 12, "a value");
    check("metadata.a:\"\"", code::BAD_VALUE, 11, "a value");
    check("order_id:\"--\"", code::BAD_VALUE, 9, "an identifier");
    check("last4:424", code::BAD_VALUE, 6, "four digits");
    check("last4:abcd", code::BAD_VALUE, 6, "four digits");
}

#[test]
fn values_must_be_of_the_fields_kind() {
    for (value, suggestion) in [
        ("abc", None),
        ("1e3", None),
        (".5", Some("0.5")),
        ("1.", Some("1")),
        ("007", Some("7")),
        ("+5", Some("5")),
        ("15,000", Some("15000")),
        ("-", None),
        ("--5", None),
        ("=5", None),
        ("1.2.3", None),
        ("٣", None),
    ] {
        let error = refuse(&format!("amount:{value}"));
        assert_eq!((error.code, error.position), (code::BAD_VALUE, 7), "{value}");
        assert_eq!(error.suggestion.as_deref(), suggestion, "{value}");
    }
    check(
        "amount:99999999999999999999999999999999999",
        code::BAD_VALUE,
        7,
        "at most 28 digits",
    );
    check(
        "amount:0.00000000000000000000000000000000001",
        code::BAD_VALUE,
        7,
        "at most 28 digits",
    );
    check("amount:[1 TO x]", code::BAD_VALUE, 13, "an amount");
    check("amount:[x TO 1]", code::BAD_VALUE, 8, "an amount");
}

#[test]
fn days_and_times_must_be_complete() {
    for day in [
        "2026-02-30",
        "2026-1-1",
        "20261101",
        "26-11-01",
        "2026-11-1T",
        "yesterday",
        "２０２６-11-01",
    ] {
        check(&format!("event_day:{day}"), code::BAD_VALUE, 10, "a date such as");
    }
    check_suggestion("event_day:2026-11-01T00:00:00Z", code::BAD_VALUE, 10, "2026-11-01");
    check_suggestion("approved_at:2026-11-01", code::BAD_VALUE, 12, "2026-11-01T00:00:00Z");
    check_suggestion(
        "approved_at:>=2026-11-01T00:00:00",
        code::BAD_VALUE,
        14,
        "2026-11-01T00:00:00Z",
    );
    check_suggestion(
        "approved_at:\"2026-11-01T00:00:00 09:00\"",
        code::BAD_VALUE,
        12,
        "2026-11-01T00:00:00+09:00",
    );
    for time in [
        "2026-11-01T00:00:00+0900",
        "2026-11-01T00:00+09:00",
        "2026-11-01T24:00:00Z",
        "12026-11-01T00:00:00Z",
    ] {
        check(&format!("approved_at:{time}"), code::BAD_VALUE, 12, "RFC 3339");
    }
    check(
        "approved_at:\"2026-11-01T00:00:00 +09:00\"",
        code::BAD_VALUE,
        12,
        "RFC 3339",
    );
    check("approved_at:12:30", code::BAD_VALUE, 12, "RFC 3339");
    check("approved_at:\"2026-11-01 00:00:00Z\"", code::BAD_VALUE, 12, "RFC 3339");
    let error = refuse("approved_at:[2026-11-01T00:00:00 09:00 TO *]");
    assert!(error.detail.contains("%2B"), "{error:?}");
    assert_eq!((error.code, error.position), (code::UNEXPECTED, 33));
}

#[test]
fn only_ordered_fields_compare() {
    for (text, position) in [
        ("order_id:>5", 9),
        ("status:[A TO B]", 7),
        ("aa last4:>=4242", 9),
        ("order_name:<aa", 11),
        ("metadata.n:>5", 11),
        ("metadata.\"n m\":>5", 15),
    ] {
        check(
            text,
            code::OPERATOR_NOT_ALLOWED,
            position,
            "a value without a comparison",
        );
    }
}

#[test]
fn the_text_is_bounded() {
    let fits = "가".repeat(341) + "a";
    assert_eq!(fits.len(), 1024);
    assert!(compile(&fits).is_ok());
    check(&(fits.clone() + "b"), code::QUERY_TOO_LONG, 342, "1024 bytes");
    check(
        &(fits[..1023].to_owned() + "가"),
        code::QUERY_TOO_LONG,
        341,
        "1024 bytes",
    );
    check(&" ".repeat(1025), code::QUERY_TOO_LONG, 1024, "1024 bytes");

    let words = |count: usize| vec!["aa"; count].join(" ");
    assert!(compile(&words(32)).is_ok());
    check(&words(33), code::QUERY_TOO_MANY_CLAUSES, 96, "32 words");

    let nested = |depth: usize| "(".repeat(depth) + "aa" + &")".repeat(depth);
    assert!(compile(&nested(8)).is_ok());
    check(&nested(9), code::QUERY_TOO_DEEP, 8, "8 levels");
    assert!(compile(&("-(".repeat(8) + "aa" + &")".repeat(8))).is_ok());
    assert!(compile(&("-".repeat(9) + "aa")).is_ok());
    check(&("-".repeat(10) + "aa"), code::QUERY_TOO_DEEP, 10, "8 levels");
    // Depth is how many are open at once, not how many there are.
    assert!(compile(&vec!["(aa)"; 32].join(" ")).is_ok());
    assert!(compile(&vec!["--aa"; 32].join(" ")).is_ok());
}
