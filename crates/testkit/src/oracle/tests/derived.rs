//! The derived values of a payment.

use super::*;

#[test]
fn over_cancellation_and_zero_totals() {
    let canceled = |total: &str| {
        let answer = seen(&[payment(json!({})), cancellation(json!({"amount": {"total": total}}))]);
        (
            answer["status"].clone(),
            answer["balance_amount"].clone(),
            answer["flags"].clone(),
        )
    };
    assert_eq!(canceled("99999"), (json!("PARTIALLY_CANCELED"), json!("1"), json!([])));
    assert_eq!(canceled("100000"), (json!("CANCELED"), json!("0"), json!([])));
    assert_eq!(
        canceled("100001"),
        (json!("CANCELED"), json!("-1"), json!(["over_canceled"]))
    );
    let nothing = payment(json!({"amount": {"total": "-0"}}));
    check(
        &seen(std::slice::from_ref(&nothing)),
        &[("/status", json!("DONE")), ("/balance_amount", json!("0"))],
    );
    let aborted = payment(json!({"status": "ABORTED", "approved_at": null}));
    check(
        &seen(&[aborted, cancellation(json!({}))]),
        &[("/status", json!("ABORTED")), ("/balance_amount", json!("70000"))],
    );
    check(
        &seen(&[nothing, cancellation(json!({}))]),
        &[("/status", json!("DONE")), ("/flags", json!(["over_canceled"]))],
    );
}

#[test]
fn settlement_status() {
    let status = |of: &[&str]| {
        let lines = of
            .iter()
            .enumerate()
            .map(|(n, s)| settlement(json!({"settlement_id": format!("S{n}"), "status": s})));
        seen(&lines.chain([payment(json!({}))]).collect::<Vec<_>>())["settlement_status"].clone()
    };
    assert_eq!(status(&[]), "NONE");
    assert_eq!(status(&["SCHEDULED", "SCHEDULED"]), "SCHEDULED");
    assert_eq!(status(&["SCHEDULED", "PAID"]), "PARTIALLY_PAID");
    assert_eq!(status(&["PAID", "PAID"]), "PAID");
    assert_eq!(status(&["PAID", "HELD"]), "HELD");
}

#[test]
fn days_are_of_the_merchants_own_zone() {
    let at = |merchant: &str, at: &str| {
        seen(&[payment(json!({"merchant_id": merchant, "approved_at": at}))])["event_day"].clone()
    };
    assert_eq!(at("m1", "2026-02-28T14:59:59.9999999Z"), "2026-02-28");
    assert_eq!(at("m1", "2026-02-28T15:00:00Z"), "2026-03-01");
    assert_eq!(at("m_ny", "2026-03-01T04:59:59.999999Z"), "2026-02-28");
    assert_eq!(at("m_ny", "2026-03-01T05:00:00Z"), "2026-03-01");
    assert_eq!(at("m_ny", "2026-07-01T04:00:00Z"), "2026-07-01");
}

#[test]
fn overdue_looks_at_the_clock() {
    let flags = |today: &str, messages: &[Vec<u8>]| {
        let mut oracle = fed(messages);
        oracle.set_clock(super::super::instant::instant(today).unwrap_or_default(), 7);
        oracle
            .payment("P", &Reader::finance())
            .map(|answer| answer["flags"].clone())
            .unwrap_or_default()
    };
    let unsettled = [payment(json!({}))];
    assert_eq!(flags("2026-03-08T14:59:59Z", &unsettled), json!([]));
    assert_eq!(flags("2026-03-08T15:00:00Z", &unsettled), json!(["unsettled_overdue"]));
    assert_eq!(
        flags("2026-04-08T15:00:00Z", &[payment(json!({})), settlement(json!({}))]),
        json!([])
    );
    let canceled = [payment(json!({})), cancellation(json!({"amount": {"total": "100000"}}))];
    assert_eq!(flags("2026-04-08T15:00:00Z", &canceled), json!([]));
}
