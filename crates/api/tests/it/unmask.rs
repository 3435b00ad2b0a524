//! `unmask`: personal data in full, for operators with a reason, on the audit log.

use api::keys::Role;
use axum::http::StatusCode;
use serde_json::json;

use crate::app::TestApp;
use crate::messages::personal;

#[tokio::test]
async fn an_operator_with_a_reason_sees_one_payment_in_full() {
    let mut app = TestApp::new();
    app.feed(&[personal("P1")]);
    let operator = app.key(Role::Operator, &[]);
    let found = app.get_as(&operator, "/v1/payments/P1?unmask=shopper+asked").await.ok();
    assert_eq!(found["customer"]["name"], "김민준");
    assert!(!found["customer"].to_string().contains('*') && !found["virtual_account"].to_string().contains('*'));
    let masked = app.get_as(&operator, "/v1/payments/P1").await.ok();
    assert_eq!(masked["customer"]["name"], "김*준");
    let log = app.audit();
    assert_eq!(log.len(), 1);
    assert_eq!(
        (&log[0]["act"], &log[0]["target"], &log[0]["reason"], &log[0]["role"]),
        (
            &json!("unmask"),
            &json!("P1"),
            &json!("shopper asked"),
            &json!("operator")
        )
    );
    assert!(log[0]["key_id"].as_str().is_some_and(|id| id.starts_with("key_")));
}

#[tokio::test]
async fn nobody_else_does_and_not_without_a_reason() {
    let mut app = TestApp::new();
    app.feed(&[personal("P1")]);
    for (role, merchants) in [(Role::Merchant, &["m1"][..]), (Role::Finance, &[]), (Role::Admin, &[])] {
        let key = app.key(role, merchants);
        for asked in ["P1?unmask=please", "P1?unmask=", "none?unmask=please"] {
            let answer = app.get_as(&key, &format!("/v1/payments/{asked}")).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role} {asked}");
        }
    }
    let operator = app.key(Role::Operator, &[]);
    let long = "a".repeat(501);
    for (parameters, code) in [
        ("unmask=", "bad_value"),
        ("unmask=%20", "bad_value"),
        (&format!("unmask={long}"), "bad_value"),
        ("unmask=a&unmask=b", "repeated_parameter"),
    ] {
        let answer = app.get_as(&operator, &format!("/v1/payments/P1?{parameters}")).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some(code)),
            "{parameters}"
        );
    }
    assert_eq!(
        app.get_as(&operator, "/v1/payments/none?unmask=x").await.status,
        StatusCode::NOT_FOUND
    );
    assert!(app.audit().is_empty(), "nothing was shown");
}

#[tokio::test]
async fn what_cannot_be_logged_is_not_shown() {
    let mut app = TestApp::new();
    app.feed(&[personal("P1")]);
    let operator = app.key(Role::Operator, &[]);
    std::fs::write(app.audit_path(), "not a line of the log\n").expect("written");
    let answer = app.get_as(&operator, "/v1/payments/P1?unmask=x").await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("audit_unavailable"))
    );
    assert!(!answer.text().contains("김민준"));
}
