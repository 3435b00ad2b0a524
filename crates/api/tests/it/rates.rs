//! How often a key may ask.

use api::{Limits, Rates};
use axum::http::StatusCode;
use domain::time::Zones;

use crate::app::{FINANCE, TestApp};
use crate::messages::sale;
use api::keys::Role;

fn app(rates: Rates) -> TestApp {
    let limits = Limits {
        rates,
        ..Limits::default()
    };
    let mut app = TestApp::with(Zones::default(), limits);
    app.feed(&[sale("P1", "m1", 1000, 0)]);
    app
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let app = app(Rates {
        lookups: 3,
        ..Rates::UNLIMITED
    });
    let merchant = app.key(Role::Merchant, &["m1"]);
    let mut refused = None;
    // A second's worth at once, and then at the rate: 50 cannot pass within a second.
    for n in 0..50 {
        let answer = app.get("/v1/payments/P1").await;
        assert_eq!(answer.header("ratelimit-policy"), Some("\"lookup\";q=3;w=1"));
        let left = answer.header("ratelimit").expect("what is left");
        match answer.status {
            StatusCode::OK if n == 0 => assert_eq!(left, "\"lookup\";r=2;t=1"),
            StatusCode::OK => {}
            _ => {
                assert_eq!(left, "\"lookup\";r=0;t=1");
                refused = Some(answer);
                break;
            }
        }
    }
    let refused = refused.expect("too many");
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.json()["code"], "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Another key and another class have their own.
    assert_eq!(app.get_as(&merchant, "/v1/payments/P1").await.status, StatusCode::OK);
    assert_eq!(app.get("/v1/payments").await.status, StatusCode::OK);
    // Who has no key has no bucket, and is told so.
    assert_eq!(
        app.get_as("none", "/v1/payments/P1").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn each_class_has_its_own_rate() {
    let app = app(Rates {
        lookups: 1,
        lists: 2,
        reports: 3,
        exports: 4,
    });
    let report = "/v1/reports/sales?basis=event_day&from=2026-05-01&to=2026-06-01";
    for (address, policies) in [
        ("/v1/payments/P1".to_owned(), vec!["\"lookup\";q=1;w=1"]),
        ("/v1/payments".to_owned(), vec!["\"list\";q=2;w=1"]),
        (report.to_owned(), vec!["\"report\";q=3;w=1"]),
        (
            format!("{report}&format=csv"),
            vec!["\"export\";q=4;w=1", "\"report\";q=3;w=1"],
        ),
    ] {
        let answer = app.get_as(FINANCE, &address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        let told: Vec<&str> = answer
            .headers
            .get_all("ratelimit-policy")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        assert_eq!(told, policies, "{address}");
    }
    let answer = app.get("/healthz").await;
    assert_eq!(answer.header("ratelimit"), None, "what needs no key has no rate");
}

#[tokio::test]
async fn without_a_rate_nothing_is_limited() {
    let app = app(Rates::UNLIMITED);
    for _ in 0..50 {
        let answer = app.get("/v1/payments/P1").await;
        assert_eq!((answer.status, answer.header("ratelimit")), (StatusCode::OK, None));
    }
}
