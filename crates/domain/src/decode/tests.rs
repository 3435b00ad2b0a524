//! What fixtures cannot say: sizes, headers, and what a message turns into. Each single rule has a fixture.

use super::*;
use crate::record::PaymentRecord;

const PAYMENT: &str = r#"{"payment_key":"P","merchant_id":"m1","order_id":"O","version":1,"status":"DONE","method":"CARD","currency":"KRW","amount":{"total":"1000"},"requested_at":"2026-03-01T10:00:00+09:00","approved_at":"2026-03-01T10:00:01+09:00"}"#;

fn event(data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"e","source":"s","type":"payment.recorded.v1","time":"2026-03-01T10:00:02+09:00","data":{data}}}"#
    )
}

/// The payment with one more member.
fn with(member: &str) -> String {
    format!("{},{member}}}", &PAYMENT[..PAYMENT.len() - 1])
}

fn accepted(data: &str) -> Message {
    let event = event(data);
    decode(event.as_bytes(), Encoding::Structured).unwrap_or_else(|refusal| panic!("{event}: {refusal}"))
}

fn payment(data: &str) -> PaymentRecord {
    match accepted(data).record {
        Record::Payment(payment) => *payment,
        other => panic!("{other:?}"),
    }
}

fn refused(text: &[u8], encoding: Encoding<'_>, code: &str, pointer: &str) -> Refusal {
    let refusal = match decode(text, encoding) {
        Ok(message) => panic!("accepted: {message:?}"),
        Err(refusal) => refusal,
    };
    assert_eq!(
        (refusal.code, refusal.pointer.as_str()),
        (code, pointer),
        "{}",
        String::from_utf8_lossy(text)
    );
    refusal
}

#[test]
fn a_message_is_taken_apart() {
    let message = accepted(PAYMENT);
    assert_eq!(message.envelope.id, "e");
    assert_eq!(message.record.payment_key(), "P");
    assert!(!message.redacted);
    assert_eq!(message.digest, canonical::digest(&message.body));
    assert_eq!(decode_body(Kind::Payment, &message.body), Ok(message.record));
}

#[test]
fn content_does_not_depend_on_order_space_and_spelling_of_numbers() {
    let digest = accepted(r#"{"payment_key":"P","merchant_id":"m1","order_id":"O","version":1,"status":"READY","method":"CARD","currency":"KRW","amount":{"total":"1000"},"requested_at":"2026-03-01T10:00:00+09:00"}"#).digest;
    let same = accepted(
        r#"{ "order_id":"O", "version" : 1.0, "status":"\u0052EADY","method":"CARD","requested_at":"2026-03-01T10:00:00+09:00","currency":"KRW","amount":{"total":"1000"},"merchant_id":"m1","payment_key":"P"}"#,
    );
    assert_eq!(same.digest, digest);
    let other = accepted(
        r#"{"payment_key":"P","merchant_id":"m1","order_id":"O","version":1,"status":"READY","method":"CARD","currency":"KRW","amount":{"total":"1000"},"requested_at":"2026-03-01T01:00:00Z"}"#,
    );
    assert_ne!(other.digest, digest, "two spellings of one time are two contents");
}

#[test]
fn unknown_fields_are_kept() {
    let body = accepted(&with(r#""later":{"b":[1,null],"a":"x"}"#)).body;
    assert!(String::from_utf8_lossy(&body).contains(r#""later":{"a":"x","b":[1,null]}"#));
}

#[test]
fn a_full_card_number_is_redacted_and_costs_nothing() {
    let sent = with(r#""order_name":"card 4111 1111 1111 1111","card":{"number_masked":"4111111111111111"}"#);
    let message = accepted(&sent);
    assert!(message.redacted);
    assert!(!String::from_utf8_lossy(&message.body).contains("4111"));
    assert_ne!(
        message.digest,
        canonical::digest(&message.body),
        "the digest is of the message as sent"
    );
    let Record::Payment(payment) = &message.record else {
        panic!("a payment")
    };
    assert_eq!(payment.order_name.as_deref(), Some("card **** **** **** 1111"));
    let card = payment.card.clone().unwrap_or_default();
    assert_eq!(
        (card.number_masked.as_deref(), card.last4.as_deref()),
        (Some("************1111"), Some("1111"))
    );
    assert_eq!(decode_body(Kind::Payment, &message.body), Ok(message.record));
}

#[test]
fn last4_comes_from_the_mask_where_it_is_not_sent() {
    let last4 = |card: &str| {
        payment(&with(&format!(r#""card":{card}"#)))
            .card
            .and_then(|card| card.last4)
    };
    assert_eq!(last4(r#"{"number_masked":"4330****1234"}"#).as_deref(), Some("1234"));
    assert_eq!(last4(r#"{"number_masked":"4330****123*"}"#), None);
    assert_eq!(last4(r#"{"number_masked":"****"}"#), None);
    assert_eq!(last4(r#"{"number_masked":"****가나"}"#), None);
    assert_eq!(
        last4(r#"{"number_masked":"4330****1234","last4":"9999"}"#).as_deref(),
        Some("9999")
    );
    assert_eq!(
        last4(r#"{"number_masked":"4330****1234","last4":null}"#).as_deref(),
        Some("1234")
    );
}

#[test]
fn one_mebibyte_is_the_limit() {
    let bare = event(&with(r#""pad":"""#)).len();
    let padded = |bytes: usize| event(&with(&format!(r#""pad":"{}""#, "x".repeat(bytes - bare))));
    assert!(decode(padded(MESSAGE_BYTES_MAX).as_bytes(), Encoding::Structured).is_ok());
    let refusal = refused(
        padded(MESSAGE_BYTES_MAX + 1).as_bytes(),
        Encoding::Structured,
        code::TOO_LARGE,
        "",
    );
    assert_eq!(refusal.payment_key.as_deref(), Some("P"));
}

#[test]
fn thirty_two_levels_are_the_limit() {
    // The event and `data` are two of them.
    let nested = |levels: usize| {
        event(&with(&format!(
            r#""deep":{}{}"#,
            "[".repeat(levels - 2),
            "]".repeat(levels - 2)
        )))
    };
    assert!(decode(nested(32).as_bytes(), Encoding::Structured).is_ok());
    for levels in [33, 127, 128, 129, 100_000] {
        let pointer = format!("/data/deep{}", "/0".repeat(30));
        let refusal = refused(
            nested(levels).as_bytes(),
            Encoding::Structured,
            code::TOO_DEEP,
            &pointer,
        );
        assert_eq!(refusal.payment_key.as_deref(), Some("P"));
    }
}

type Headers<'a> = Vec<(&'a str, &'a [u8])>;

fn headers<'a>() -> Headers<'a> {
    vec![
        ("specversion", b"1.0"),
        ("id", b"e%20"),
        ("source", b"s"),
        ("type", b"payment.recorded.v1"),
        ("time", b"2026-03-01T10:00:02+09:00"),
        ("subject", b"P"),
    ]
}

#[test]
fn binary_mode_reads_attributes_from_headers() {
    let message = decode(PAYMENT.as_bytes(), Encoding::Binary(&headers()));
    let message = message.unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(
        message.envelope.id, "e%20",
        "the Kafka binding knows no percent-encoding"
    );
    assert_eq!(message.digest, accepted(PAYMENT).digest);
    let without_amount = PAYMENT.replace("amount", "amont");
    let refusal = refused(
        without_amount.as_bytes(),
        Encoding::Binary(&headers()),
        code::MISSING_FIELD,
        "/amount",
    );
    assert_eq!(refusal.payment_key.as_deref(), Some("P"));
}

#[test]
fn a_bad_header_is_named() {
    let check = |change: &dyn Fn(&mut Headers<'_>), code: &str, name: &str| {
        let mut headers = headers();
        change(&mut headers);
        let refusal = refused(PAYMENT.as_bytes(), Encoding::Binary(&headers), code, "");
        assert!(refusal.detail.contains(name), "{}", refusal.detail);
    };
    check(
        &|headers| headers.retain(|(name, _)| *name != "time"),
        code::MISSING_FIELD,
        "ce_time",
    );
    check(&|headers| headers.push(("id", b"f")), code::DUPLICATE_NAME, "ce_id");
    check(&|headers| headers[1].1 = b"\xff", code::BAD_HEADER, "ce_id");
    check(&|headers| headers[1].1 = b"", code::EMPTY, "id");
    check(&|headers| headers[3].1 = b"x", code::UNKNOWN_TYPE, "type");
    check(&|headers| headers[4].1 = b"now", code::BAD_TIME, "time");
}

#[test]
fn the_payment_of_a_refused_message_is_found_where_it_can_be() {
    let check = |data: &str, expect: Option<&str>| {
        let event = event(data).replace("payment.recorded", "unknown");
        let refusal = decode(event.as_bytes(), Encoding::Structured).err();
        assert_eq!(
            refusal.and_then(|refusal| refusal.payment_key).as_deref(),
            expect,
            "{data}"
        );
    };
    check(r#"{"payment_key":"P"}"#, Some("P"));
    check(r#"{"payment_key":"\u0050","n":1e999,"\ud800":"\udfff"}"#, Some("P"));
    check(r#"{"x":{"payment_key":"Q"},"payment_key":"P","x":1}"#, Some("P"));
    check(r#"{"payment_key":"P","payment_key":"P"}"#, None);
    check(r#"{"payment_key":"P"},"data":{"payment_key":"P"}"#, None);
    check(r#"{"payment_key":""}"#, None);
    check(r#"{"payment_key":1}"#, None);
    check(r#"{"payment_key":"\ud800"}"#, None);
    check(
        &format!(r#"{{"payment_key":"{}"}}"#, "가".repeat(200)),
        Some(&"가".repeat(200)),
    );
    check(&format!(r#"{{"payment_key":"{}"}}"#, "가".repeat(201)), None);
    check(r#"["payment_key"]"#, None);
    check("{", None);
}

#[test]
fn pointers_hold_no_card_numbers_and_no_endless_names() {
    let twice = |name: &str| event(&with(&format!(r#""x":{{"{name}":1,"{name}":1}}"#)));
    refused(
        twice("a/~b").as_bytes(),
        Encoding::Structured,
        code::DUPLICATE_NAME,
        "/data/x/a~1~0b",
    );
    refused(
        twice("4111111111111111").as_bytes(),
        Encoding::Structured,
        code::DUPLICATE_NAME,
        "/data/x/************1111",
    );
    refused(
        twice(&"n".repeat(201)).as_bytes(),
        Encoding::Structured,
        code::DUPLICATE_NAME,
        "/data/x",
    );
}
