//! What became of one message, and waiting for one.

use std::time::Duration;

use api::keys::Role;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::messages::{cancellation, sale};

/// The same message as another event.
fn as_event(message: &[u8], id: &str, source: &str) -> Vec<u8> {
    let mut event: Value = serde_json::from_slice(message).expect("an event");
    event["id"] = id.into();
    event["source"] = source.into();
    event.to_string().into_bytes()
}

#[tokio::test]
async fn each_verdict_is_found_by_the_id_of_its_event() {
    let mut app = TestApp::new();
    let first = sale("P1", "m1", 1, 0);
    app.feed(&[
        as_event(&first, "applied", "/pay"),
        as_event(&first, "duplicate", "/pay"),
        as_event(&sale("P1", "m1", 2, 0), "conflict", "/pay"),
        as_event(&cancellation("P1", "C1", "m1", 1), "cancel", "/cancel"),
        as_event(
            br#"{"specversion": "1.0", "data": {"payment_key": "P1"}}"#,
            "refused",
            "/bad",
        ),
        b"{".to_vec(),
    ]);
    let operator = app.key(Role::Operator, &[]);
    for (id, verdict, kind, entry, offset) in [
        ("applied", "applied", json!("payment"), json!("P1"), 0),
        ("duplicate", "duplicate", json!("payment"), json!("P1"), 1),
        ("conflict", "conflict", json!("payment"), json!("P1"), 2),
        ("cancel", "applied", json!("cancellation"), json!("C1"), 3),
        ("refused", "quarantined", Value::Null, Value::Null, 4),
    ] {
        let found = app.get_as(&operator, &format!("/v1/ingest/events/{id}")).await.ok();
        assert_eq!(found["id"], id);
        let [delivery] = found["data"].as_array().expect("deliveries").as_slice() else {
            panic!("{found}")
        };
        assert_eq!(
            (
                &delivery["verdict"],
                &delivery["kind"],
                &delivery["entry_id"],
                &delivery["payment_key"]
            ),
            (&json!(verdict), &kind, &entry, &json!("P1")),
            "{id}"
        );
        assert_eq!(
            delivery["position"],
            json!({"topic": "payments", "partition": 0, "offset": offset})
        );
        assert_eq!(delivery["applied_at"], "2026-05-10T03:00:00.000000Z");
        let refused = &delivery["quarantine"];
        assert_eq!(refused.is_null(), verdict != "quarantined");
        if !refused.is_null() {
            assert_eq!(
                (&refused["n"], &refused["code"], &refused["open"]),
                (&json!(3), &json!("missing_field"), &json!(true))
            );
        }
    }
    let unseen = app.get_as(&operator, "/v1/ingest/events/none").await;
    assert_eq!(
        (unseen.status, unseen.json()["code"].as_str()),
        (StatusCode::NOT_FOUND, Some("event_not_seen"))
    );
}

#[tokio::test]
async fn redeliveries_stand_newest_first_and_sources_are_told_apart() {
    let mut app = TestApp::new();
    let message = sale("P1", "m1", 1, 0);
    for _ in 0..25 {
        app.feed(&[as_event(&message, "twice", "/a")]);
    }
    app.feed(&[
        as_event(&sale("P2", "m1", 1, 0), "shared", "/a"),
        as_event(&sale("P3", "m1", 1, 0), "shared", "/b"),
    ]);
    let operator = app.key(Role::Operator, &[]);
    let found = app.get_as(&operator, "/v1/ingest/events/twice").await.ok();
    let deliveries = found["data"].as_array().expect("deliveries");
    assert_eq!(deliveries.len(), 20);
    let offsets: Vec<u64> = deliveries
        .iter()
        .filter_map(|delivery| delivery["position"]["offset"].as_u64())
        .collect();
    assert!(offsets.is_sorted_by(|a, b| a > b) && offsets[0] == 24, "{offsets:?}");
    let shared = app.get_as(&operator, "/v1/ingest/events/shared").await;
    let problem = shared.json();
    assert_eq!(
        (shared.status, problem["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("ambiguous_event"))
    );
    assert_eq!(problem["errors"][0]["expected"], "one of /a, /b");
    for (source, payment) in [("/a", "P2"), ("/b", "P3")] {
        let found = app
            .get_as(&operator, &format!("/v1/ingest/events/shared?source={source}"))
            .await
            .ok();
        assert_eq!(
            (&found["data"][0]["payment_key"], &found["data"][0]["source"]),
            (&json!(payment), &json!(source))
        );
    }
    let none = app.get_as(&operator, "/v1/ingest/events/shared?source=/c").await;
    assert_eq!(none.json()["code"], "event_not_seen");
}

#[tokio::test]
async fn the_newest_messages_are_kept_and_older_ones_told_from_those_that_never_came() {
    let mut app = TestApp::keeping_events(100);
    for n in 0..30 {
        let batch: Vec<Vec<u8>> = (0..10)
            .map(|m| as_event(&sale(&format!("P{n}-{m}"), "m1", 1, 0), &format!("e{n}-{m}"), "/a"))
            .collect();
        app.feed(&batch);
        app.fold();
    }
    let operator = app.key(Role::Operator, &[]);
    for (id, status, code) in [
        ("e29-9", StatusCode::OK, Value::Null),
        ("e20-0", StatusCode::OK, Value::Null),
        ("e15-0", StatusCode::NOT_FOUND, json!("event_not_kept")),
        ("e30-0", StatusCode::NOT_FOUND, json!("event_not_seen")),
        // Of at least as many messages again it is known that they came.
        ("e0-0", StatusCode::NOT_FOUND, json!("event_not_kept")),
    ] {
        let answer = app.get_as(&operator, &format!("/v1/ingest/events/{id}")).await;
        assert_eq!((answer.status, &answer.json()["code"]), (status, &code), "{id}");
    }
}

#[tokio::test]
async fn a_replay_shows_in_the_row_of_the_message() {
    let mut app = TestApp::new();
    app.feed_refused(&[as_event(&sale("P1", "m1", 1, 0), "e1", "/a")]);
    let operator = app.key(Role::Operator, &[]);
    app.post_as(&operator, "/v1/quarantine/1/replay", "").await.ok();
    let found = app.get_as(&operator, "/v1/ingest/events/e1").await.ok();
    assert_eq!(
        found["data"].as_array().map(Vec::len),
        Some(1),
        "a replay is no message"
    );
    let delivery = &found["data"][0];
    assert_eq!(
        (&delivery["verdict"], &delivery["quarantine"]["closed"]["how"]),
        (&json!("quarantined"), &json!("replayed"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_waits_for_an_event_by_its_id() {
    let mut app = TestApp::new();
    app.feed(&[as_event(&sale("P1", "m1", 1, 0), "here", "/a")]);
    let operator = app.key(Role::Operator, &[]);
    assert_eq!(
        app.get_as(&operator, "/v1/payments/P1?wait_for=event:here")
            .await
            .status,
        StatusCode::OK
    );
    let missing = app.get_as(&operator, "/v1/payments/P1?wait_for=event:coming").await;
    assert_eq!(missing.status, StatusCode::PRECONDITION_FAILED);
    for (role, merchants) in [(Role::Finance, &[][..]), (Role::Merchant, &["m1"])] {
        let key = app.key(role, merchants);
        let answer = app.get_as(&key, "/v1/payments/P1?wait_for=event:here").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role}");
    }
    let (router, key) = (app.router(), operator.clone());
    let waiting = tokio::spawn(async move {
        let request = Request::get("/v1/ingest/events/coming?wait_for=event:coming")
            .header("authorization", format!("Bearer {key}"))
            .header("prefer", "wait=10");
        crate::app::send(router, request.body(Body::empty()).expect("a request")).await
    });
    while app.app.waiting() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    app.feed(&[as_event(&sale("P3", "m1", 1, 0), "other", "/a")]);
    app.feed(&[as_event(b"{\"more\": 1}", "coming", "/a")]);
    let found = waiting.await.expect("an answer").ok();
    assert_eq!(found["data"][0]["verdict"], "quarantined", "seen and refused is seen");
}
