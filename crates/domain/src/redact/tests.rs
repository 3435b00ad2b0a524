use super::*;

const CARD: &str = "4111111111111111";

fn check(text: &str, expect: &str) {
    assert_eq!(redact_text(text).as_deref().unwrap_or(text), expect, "{text}");
}

#[test]
fn a_card_number_keeps_its_last_four_digits() {
    check("card 4111 1111 1111 1111", "card **** **** **** 1111");
    check("4111-1111-1111-1111.", "****-****-****-1111.");
    check("4111-1111 11111111", "****-**** ****1111");
    check("a5555555555554444b378282246310005", "a************4444b***********0005");
    check("카드 4222222222222 입니다", "카드 *********2222 입니다");
    check("6304000000000000000", "***************0000");
    check("2223003122003222", "************3222");
    check(
        "4111111111111111 / 4111111111111111",
        "************1111 / ************1111",
    );
}

#[test]
fn other_numbers_stay() {
    for text in [
        "",
        "4111111111111112",
        "411111111111",
        "1111111111111117",
        "0000000000000000",
        "8888888888888888",
        "4111  1111 1111 1111",
        "4111.1111.1111.1111",
        "4111 1111 1111 1111 1111 1111",
        "14111111111111111",
        "4111--1111-1111-1111",
        "４１１１１１１１１１１１１１１１",
        "010-1234-5678",
    ] {
        check(text, text);
    }
}

fn check_data(text: &str, expect: &str) {
    let Ok(Json::Object(mut data)) = json::parse(text.as_bytes()) else {
        panic!("{text} is an object")
    };
    let found = redact_data(&mut data);
    let mut out = Vec::new();
    crate::canonical::write(&Json::Object(data), &mut out);
    assert_eq!(String::from_utf8_lossy(&out), expect);
    assert_eq!(found, text != expect, "{text}");
    assert_eq!(
        String::from_utf8_lossy(&redact_raw(text.as_bytes())),
        expect,
        "raw {text}"
    );
    let event = format!("{{\"data\":{text}}}");
    assert_eq!(
        String::from_utf8_lossy(&redact_raw(event.as_bytes())),
        format!("{{\"data\":{expect}}}"),
        "raw {event}"
    );
}

#[test]
fn identifiers_money_times_and_urls_are_spared() {
    for name in ["order_id", "payment_key", "approve_no", "account_number", "x_id"] {
        check_data(
            &format!(r#"{{"{name}":"{CARD}"}}"#),
            &format!(r#"{{"{name}":"{CARD}"}}"#),
        );
        check_data(
            &format!(r#"{{"a":[{{"{name}":["{CARD}"]}}]}}"#),
            &format!(r#"{{"a":[{{"{name}":["{CARD}"]}}]}}"#),
        );
    }
    for text in [
        format!(r#"{{"amount":{{"total":"{CARD}","vat":"-{CARD}"}}}}"#),
        format!(
            r#"{{"amount":"-{CARD}","costs":[{{"amount":"{CARD}"}}],"fees":[{{"amount":"{CARD}"}}],"payout_amount":"{CARD}","vat":"{CARD}"}}"#
        ),
        format!(r#"{{"note":"2026-03-01T10:00:00.{CARD}Z"}}"#),
        format!(r#"{{"receipt_url":"https://pay.example/{CARD}?a=b"}}"#),
        format!(r#"{{"receipt_url":"app-link://{CARD}"}}"#),
        format!(r#"{{"note":"HTTPS://pay.example/{CARD}"}}"#),
    ] {
        check_data(&text, &text);
    }
}

#[test]
fn every_other_string_is_redacted() {
    for path in ["order_name", "number_masked", "phone", "id", "method"] {
        check_data(
            &format!(r#"{{"{path}":"{CARD}"}}"#),
            &format!(r#"{{"{path}":"************1111"}}"#),
        );
    }
    for (text, expect) in [
        (
            r#"{"metadata":{"a":["x 4111111111111111"]}}"#,
            r#"{"metadata":{"a":["x ************1111"]}}"#,
        ),
        (
            r#"{"order_name":"pan://4111111111111111"}"#,
            r#"{"order_name":"pan://************1111"}"#,
        ),
        (
            r#"{"amount":{"other":"4111111111111111"}}"#,
            r#"{"amount":{"other":"************1111"}}"#,
        ),
        (
            r#"{"amount":{"total":"4111 1111 1111 1111"}}"#,
            r#"{"amount":{"total":"**** **** **** 1111"}}"#,
        ),
        (
            r#"{"receipt_url":"4111111111111111"}"#,
            r#"{"receipt_url":"************1111"}"#,
        ),
        (
            r#"{"note":"see https://pay.example/4111111111111111"}"#,
            r#"{"note":"see https://pay.example/************1111"}"#,
        ),
        (r#"{"a":4111111111111111}"#, r#"{"a":4111111111111111}"#),
    ] {
        check_data(text, expect);
    }
}

#[test]
fn raw_bytes_change_only_in_their_digits() {
    let check = |text: &str, expect: &str| {
        assert_eq!(String::from_utf8_lossy(&redact_raw(text.as_bytes())), expect, "{text}");
    };
    check("not json 4111111111111111 {", "not json ************1111 {");
    check(
        r#"{ "a" : "\u0034111111111111111" , "b":1.0}"#,
        r#"{ "a" : "\u002a***********1111" , "b":1.0}"#,
    );
    check(
        r#"{"4111111111111111":"\"4111111111111111\ud800"}"#,
        r#"{"************1111":"\"************1111\ud800"}"#,
    );
    check(
        r#"{"data":{"order\u005fid":"4111111111111111"}}"#,
        r#"{"data":{"order\u005fid":"4111111111111111"}}"#,
    );
    check(
        r#"["4111111111111111",{"a":{"x":1},"b":"4111111111111111"}]"#,
        r#"["************1111",{"a":{"x":1},"b":"************1111"}]"#,
    );
    check(r#""4111111111111111""#, r#""************1111""#);
    check(
        r#"{"data":{"a":"\n4111111111111111\t\\4111111111111111"}}"#,
        r#"{"data":{"a":"\n************1111\t\\************1111"}}"#,
    );
    // JSON, and a text of digits.
    check("4111111111111111", "************1111");
    let broken = b"\xff4111111111111111".to_vec();
    assert_eq!(redact_raw(&broken), b"\xff************1111".to_vec());
}

#[test]
fn of_a_message_that_is_cut_each_string_is_redacted() {
    let check = |text: &str, expect: &str| {
        assert_eq!(
            String::from_utf8_lossy(&redact_beginning(text.as_bytes())),
            expect,
            "{text}"
        );
    };
    check(
        r#" {"data":{"order_id":"4111111111111111","a":"\u0034111111111111111","b":"41"#,
        r#" {"data":{"order_id":"4111111111111111","a":"\u002a***********1111","b":"41"#,
    );
    check("no object 4111111111111111", "no object ************1111");
    // It may be no JSON after all.
    check(
        "{'card': '4111111111111111', 'no': 1}",
        "{'card': '************1111', 'no': 1}",
    );
    check(
        r#"{"order_id":"4111111111111111","a":4111111111111111,"b":"" 4111111111111111"#,
        r#"{"order_id":"4111111111111111","a":************1111,"b":"" ************1111"#,
    );
    assert_eq!(redact_plain(CARD.as_bytes()), b"************1111");
}

/// Collecting the names of the way for each string took hours.
#[test]
fn many_strings_in_deep_places_are_read_at_once() {
    const DEPTH: usize = 100_000;
    let strings = vec![format!("\"{CARD}\""); 10_000].join(",");
    let text = format!("{}[{strings}]{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
    let redacted = String::from_utf8(redact_raw(text.as_bytes())).expect("text");
    assert_eq!(redacted, text.replace("411111111111", "************"));
}
