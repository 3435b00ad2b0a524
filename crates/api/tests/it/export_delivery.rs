//! How exports are agreed on, written and delivered.

use std::time::Duration;

use api::Limits;
use axum::body::to_bytes;
use axum::http::StatusCode;
use domain::time::Zones;
use serde_json::json;

use crate::app::{FINANCE, TestApp};
use crate::exports::{SALES, SETTLEMENTS, app, joined, ndjson};
use crate::messages::sale;

#[tokio::test]
async fn csv_is_as_spreadsheets_want_it() {
    let app = app();
    let plain = app.get("/v1/payments?format=csv&currency=USD").await;
    assert_eq!(
        plain.header("content-type"),
        Some("text/csv; charset=utf-8; header=present")
    );
    let name = plain.header("content-disposition").expect("a name").to_owned();
    assert!(name == "attachment; filename=\"payments.csv\"", "{name}");
    let text = plain.text();
    assert!(text.starts_with("payment_key,merchant_id,order_id,"), "{text}");
    assert!(
        text.contains("\"'=HYPERLINK(\"\"x\"\"), \"\"quoted\"\"\r\nand more\""),
        "{text}"
    );
    assert!(text.contains("\r\n# rows: 1\r\n# control_sums: ["), "{text}");
    assert!(text.contains(",10.50,"), "amounts are untouched: {text}");
    let bom = app.get("/v1/payments?format=csv&currency=USD&bom=true").await;
    assert!(bom.text().starts_with("\u{FEFF}payment_key,"));
    for format in ["csv", "ndjson"] {
        let bare = app
            .get(&format!("/v1/payments?format={format}&manifest=none"))
            .await
            .text();
        assert!(!bare.contains("manifest") && !bare.contains("\r\n# "), "{format}");
    }
    // A row that begins with # is quoted, so that who skips lines with # does not skip it.
    let hash = app.get("/v1/payments?format=csv&q=%22%23KRW%22").await.text();
    assert!(hash.contains("\r\n\"#KRW\",m1,'-5,"), "{hash}");
    assert!(hash.contains(",9007199254740993,"), "{hash}");
}

#[tokio::test]
async fn the_format_is_agreed_on_as_http_says() {
    let app = app();
    for (accept, content_type) in [
        ("text/csv", "text/csv; charset=utf-8; header=present"),
        ("application/json;q=0.1, application/x-ndjson", "application/x-ndjson"),
        ("text/html, */*;q=0.1", "application/json"),
    ] {
        for address in ["/v1/payments", "/v1/payments/search?q=ORD-P001", SALES, SETTLEMENTS] {
            let answer = app.get_with(address, &[("accept", accept)]).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            assert_eq!(answer.header("content-type"), Some(content_type), "{address}");
            assert_eq!(answer.header("vary"), Some("accept"), "{address}");
            let chosen = app
                .get_with(&joined(address, "format=json"), &[("accept", accept)])
                .await;
            assert_eq!(chosen.header("content-type"), Some("application/json"), "{address}");
        }
    }
    for address in ["/v1/payments", "/v1/payments/search?q=ORD-P001", SALES, SETTLEMENTS] {
        let answer = app.get_with(address, &[("accept", "text/html")]).await;
        assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE);
        assert_eq!(answer.json()["code"], "not_acceptable");
        assert!(
            answer.json()["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains("text/csv"))
        );
    }
    for (parameters, code, parameter) in [
        ("format=CSV", "unknown_value", "format"),
        ("format=csv&format=csv", "repeated_parameter", "format"),
        ("format=csv&cursor=abc", "bad_cursor", "cursor"),
        ("format=csv&limit=0", "bad_value", "limit"),
        ("format=csv&bom=1", "unknown_value", "bom"),
        ("bom=true", "bad_value", "bom"),
        ("format=csv&manifest=", "unknown_value", "manifest"),
        ("format=ndjson&status=nothing", "unknown_value", "status"),
    ] {
        let answer = app.get(&format!("/v1/payments?{parameters}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{parameters}");
        let problem = answer.json();
        assert_eq!(
            (&problem["code"], &problem["errors"][0]["parameter"]),
            (&json!(code), &json!(parameter))
        );
    }
    let posted = app
        .post("/v1/payments/search", "{\"q\":\"ORD-P001\",\"format\":\"ndjson\"}")
        .await;
    let (lines, _) = ndjson(&app, FINANCE, "/v1/payments/search?q=ORD-P001").await;
    assert_eq!(posted.text().lines().next(), lines.first().map(String::as_str));
    // How an answer is written is no part of what a cursor is bound to.
    let page = app.get("/v1/payments?limit=2&format=json").await.ok();
    let cursor = page["next_cursor"].as_str().expect("more");
    assert_eq!(
        app.get(&format!("/v1/payments?limit=2&cursor={cursor}")).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn who_leaves_gives_back_the_turn() {
    let limits = Limits {
        exports_max: 1,
        queue_wait: Duration::from_millis(300),
        ..Limits::default()
    };
    let mut app = TestApp::with(Zones::default(), limits);
    // More than the chunks that an export keeps for a slow reader.
    let sales: Vec<Vec<u8>> = (0..2_000)
        .map(|n| sale(&format!("P{n:04}"), "m1", n, n % 1_000))
        .collect();
    app.feed(&sales);
    let address = "/v1/payments?format=ndjson";
    let unread = app.open(address).await;
    assert_eq!(unread.status(), StatusCode::OK);
    assert_eq!(
        app.get(address).await.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "the only turn is taken"
    );
    drop(unread);
    let mut answers = Vec::new();
    while answers.len() < 20 && answers.last() != Some(&StatusCode::OK) {
        answers.push(app.get(address).await.status);
    }
    assert_eq!(answers.last(), Some(&StatusCode::OK), "{answers:?}");
}

#[tokio::test]
async fn an_export_that_waits_too_long_for_its_client_is_broken_off() {
    let limits = Limits {
        exports_max: 1,
        export_stall: Duration::from_millis(50),
        ..Limits::default()
    };
    let mut app = TestApp::with(Zones::default(), limits);
    let sales: Vec<Vec<u8>> = (0..2_000)
        .map(|n| sale(&format!("P{n:04}"), "m1", n, n % 1_000))
        .collect();
    app.feed(&sales);
    let unread = app.open("/v1/payments?format=ndjson").await;
    // The only turn comes back when the first has waited long enough.
    assert_eq!(
        app.get("/v1/payments?format=csv&q=ORD-P0001").await.status,
        StatusCode::OK
    );
    let body = to_bytes(unread.into_body(), usize::MAX).await;
    assert!(body.is_err(), "what is not whole does not end well");
}
