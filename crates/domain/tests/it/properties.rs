//! What holds for every message: no panic, exact money, and one content however it is spelled.

use domain::decode::{decode, decode_body};
use domain::message::{Encoding, Message};
use domain::money::{Currency, format_minor, parse_minor};
use domain::redact::redact_raw;
use proptest::prelude::*;
use serde_json::{Map, Value};

const MESSAGES: [&str; 3] = [
    include_str!("../../../../fixtures/messages/valid/payment-every-field.json"),
    include_str!("../../../../fixtures/messages/valid/cancellation-done.json"),
    include_str!("../../../../fixtures/messages/valid/settlement-paid.json"),
];

/// 256 cases each, or as many as `PROPTEST_CASES` says. A failure prints its smallest input.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What must hold of any bytes at all.
fn check_bytes(bytes: &[u8]) {
    let headers: [(&str, &[u8]); 5] = [
        ("specversion", b"1.0"),
        ("id", bytes),
        ("source", b"s"),
        ("type", b"payment.recorded.v1"),
        ("time", b"2026-03-01T10:00:00Z"),
    ];
    for encoding in [Encoding::Structured, Encoding::Binary(&headers), Encoding::Binary(&[])] {
        if let Ok(message) = decode(bytes, encoding) {
            check_message(&message);
        }
    }
    assert_eq!(redact_raw(bytes).len(), bytes.len());
}

/// What must hold of every accepted message.
fn check_message(message: &Message) {
    assert_eq!(
        decode_body(message.record.kind(), &message.body).as_ref(),
        Ok(&message.record)
    );
    let body: Value = serde_json::from_slice(&message.body).expect("a body is JSON");
    let canonical = serde_json_canonicalizer::to_vec(&body).expect("a body has a canonical form");
    assert_eq!(
        String::from_utf8_lossy(&message.body),
        String::from_utf8_lossy(&canonical)
    );
}

fn accepted(text: &str) -> Message {
    decode(text.as_bytes(), Encoding::Structured).unwrap_or_else(|refusal| panic!("{refusal}: {text}"))
}

/// One change to a text: cut, doubled, or overwritten with something that JSON cares about.
fn mutation() -> impl Strategy<Value = (prop::sample::Index, prop::sample::Index, Vec<u8>)> {
    let piece = prop_oneof![
        any::<Vec<u8>>().prop_map(|bytes| bytes.into_iter().take(8).collect()),
        prop::sample::select(vec![
            "\"",
            "\\",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "null",
            "-",
            "1e999",
            "0.1",
            "\\ud800",
            "\u{0}",
            "true",
            "\"\"",
            "{}",
            "4111111111111111",
            "*",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), piece)
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<String, Value>>())),
        ]
    })
}

/// Prints a value in one of its many spellings, as `choices` say.
fn spell(value: &Value, choices: &mut impl Iterator<Item = u8>, out: &mut String) {
    let choice = choices.next().unwrap_or(0);
    out.push_str(["", " ", "\t\r\n"][usize::from(choice % 3)]);
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            let middle = usize::from(choice) % members.len().max(1);
            members.rotate_left(middle);
            if choice % 2 == 1 {
                members.reverse();
            }
            out.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { " ," } else { "" });
                spell(&Value::from(name.as_str()), choices, out);
                out.push(':');
                spell(member, choices, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                spell(item, choices, out);
            }
            out.push(']');
        }
        Value::Number(number) if number.is_u64() && choice % 2 == 1 => {
            out.push_str(&format!("{number}{}", [".0", ".000e0", "E+0"][usize::from(choice) % 3]));
        }
        Value::String(text) if choice % 2 == 1 => {
            out.push('"');
            for unit in text.encode_utf16() {
                out.push_str(&format!("\\u{unit:04x}"));
            }
            out.push('"');
        }
        other => out.push_str(&other.to_string()),
    }
    out.push_str(["", " ", "\n"][usize::from(choice / 3 % 3)]);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in any::<Vec<u8>>()) {
        check_bytes(&bytes);
    }

    #[test]
    fn no_change_to_a_message_makes_the_decoder_panic(
        which in 0..MESSAGES.len(),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let mut bytes = MESSAGES[which].as_bytes().to_vec();
        for (start, end, piece) in mutations {
            let start = start.index(bytes.len() + 1);
            let end = (start + end.index(6)).min(bytes.len());
            bytes.splice(start..end, piece);
        }
        check_bytes(&bytes);
    }

    #[test]
    fn any_value_of_a_field_is_accepted_or_refused(
        which in 0..MESSAGES.len(),
        field in any::<prop::sample::Index>(),
        value in json_value(),
    ) {
        let mut event: Value = serde_json::from_str(MESSAGES[which]).expect("a fixture is JSON");
        let data = event["data"].as_object_mut().expect("data is an object");
        let name = data.keys().nth(field.index(data.len())).cloned().unwrap_or_default();
        data.insert(name, value);
        check_bytes(event.to_string().as_bytes());
    }

    #[test]
    fn the_body_is_the_canonical_form_of_the_library(value in json_value()) {
        let mut event: Value = serde_json::from_str(MESSAGES[0]).expect("a fixture is JSON");
        event["data"]["x_id"] = value;
        let message = accepted(&event.to_string());
        prop_assume!(!message.redacted);
        let canonical = serde_json_canonicalizer::to_string(&event["data"]).expect("data has a canonical form");
        prop_assert_eq!(String::from_utf8_lossy(&message.body), canonical);
    }

    #[test]
    fn content_is_one_however_it_is_spelled(
        which in 0..MESSAGES.len(),
        extra in json_value(),
        choices in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let mut event: Value = serde_json::from_str(MESSAGES[which]).expect("a fixture is JSON");
        event["data"]["extra"] = extra;
        let plain = accepted(&event.to_string());
        let mut spelled = String::new();
        spell(&event, &mut choices.into_iter().cycle(), &mut spelled);
        let other = accepted(&spelled);
        prop_assert_eq!(other.digest, plain.digest);
        prop_assert_eq!(other.body, plain.body);
        prop_assert_eq!(other.record, plain.record);
    }

    #[test]
    fn another_value_is_another_content(which in 0..MESSAGES.len(), left in any::<String>(), right in any::<String>()) {
        prop_assume!(left != right);
        let mut event: Value = serde_json::from_str(MESSAGES[which]).expect("a fixture is JSON");
        event["data"]["extra"] = Value::from(left);
        let one = accepted(&event.to_string());
        event["data"]["extra"] = Value::from(right);
        prop_assert_ne!(accepted(&event.to_string()).digest, one.digest);
    }

    #[test]
    fn money_is_the_same_after_printing_and_reading(minor in any::<i64>(), code in prop::sample::select(vec!["KRW", "USD", "BHD", "CLF"])) {
        let currency = Currency::parse(code).expect("a code of the ISO table");
        let text = format_minor(i128::from(minor), currency);
        prop_assert_eq!(parse_minor(&text, currency), Ok(minor));
    }

    #[test]
    fn reading_money_never_panics(text in "[-+]?[0-9.]{0,24}|.*") {
        let currency = Currency::parse("USD").expect("a code of the ISO table");
        let _ = parse_minor(&text, currency);
    }

    #[test]
    fn reading_times_never_panics(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?(Z|[+-][0-9]{2}:[0-9]{2})|.*") {
        if let Some(instant) = domain::time::parse_time(&text) {
            let printed = domain::time::format_time(instant);
            prop_assert_eq!(domain::time::parse_time(&printed), Some(instant));
        }
    }
}
