//! What operators look at: ingestion, quarantine, readiness, metrics.

use api::PartitionProgress;
use api::keys::Role;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::messages::{cancellation, message, sale};

#[tokio::test]
async fn the_status_counts_every_message_and_shows_each_partition() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1, 0), sale("P1", "m1", 1, 0), b"{".to_vec()]);
    app.progress.set_lag_ms(250);
    app.progress.set_partitions(vec![
        PartitionProgress {
            topic: "payments".to_owned(),
            partition: 0,
            applied: 0,
            end: Some(10),
            problem: None,
        },
        PartitionProgress {
            topic: "payments".to_owned(),
            partition: 1,
            applied: 4,
            end: None,
            problem: Some("no leader".to_owned()),
        },
    ]);
    let operator = app.key(Role::Operator, &[]);
    let found = app.get_as(&operator, "/v1/ingest/status").await.ok();
    let counts = json!({"applied": 1, "duplicate": 1, "stale": 0, "conflict": 0, "quarantined": 1});
    assert_eq!(found["counts"], counts);
    assert_eq!(found["payments"], 1);
    let partitions = json!([
        {"topic": "payments", "partition": 0, "applied": 3, "end": 10, "lag": 7, "problem": null},
        {"topic": "payments", "partition": 1, "applied": 4, "end": null, "lag": null, "problem": "no leader"},
    ]);
    assert_eq!(found["partitions"], partitions);
    assert_eq!(
        (&found["as_of"]["lag_ms"], &found["ledger"]["batch"]),
        (&json!(250), &json!(1))
    );
}

#[tokio::test]
async fn quarantine_lists_each_content_once_with_its_reason() {
    let mut app = TestApp::new();
    let other = message(
        "payment",
        &json!({
            "payment_key": "P1", "merchant_id": "m1", "order_id": "ORD-other", "version": 1, "status": "DONE",
            "method": "CARD", "currency": "KRW", "amount": {"total": "5"}, "requested_at": "2026-05-01T00:00:00Z",
            "approved_at": "2026-05-01T00:00:00Z",
        }),
    );
    let broken = message("payment", &json!({"payment_key": "P1", "merchant_id": "m1"}));
    app.feed(&[
        sale("P1", "m1", 1, 0),
        other,
        cancellation("P1", "C1", "m2", 5),
        broken.clone(),
        broken,
        b"no JSON".to_vec(),
    ]);
    let operator = app.key(Role::Operator, &[]);
    let list = async |parameters: &str| -> Vec<Value> {
        let found = app.get_as(&operator, &format!("/v1/quarantine{parameters}")).await.ok();
        found["data"].as_array().expect("rows").clone()
    };
    let rows = list("").await;
    let codes: Vec<&str> = rows.iter().filter_map(|row| row["code"].as_str()).collect();
    // Of two contents that contradict each other, both stand there.
    assert_eq!(
        codes,
        ["not_json", "missing_field", "merchant_mismatch", "conflict", "conflict"]
    );
    let numbers: Vec<u64> = rows.iter().filter_map(|row| row["n"].as_u64()).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b), "newest first: {numbers:?}");
    let missing = &list("?code=missing_field").await[0];
    assert_eq!(
        (&missing["pointer"], &missing["payment_key"], &missing["seen"]),
        (&json!("/data/order_id"), &json!("P1"), &json!(2))
    );
    assert_eq!(
        missing["last_position"],
        json!({"topic": "payments", "partition": 0, "offset": 4})
    );
    assert_eq!(missing["sha256"].as_str().map(str::len), Some(64));
    let mismatch = &list("?code=merchant_mismatch").await[0];
    assert_eq!(
        (&mismatch["kind"], &mismatch["entry_id"], &mismatch["bytes"]),
        (&json!("cancellation"), &json!("C1"), &Value::Null)
    );
    assert_eq!(list("?payment_key=P1").await.len(), 4);
    assert_eq!(list("?payment_key=P1&code=not_json").await.len(), 0);
    assert_eq!(list("?code=not_json&code=conflict&open=true").await.len(), 3);
    assert_eq!(list("?open=false").await.len(), 0);
    // Page by page.
    let mut cursor = String::new();
    let mut walked = Vec::new();
    loop {
        let page = app
            .get_as(&operator, &format!("/v1/quarantine?limit=1{cursor}"))
            .await
            .ok();
        walked.extend(
            page["data"]
                .as_array()
                .expect("rows")
                .iter()
                .filter_map(|row| row["n"].as_u64()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(walked, numbers);
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let app = TestApp::new();
    assert_eq!(app.get("/readyz").await.ok(), json!({"status": "ready", "lag_ms": 0}));
    app.progress.set_input_unknown(true);
    let unknown = app.get("/readyz").await;
    assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(unknown.text().contains("not known yet"), "{}", unknown.text());
    app.progress.set_input_unknown(false);
    app.progress.set_lag_ms(10_001);
    app.progress.set_index_open(false);
    let answer = app.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let problem = answer.json();
    assert_eq!(problem["code"], "not_ready");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(
        detail.contains("search index") && detail.contains("10001 ms") && !detail.contains("ledger is not"),
        "{detail}"
    );
    assert_eq!(
        app.get("/healthz").await.ok(),
        json!({"status": "ok"}),
        "alive all the same"
    );
}

#[tokio::test]
async fn metrics_are_given_as_they_are_rendered() {
    let app = TestApp::new();
    let answer = app.get("/metrics").await;
    assert_eq!(answer.text(), "ledgerlens_up 1\n");
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
}

#[tokio::test]
async fn a_head_is_told_the_length_that_a_get_would_have() {
    let app = TestApp::new();
    let of = |address: &str| app.send(Request::head(address).body(Body::empty()).expect("a request"));
    let metrics = of("/metrics").await;
    assert_eq!(
        (metrics.text(), metrics.header("content-length")),
        (String::new(), Some("16"))
    );
    let refused = of("/v1/payments").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.header("content-length").is_some_and(|length| length != "0"));
}
