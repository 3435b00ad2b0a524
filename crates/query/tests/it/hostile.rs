//! No text makes the language panic, recurse without bound or take long.

use proptest::prelude::*;
use query::{ParamSet, compile, filter_from_params, fold, ident, parse};

/// Characters that mean something, more often than chance would bring them.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("-".to_owned()),
        Just("*".to_owned()),
        Just(":".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just(">=".to_owned()),
        Just("<".to_owned()),
        Just(" ".to_owned()),
        Just(" TO ".to_owned()),
        Just(" AND ".to_owned()),
        Just(" OR ".to_owned()),
        Just("NOT ".to_owned()),
        Just("amount:".to_owned()),
        Just("approved_at:".to_owned()),
        Just("order_id:".to_owned()),
        Just("metadata.".to_owned()),
        Just("2026-11-01".to_owned()),
        Just("T00:00:00+09:00".to_owned()),
        "[a-z0-9]{1,5}",
        "\\PC{1,3}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn texts_of_pieces(text in pieces()) {
        inspect(&text)?;
    }

    #[test]
    fn any_text(text in any::<String>()) {
        inspect(&text)?;
    }

    #[test]
    fn any_parameters(params in prop::collection::vec((pieces(), pieces()), 0..4)) {
        let params = || params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let _ = filter_from_params(params(), ParamSet::PAYMENTS);
        let values = params().map(|(_, value)| ("q", value));
        let _ = filter_from_params(values, ParamSet::PAYMENTS);
        for name in ["amount", "amount[gte]", "event_day", "approved_at[lt]", "order_id", "currency", "status"] {
            let _ = filter_from_params(params().map(|(_, value)| (name, value)), ParamSet::PAYMENTS);
        }
    }
}

fn inspect(text: &str) -> Result<(), TestCaseError> {
    if let Err(error) = compile(text) {
        prop_assert!(error.position <= text.chars().count(), "{:?}", error);
        prop_assert!(!error.expected.is_empty());
    }
    Ok(())
}

#[test]
fn a_kilobyte_of_one_thing_is_read_at_once() {
    let pieces = [
        "(",
        ")",
        "((",
        "(-",
        "-",
        "--",
        "- ",
        "\"",
        "\"\"",
        "\"\\",
        "\\",
        "*",
        ":",
        "a:",
        "a:(",
        "a:[",
        "[",
        "{",
        "a:[b TO ",
        "NOT ",
        "NOT",
        "AND ",
        "OR ",
        "aa OR ",
        "aa AND ",
        "(aa OR ",
        "-(aa ",
        "metadata.",
        "metadata.\"",
        "a:>=",
        "a:>",
        "\u{3000}",
        "\u{fdfa}",
        "\u{1100}",
        "\u{0345}",
        "\0",
        "😀",
        "aa(",
    ];
    let started = std::time::Instant::now();
    for piece in pieces {
        for cut in 0..2 {
            let mut text = piece.repeat(1024 / piece.len());
            for _ in 0..cut {
                text.pop();
            }
            let _ = compile(&text);
            let _ = parse(&(text + "\""));
        }
    }
    // Each takes microseconds; a reading that is not linear would take minutes for some.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn normal_forms_of_long_strings_are_bounded() {
    // The longest expansion known to Unicode: 18 characters for one.
    assert_eq!(fold("\u{fdfa}").chars().count(), 18);
    let long = "\u{fdfa}".repeat(300);
    assert!(ident(&long).chars().count() < 300 * 18);
}
