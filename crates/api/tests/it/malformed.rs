//! Requests that are wrong: each gets its own code, says where the mistake is, and leads to a page that explains it.

use std::collections::BTreeSet;

use api::keys::Role;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};
use crate::malformed_cases::{GETS, OPERATOR_GETS, POSTS};
use crate::messages::sale;

/// Characters that stand in the tables for readability but never in an address.
fn as_address(written: &str) -> String {
    written
        .replace('[', "%5B")
        .replace(']', "%5D")
        .replace('"', "%22")
        .replace('>', "%3E")
}

fn check(answer: &Answer, what: &str, (status, code, place): (u16, &str, &str)) {
    assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{what}"
    );
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{what}: {problem}");
    assert_eq!(problem["status"], status, "{what}");
    assert_eq!(problem["type"], format!("/problems/{code}"), "{what}");
    for member in ["title", "detail", "instance"] {
        assert!(
            problem[member].as_str().is_some_and(|text| !text.is_empty()),
            "{what}: no {member}"
        );
    }
    assert_eq!(problem["request_id"].as_str(), answer.header("request-id"), "{what}");
    let mistake = &problem["errors"][0];
    if place == "-" {
        assert_eq!(problem["errors"], Value::Null, "{what}");
        return;
    }
    let member = if place.starts_with('/') { "pointer" } else { "parameter" };
    assert_eq!(mistake[member], place, "{what}: {problem}");
    assert_eq!(mistake["code"], code, "{what}");
    if place == "q" || place == "/q" {
        let has_position = mistake["position"].is_u64();
        let of_text = !["repeated_parameter", "unknown_parameter", "bad_encoding", "wrong_type", "duplicate_member"].contains(&code);
        assert_eq!(has_position, of_text, "{what}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mistake_has_its_code_and_place() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0)]);
    let operator = app.key(Role::Operator, &[]);
    let mut codes = BTreeSet::new();
    for (address, status, code, place) in GETS {
        let answer = app.get(&as_address(address)).await;
        check(&answer, address, (*status, code, place));
        codes.insert(*code);
    }
    for (address, status, code, place) in OPERATOR_GETS {
        check(
            &app.get_as(&operator, &as_address(address)).await,
            address,
            (*status, code, place),
        );
    }
    for (body, status, code, place) in POSTS {
        check(
            &app.post("/v1/payments/search", *body).await,
            body,
            (*status, code, place),
        );
        codes.insert(*code);
    }
    assert!(GETS.len() + OPERATOR_GETS.len() + POSTS.len() >= 250);
    for code in codes {
        let page = app.get(&format!("/problems/{code}")).await;
        assert_eq!(page.status, StatusCode::OK, "no page of {code}");
        assert!(page.text().contains(code) && page.header("content-type") == Some("text/html; charset=utf-8"));
    }
}

#[tokio::test]
async fn the_nearest_name_is_suggested() {
    let app = TestApp::new();
    for (parameters, suggestion) in [
        ("stauts=DONE", "status"),
        ("merchant=m1", "merchant_id"),
        ("ammount%5Bgte%5D=5", "amount[gte]"),
        ("amount%5Bgt%20%5D=5", "amount[gt]"),
        ("status=CANCELLED", "CANCELED"),
        ("currency=krw", "KRW"),
        ("order=ascending", "asc"),
        ("curser=x", "cursor"),
        ("q=stauts:DONE", "status"),
        ("flag=conflicts", "conflict"),
    ] {
        let problem = app.get(&format!("/v1/payments?{parameters}")).await.json();
        assert_eq!(
            problem["errors"][0]["suggestion"], suggestion,
            "{parameters}: {problem}"
        );
    }
    let problem = app
        .get("/v1/reports/sales?basis=eventday&from=2026-01-01&to=2026-01-01&group_by=mnth")
        .await
        .json();
    assert_eq!(
        (&problem["errors"][0]["suggestion"], &problem["errors"][1]["suggestion"]),
        (&json!("event_day"), &json!("month"))
    );
}

#[tokio::test]
async fn every_mistake_is_told_at_once() {
    let app = TestApp::new();
    let problem = app.get("/v1/payments?limit=0&status=x&y=1&order=up&q=a").await.json();
    let found: BTreeSet<&str> = problem["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|mistake| mistake["parameter"].as_str())
        .collect();
    assert_eq!(found, ["limit", "status", "y", "order", "q"].into());
    let many: Vec<String> = (0..3000).map(|n| format!("x{n}=")).collect();
    let problem = app.get(&format!("/v1/payments?{}", many.join("&"))).await.json();
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(100));
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let app = TestApp::new();
    let long = "x".repeat(33 * 1024);
    for (address, status, code) in [
        (format!("/v1/payments?order_id={long}"), 414, "uri_too_long"),
        (format!("/v1/payments/{long}"), 414, "uri_too_long"),
        (format!("/v1/payments?q={}", "x".repeat(1025)), 400, "query_too_long"),
        (
            format!("/v1/payments?q={}", ["aa"; 33].join("+")),
            400,
            "query_too_many_clauses",
        ),
        (
            format!(
                "/v1/payments?{}",
                (0..1001).map(|n| format!("order_id={n}")).collect::<Vec<_>>().join("&")
            ),
            400,
            "too_many_values",
        ),
    ] {
        let answer = app.get(&address).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].as_str()),
            (status, Some(code))
        );
    }
    let body = |bytes: usize| format!("{{\"order_id\":\"{}\"}}", "x".repeat(bytes - 15));
    assert_eq!(
        app.post("/v1/payments/search", body(64 * 1024)).await.status,
        StatusCode::OK
    );
    let answer = app.post("/v1/payments/search", body(64 * 1024 + 1)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["code"].as_str()),
        (413, Some("body_too_large"))
    );
    let deep = format!("{{\"q\":{}", "[".repeat(60_000));
    assert_eq!(app.post("/v1/payments/search", deep).await.json()["code"], "not_json");
}

#[tokio::test]
async fn a_body_is_read_in_one_form_only() {
    let app = TestApp::new();
    let post = |headers: &[(&str, &str)], address: &str| {
        let mut request = Request::post(address).header("authorization", format!("Bearer {}", app.finance_key()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from("{}")).expect("a request")
    };
    for (headers, status) in [
        (&[][..], 415),
        (&[("content-type", "text/plain")], 415),
        (&[("content-type", "application/x-www-form-urlencoded")], 415),
        (&[("content-type", "application/jsonx")], 415),
        (
            &[("content-type", "application/json"), ("content-encoding", "gzip")],
            415,
        ),
        (&[("content-type", "application/json")], 200),
        (&[("content-type", "Application/JSON; charset=utf-8")], 200),
    ] {
        let answer = app.send(post(headers, "/v1/payments/search")).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.text());
    }
    let answer = app
        .send(post(
            &[("content-type", "application/json")],
            "/v1/payments/search?limit=5",
        ))
        .await;
    assert_eq!(answer.json()["errors"][0]["parameter"], "limit");
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn methods_that_are_not_taken_are_named() {
    let app = TestApp::new();
    for (method, address, allow) in [
        ("POST", "/v1/payments", "GET, HEAD"),
        ("DELETE", "/v1/payments/P1", "GET, HEAD"),
        ("PUT", "/v1/payments/search", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/payments/search", "GET, HEAD, POST"),
        ("PATCH", "/healthz", "GET, HEAD"),
        ("PROPFIND", "/v1/quarantine", "GET, HEAD"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(address)
            .body(Body::empty())
            .expect("a request");
        let answer = app.send(request).await;
        assert_eq!(answer.status.as_u16(), 405, "{method} {address}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {address}");
        assert_eq!(answer.json()["code"], "method_not_allowed");
    }
}
