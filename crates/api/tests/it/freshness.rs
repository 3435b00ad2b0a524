//! `Ledger-Min-As-Of`, `wait_for` and `Prefer: wait`.

use std::time::{Duration, Instant};

use api::keys::Role;
use api::{Limits, ROUTES};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::time::Zones;

use crate::app::{Answer, TestApp};
use crate::messages::sale;

async fn ask(app: &TestApp, address: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(address).header("authorization", format!("Bearer {}", app.finance_key()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn what_is_there_is_answered_and_what_is_not_is_a_412() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0), sale("P2", "m1", 1000, 0)]);
    let first = app.get("/v1/payments").await;
    let token = first.header("ledger-as-of").expect("a token").to_owned();
    let (store, batch) = token.split_once('-').expect("store and batch");
    let next = format!("{store}-{}", batch.parse::<u64>().expect("a number") + 1);
    for (address, min_as_of, reached) in [
        ("/v1/payments/P1", Some(&token), true),
        ("/v1/payments/P1", Some(&next), false),
        ("/v1/payments/P1?wait_for=payments/0@1", None, true),
        ("/v1/payments/P1?wait_for=payments/0@2", None, false),
        ("/v1/payments/P1?wait_for=payments/1@0", None, false),
        (
            "/v1/payments/P1?wait_for=payments/0@0&wait_for=payments/0@1",
            None,
            true,
        ),
        (
            "/v1/payments/P1?wait_for=payments/0@0&wait_for=payments/0@9",
            None,
            false,
        ),
        ("/v1/payments?limit=1&wait%5Ffor=payments%2F0%401", Some(&token), true),
        ("/v1/search/fields?wait_for=payments/0@5", None, false),
    ] {
        let headers: Vec<(&str, &str)> = min_as_of
            .iter()
            .map(|token| ("ledger-min-as-of", token.as_str()))
            .collect();
        let answer = ask(&app, address, &headers).await;
        let expect = if reached {
            StatusCode::OK
        } else {
            StatusCode::PRECONDITION_FAILED
        };
        assert_eq!(answer.status, expect, "{address} {min_as_of:?}: {}", answer.text());
        assert_eq!(answer.header("ledger-as-of"), Some(token.as_str()), "{address}");
        assert_eq!(answer.header("preference-applied"), None);
        if !reached {
            assert_eq!(answer.json()["code"], "not_caught_up");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    }
    app.feed(&[sale("P3", "m1", 1000, 0)]);
    assert_eq!(
        ask(&app, "/v1/payments/P3", &[("ledger-min-as-of", &next)])
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_waits_until_the_message_is_in_and_no_longer_than_it_said() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0)]);
    let address = "/v1/payments/P2?wait_for=payments/0@1";
    let key = app.finance_key().to_owned();
    let router = app.router();
    let waiting = tokio::spawn(async move {
        let request = Request::get(address)
            .header("authorization", format!("Bearer {key}"))
            .header("prefer", "respond-async, wait=10");
        crate::app::send(router, request.body(Body::empty()).expect("a request")).await
    });
    while app.app.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    // Another batch wakes it, and it goes on waiting.
    app.feed::<Vec<u8>>(&[]);
    app.feed(&[sale("P2", "m1", 1000, 0)]);
    let answer = waiting.await.expect("an answer");
    assert_eq!(answer.ok()["payment_key"], "P2");
    assert_eq!(answer.header("preference-applied"), Some("wait=10"));
    assert_eq!(app.app.waiting(), 0, "no turn is kept");
    let started = Instant::now();
    let late = ask(&app, "/v1/payments?wait_for=payments/0@9", &[("prefer", "wait=1")]).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(late.header("preference-applied"), Some("wait=1"));
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn only_so_many_wait_at_once() {
    let limits = Limits {
        waits_max: 0,
        ..Limits::default()
    };
    let app = TestApp::with(Zones::default(), limits);
    let address = "/v1/payments?wait_for=payments/0@9";
    assert_eq!(ask(&app, address, &[]).await.status, StatusCode::PRECONDITION_FAILED);
    let turned_away = ask(&app, address, &[("prefer", "wait=5")]).await;
    assert_eq!(turned_away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(turned_away.json()["code"], "overloaded");
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let app = TestApp::new();
    let own = app.get("/v1/payments").await;
    let own = own.header("ledger-as-of").expect("a token");
    let foreign = if own.starts_with("00000000") {
        "11111111-0"
    } else {
        "00000000-0"
    };
    for (address, headers, named) in [
        ("/v1/payments", &[("ledger-min-as-of", "soon")][..], "Ledger-Min-As-Of"),
        ("/v1/payments", &[("ledger-min-as-of", foreign)], "Ledger-Min-As-Of"),
        ("/v1/payments", &[("prefer", "wait=long")], "Prefer"),
        ("/v1/payments?wait_for=payments", &[], "wait_for"),
        ("/v1/payments?wait_for=payments/0@x", &[], "wait_for"),
        ("/v1/payments?wait_for=", &[], "wait_for"),
        ("/v1/payments?wait_for=%ff", &[], "wait_for"),
        ("/v1/payments/P1?wait_for=event:", &[], "wait_for"),
    ] {
        let answer = ask(&app, address, headers).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address} {headers:?}");
        assert_eq!(answer.json()["errors"][0]["parameter"], named, "{address} {headers:?}");
    }
    let typed = ask(&app, "/v1/payments/P1?wait_fro=payments/0@1", &[]).await.json();
    assert_eq!(typed["errors"][0]["suggestion"], "wait_for");
}

#[tokio::test]
async fn no_endpoint_forgets_it() {
    let app = TestApp::new();
    let operator = app.key(Role::Operator, &[]);
    for route in ROUTES.iter().filter(|route| route.path.starts_with("/v1/")) {
        let path = route
            .path
            .replace("{n}", "1")
            .replace("{payment_key}", "P1")
            .replace("{id}", "e");
        let request = Request::builder()
            .method(route.method)
            .uri(format!("{path}?wait_for=payments/0@7"))
            .header("authorization", format!("Bearer {operator}"));
        let answer = app.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(
            answer.status,
            StatusCode::PRECONDITION_FAILED,
            "{} {path}: {}",
            route.method,
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_body_may_say_it_too() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0)]);
    for (body, status) in [
        (r#"{"q": "ORD-P1", "wait_for": "payments/0@0"}"#, StatusCode::OK),
        (
            r#"{"wait_for": ["payments/0@0", "payments/0@1"]}"#,
            StatusCode::PRECONDITION_FAILED,
        ),
        (r#"{"wait_for": "payments"}"#, StatusCode::BAD_REQUEST),
        (r#"{"wait_for": "event:e"}"#, StatusCode::FORBIDDEN),
    ] {
        let answer = app.post("/v1/payments/search", body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_cursor_may_go_with_any_wait() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0), sale("P2", "m1", 1000, 1)]);
    let first = app.get("/v1/payments?limit=1&wait_for=payments/0@1").await.ok();
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let second = app.get(&format!("/v1/payments?limit=1&cursor={cursor}")).await.ok();
    assert_eq!(second["data"].as_array().map(Vec::len), Some(1));
}
