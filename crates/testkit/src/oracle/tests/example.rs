//! The worked example of the contract, in every order.

use super::super::{Basis, Group, ReportParams};
use super::*;
use chrono::NaiveDate;

fn messages() -> Vec<Vec<u8>> {
    vec![
        payment(json!({})),
        settlement(json!({})),
        settlement(json!({"version": 2, "status": "PAID", "payout_id": "po1"})),
        cancellation(json!({})),
        settlement(json!({
            "settlement_id": "S2", "of": "CANCELLATION", "cancellation_id": "C1", "amount": "-30000",
            "fees": [{"type": "BASE", "amount": "-818"}], "vat": "-82", "payout_amount": "-29100",
            "sold_on": "2026-04-20", "paid_out_on": "2026-04-22",
        })),
    ]
}

fn expected() -> Value {
    let text = r#"{
        "payment_key": "P", "merchant_id": "m1", "order_id": "ORD-1", "status": "PARTIALLY_CANCELED",
        "recorded_status": "DONE", "method": "CARD", "currency": "KRW", "amount": {"total": "100000"},
        "canceled_amount": "30000", "balance_amount": "70000",
        "requested_at": "2026-03-01T00:59:00.000000Z", "approved_at": "2026-03-01T01:00:00.000000Z",
        "occurred_at": "2026-03-01T01:00:00.000000Z", "event_day": "2026-03-01", "sale_day": "2026-03-01",
        "order_name": null, "transaction_key": null, "receipt_url": null, "metadata": null, "customer": null,
        "card": null, "virtual_account": null, "easy_pay": null, "transfer": null, "mobile_phone": null,
        "gift_certificate": null, "failure": null,
        "settlement_status": "PARTIALLY_PAID",
        "settlement": {"gross": "70000", "fee": "1909", "vat": "191", "payout": "67900", "cost": "0", "net_profit": "1909"},
        "cancellations": [{
            "cancellation_id": "C1", "status": "DONE", "currency": "KRW", "amount": {"total": "30000"}, "reason": null,
            "reason_code": null, "requested_by": {"channel": "CONSOLE"}, "requested_at": null,
            "canceled_at": "2026-04-20T06:00:00.000000Z", "event_day": "2026-04-20", "metadata": null, "version": 1
        }],
        "settlements": [
            {
                "settlement_id": "S1", "of": "PAYMENT", "cancellation_id": null, "status": "PAID", "currency": "KRW",
                "amount": "100000", "fees": [{"type": "BASE", "amount": "2727"}], "fee": "2727", "vat": "273",
                "payout_amount": "97000", "costs": null, "cost": "0", "sold_on": "2026-03-01",
                "paid_out_on": "2026-03-03", "payout_id": "po1", "contract": null, "metadata": null, "version": 2
            },
            {
                "settlement_id": "S2", "of": "CANCELLATION", "cancellation_id": "C1", "status": "SCHEDULED",
                "currency": "KRW", "amount": "-30000", "fees": [{"type": "BASE", "amount": "-818"}], "fee": "-818",
                "vat": "-82", "payout_amount": "-29100", "costs": null, "cost": "0", "sold_on": "2026-04-20",
                "paid_out_on": "2026-04-22", "payout_id": null, "contract": null, "metadata": null, "version": 1
            }
        ],
        "flags": [], "version": 1
    }"#;
    serde_json::from_str(text).unwrap_or_default()
}

fn month(basis: Basis, month: u32) -> ReportParams {
    ReportParams {
        from: NaiveDate::from_ymd_opt(2026, month, 1),
        to: NaiveDate::from_ymd_opt(2026, month + 1, 1),
        ..ReportParams::on(basis)
    }
}

fn sales_row(payments: u64, gross: &str, cancellations: u64, canceled: &str, net: &str) -> Value {
    json!({
        "currency": "KRW", "payment_count": payments, "payment_amount": gross, "cancellation_count": cancellations,
        "cancellation_amount": canceled, "net_amount": net, "failed_count": 0,
    })
}

#[test]
fn payment_in_any_order_and_doubled() {
    let messages = messages();
    let mut order = [0, 1, 2, 3, 4];
    for _ in 0..order.len() {
        order.rotate_left(1);
        let forwards: Vec<_> = order.iter().map(|i| messages[*i].clone()).collect();
        let backwards: Vec<_> = order.iter().rev().map(|i| messages[*i].clone()).collect();
        assert_eq!(seen(&forwards), expected());
        assert_eq!(seen(&[backwards, forwards].concat()), expected());
    }
}

#[test]
fn sales_of_march_and_april() {
    let oracle = fed(&messages());
    let ask = |basis, month_number| oracle.sales(&Reader::finance(), &month(basis, month_number));
    let march = ask(Basis::EventDay, 3);
    assert_eq!(march["data"], json!([sales_row(1, "100000", 0, "0", "100000")]));
    assert_eq!(march["totals"], march["data"]);
    assert_eq!(march["orphans_left_out"], 0);
    assert_eq!(
        ask(Basis::SaleDay, 3)["data"],
        json!([sales_row(1, "100000", 1, "30000", "70000")])
    );
    assert_eq!(
        ask(Basis::EventDay, 4)["data"],
        json!([sales_row(0, "0", 1, "30000", "-30000")])
    );
    assert_eq!(ask(Basis::SaleDay, 4)["data"], json!([]));
}

#[test]
fn payouts_by_status_and_day() {
    let oracle = fed(&messages());
    let of_status = |status: &str| ReportParams {
        status: vec![status.into()],
        group_by: vec![Group::Day, Group::Merchant],
        ..ReportParams::on(Basis::PaidOutOn)
    };
    let paid = oracle.settlements(&Reader::finance(), &of_status("PAID"));
    let row = json!({
        "day": "2026-03-03", "merchant_id": "m1", "currency": "KRW", "settlement_count": 1, "gross": "100000",
        "fee": "2727", "vat": "273", "payout": "97000", "cost": "0", "net_profit": "2727",
    });
    assert_eq!(paid["data"], json!([row]));
    let scheduled = oracle.settlements(&Reader::merchant(["m1"]), &of_status("SCHEDULED"));
    let total = json!({
        "currency": "KRW", "settlement_count": 1, "gross": "-30000", "fee": "-818", "vat": "-82", "payout": "-29100",
    });
    assert_eq!(scheduled["totals"], json!([total]));
}
