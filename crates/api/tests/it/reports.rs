//! Reports: rows, totals, groups, and what they leave out.

use api::keys::Role;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::messages::{cancellation, line, message, sale};

fn app() -> TestApp {
    let mut app = TestApp::new();
    let abroad = json!({
        "payment_key": "P3", "merchant_id": "m2", "order_id": "O", "version": 1, "status": "DONE", "method": "EASY_PAY",
        "currency": "USD", "amount": {"total": "10.5"}, "requested_at": "2026-06-01T00:00:00Z",
        "approved_at": "2026-06-01T00:00:00Z",
    });
    let failed = json!({
        "payment_key": "P4", "merchant_id": "m1", "order_id": "O", "version": 1, "status": "ABORTED", "method": "CARD",
        "currency": "KRW", "amount": {"total": "7"}, "requested_at": "2026-05-01T00:00:00Z",
    });
    app.feed(&[
        sale("P1", "m1", 1000, 0),
        sale("P2", "m2", 2000, 0),
        message("payment", &abroad),
        message("payment", &failed),
        cancellation("P1", "C1", "m1", 300),
        cancellation("P9", "C9", "m1", 50),
        line("P1", "S1", "m1"),
        line("P2", "S2", "m2"),
    ]);
    app
}

async fn both(app: &TestApp, address: &str) -> Value {
    let mut rollup = app.get(&format!("{address}&source=rollup")).await.ok();
    let mut ledger = app.get(&format!("{address}&source=ledger")).await.ok();
    for (answer, source) in [(&mut rollup, "rollup"), (&mut ledger, "ledger")] {
        assert_eq!(answer["source"].take(), source);
    }
    assert_eq!(rollup, ledger, "{address}");
    assert_eq!(app.get(address).await.ok()["source"], "rollup");
    without_urls(rollup)
}

/// A report whose rows are the figures alone; each must point to its entries.
fn without_urls(mut report: Value) -> Value {
    for member in ["data", "totals"] {
        for row in report[member].as_array_mut().into_iter().flatten() {
            let url = row.as_object_mut().and_then(|row| row.remove("rows_url"));
            assert!(url.is_some_and(|url| url.is_string()), "{row}");
        }
    }
    report
}

fn sales_row(group: Value, counts: [i64; 3], amounts: [&str; 3]) -> Value {
    let mut row = group;
    row["payment_count"] = counts[0].into();
    row["payment_amount"] = amounts[0].into();
    row["cancellation_count"] = counts[1].into();
    row["cancellation_amount"] = amounts[1].into();
    row["net_amount"] = amounts[2].into();
    row["failed_count"] = counts[2].into();
    row
}

#[tokio::test]
async fn sales_are_grouped_and_sorted_as_asked() {
    let app = app();
    let base = "/v1/reports/sales?basis=event_day&from=2026-01-01&to=2027-01-01";
    let found = both(&app, base).await;
    let totals = json!([
        sales_row(json!({"currency": "KRW"}), [2, 2, 1], ["3000", "350", "2650"]),
        sales_row(json!({"currency": "USD"}), [1, 0, 0], ["10.50", "0.00", "10.50"]),
    ]);
    assert_eq!(
        (&found["data"], &found["totals"], &found["orphans_left_out"]),
        (&totals, &totals, &json!(0))
    );

    let found = both(&app, &format!("{base}&group_by=method,month")).await;
    let rows = json!([
        sales_row(
            json!({"month": "2026-05", "method": "CARD", "currency": "KRW"}),
            [2, 1, 1],
            ["3000", "300", "2700"]
        ),
        sales_row(
            json!({"month": "2026-06", "method": "EASY_PAY", "currency": "USD"}),
            [1, 0, 0],
            ["10.50", "0.00", "10.50"]
        ),
        sales_row(
            json!({"month": "2026-05", "method": "UNKNOWN", "currency": "KRW"}),
            [0, 1, 0],
            ["0", "50", "-50"]
        ),
    ]);
    assert_eq!((&found["data"], &found["totals"]), (&rows, &totals));
    let repeated = both(&app, &format!("{base}&group_by=method&group_by=month")).await;
    assert_eq!(repeated["data"], rows);

    let found = both(&app, &format!("{base}&group_by=merchant,day&currency=KRW&method=CARD")).await;
    let rows = json!([
        sales_row(
            json!({"day": "2026-05-01", "merchant_id": "m1", "currency": "KRW"}),
            [1, 0, 1],
            ["1000", "0", "1000"]
        ),
        sales_row(
            json!({"day": "2026-05-02", "merchant_id": "m1", "currency": "KRW"}),
            [0, 1, 0],
            ["0", "300", "-300"]
        ),
        sales_row(
            json!({"day": "2026-05-01", "merchant_id": "m2", "currency": "KRW"}),
            [1, 0, 0],
            ["2000", "0", "2000"]
        ),
    ]);
    assert_eq!(found["data"], rows);
}

#[tokio::test]
async fn members_stand_in_the_order_of_the_contract() {
    let app = app();
    let address = "/v1/reports/sales?basis=event_day&from=2026-06-01&to=2026-06-02&group_by=merchant,month,method,day";
    let expect = "{\"data\":[{\"day\":\"2026-06-01\",\"month\":\"2026-06\",\"method\":\"EASY_PAY\",\"merchant_id\":\"m2\",\
                  \"currency\":\"USD\",\"payment_count\":1,\"payment_amount\":\"10.50\",\"cancellation_count\":0,\
                  \"cancellation_amount\":\"0.00\",\"net_amount\":\"10.50\",\"failed_count\":0,\"rows_url\":\"/v1/entries?";
    let text = app.get(address).await.text();
    assert!(text.starts_with(expect), "{text}");
}

#[tokio::test]
async fn the_interval_is_half_open_and_may_be_empty() {
    let app = app();
    for (from, to, count) in [
        ("2026-05-01", "2026-05-02", 2),
        ("2026-05-02", "2026-06-01", 0),
        ("2026-05-01", "2026-05-01", 0),
        ("2026-06-01", "2026-06-02", 1),
        // Twenty years to the day.
        ("2006-06-02", "2026-06-02", 3),
        ("0000-01-01", "0020-01-01", 0),
        ("9999-12-31", "9999-12-31", 0),
    ] {
        let found = both(&app, &format!("/v1/reports/sales?basis=event_day&from={from}&to={to}")).await;
        let payments: i64 = found["totals"]
            .as_array()
            .expect("rows")
            .iter()
            .filter_map(|row| row["payment_count"].as_i64())
            .sum();
        assert_eq!(payments, count, "{from} {to}");
    }
}

#[tokio::test]
async fn by_sale_day_orphans_are_counted_and_left_out() {
    let app = app();
    let base = "/v1/reports/sales?basis=sale_day&from=2026-05-01&to=2026-05-02&group_by=day";
    for (filter, orphans) in [
        ("", 1),
        ("&merchant_id=m1", 1),
        ("&merchant_id=m2", 0),
        ("&currency=USD", 0),
        ("&method=CARD", 1),
    ] {
        let found = both(&app, &format!("{base}{filter}")).await;
        assert_eq!(found["orphans_left_out"], orphans, "{filter}");
    }
    let found = both(&app, &format!("{base}&merchant_id=m1")).await;
    let row = sales_row(
        json!({"day": "2026-05-01", "currency": "KRW"}),
        [1, 1, 1],
        ["1000", "300", "700"],
    );
    assert_eq!(found["data"], json!([row]));
}

#[tokio::test]
async fn settlements_show_cost_to_the_provider_only() {
    let app = app();
    let base = "/v1/reports/settlements?basis=paid_out_on&from=2026-05-03&to=2026-05-04";
    let found = both(
        &app,
        &format!("{base}&group_by=merchant&status=SCHEDULED&status=PAID&merchant_id=m1"),
    )
    .await;
    let row = json!({
        "merchant_id": "m1", "currency": "KRW", "settlement_count": 1, "gross": "1000", "fee": "27", "vat": "3",
        "payout": "970", "cost": "20", "net_profit": "7",
    });
    assert_eq!((&found["data"], &found["orphans_left_out"]), (&json!([row]), &json!(0)));
    assert_eq!(both(&app, &format!("{base}&status=HELD")).await["data"], json!([]));
    let merchant = app.key(Role::Merchant, &["m2"]);
    let found = without_urls(app.get_as(&merchant, base).await.ok());
    let row =
        json!({"currency": "KRW", "settlement_count": 1, "gross": "1000", "fee": "27", "vat": "3", "payout": "970"});
    assert_eq!((&found["data"], &found["totals"]), (&json!([row]), &json!([row])));
}

#[tokio::test]
async fn a_report_of_too_many_rows_is_refused_with_what_to_narrow() {
    let mut app = TestApp::new();
    let sales: Vec<Vec<u8>> = (0..=100_000)
        .map(|n| sale(&format!("P{n}"), &format!("m{n}"), 1, 0))
        .collect();
    for part in sales.chunks(25_000) {
        app.feed(part);
    }
    let base = "/v1/reports/sales?basis=event_day&from=2026-05-01&to=2026-05-02";
    let answer = app.get(&format!("{base}&group_by=merchant")).await;
    assert_eq!(answer.status.as_u16(), 400);
    let problem = answer.json();
    assert_eq!(problem["code"], "report_too_large");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("100,000") || detail.contains("100000"))
    );
    let one_less = app.feed(&[message(
        "payment",
        &json!({
            "payment_key": "P0", "merchant_id": "m0", "order_id": "O", "version": 2, "status": "READY", "method": "CARD",
            "currency": "KRW", "amount": {"total": "1"}, "requested_at": "2026-05-01T00:00:00Z",
        }),
    )]);
    assert_eq!(one_less.applied, 1);
    let report = app.get(&format!("{base}&group_by=merchant")).await.ok();
    assert_eq!(report["data"].as_array().map(Vec::len), Some(100_000));
    assert_eq!(report["totals"][0]["payment_count"], 100_000);
}

#[tokio::test]
async fn the_least_amount_there_is_is_taken_out_again() {
    let mut app = TestApp::new();
    let least = |version: u32, status: &str| {
        let data = json!({
            "payment_key": "P1", "settlement_id": "S1", "merchant_id": "m1", "version": version, "of": "CANCELLATION",
            "cancellation_id": "C1", "status": status, "currency": "KRW", "amount": i64::MIN.to_string(), "fees": [],
            "vat": "0", "payout_amount": i64::MIN.to_string(), "sold_on": "2026-05-01",
        });
        message("settlement", &data)
    };
    // In batches of their own, so that the first row is taken out by a second.
    app.feed(&[least(1, "SCHEDULED")]);
    app.feed(&[least(2, "PAID")]);
    let address = "/v1/reports/settlements?basis=sold_on&from=2026-05-01&to=2026-05-02";
    let report = both(&app, address).await;
    assert_eq!(report["totals"][0]["gross"], i64::MIN.to_string());
    assert_eq!(report["totals"][0]["settlement_count"], 1);
}
