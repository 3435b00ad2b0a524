//! The oracle against values worked out by hand.

mod derived;
mod example;
mod messages;
mod questions;
mod rules;

use super::{Oracle, Reader, Zones};
use serde_json::{Value, json};

/// Wraps `data` in an envelope; the id does not matter.
fn event(kind: &str, data: Value) -> Vec<u8> {
    let envelope = json!({
        "specversion": "1.0", "id": "e1", "source": "tests", "type": format!("{kind}.recorded.v1"),
        "time": "2026-03-01T01:00:00Z", "data": data,
    });
    envelope.to_string().into_bytes()
}

/// Lays the members of `change` over `base`; null takes a member away.
fn with(mut base: Value, change: Value) -> Value {
    for (name, value) in change.as_object().into_iter().flatten() {
        if value.is_null() {
            base.as_object_mut().and_then(|members| members.remove(name));
        } else {
            base[name] = value.clone();
        }
    }
    base
}

fn payment(change: Value) -> Vec<u8> {
    event("payment", with(payment_data(), change))
}

fn payment_data() -> Value {
    json!({
        "payment_key": "P", "merchant_id": "m1", "order_id": "ORD-1", "version": 1, "status": "DONE",
        "method": "CARD", "currency": "KRW", "amount": {"total": "100000"},
        "requested_at": "2026-03-01T09:59:00+09:00", "approved_at": "2026-03-01T10:00:00+09:00",
    })
}

fn cancellation(change: Value) -> Vec<u8> {
    event("cancellation", with(cancellation_data(), change))
}

fn cancellation_data() -> Value {
    json!({
        "payment_key": "P", "cancellation_id": "C1", "merchant_id": "m1", "version": 1, "status": "DONE",
        "currency": "KRW", "amount": {"total": "30000"}, "requested_by": {"channel": "CONSOLE"},
        "canceled_at": "2026-04-20T15:00:00+09:00",
    })
}

fn settlement(change: Value) -> Vec<u8> {
    event("settlement", with(settlement_data(), change))
}

fn settlement_data() -> Value {
    json!({
        "payment_key": "P", "settlement_id": "S1", "merchant_id": "m1", "version": 1, "of": "PAYMENT",
        "status": "SCHEDULED", "currency": "KRW", "amount": "100000", "fees": [{"type": "BASE", "amount": "2727"}],
        "vat": "273", "payout_amount": "97000", "sold_on": "2026-03-01", "paid_out_on": "2026-03-03",
    })
}

/// An oracle that was fed these messages; zones as in the contract's example of a configuration.
fn fed(messages: &[Vec<u8>]) -> Oracle {
    let merchants = [("m_ny".to_owned(), chrono_tz::America::New_York)].into();
    let mut oracle = Oracle::new(Zones {
        default: chrono_tz::Asia::Seoul,
        merchants,
    });
    for message in messages {
        let _refused_ones_are_part_of_the_history = oracle.feed(message);
    }
    oracle
}

/// The payment `P` as finance sees it; null when it is not found.
fn seen(messages: &[Vec<u8>]) -> Value {
    fed(messages).payment("P", &Reader::finance()).unwrap_or_default()
}

/// The payment `P` as a merchant's key sees it.
fn seen_by(merchant: &str, messages: &[Vec<u8>]) -> Value {
    fed(messages)
        .payment("P", &Reader::merchant([merchant]))
        .unwrap_or_default()
}

/// Checks some members of an answer, by JSON pointer.
#[track_caller]
fn check(answer: &Value, expected: &[(&str, Value)]) {
    for (pointer, value) in expected {
        assert_eq!(answer.pointer(pointer), Some(value), "{pointer} of {answer:#}");
    }
}
