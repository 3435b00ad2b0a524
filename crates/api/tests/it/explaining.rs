//! `explain=true` and `POST /v1/search/explain`.

use api::keys::Role;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::messages::sale;

fn filled() -> TestApp {
    let mut app = TestApp::new();
    let sales: Vec<Vec<u8>> = (0..30)
        .map(|n| sale(&format!("P{n}"), ["m1", "m2"][n % 2], 1, n as u32))
        .collect();
    app.feed(&sales);
    app
}

/// Without what is not the same twice: a cursor is sealed anew each time.
fn plain(mut answer: Value) -> Value {
    let members = answer.as_object_mut().expect("an object");
    members.remove("explain");
    members.remove("next_cursor");
    answer
}

#[tokio::test]
async fn lists_and_reports_are_explained_beside_their_answers() {
    let app = filled();
    for (address, source) in [
        ("/v1/payments?merchant_id=m1&limit=3", "payments"),
        ("/v1/payments?merchant_id=m1&limit=3&total=true", "payments"),
        // There is no index here.
        ("/v1/payments/search?q=payment_key:P7", "payments"),
        ("/v1/entries?merchant_id=m1", "entries"),
        (
            "/v1/reports/sales?basis=event_day&from=2020-01-01&to=2030-01-01",
            "rollups",
        ),
        (
            "/v1/reports/sales?basis=sale_day&from=2020-01-01&to=2030-01-01&source=ledger",
            "entries",
        ),
        (
            "/v1/reports/settlements?basis=sold_on&from=2020-01-01&to=2030-01-01",
            "rollups",
        ),
    ] {
        let unexplained = plain(app.get(address).await.ok());
        let explained = app.get(&format!("{address}&explain=true")).await.ok();
        let explain = explained["explain"].clone();
        assert_eq!(plain(explained), unexplained, "{address}: the answer is the same");
        assert_eq!(explain["plan"]["source"], source, "{address}: {explain}");
        assert_eq!(
            explain["rows_returned"],
            unexplained["data"].as_array().expect("rows").len(),
            "{address}"
        );
        assert!(
            !explain["plan"]["looks"].as_array().expect("looks").is_empty(),
            "{address}: {explain}"
        );
        let micros = |stage: &Value| stage["micros"].as_u64().expect("a time");
        let stages = explain["stages"].as_array().expect("stages");
        assert!(
            !stages.is_empty() && stages.iter().map(micros).sum::<u64>() > 0,
            "{address}: {explain}"
        );
        assert_eq!(
            plain(app.get(&format!("{address}&explain=false")).await.ok()),
            unexplained,
            "{address}"
        );
    }
}

#[tokio::test]
async fn what_was_read_is_counted() {
    let app = filled();
    let answer = app.get("/v1/payments?merchant_id=m1&limit=3&explain=true").await.ok();
    let explain = &answer["explain"];
    assert_eq!(explain["ast"], json!({"field": "merchant_id", "equals": "m1"}));
    let (candidates, rows) = (&explain["candidates"], &explain["plan"]["payment_rows"]);
    assert_eq!(candidates, rows, "each candidate is joined with its row: {explain}");
    assert!((3..=15).contains(&rows.as_u64().expect("a number")), "{explain}");
    assert!(explain["bytes_read"].as_u64() > Some(0), "{explain}");
    let tables: Vec<&Value> = explain["plan"]["looks"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|look| look["tables"].as_array().expect("tables"))
        .collect();
    let near = tables.iter().find(|table| table["table"] == "payments_near");
    let near = near.unwrap_or_else(|| panic!("the list of payments was read: {explain}"));
    assert_eq!(near["rows_kept"], 15, "those of the merchant: {explain}");
}

#[tokio::test]
async fn a_search_is_explained_without_its_page() {
    let app = filled();
    let body = json!({"q": "payment_key:P7 -status:READY", "limit": 5}).to_string();
    let answer = app.post("/v1/search/explain", body).await.ok();
    assert_eq!(
        answer["ast"],
        json!({"and": [
            {"field": "payment_key", "equals": "p7"},
            {"not": {"field": "status", "equals": "READY"}},
        ]})
    );
    assert_eq!(
        (&answer["plan"]["source"], &answer["rows_returned"]),
        (&json!("payments"), &json!(1))
    );
    assert!(
        answer["data"].is_null() && answer["as_of"]["token"].is_string(),
        "{answer}"
    );
    let wrong = app
        .post("/v1/search/explain", json!({"q": "nofield:1"}).to_string())
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn merchants_are_told_nothing_of_how_much_there_is() {
    let app = filled();
    let merchant = app.key(Role::Merchant, &["m1"]);
    for address in [
        "/v1/payments?explain=true",
        "/v1/payments/search?q=P7&explain=true",
        "/v1/entries?explain=true",
        "/v1/reports/sales?basis=event_day&from=2026-01-01&to=2027-01-01&explain=true",
        "/v1/reports/settlements?basis=sold_on&from=2026-01-01&to=2027-01-01&explain=true",
    ] {
        let answer = app.get_as(&merchant, address).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (StatusCode::FORBIDDEN, Some("forbidden")),
            "{address}"
        );
    }
    for body in [json!({"explain": "true"}), json!({"explain": true})] {
        let answer = app.post_as(&merchant, "/v1/payments/search", body.to_string()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{body}");
    }
    let answer = app.post_as(&merchant, "/v1/search/explain", "{}").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_json_can_be_explained() {
    let app = filled();
    for address in [
        "/v1/payments?explain=true&format=csv",
        "/v1/entries?explain=true&format=ndjson",
        "/v1/reports/sales?basis=event_day&from=2026-01-01&to=2027-01-01&explain=true&format=csv",
        "/v1/payments?explain=maybe",
    ] {
        let answer = app.get(address).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}");
        assert!(answer.text().contains("explain"), "{address}: {}", answer.text());
    }
}
