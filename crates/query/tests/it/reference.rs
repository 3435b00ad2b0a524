//! The reference for users says what is so: its examples work, its errors are the errors, and it leaves nothing out.

use query::{catalogue, code, compile, limits};

const REFERENCE: &str = include_str!("../../../../docs/search.md");

#[test]
fn examples_are_understood() {
    let mut examples = 0;
    let mut fenced = false;
    for line in REFERENCE.lines() {
        if line.starts_with("```") {
            fenced = line == "```query";
        } else if fenced {
            compile(line).unwrap_or_else(|error| panic!("{line}: {error:?}"));
            examples += 1;
        }
    }
    assert!(examples >= 25, "{examples}");
}

#[test]
fn errors_are_as_in_the_table() {
    let mut rows = 0;
    for line in REFERENCE.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, text, code, position, ..] = cells[..] else {
            continue;
        };
        let Ok(position) = position.parse::<usize>() else {
            continue;
        };
        let error = compile(text.trim_matches('`')).expect_err(text);
        assert_eq!(
            (error.code, error.position),
            (code.trim_matches('`'), position),
            "{text}"
        );
        if let Some((_, suggestion)) = line.split_once("suggests `") {
            let suggestion = suggestion.split('`').next();
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
        rows += 1;
    }
    assert!(rows >= 10, "{rows}");
}

#[test]
fn nothing_is_left_out() {
    for info in catalogue() {
        assert!(REFERENCE.contains(&format!("`{}`", info.name)), "{}", info.name);
        for value in info.values().filter(|_| info.is_closed()).unwrap_or_default() {
            assert!(REFERENCE.contains(value), "{}: {value}", info.name);
        }
    }
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
        assert!(REFERENCE.contains(&format!("`{code}`")), "{code}");
    }
    for limit in [
        format!("{} words and fields", limits::QUERY_CLAUSES_MAX),
        format!("{} levels of parentheses", limits::QUERY_DEPTH_MAX),
        format!("{} characters in a word", limits::WORD_CHARS_MIN),
        format!("{} characters before a `*`", limits::PREFIX_CHARS_MIN),
    ] {
        assert!(REFERENCE.contains(&limit), "{limit}");
    }
}
