//! What lies beneath lists and sums: entries, lookups, timelines, payouts, completions, and whose they are.

use api::keys::Role;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{TestApp, fixtures, lines};
use crate::messages::{cancellation, line, message, personal, sale};

async fn worked_example() -> TestApp {
    let mut app = TestApp::new();
    app.feed(&lines(&fixtures().join("worked-example.ndjson")));
    app
}

#[tokio::test]
async fn the_worked_example_reads_in_the_order_of_business() {
    let app = worked_example().await;
    let answer = app.get("/v1/payments/P/timeline").await.ok();
    let items = answer["data"].as_array().expect("items");
    let told: Vec<String> = items
        .iter()
        .map(|item| {
            let text = |member: &str| item[member].as_str().unwrap_or_default().to_owned();
            let current = if item["current"] == true { "now" } else { "then" };
            format!("{} v{} {} {current}", text("entry_id"), item["version"], text("status"))
        })
        .collect();
    let expect = [
        "P v1 DONE now",
        "S1 v1 SCHEDULED then",
        "S1 v2 PAID now",
        "C1 v1 DONE now",
        "S2 v1 SCHEDULED now",
    ];
    assert_eq!(told, expect);
    assert_eq!(items[2]["changed"], json!(["/payout_id", "/status"]));
    assert_eq!(items[0]["repeats"], 0);
    assert!(items[0]["position"]["offset"].is_u64());
}

#[tokio::test]
async fn repeats_and_stale_messages_are_marked() {
    let mut app = worked_example().await;
    let all = lines(&fixtures().join("worked-example.ndjson"));
    app.feed(&all);
    app.feed(&all[..1]);
    let answer = app.get("/v1/payments/P/timeline").await.ok();
    assert_eq!(answer["data"][0]["repeats"], 2);
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(5));

    let mut app = TestApp::new();
    let mut reversed = all.clone();
    reversed.reverse();
    app.feed(&reversed);
    let answer = app.get("/v1/payments/P/timeline").await.ok();
    assert_eq!(
        (&answer["data"][1]["verdict"], &answer["data"][2]["verdict"]),
        (&json!("stale"), &json!("applied"))
    );
}

#[tokio::test]
async fn a_payout_is_explained_to_the_unit() {
    let mut app = worked_example().await;
    app.feed(&[sale("P9", "m2", 1000, 0), line("P9", "S9", "m2")]);
    let answer = app.get("/v1/reports/payouts/po1").await.ok();
    let expect = json!([{"currency": "KRW", "gross": "101000", "cancellations": "0",
        "fees": [{"type": "BASE", "amount": "2754"}], "vat": "276", "payout": "97970", "residual": "0"}]);
    assert_eq!(answer["data"], expect);
    assert_eq!(answer["lines"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["lines"][0]["cost"], "0");
    let m2 = app.key(Role::Merchant, &["m2"]);
    let own = app.get_as(&m2, "/v1/reports/payouts/po1").await.ok();
    assert_eq!(
        (&own["data"][0]["gross"], &own["lines"][0]["entry_id"]),
        (&json!("1000"), &json!("S9"))
    );
    assert!(own["lines"][0].get("cost").is_none());
    let stranger = app.key(Role::Merchant, &["m3"]);
    for (key, id) in [(&stranger, "po1"), (&m2, "po2")] {
        let answer = app.get_as(key, &format!("/v1/reports/payouts/{id}")).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (StatusCode::NOT_FOUND, &json!("payout_not_found"))
        );
    }
}

#[tokio::test]
async fn identifiers_of_any_kind_are_looked_up_in_their_order() {
    let mut app = worked_example().await;
    app.feed(&[
        personal("P2"),
        sale("P3", "m2", 5, 3),
        line("P3", "S3", "m2"),
        cancellation("P3", "C3", "m2", 1),
    ]);
    let body = json!({"ids": ["nothing", "s-3", "010 1234 5678", "po1", "ord-P3", "P", "C3", "c3"]});
    let answer = app.post("/v1/lookup", body.to_string()).await.ok();
    let data = answer["data"].as_array().expect("data");
    let found: Vec<(&str, &str, &str)> = data
        .iter()
        .map(|found| {
            let text = |value: &'static str| found.pointer(value).and_then(Value::as_str).unwrap_or_default();
            (text("/id"), text("/matched_by"), text("/payment/payment_key"))
        })
        .collect();
    let expect = [
        ("s-3", "settlement_id", "P3"),
        ("010 1234 5678", "phone", "P2"),
        ("ord-P3", "order_id", "P3"),
        ("P", "payment_key", "P"),
        ("C3", "cancellation_id", "P3"),
        ("c3", "cancellation_id", "P3"),
    ];
    assert_eq!(found, expect);
    assert_eq!(answer["not_found"], json!(["nothing"]));
    assert_eq!(answer["ambiguous"], json!([{"id": "po1", "payments": ["P3", "P"]}]));
    for (body, code, pointer) in [
        (json!({"ids": "P"}), "wrong_type", "/ids"),
        (json!({"ids": ["P", 3]}), "wrong_type", "/ids/1"),
        (json!({"ids": ["P", " - "]}), "bad_value", "/ids/1"),
        (json!({"id": ["P"]}), "unknown_parameter", "/id"),
        (json!({}), "missing_parameter", "/ids"),
        (json!({"ids": vec!["P"; 1001]}), "too_many_values", "/ids"),
    ] {
        let problem = app.post("/v1/lookup", body.to_string()).await.json();
        assert_eq!(
            (&problem["code"], &problem["errors"][0]["pointer"]),
            (&json!(code), &json!(pointer))
        );
    }
    let empty = app.post("/v1/lookup", r#"{"ids": []}"#).await.ok();
    assert_eq!(empty["data"], json!([]));
}

#[tokio::test]
async fn entries_compare_amounts_with_their_sign_and_in_major_units() {
    let mut app = worked_example().await;
    let bhd = json!({"payment_key": "B", "merchant_id": "m1", "order_id": "O", "version": 1, "status": "DONE",
        "method": "CARD", "currency": "BHD", "amount": {"total": "10.500"}, "requested_at": "2026-05-01T00:00:00Z",
        "approved_at": "2026-05-01T00:00:00Z"});
    app.feed(&[message("payment", &bhd)]);
    for (filters, expect) in [
        ("amount[lt]=0", "C1,S2"),
        ("amount=10.5", "B"),
        ("amount[gt]=10.4999&amount[lte]=10.5", "B"),
        ("amount[gt]=10.5&amount[lt]=100000", ""),
        ("amount[gte]=99999.5&amount[lt]=100000.5", "P,S1"),
        ("payout_id=PO-1", "S1"),
        (
            "kind=payment&kind=settlement&status=DONE&status=PAID&currency=KRW",
            "P,S1",
        ),
        ("sold_on[gte]=2026-03-01&sold_on[lt]=2026-04-20", "S1"),
        ("event_day=2026-04-20", "C1"),
        ("merchant_id=m2", ""),
        ("amount[gt]=79228162514264337593543950335", ""),
        ("amount[gt]=-79228162514264337593543950335&currency=BHD", "B"),
    ] {
        let address = format!("/v1/entries?{}", filters.replace('[', "%5B").replace(']', "%5D"));
        let answer = app.get(&address).await.ok();
        let rows = answer["data"].as_array().expect("rows");
        let ids: Vec<&str> = rows.iter().filter_map(|row| row["entry_id"].as_str()).collect();
        assert_eq!(ids.join(","), expect, "{filters}");
    }
    let total = app.get("/v1/entries?total=true&limit=1&currency=KRW").await.ok();
    let sums =
        json!([{"currency": "KRW", "amount": "140000", "fee": "1909", "vat": "191", "payout": "67900", "cost": "0"}]);
    assert_eq!(total["total"], json!({"count": 4, "sums": sums}));
}

#[tokio::test]
async fn a_list_is_added_up_with_orphans_in_the_count_only() {
    let mut app = worked_example().await;
    app.feed(&[sale("P2", "m1", 500, 1), cancellation("O1", "C7", "m1", 7)]);
    for filter in ["", "&q=-status:READY", "&canceled_at%5Bgte%5D=2020-01-01T00:00:00Z"] {
        let answer = app.get(&format!("/v1/payments?total=true&limit=1{filter}")).await.ok();
        let own = if filter.contains("canceled") { 2 } else { 3 };
        assert_eq!(answer["total"]["count"], own, "{filter}");
        let amount = if own == 2 { "100000" } else { "100500" };
        assert_eq!(answer["total"]["sums"][0]["amount"], amount, "{filter}");
        assert_eq!(answer["total"]["sums"][0]["canceled_amount"], "30000", "{filter}");
    }
    let posted = app
        .post("/v1/payments/search", r#"{"total": true, "status": "UNKNOWN"}"#)
        .await
        .ok();
    assert_eq!(posted["total"], json!({"count": 1, "sums": []}));
}

#[tokio::test]
async fn a_text_being_typed_is_completed_from_what_the_key_sees() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 5, 0), sale("P2", "m2", 5, 1)]);
    let merchant = app.key(Role::Merchant, &["m1"]);
    for (key, typed, expect) in [
        (merchant.as_str(), "merchant_id:", "merchant_id:m1"),
        (app.finance_key(), "merchant_id:", "merchant_id:m1,merchant_id:m2"),
        (&merchant, "status:canc", "status:CANCELED"),
        (&merchant, "amount:5%20-settlement_s", "-settlement_status:"),
        (&merchant, "currency:", "currency:KRW"),
        (&merchant, "m2", ""),
    ] {
        let answer = app.get_as(key, &format!("/v1/search/suggest?q={typed}")).await.ok();
        let data = answer["data"].as_array().expect("data");
        let texts: Vec<&str> = data.iter().filter_map(|one| one["text"].as_str()).collect();
        assert_eq!(texts.join(","), expect, "{typed}");
    }
    let few = app.get_as(&merchant, "/v1/search/suggest?q=&limit=3").await.ok();
    assert_eq!(few["data"].as_array().map(Vec::len), Some(3), "{few}");
}

/// An answer without what may differ between two stores.
fn comparable(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.remove("as_of");
        members.remove("next_cursor");
        members.remove("request_id");
    }
    answer
}

#[tokio::test]
async fn what_others_have_changes_nothing_for_a_merchant() {
    let own = [
        sale("P1", "m1", 1000, 0),
        line("P1", "S1", "m1"),
        cancellation("P1", "C1", "m1", 300),
        cancellation("O1", "C2", "m1", 1),
        line("X1", "S4", "m1"),
        personal("P5"),
    ];
    let others = [
        sale("P2", "m2", 9, 1),
        line("P2", "S2", "m2"),
        cancellation("O1", "C3", "m2", 5),
        sale("X2", "m2", 9, 2),
        line("P1", "S9", "m2"),
    ];
    let (mut alone, mut shared) = (TestApp::new(), TestApp::new());
    alone.feed(&own);
    for (one, other) in own.iter().zip(others.iter().cycle()) {
        shared.feed(&[other, one]);
    }
    let keys = [alone.key(Role::Merchant, &["m1"]), shared.key(Role::Merchant, &["m1"])];
    let report = "from=2026-01-01&to=2027-01-01&group_by=day,month,method,merchant";
    for address in [
        "/v1/payments?total=true&limit=100",
        "/v1/payments?total=true&flag=quarantined",
        "/v1/payments/search?q=po1&total=true",
        "/v1/payments/search?q=-last4:1111&total=true&limit=2",
        "/v1/payments/P1",
        "/v1/payments/P2",
        "/v1/payments/O1/timeline",
        "/v1/payments/P1/timeline",
        "/v1/payments/P2/timeline",
        "/v1/entries?total=true&limit=100",
        "/v1/entries?merchant_id=m2&total=true",
        "/v1/entries?payout_id=po1&total=true",
        "/v1/reports/payouts/po1",
        "/v1/search/suggest?q=merchant_id:",
        "/v1/search/suggest?q=method:",
        &format!("/v1/reports/sales?basis=event_day&{report}"),
        &format!("/v1/reports/sales?basis=sale_day&{report}"),
        &format!("/v1/reports/settlements?basis=sold_on&{report}&source=ledger"),
        &format!("/v1/reports/settlements?basis=paid_out_on&{report}"),
    ] {
        let (a, b) = (
            alone.get_as(&keys[0], address).await,
            shared.get_as(&keys[1], address).await,
        );
        assert_eq!(
            (a.status, comparable(a.json())),
            (b.status, comparable(b.json())),
            "{address}"
        );
    }
}
