//! Printing a tree and reading the print gives the tree.

use proptest::prelude::*;
use query::{Ast, Comparison, Condition, RangeEnd, Span, Value, compile, parse};

#[track_caller]
fn check(text: &str, expected: &str) {
    let ast = parse(text).expect("a good text").expect("not blank");
    assert_eq!(ast.to_string(), expected);
    assert_eq!(parse(expected).expect("the print is good"), Some(ast), "{text}");
}

#[test]
fn prints_are_canonical() {
    for (text, expected) in [
        ("aa", "aa"),
        (" aa   AND bb ", "aa bb"),
        ("NOT aa", "-aa"),
        ("NOT (aa bb)", "-(aa bb)"),
        ("NOT NOT aa", "--aa"),
        ("((aa)) ((bb cc))", "aa bb cc"),
        ("(aa OR bb) cc", "(aa OR bb) cc"),
        ("aa OR (bb cc)", "aa OR bb cc"),
        ("(aa OR bb)(cc OR dd)", "(aa OR bb) (cc OR dd)"),
        ("-(aa OR (bb cc))", "-(aa OR bb cc)"),
        ("\"aa\"", "\"aa\""),
        ("\"a\\\\b\"", "\"a\\b\""),
        ("\"a\\\"b\\\\\"", "\"a\\\"b\\\\\""),
        ("\"AND\" ANDx", "\"AND\" ANDx"),
        ("NOT*", "NOT*"),
        ("metadata.\"store\":x", "metadata.store:x"),
        ("metadata.\"a b\":\"c d\"", "metadata.\"a b\":\"c d\""),
        ("amount:[ 1  TO  * }", "amount:[1 TO *}"),
        ("amount:>=5", "amount:>=5"),
        ("order_id:ORD-2026*", "order_id:ORD-2026*"),
        ("order_id:\"ORD 2026\"*", "order_id:\"ORD 2026\"*"),
        (
            "approved_at:2026-11-01T00:00:00+09:00",
            "approved_at:2026-11-01T00:00:00+09:00",
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn a_print_is_never_too_long_to_be_read() {
    let clauses = "(aa OR bb)(cc OR dd)ee(ff OR gg)OR\"hh\"(ii OR jj)";
    let filler = "\\x".repeat((1024 - clauses.len() - 2) / 2);
    let text = format!("{clauses}\"{filler}\"");
    assert!((1023..=1024).contains(&text.len()));
    let ast = parse(&text).expect("1 KiB is allowed").expect("not blank");
    assert_eq!(ast.to_string(), text, "there is no shorter way to write it");
    // The same clauses have room for spaces where they are alone.
    check(clauses, "(aa OR bb) (cc OR dd) ee (ff OR gg) OR \"hh\" (ii OR jj)");
}

#[test]
fn spans_count_characters() {
    let Some(Ast::And(members)) = parse("\"스타 커피\" -상태:값* amount:[가 TO \"나\"]").expect("a good text")
    else {
        panic!("three members");
    };
    let Ast::Word { span, .. } = &members[0] else {
        panic!("a word")
    };
    assert_eq!((span.start, span.end), (0, 7));
    let Ast::Not(inner) = &members[1] else {
        panic!("a negation")
    };
    let Ast::Field {
        span,
        condition: Condition::Is(value),
        ..
    } = &**inner
    else {
        panic!("a field")
    };
    assert_eq!(
        (span.start, span.end, value.span.start, value.span.end),
        (9, 11, 12, 14)
    );
    let Ast::Field {
        condition: Condition::Range { lower, upper },
        ..
    } = &members[2]
    else {
        panic!("a range")
    };
    let spans = [lower, upper].map(|end| end.value.as_ref().map(|value| (value.span.start, value.span.end)));
    assert_eq!(spans, [Some((23, 24)), Some((28, 31))]);
}

const NOWHERE: Span = Span { start: 0, end: 0 };

/// Text that needs no quotes, and text of any kind.
fn text() -> impl Strategy<Value = (String, bool)> {
    prop_oneof![
        "[a-zA-Z0-9가-힣@~+._/,!=][a-zA-Z0-9가-힣@~+._/,!=<>\\\\-]{0,6}"
            .prop_filter("operators need quotes", |text| !matches!(
                text.as_str(),
                "AND" | "OR" | "NOT"
            ))
            .prop_map(|text| (text, false)),
        "[ a-zA-Z가-힣\"\\\\()\\[\\]{}:*<>=\n-]{0,8}".prop_map(|text| (text, true)),
        Just(("AND".to_owned(), true)),
        Just(("TO".to_owned(), false)),
    ]
}

fn value(prefix: bool) -> impl Strategy<Value = Value> {
    (text(), any::<bool>()).prop_map(move |((text, quoted), star)| Value {
        text,
        quoted,
        prefix: prefix && star,
        span: NOWHERE,
    })
}

fn end() -> impl Strategy<Value = RangeEnd> {
    (prop::option::of(value(false)), any::<bool>()).prop_map(|(value, inclusive)| RangeEnd { value, inclusive })
}

fn condition() -> impl Strategy<Value = Condition> {
    let comparison = prop::sample::select(vec![
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ]);
    prop_oneof![
        value(true).prop_map(Condition::Is),
        (comparison, value(false))
            .prop_filter("`=` behind a comparison needs quotes", |(_, value)| value.quoted
                || !value.text.starts_with('='))
            .prop_map(|(comparison, value)| Condition::Compare(comparison, value)),
        (end(), end()).prop_map(|(lower, upper)| Condition::Range { lower, upper }),
    ]
}

fn leaf() -> impl Strategy<Value = Ast> {
    let field = prop_oneof![
        "[a-z_]{1,6}",
        Just("metadata.store".to_owned()),
        Just("metadata.a \"b\":".to_owned())
    ];
    prop_oneof![
        (text(), any::<bool>()).prop_map(|((text, quoted), prefix)| Ast::Word {
            text,
            quoted,
            prefix,
            span: NOWHERE
        }),
        (field, condition()).prop_map(|(field, condition)| Ast::Field {
            field,
            condition,
            span: NOWHERE
        }),
    ]
}

/// Trees within the bounds: at most 27 clauses, at most 6 levels.
fn tree() -> impl Strategy<Value = Ast> {
    leaf().prop_recursive(3, 27, 3, |inner| {
        let members = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            members().prop_filter_map("not empty", Ast::all_of),
            members().prop_filter_map("not empty", Ast::any_of),
            inner.clone().prop_map(|inner| Ast::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn trees_survive_their_print(ast in tree()) {
        let print = ast.to_string();
        prop_assume!(print.len() <= 1024);
        prop_assert_eq!(parse(&print).map_err(|error| TestCaseError::fail(format!("{print}: {error:?}")))?, Some(ast));
    }

    /// Texts that were read are the other way in: whatever the grammar accepts, its print means the same.
    #[test]
    fn texts_survive_their_print(text in "([-(]?|NOT )(aa|\"b \\\\b\"|amount:[\\[{]1 TO (2|\\*)[\\]}]|order_id:abcd\\*)\\)?( AND |OR| OR | |\\))((NOT|-|)(cc|\\(dd|\"OR\"|metadata\\.x:<y>|flag:conflict))?\\)?") {
        if let Ok(Some(ast)) = parse(&text) {
            let print = ast.to_string();
            prop_assert_eq!(compile(&print).ok(), compile(&text).ok());
            prop_assert!(print.len() <= text.len() + 8, "{}", print);
            prop_assert_eq!(parse(&print), Ok(Some(ast)));
        }
    }
}
