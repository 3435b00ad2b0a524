//! Which messages are accepted, and what is redacted.

use super::super::{instant, money, redact};
use super::*;

fn refused(message: &[u8]) -> Option<String> {
    fed(&[]).feed(message).err().map(|refusal| refusal.reason)
}

#[track_caller]
fn accepts(message: &[u8]) {
    assert_eq!(refused(message), None);
}

#[track_caller]
fn refuses(message: &[u8]) {
    assert!(
        refused(message).is_some(),
        "{} was accepted",
        String::from_utf8_lossy(message)
    );
}

/// The text of a message with one piece replaced.
fn edited(message: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(message).unwrap_or_default();
    assert!(text.contains(from), "{from} does not stand in {text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn money_is_read_and_written_to_the_letter() {
    let cases = [
        ("15000", "KRW", Some(15_000)),
        ("10", "USD", Some(1_000)),
        ("10.5", "USD", Some(1_050)),
        ("-10.50", "USD", Some(-1_050)),
        ("-0", "KRW", Some(0)),
        ("-0.00", "USD", Some(0)),
        ("0.001", "BHD", Some(1)),
        ("9223372036854775807", "JPY", Some(i64::MAX)),
        ("-9223372036854775808", "JPY", Some(i64::MIN)),
        ("9223372036854775808", "JPY", None),
        ("92233720368547758.08", "USD", None),
        ("1.0", "KRW", None),
        ("10.500", "USD", None),
        ("1", "XAU", None),
        ("1", "krw", None),
    ];
    for (text, currency, minor) in cases {
        assert_eq!(money::minor_units(text, currency), minor, "{text} {currency}");
    }
    for text in [
        "+5", "007", ".5", "1.", "1e3", "", "-", " 1", "1 ", "１", "--1", "00", "-01", "1,000",
    ] {
        assert_eq!(money::minor_units(text, "USD"), None, "{text:?}");
    }
    assert_eq!(money::major_units(-5, "USD"), "-0.05");
    assert_eq!(money::major_units(1_234, "BHD"), "1.234");
    assert_eq!(money::major_units(0, "KRW"), "0");
    assert_eq!(money::major_units(i64::MIN.into(), "USD"), "-92233720368547758.08");
}

#[test]
fn times_are_rfc_3339_with_an_offset() {
    let print = |text: &str| instant::instant(text).map(instant::print);
    let utc = |text: &str| Some(text.to_owned());
    assert_eq!(print("2026-03-01T10:00:00+09:00"), utc("2026-03-01T01:00:00.000000Z"));
    assert_eq!(
        print("2026-03-01t10:00:00.9999999z"),
        utc("2026-03-01T10:00:00.999999Z")
    );
    assert_eq!(print("2026-03-01T00:00:00.5-00:00"), utc("2026-03-01T00:00:00.500000Z"));
    assert_eq!(print("2024-02-29T23:59:59-23:59"), utc("2024-03-01T23:58:59.000000Z"));
    for text in [
        "2026-03-01T10:00:00",
        "2026-03-01 10:00:00Z",
        "2026-03-01",
        "2026-02-29T00:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T10:00:00.Z",
        "2026-03-01T10:00:00+0900",
        "2026-03-01T10:00:00+24:00",
        "2026-03-01T10:00Z",
        "2026-03-01T10:00:60Z",
        "0000-01-01T00:00:00+09:00",
        "9999-12-31T23:59:59-09:00",
        "+2026-03-01T10:00:00Z",
        "2026-03-01T10:00:00Z ",
        "2026-3-01T10:00:00Z",
        "２026-03-01T10:00:00Z",
    ] {
        assert_eq!(print(text), None, "{text}");
    }
}

#[test]
fn the_first_instant_of_a_day_without_midnight() {
    let first = |day: &str, zone| {
        instant::date(day)
            .map(|day| instant::print(instant::first_instant(day, zone)))
            .unwrap_or_default()
    };
    assert_eq!(
        first("2026-03-08", chrono_tz::America::New_York),
        "2026-03-08T05:00:00.000000Z"
    );
    assert_eq!(
        first("2018-11-04", chrono_tz::America::Sao_Paulo),
        "2018-11-04T03:00:00.000000Z"
    );
    assert_eq!(
        first("2011-12-30", chrono_tz::Pacific::Apia),
        "2011-12-30T10:00:00.000000Z"
    );
}

#[test]
fn the_envelope_is_judged() {
    for attribute in ["specversion", "id", "source", "type", "time", "data"] {
        let mut envelope: Value = serde_json::from_slice(&payment(json!({}))).unwrap_or_default();
        envelope.as_object_mut().and_then(|members| members.remove(attribute));
        refuses(envelope.to_string().as_bytes());
        envelope[attribute] = json!(7);
        refuses(envelope.to_string().as_bytes());
    }
    refuses(&edited(payment(json!({})), "\"1.0\"", "\"0.3\""));
    refuses(&event("payout", payment_data()));
    refuses(&event("refund", payment_data()));
    refuses(&edited(payment(json!({})), "\"e1\"", "\"\""));
    accepts(&edited(
        payment(json!({})),
        "{\"data\"",
        "{\"subject\":\"other\",\"x\":[1],\"data\"",
    ));
    for text in ["", "{", "[]", "null", "7", "\u{feff}{}", "{} {}"] {
        refuses(text.as_bytes());
    }
    refuses(&[b'"', 0xff, b'"']);
}

#[test]
fn binary_mode_is_the_same_message() {
    let attributes = [
        ("specversion", "1.0"),
        ("id", "e1"),
        ("source", "tests"),
        ("type", "payment.recorded.v1"),
        ("time", "2026-03-01T01:00:00Z"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut oracle = fed(&[payment(json!({}))]);
    assert_eq!(
        oracle.feed_binary(&attributes, payment_data().to_string().as_bytes()),
        Ok(())
    );
    let without_specversion = oracle.feed_binary(&attributes[1..], payment_data().to_string().as_bytes());
    assert!(without_specversion.is_err());
    check(
        &oracle.payment("P", &Reader::finance()).unwrap_or_default(),
        &[("/flags", json!(["quarantined"]))],
    );
}

#[test]
fn json_that_a_lenient_reader_lets_pass_is_refused() {
    refuses(&edited(
        payment(json!({})),
        "\"method\":\"CARD\"",
        "\"method\":\"CARD\",\"method\":\"CARD\"",
    ));
    refuses(&edited(
        payment(json!({})),
        "\"method\":\"CARD\"",
        "\"method\":\"CARD\",\"m\\u0065thod\":\"CARD\"",
    ));
    refuses(&edited(payment(json!({})), "CARD", "\\ud800"));
    accepts(&edited(payment(json!({})), "CARD", "\\ud83d\\ude00"));
    refuses(&edited(payment(json!({})), "CARD", "\t"));
    accepts(&edited(payment(json!({})), "\"version\":1", "\"version\":3.0"));
    refuses(&edited(payment(json!({})), "\"version\":1", "\"version\":03"));
    refuses(&edited(
        payment(json!({})),
        "\"version\":1",
        "\"version\":1,\"x\":1e999",
    ));
    let repeated = edited(payment(json!({})), "CARD", "\\ud800");
    check(
        &seen(&[payment(json!({})), repeated]),
        &[("/flags", json!(["quarantined"]))],
    );
}

#[test]
fn fields_of_every_kind_are_judged() {
    for change in [
        json!({"version": 0}),
        json!({"version": 1.5}),
        json!({"version": "1"}),
        json!({"version": 9_007_199_254_740_992_i64}),
        json!({"version": null}),
        json!({"payment_key": ""}),
        json!({"payment_key": "k".repeat(201)}),
        json!({"merchant_id": "m".repeat(65)}),
        json!({"deleted": "yes"}),
        json!({"currency": "XXX"}),
        json!({"currency": "ZZZ"}),
        json!({"status": "CANCELED"}),
        json!({"amount": {}}),
        json!({"amount": {"total": 5}}),
        json!({"amount": {"total": "-1"}}),
        json!({"amount": {"total": "1", "vat": "-1"}}),
        json!({"amount": {"total": "1", "vat": "0.5"}}),
        json!({"approved_at": null}),
        json!({"requested_at": null}),
        json!({"requested_at": "yesterday"}),
        json!({"order_id": null}),
        json!({"method": 1}),
        json!({"card": {"number_masked": "411111***1111"}}),
        json!({"card": "4242"}),
        json!({"customer": {"name": 1}}),
        json!({"metadata": {"k".repeat(41): "v"}}),
        json!({"metadata": {"k": "v".repeat(501)}}),
        json!({"metadata": {"k": 1}}),
        json!({"virtual_account": {"due_at": "soon"}}),
    ] {
        refuses(&payment(change));
    }
    let pairs = |count: usize| {
        (0..count)
            .map(|n| (n.to_string(), json!("v")))
            .collect::<serde_json::Map<_, _>>()
    };
    accepts(&payment(json!({"metadata": pairs(50)})));
    refuses(&payment(json!({"metadata": pairs(51)})));
    accepts(&payment(
        json!({"payment_key": "\u{1F600}".repeat(200), "merchant_id": "m".repeat(64)}),
    ));
    accepts(&payment(json!({"status": "READY", "approved_at": null})));
    accepts(&edited(
        payment(json!({})),
        "\"version\":1",
        "\"version\":1,\"card\":null,\"deleted\":null",
    ));
    accepts(&payment(json!({"unknown": {"deep": [1, {"x": null}]}})));
    for change in [
        json!({"amount": {"total": "0"}}),
        json!({"canceled_at": null}),
        json!({"status": "PENDING"}),
        json!({"status": "EXPIRED"}),
        json!({"requested_by": {}}),
        json!({"requested_by": {"channel": "FAX"}}),
        json!({"cancellation_id": null}),
    ] {
        refuses(&cancellation(change));
    }
    accepts(&cancellation(
        json!({"status": "FAILED", "canceled_at": null, "requested_at": "2026-03-01T00:00:00Z"}),
    ));
}

#[test]
fn settlement_lines_add_up() {
    let line = |amount: &str, fees: Value, vat: &str, payout: &str| {
        settlement(json!({"amount": amount, "fees": fees, "vat": vat, "payout_amount": payout}))
    };
    let fee = |amount: &str| json!([{"type": "BASE", "amount": amount}, {"type": "EXTRA", "amount": "1"}]);
    accepts(&line("100", fee("9"), "1", "89"));
    refuses(&line("100", fee("9"), "1", "90"));
    refuses(&line("-100", json!([]), "0", "-100"));
    accepts(&line("0", json!([]), "0", "0"));
    accepts(&line("9223372036854775807", json!([]), "0", "9223372036854775807"));
    for change in [
        json!({"of": "ADJUSTMENT"}),
        json!({"of": "CANCELLATION", "cancellation_id": "C"}),
        json!({"payout_currency": "USD"}),
        json!({"fees": null}),
        json!({"fees": [{"type": "BASE"}]}),
        json!({"sold_on": "2026-02-30"}),
        json!({"status": "DONE"}),
        json!({"costs": [{"amount": "1"}]}),
        json!({"contract": {}}),
        json!({"vat": null}),
        json!({"payout_id": ""}),
    ] {
        refuses(&settlement(change));
    }
    accepts(&settlement(
        json!({"payout_currency": "KRW", "costs": [{"type": "ISSUER", "amount": "5"}]}),
    ));
}

#[test]
fn card_numbers_are_redacted() {
    let cases = [
        ("card 4111 1111 1111 1111", "card **** **** **** 1111"),
        ("4111-1111-1111-1111.", "****-****-****-1111."),
        ("378282246310005", "***********0005"),
        ("4111111111111112", "4111111111111112"),
        ("4111  1111 1111 1111", "4111  1111 1111 1111"),
        ("010 4111 1111 1111 1111", "010 4111 1111 1111 1111"),
        ("1111111111111117", "1111111111111117"),
        (
            "x4111111111111111y5500000000000004",
            "x************1111y************0004",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(redact::redact_text(text), expected);
    }
    let number = "4111 1111 1111 1111";
    let messages = [payment(json!({
        "order_name": number, "order_id": number, "transaction_key": number, "card": {"number_masked": number},
        "metadata": {"memo": number}, "customer": {"name": number},
    }))];
    let answer = fed(&messages)
        .payment("P", &Reader::unmasking_operator())
        .unwrap_or_default();
    let hidden = json!("**** **** **** 1111");
    check(
        &answer,
        &[
            ("/order_name", hidden.clone()),
            ("/metadata/memo", hidden.clone()),
            ("/customer/name", hidden.clone()),
            ("/card/number_masked", hidden),
            ("/card/last4", json!("1111")),
            ("/order_id", json!(number)),
            ("/transaction_key", json!(number)),
            ("/flags", json!(["card_number_redacted"])),
        ],
    );
    let clean = [&messages[..], &[payment(json!({"version": 2}))]].concat();
    check(&seen(&clean), &[("/flags", json!([]))]);
    let other_number = payment(json!({"version": 3, "order_name": "4000 0000 0000 0002"}));
    let same_tail = payment(json!({"version": 3, "order_name": "5000 0000 0000 0009"}));
    check(
        &seen(&[other_number, same_tail]),
        &[("/flags", json!(["card_number_redacted", "conflict"]))],
    );
}
