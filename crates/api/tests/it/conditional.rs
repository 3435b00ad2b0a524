//! Asking again for what one holds already.

use axum::http::StatusCode;

use crate::app::TestApp;
use crate::messages::{cancellation, sale};

const READS: &[&str] = &[
    "/v1/payments?merchant_id=m1",
    "/v1/payments/search?q=ORD-P1",
    "/v1/payments/P1",
    "/v1/search/fields",
    "/v1/reports/sales?basis=event_day&from=2026-05-01&to=2026-05-02",
];

#[tokio::test]
async fn an_answer_that_is_held_is_not_sent_again_though_the_ledger_went_on() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0)]);
    let mut tags = Vec::new();
    for address in READS {
        let answer = app.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        let tag = answer.header("etag").expect("a tag").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        tags.push(tag);
    }
    // Another merchant's sale on another day, so that only the position moves.
    app.feed(&[sale("P2", "m2", 5, 1_080)]);
    for (address, tag) in READS.iter().zip(&tags) {
        let again = app.get_with(address, &[("if-none-match", tag)]).await;
        assert_eq!(
            (again.status, again.body.len()),
            (StatusCode::NOT_MODIFIED, 0),
            "{address}"
        );
        assert_eq!(again.header("etag"), Some(tag.as_str()), "{address}");
        assert_eq!(again.header("content-type"), None, "{address}");
        let token = again.header("ledger-as-of").expect("a position").to_owned();
        assert_eq!(app.get(address).await.header("ledger-as-of"), Some(token.as_str()));
        assert!(again.header("request-id").is_some());
    }
    app.feed(&[cancellation("P1", "C1", "m1", 300)]);
    let changed = app.get_with("/v1/payments/P1", &[("if-none-match", &tags[2])]).await;
    assert_eq!(changed.ok()["canceled_amount"], "300");
}

#[tokio::test]
async fn tags_are_compared_as_http_says() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0)]);
    let tag = app
        .get("/v1/payments/P1")
        .await
        .header("etag")
        .expect("a tag")
        .to_owned();
    let strong = tag.trim_start_matches("W/").to_owned();
    for (held, status) in [
        (tag.clone(), StatusCode::NOT_MODIFIED),
        (strong, StatusCode::NOT_MODIFIED),
        (format!("\"other\", {tag}"), StatusCode::NOT_MODIFIED),
        ("*".to_owned(), StatusCode::NOT_MODIFIED),
        ("\"other\"".to_owned(), StatusCode::OK),
        ("nonsense".to_owned(), StatusCode::OK),
    ] {
        let answer = app.get_with("/v1/payments/P1", &[("if-none-match", &held)]).await;
        assert_eq!(answer.status, status, "{held}");
    }
    // What is not there is not held either.
    let missing = app.get_with("/v1/payments/none", &[("if-none-match", "*")]).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}
