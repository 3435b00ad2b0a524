//! Messages made to measure.

use serde_json::{Value, json};

pub(crate) fn message(kind: &str, data: &Value) -> Vec<u8> {
    let event = json!({
        "specversion": "1.0", "id": "e", "source": "/test", "type": format!("{kind}.recorded.v1"),
        "time": "2026-05-01T00:00:00Z", "data": data,
    });
    event.to_string().into_bytes()
}

/// A finished sale of `merchant` over `total` won, `minutes` after midnight (UTC) of 2026-05-01.
pub(crate) fn sale(key: &str, merchant: &str, total: u32, minutes: u32) -> Vec<u8> {
    let at = format!("2026-05-01T{:02}:{:02}:00Z", minutes / 60, minutes % 60);
    message(
        "payment",
        &json!({
            "payment_key": key, "merchant_id": merchant, "order_id": format!("ORD-{key}"), "version": 1,
            "status": "DONE", "method": "CARD", "currency": "KRW", "amount": {"total": total.to_string()},
            "requested_at": at, "approved_at": at,
        }),
    )
}

/// A payment with every kind of personal data.
pub(crate) fn personal(key: &str) -> Vec<u8> {
    message(
        "payment",
        &json!({
            "payment_key": key, "merchant_id": "m1", "order_id": "ORD-1", "version": 1, "status": "WAITING_FOR_DEPOSIT",
            "method": "VIRTUAL_ACCOUNT", "currency": "KRW", "amount": {"total": "1000"},
            "requested_at": "2026-05-01T00:00:00Z",
            "customer": {"name": "김민준", "email": "kim.minjun@example.com", "phone": "010-1234-5678", "customer_key": "c1"},
            "virtual_account": {"bank": "KB", "account_number": "12345678901234", "depositor": "홍길"},
        }),
    )
}

/// A settlement line of a sale, with the provider's own costs.
pub(crate) fn line(key: &str, id: &str, merchant: &str) -> Vec<u8> {
    message(
        "settlement",
        &json!({
            "payment_key": key, "settlement_id": id, "merchant_id": merchant, "version": 1, "of": "PAYMENT",
            "status": "SCHEDULED", "currency": "KRW", "amount": "1000", "fees": [{"type": "BASE", "amount": "27"}],
            "vat": "3", "payout_amount": "970", "costs": [{"type": "ISSUER", "amount": "20"}],
            "sold_on": "2026-05-01", "paid_out_on": "2026-05-03", "payout_id": "po1",
        }),
    )
}

/// A finished cancellation.
pub(crate) fn cancellation(key: &str, id: &str, merchant: &str, total: u32) -> Vec<u8> {
    message(
        "cancellation",
        &json!({
            "payment_key": key, "cancellation_id": id, "merchant_id": merchant, "version": 1, "status": "DONE",
            "currency": "KRW", "amount": {"total": total.to_string()}, "canceled_at": "2026-05-02T00:00:00Z",
        }),
    )
}

/// A finished sale of 1,000 won with a full card number in a text.
pub(crate) fn with_card(key: &str, merchant: &str) -> Vec<u8> {
    message(
        "payment",
        &json!({
            "payment_key": key, "merchant_id": merchant, "order_id": format!("ORD-{key}"), "version": 1,
            "status": "DONE", "method": "CARD", "currency": "KRW", "amount": {"total": "1000"},
            "requested_at": "2026-05-01T00:00:00Z", "approved_at": "2026-05-01T00:00:00Z",
            "order_name": "card 4242 4242 4242 4242",
        }),
    )
}
