//! One case or more for each rule that makes an answer independent of order.

use super::super::{Basis, Group, QuarantineRow, ReportParams};
use super::*;
use sha2::{Digest, Sha256};

fn row(code: &'static str) -> QuarantineRow {
    QuarantineRow {
        code,
        payment_key: Some("P".into()),
    }
}

#[test]
fn rule_1_the_greatest_version_is_the_state() {
    let messages = [
        payment(json!({"version": 9, "order_id": "new"})),
        payment(json!({"version": 2, "order_id": "old"})),
    ];
    check(
        &seen(&messages),
        &[
            ("/order_id", json!("new")),
            ("/version", json!(9)),
            ("/flags", json!([])),
        ],
    );
}

#[test]
fn rule_1_ids_of_two_payments_are_two_entries() {
    let messages = [
        payment(json!({})),
        cancellation(json!({})),
        cancellation(json!({"payment_key": "Q", "version": 7})),
    ];
    check(
        &seen(&messages),
        &[
            ("/canceled_amount", json!("30000")),
            ("/cancellations/0/version", json!(1)),
        ],
    );
}

#[test]
fn rule_2_other_spelling_of_keys_space_and_numbers_is_a_duplicate() {
    let plain = String::from_utf8(payment(json!({}))).unwrap_or_default();
    let other = plain
        .replace("\"version\":1", " \"version\" : 10e-1")
        .replace("\"id\":\"e1\"", "\"id\":\"e2\"");
    assert_ne!(plain, other);
    let oracle = fed(&[plain.clone().into_bytes(), other.into_bytes()]);
    assert!(oracle.quarantine().is_empty());
    let spelled = plain.replace("ORD-1", "\\u004fRD-1").into_bytes();
    assert!(fed(&[plain.into_bytes(), spelled]).quarantine().is_empty());
}

#[test]
fn rule_2_two_spellings_of_an_amount_are_a_conflict() {
    let usd = |total: &str| payment(json!({"currency": "USD", "amount": {"total": total}}));
    let answer = seen(&[usd("10.5"), usd("10.50")]);
    check(
        &answer,
        &[("/flags", json!(["conflict"])), ("/amount/total", json!("10.50"))],
    );
}

#[test]
fn rule_4_the_greater_digest_wins_until_a_higher_version() {
    let digest = |order: &str| {
        let data = with(payment_data(), json!({"order_id": order}));
        Sha256::digest(serde_json_canonicalizer::to_vec(&data).unwrap_or_default()).to_vec()
    };
    let winner = if digest("a") > digest("b") { "a" } else { "b" };
    let (a, b) = (payment(json!({"order_id": "a"})), payment(json!({"order_id": "b"})));
    for messages in [[a.clone(), b.clone()], [b.clone(), a.clone()]] {
        check(
            &seen(&messages),
            &[("/order_id", json!(winner)), ("/flags", json!(["conflict"]))],
        );
    }
    let resolved = [a, payment(json!({"version": 2})), b];
    check(
        &seen(&resolved),
        &[("/flags", json!([])), ("/order_id", json!("ORD-1"))],
    );
    assert!(fed(&resolved).quarantine().contains(&row("conflict")));
}

#[test]
fn rule_4_a_conflict_of_a_deleted_entry_flags_the_payment() {
    let deleted = |reason: &str| cancellation(json!({"deleted": true, "reason": reason}));
    check(
        &seen(&[payment(json!({})), deleted("a"), deleted("b")]),
        &[("/flags", json!(["conflict"]))],
    );
}

#[test]
fn rule_5_an_orphan_counts_at_once_and_moves_when_its_payment_comes() {
    let early = [cancellation(json!({}))];
    let answer = seen(&early);
    check(
        &answer,
        &[
            ("/status", json!("UNKNOWN")),
            ("/recorded_status", json!(null)),
            ("/method", json!(null)),
            ("/merchant_id", json!("m1")),
            ("/currency", json!("KRW")),
            ("/canceled_amount", json!("30000")),
            ("/balance_amount", json!(null)),
            ("/settlement/gross", json!("0")),
            ("/settlement_status", json!("NONE")),
            ("/occurred_at", json!("2026-04-20T06:00:00.000000Z")),
            ("/event_day", json!(null)),
            ("/flags", json!(["awaiting_payment"])),
        ],
    );
    let by = |basis| ReportParams {
        group_by: vec![Group::Method],
        ..ReportParams::on(basis)
    };
    let oracle = fed(&early);
    let sales = |oracle: &Oracle, basis| oracle.sales(&Reader::finance(), &by(basis));
    check(
        &sales(&oracle, Basis::EventDay),
        &[("/data/0/method", json!("UNKNOWN")), ("/orphans_left_out", json!(0))],
    );
    check(
        &sales(&oracle, Basis::SaleDay),
        &[("/data", json!([])), ("/orphans_left_out", json!(1))],
    );
    let later = fed(&[cancellation(json!({})), payment(json!({}))]);
    check(
        &sales(&later, Basis::SaleDay),
        &[("/data/0/method", json!("CARD")), ("/orphans_left_out", json!(0))],
    );
}

#[test]
fn rule_5_what_the_entries_of_an_orphan_disagree_on_is_null() {
    let usd_line = json!({
        "currency": "USD", "amount": "10", "fees": [], "vat": "0", "payout_amount": "10.00", "sold_on": "2026-01-02",
    });
    let messages = [cancellation(json!({})), settlement(usd_line)];
    check(
        &seen(&messages),
        &[
            ("/merchant_id", json!("m1")),
            ("/currency", json!(null)),
            ("/canceled_amount", json!(null)),
            ("/settlement", json!(null)),
            ("/settlement_status", json!("SCHEDULED")),
            ("/settlements/0/amount", json!("10.00")),
            ("/occurred_at", json!("2026-01-01T15:00:00.000000Z")),
        ],
    );
}

#[test]
fn rule_5_entries_of_another_merchant_do_not_exist_for_a_key() {
    let messages = [
        cancellation(json!({})),
        settlement(json!({"merchant_id": "m2", "currency": "JPY"})),
    ];
    check(
        &seen_by("m1", &messages),
        &[
            ("/merchant_id", json!("m1")),
            ("/currency", json!("KRW")),
            ("/settlements", json!([])),
            ("/occurred_at", json!("2026-04-20T06:00:00.000000Z")),
        ],
    );
    check(
        &seen(&messages),
        &[("/merchant_id", json!(null)), ("/currency", json!(null))],
    );
    assert_eq!(seen_by("m3", &messages), Value::Null);
    let arrived = [messages[0].clone(), messages[1].clone(), payment(json!({}))];
    assert_eq!(seen_by("m2", &arrived), Value::Null);
    check(&seen_by("m1", &arrived), &[("/flags", json!([]))]);
}

#[test]
fn rule_5_a_deleted_payment_entry_of_another_merchant_does_not_exist_for_a_key() {
    let messages = [
        payment(json!({"merchant_id": "m2"})),
        payment(json!({"merchant_id": "m3"})),
        payment(json!({"merchant_id": "m2", "version": 2, "deleted": true})),
        payment(json!({"merchant_id": "m2", "version": 2, "deleted": true, "order_id": "x"})),
        cancellation(json!({})),
    ];
    check(&seen_by("m1", &messages), &[("/flags", json!(["awaiting_payment"]))]);
    check(
        &seen(&messages),
        &[("/flags", json!(["awaiting_payment", "conflict", "identity_changed"]))],
    );
}

#[test]
fn rule_6_a_tombstone_takes_out_and_a_higher_version_revives() {
    let gone = cancellation(json!({"version": 2, "deleted": true}));
    let base = [payment(json!({})), cancellation(json!({})), gone];
    check(
        &seen(&base),
        &[("/cancellations", json!([])), ("/status", json!("DONE"))],
    );
    let revived = [&base[..], &[cancellation(json!({"version": 3}))]].concat();
    check(&seen(&revived), &[("/status", json!("PARTIALLY_CANCELED"))]);
}

#[test]
fn rule_6_a_deleted_payment_is_not_found_or_an_orphan() {
    let gone = payment(json!({"version": 2, "deleted": true}));
    assert_eq!(seen(&[payment(json!({})), gone.clone()]), Value::Null);
    check(
        &seen(&[payment(json!({})), cancellation(json!({})), gone]),
        &[("/flags", json!(["awaiting_payment"]))],
    );
}

#[test]
fn rule_7_wrong_merchant_or_currency_is_set_aside_while_it_is_so() {
    let wrong = cancellation(json!({"merchant_id": "m2", "currency": "JPY"}));
    let messages = [payment(json!({})), wrong];
    check(
        &seen(&messages),
        &[("/cancellations", json!([])), ("/flags", json!(["quarantined"]))],
    );
    let oracle = fed(&messages);
    assert_eq!(
        oracle.quarantine(),
        [row("merchant_mismatch"), row("currency_mismatch")].into()
    );
    let sales = oracle.sales(&Reader::finance(), &ReportParams::on(Basis::EventDay));
    check(&sales, &[("/data/0/cancellation_count", json!(0))]);
    assert_eq!(sales["data"].as_array().map(Vec::len), Some(1));
    let corrected = [&messages[..], &[cancellation(json!({"version": 2}))]].concat();
    assert!(fed(&corrected).quarantine().is_empty());
    check(
        &seen(&corrected),
        &[("/flags", json!([])), ("/canceled_amount", json!("30000"))],
    );
    let moved = [
        &messages[..],
        &[payment(json!({"version": 2, "merchant_id": "m2", "currency": "JPY"}))],
    ]
    .concat();
    check(
        &seen(&moved),
        &[
            ("/flags", json!(["identity_changed"])),
            ("/canceled_amount", json!("30000")),
        ],
    );
}

#[test]
fn rule_7_a_deleted_entry_is_not_set_aside() {
    let messages = [
        payment(json!({})),
        cancellation(json!({"merchant_id": "m2", "deleted": true})),
    ];
    check(&seen(&messages), &[("/flags", json!([]))]);
    assert!(fed(&messages).quarantine().is_empty());
}

#[test]
fn rule_8_identity_changed_looks_at_every_version() {
    let messages = [payment(json!({"version": 2})), payment(json!({"currency": "JPY"}))];
    check(
        &seen(&messages),
        &[("/flags", json!(["identity_changed"])), ("/currency", json!("KRW"))],
    );
    let cancellations = [
        payment(json!({})),
        cancellation(json!({"currency": "JPY"})),
        cancellation(json!({"version": 2})),
    ];
    check(&seen(&cancellations), &[("/flags", json!([]))]);
}

#[test]
fn rule_9_a_refused_message_flags_its_payment() {
    let refused = cancellation(json!({"amount": {"total": "0"}}));
    check(
        &seen(&[payment(json!({})), refused.clone()]),
        &[("/flags", json!(["quarantined"]))],
    );
    check(
        &seen_by("m1", &[payment(json!({})), refused.clone()]),
        &[("/flags", json!(["quarantined"]))],
    );
    assert_eq!(seen(std::slice::from_ref(&refused)), Value::Null);
    let oracle = fed(&[refused.clone(), refused, b"{".to_vec()]);
    assert_eq!(oracle.refused_contents(), 2);
    assert_eq!(
        oracle.quarantine(),
        [
            row("refused"),
            QuarantineRow {
                code: "refused",
                payment_key: None
            }
        ]
        .into()
    );
}

#[test]
fn rule_9_a_deep_message_and_a_long_one_tell_their_payment() {
    let deep = |depth: usize| {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        String::from_utf8(payment(json!({"x": "NEST"})))
            .unwrap_or_default()
            .replace("\"NEST\"", &nested)
            .into_bytes()
    };
    let flags = |odd: Vec<u8>| seen(&[payment(json!({})), odd])["flags"].clone();
    assert_eq!(flags(deep(31)), json!(["quarantined"]));
    assert_eq!(flags(deep(900)), json!(["quarantined"]));
    assert!(fed(&[]).feed(&deep(30)).is_ok());
    assert_eq!(
        flags(payment(json!({"x": " ".repeat(1 << 20)}))),
        json!(["quarantined"])
    );
}
