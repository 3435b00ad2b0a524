//! Payments to ask questions about, written as their messages' `data`.

use chrono::{DateTime, Utc};
use domain::decode::decode_body;
use domain::dossier::Dossier;
use domain::message::{Digest, Envelope, Message};
use domain::record::Kind;
use serde_json::{Map, Value, json};

pub(super) const KEY: &str = "pay-0001";

/// A dossier of these entries, each in one version, days in `Asia/Seoul`.
pub(super) fn dossier(entries: &[Value]) -> Dossier {
    let mut dossier = Dossier::new(KEY);
    for (at, data) in entries.iter().enumerate() {
        let kind = match (data.get("settlement_id"), data.get("cancellation_id")) {
            (Some(_), _) => Kind::Settlement,
            (None, Some(_)) => Kind::Cancellation,
            (None, None) => Kind::Payment,
        };
        let body = data.to_string().into_bytes();
        let record = decode_body(kind, &body).unwrap_or_else(|refusal| panic!("{data}: {refusal:?}"));
        // Content decides the digest; its place in the list will do here.
        let digest = Digest([u8::try_from(at).unwrap_or(u8::MAX); 32]);
        let envelope = Envelope {
            id: at.to_string(),
            source: "test".to_owned(),
            time: DateTime::UNIX_EPOCH,
        };
        let zone = if record.merchant_id() == "m_ny" {
            chrono_tz::America::New_York
        } else {
            chrono_tz::Asia::Seoul
        };
        dossier.apply(
            Message {
                envelope,
                record,
                digest,
                body,
                redacted: false,
            },
            zone,
        );
    }
    dossier
}

/// `base` with the members of `more` instead of or beside its own.
pub(super) fn with(mut base: Value, more: Value) -> Value {
    if let (Value::Object(base), Value::Object(more)) = (&mut base, more) {
        base.extend(more);
    }
    base
}

/// The members that every payment needs; done on 2026-03-02 in Seoul, which is still 2026-03-01 in UTC.
pub(super) fn payment(more: Value) -> Value {
    let base = json!({
        "payment_key": KEY, "merchant_id": "m1", "order_id": "ORD-2026-0042", "version": 1, "status": "DONE",
        "method": "CARD", "currency": "USD", "amount": {"total": "100.50"},
        "requested_at": "2026-03-01T15:00:00Z", "approved_at": "2026-03-01T15:30:00Z",
    });
    with(base, more)
}

pub(super) fn cancellation(id: &str, more: Value) -> Value {
    let base = json!({
        "payment_key": KEY, "cancellation_id": id, "merchant_id": "m1", "version": 1, "status": "DONE", "currency": "USD",
        "amount": {"total": "10"}, "canceled_at": "2026-04-20T06:00:00Z",
    });
    with(base, more)
}

pub(super) fn settlement(id: &str, more: Value) -> Value {
    let base = json!({
        "payment_key": KEY, "settlement_id": id, "merchant_id": "m1", "version": 1, "of": "PAYMENT", "status": "SCHEDULED",
        "currency": "USD", "amount": "100.50", "fees": [], "vat": "0", "payout_amount": "100.50", "sold_on": "2026-03-02",
    });
    with(base, more)
}

/// An object of the members that are not null.
pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Object(
        members
            .into_iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k.to_owned(), v))
            .collect::<Map<_, _>>(),
    )
}

pub(super) fn instant(text: &str) -> DateTime<Utc> {
    domain::time::parse_time(text).unwrap_or_else(|| panic!("{text} is a time"))
}
