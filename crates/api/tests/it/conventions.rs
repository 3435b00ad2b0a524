//! What every answer has.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::app::TestApp;
use crate::messages::{personal, sale};

const READS: &[&str] = &[
    "/v1/payments",
    "/v1/payments/search?q=ORD-P1",
    "/v1/payments/P1",
    "/v1/search/fields",
    "/v1/reports/sales?basis=event_day&from=2026-05-01&to=2026-06-01",
    "/v1/reports/settlements?basis=sold_on&from=2026-05-01&to=2026-06-01",
];

#[tokio::test]
async fn every_read_says_what_it_is_as_of() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0)]);
    let mut tokens = BTreeSet::new();
    for address in READS {
        let answer = app.get(address).await;
        let body = answer.ok();
        assert_eq!(
            body["as_of"]["token"].as_str(),
            answer.header("ledger-as-of"),
            "{address}"
        );
        assert_eq!(
            body["as_of"]["watermark_time"], "2026-05-10T03:00:00.000000Z",
            "{address}"
        );
        assert_eq!(body["as_of"]["lag_ms"], 0, "{address}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{address}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{address}");
        tokens.extend(answer.header("ledger-as-of").map(str::to_owned));
    }
    assert_eq!(tokens.len(), 1, "one position, one token");
    let missing = app.get("/v1/payments/none").await;
    assert_eq!(missing.header("ledger-as-of"), tokens.first().map(String::as_str));
    app.feed(&[sale("P2", "m1", 1000, 0)]);
    assert!(!tokens.contains(app.get("/v1/payments").await.header("ledger-as-of").expect("a token")));
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let app = TestApp::new();
    let mut ids = BTreeSet::new();
    for address in [
        "/v1/payments",
        "/v1/payments/none",
        "/none",
        "/healthz",
        "/v1/payments?x=1",
        "/openapi.yaml",
    ] {
        let request = Request::get(address)
            .header("request-id", "mine")
            .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let answer = app.send(request.body(Body::empty()).expect("a request")).await;
        let id = answer.header("request-id").expect("an id").to_owned();
        assert_eq!(id.len(), 36);
        assert!(ids.insert(id), "{address}");
    }
}

#[tokio::test]
async fn members_of_a_payment_stand_in_the_order_of_the_contract() {
    let mut app = TestApp::new();
    app.feed(&[personal("P1")]);
    let text = app.get("/v1/payments/P1").await.text();
    let names = [
        "payment_key",
        "merchant_id",
        "order_id",
        "status",
        "recorded_status",
        "method",
        "currency",
        "amount",
        "canceled_amount",
        "balance_amount",
        "requested_at",
        "approved_at",
        "occurred_at",
        "event_day",
        "sale_day",
        "order_name",
        "customer",
        "card",
        "virtual_account",
        "easy_pay",
        "transfer",
        "mobile_phone",
        "gift_certificate",
        "transaction_key",
        "receipt_url",
        "failure",
        "metadata",
        "settlement_status",
        "settlement",
        "cancellations",
        "settlements",
        "flags",
        "version",
        "as_of",
    ];
    let places: Vec<usize> = names
        .iter()
        .map(|name| {
            text.find(&format!("\"{name}\":"))
                .unwrap_or_else(|| panic!("no {name}"))
        })
        .collect();
    assert!(places.is_sorted(), "{text}");
    let body: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        body.as_object().map(serde_json::Map::len),
        Some(names.len()),
        "a member more than in the contract"
    );
    assert_eq!(
        body["settlement"],
        json!({"gross": "0", "fee": "0", "vat": "0", "payout": "0", "cost": "0", "net_profit": "0"})
    );
    let row = &app.get("/v1/payments").await.ok()["data"][0];
    assert_eq!(
        row.as_object().map(serde_json::Map::len),
        Some(names.len() - 1),
        "a row has no as_of"
    );
}

#[tokio::test]
async fn keys_of_any_characters_are_asked_percent_encoded() {
    let mut app = TestApp::new();
    let keys = ["a/b", "search", "결제 1", "100%", "a?b#c", "..", "+", "\u{0}", "q=1&x"];
    let sales: Vec<Vec<u8>> = keys.iter().map(|key| sale(key, "m1", 1, 0)).collect();
    app.feed(&sales);
    for key in keys {
        // Letters too: a key that reads like another address is still a key.
        let encoded: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(
            app.get(&format!("/v1/payments/{encoded}")).await.ok()["payment_key"],
            key,
            "{encoded}"
        );
    }
}

#[tokio::test]
async fn head_is_answered_as_get_without_a_body() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0)]);
    for (address, status) in [
        ("/v1/payments/P1", StatusCode::OK),
        ("/v1/payments/none", StatusCode::NOT_FOUND),
    ] {
        let request = Request::head(address).header("authorization", format!("Bearer {}", app.finance_key()));
        let answer = app.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{address}");
        assert!(answer.header("ledger-as-of").is_some(), "{address}");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_can_read_it() {
    let app = TestApp::new();
    let request = Request::get("/openapi.yaml")
        .header("accept-encoding", "gzip")
        .body(Body::empty())
        .expect("a request");
    let answer = app.send(request).await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let plain = app.get("/openapi.yaml").await;
    assert_eq!(plain.header("content-encoding"), None);
    assert!(answer.body.len() * 2 < plain.body.len());
}

#[tokio::test]
async fn the_catalogue_lists_every_field_with_examples() {
    let app = TestApp::new();
    let found = app.get("/v1/search/fields").await.ok();
    let fields = found["data"].as_array().expect("fields");
    assert_eq!(fields.len(), query::catalogue().len());
    let status = fields.iter().find(|field| field["name"] == "status").expect("status");
    assert_eq!(
        (&status["kind"], &status["closed"], &status["parameter"]["name"]),
        (&json!("keyword"), &json!(true), &json!("status"))
    );
    for field in fields {
        for example in field["examples"].as_array().expect("examples") {
            let text = crate::app::encoded(example.as_str().expect("a text"));
            assert_eq!(
                app.get(&format!("/v1/payments?q={text}")).await.status,
                StatusCode::OK,
                "{example}"
            );
        }
    }
}
