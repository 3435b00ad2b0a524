//! Messages that break one rule each.

use super::material::Draw;
use super::spelling;
use serde_json::{Value, json};

/// None, or a few refused messages; most tell a payment of the history, some another one, some none.
pub(super) fn some(draw: &mut Draw, payment_keys: &[String]) -> Vec<Vec<u8>> {
    let count = if draw.chance(55) { 0 } else { draw.between(1, 3) };
    let mut out = Vec::new();
    for _ in 0..count {
        let key = if draw.chance(85) {
            draw.one(payment_keys).clone()
        } else {
            "pay-nobody".to_owned()
        };
        let made = match draw.between(0, 3) {
            0 => unreadable(draw, &key),
            1 => odd(draw, &key),
            _ => broken(draw, &key),
        };
        // A producer repeats itself: one content, seen twice.
        out.extend(std::iter::repeat_n(made, draw.between(1, 2)));
    }
    out
}

fn valid_cancellation(key: &str) -> Value {
    json!({
        "payment_key": key, "cancellation_id": "C9", "merchant_id": "m1", "version": 1, "status": "DONE",
        "currency": "KRW", "amount": {"total": "1"}, "canceled_at": "2026-03-01T00:00:00Z",
    })
}

fn valid_settlement(key: &str) -> Value {
    json!({
        "payment_key": key, "settlement_id": "S9", "merchant_id": "m1", "version": 1, "of": "PAYMENT",
        "status": "PAID", "currency": "KRW", "amount": "100", "fees": [{"type": "BASE", "amount": "3"}],
        "vat": "1", "payout_amount": "96", "sold_on": "2026-03-01",
    })
}

fn valid_payment(key: &str) -> Value {
    json!({
        "payment_key": key, "merchant_id": "m1", "order_id": "ORD-9", "version": 9, "status": "DONE",
        "method": "CARD", "currency": "USD", "amount": {"total": "10.50"},
        "requested_at": "2026-03-01T00:00:00Z", "approved_at": "2026-03-01T00:00:00Z",
    })
}

/// One field that breaks a rule, in a message that is fine but for it.
fn broken(draw: &mut Draw, key: &str) -> Vec<u8> {
    let (kind, mut data, changes) = match draw.between(0, 2) {
        0 => ("payment", valid_payment(key), payment_changes()),
        1 => ("cancellation", valid_cancellation(key), cancellation_changes()),
        _ => ("settlement", valid_settlement(key), settlement_changes()),
    };
    let (name, value) = draw.one(&changes).clone();
    data[name] = value;
    let mut envelope = spelling::envelope(draw, kind, data);
    if draw.chance(20) {
        let (name, value) = draw
            .one(&[
                ("specversion", json!("0.3")),
                ("type", json!("payout.recorded.v1")),
                ("type", json!("refund.recorded.v1")),
                ("time", json!("yesterday")),
                ("id", json!("")),
                ("source", Value::Null),
            ])
            .clone();
        envelope[name] = value;
    }
    spelling::spelled(draw, &envelope).into_bytes()
}

fn payment_changes() -> Vec<(&'static str, Value)> {
    vec![
        ("version", json!(0)),
        ("version", json!("1")),
        ("version", json!(1.5)),
        ("status", json!("CANCELED")),
        ("approved_at", Value::Null),
        ("requested_at", json!("2026-03-01 10:00:00")),
        ("currency", json!("XAU")),
        ("currency", json!("XXX")),
        ("amount", json!({"total": "10.500"})),
        ("amount", json!({"total": 10})),
        ("amount", json!({"total": "-1"})),
        ("amount", json!({"total": "99999999999999999999"})),
        ("amount", json!({"total": "1", "vat": "+1"})),
        ("merchant_id", json!("m".repeat(65))),
        ("order_id", json!("")),
        ("deleted", json!("true")),
        ("metadata", json!({"k": 1})),
        ("metadata", json!({"k": "v".repeat(501)})),
        ("card", json!({"number_masked": "411111***1111"})),
    ]
}

fn cancellation_changes() -> Vec<(&'static str, Value)> {
    vec![
        ("amount", json!({"total": "0"})),
        ("amount", json!({"total": "1.0"})),
        ("amount", json!({"total": "007"})),
        ("canceled_at", Value::Null),
        ("status", json!("PENDING")),
        ("requested_by", json!({"channel": "FAX"})),
        ("cancellation_id", json!("c".repeat(201))),
        ("payment_key", json!("k".repeat(201))),
        ("payment_key", json!("")),
        ("payment_key", json!(7)),
    ]
}

fn settlement_changes() -> Vec<(&'static str, Value)> {
    vec![
        ("of", json!("ADJUSTMENT")),
        ("of", json!("CANCELLATION")),
        ("amount", json!("-100")),
        ("payout_amount", json!("97")),
        ("payout_currency", json!("USD")),
        ("fees", Value::Null),
        ("fees", json!([{"type": "BASE"}])),
        ("costs", json!([{"type": "ISSUER", "amount": 1}])),
        ("sold_on", json!("2026-02-29")),
        ("paid_out_on", json!("2026-3-1")),
        ("contract", json!({"fee_rate": "0.1"})),
    ]
}

/// JSON that the contract refuses for its form; its payment can still be told.
fn odd(draw: &mut Draw, key: &str) -> Vec<u8> {
    let mut data = valid_cancellation(key);
    data["reason"] = json!("REASON");
    let envelope = spelling::envelope(draw, "cancellation", data);
    let text = envelope.to_string();
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let reason = match draw.between(0, 3) {
        0 => "\"\\ud83d\"".to_owned(),
        1 => nested(45),
        2 => nested(100),
        _ => "\"a\",\"reason\":\"b\"".to_owned(),
    };
    text.replace("\"REASON\"", &reason).into_bytes()
}

/// Bytes that tell no payment, but for one that is only too long.
fn unreadable(draw: &mut Draw, key: &str) -> Vec<u8> {
    let whole = spelling::envelope(draw, "cancellation", valid_cancellation(key)).to_string();
    match draw.between(0, 11) {
        0 => whole.as_bytes()[..whole.len() / 2].to_vec(),
        1 => format!("{whole}}}").into_bytes(),
        2 => [whole.as_bytes(), &[0xff]].concat(),
        3 => b"[1,2,3]".to_vec(),
        4 => format!("<xml key=\"{key}\"/>").into_bytes(),
        5 => whole.replace("\"data\":", "\"datum\":").into_bytes(),
        6 => format!("{}{}", "[".repeat(400), "]".repeat(400)).into_bytes(),
        // Rare, because a megabyte in every history would be all a test does.
        7 if draw.chance(10) => format!("{whole}{}", " ".repeat(1024 * 1024)).into_bytes(),
        _ => whole.replace("\"1\"", "\"1\\x\"").into_bytes(),
    }
}
