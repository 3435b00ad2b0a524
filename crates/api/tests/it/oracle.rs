//! Whole answers against the reference model, which was written apart from the production code.

use std::collections::BTreeSet;

use api::Limits;
use api::keys::Role;
use axum::http::StatusCode;
use domain::time::Zones;
use serde_json::Value;
use testkit::histories::{self, History};
use testkit::oracle::{Oracle, Reader};

use crate::app::{FINANCE, TestApp, encoded, fixtures, now};

const MERCHANTS_MAX: usize = 6;

fn zones() -> Zones {
    let zones = histories::zones();
    Zones {
        default: zones.default,
        merchants: zones.merchants,
    }
}

/// What the contract leaves open and the model reads more strictly.
const BEYOND_THE_MODEL: [&str; 2] = ["payment-leap-second.json", "settlement-fee-rate-as-number.json"];

/// Compares every payment for a key that sees all and for one key of each merchant.
async fn compare(app: &TestApp, oracle: &Oracle, what: &str) {
    let keys = oracle.payment_keys();
    let mut merchants = BTreeSet::new();
    for key in &keys {
        let found = compare_one(app, FINANCE, oracle.payment(key, &Reader::finance()), key, what).await;
        merchants.extend(found.and_then(|payment| payment["merchant_id"].as_str().map(str::to_owned)));
    }
    for merchant in merchants.iter().take(MERCHANTS_MAX) {
        let asking = app.key(Role::Merchant, &[merchant]);
        for key in &keys {
            let expected = oracle.payment(key, &Reader::merchant([merchant.as_str()]));
            compare_one(app, &asking, expected, key, &format!("{what}, as {merchant}")).await;
        }
    }
}

async fn compare_one(app: &TestApp, asking: &str, expected: Option<Value>, key: &str, what: &str) -> Option<Value> {
    let answer = app.get_as(asking, &format!("/v1/payments/{}", encoded(key))).await;
    let Some(expected) = expected else {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{what}: {key}");
        return None;
    };
    assert_eq!(answer.status, StatusCode::OK, "{what}: {key}: {}", answer.text());
    let mut found = answer.json();
    let as_of = found.as_object_mut().and_then(|members| members.remove("as_of"));
    assert!(
        as_of.is_some_and(|as_of| as_of["token"].is_string()),
        "{what}: {key} has no as_of"
    );
    assert_eq!(found, expected, "{what}: {key}");
    Some(expected)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_answer_as_the_reference_model() {
    let first: u64 = std::env::var("LEDGERLENS_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    for seed in first..first + 40 {
        let history = History::random(seed);
        let mut oracle = history.oracle();
        oracle.set_clock(now(), 7);
        let mut app = TestApp::with(zones(), Limits::default());
        app.feed(&history.messages);
        compare(&app, &oracle, &format!("seed {seed}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_valid_message_answers_as_the_reference_model() {
    let mut oracle = Oracle::new(histories::zones());
    oracle.set_clock(now(), 7);
    let mut app = TestApp::with(zones(), Limits::default());
    let mut messages = Vec::new();
    for item in std::fs::read_dir(fixtures().join("messages/valid")).expect("the messages") {
        let path = item.expect("a file").path();
        if BEYOND_THE_MODEL.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let mut message = std::fs::read(&path).expect("a message");
        assert_eq!(message.pop(), Some(b'\n'));
        let judged = oracle.feed(&message);
        assert!(judged.is_ok(), "the model refuses {}: {judged:?}", path.display());
        messages.push(message);
    }
    app.feed(&messages);
    assert!(messages.len() > 30, "{} messages", messages.len());
    compare(&app, &oracle, "valid messages").await;
}
