//! Every scenario under `fixtures/`, asked over HTTP. `fixtures/README.md` says how an expectation is compared.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use api::keys::Role;
use axum::http::StatusCode;
use serde_json::Value;

use crate::app::{FINANCE, TestApp, encoded, fixtures, lines};

/// Where `found` is not as expected.
fn differences(expected: &Value, found: &Value, place: &str, out: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, value) in wanted {
                let member = found.get(name).unwrap_or(&Value::Null);
                differences(value, member, &format!("{place}/{name}"), out);
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (at, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                differences(wanted, found, &format!("{place}/{at}"), out);
            }
        }
        (wanted, found) if wanted == found => {}
        (wanted, found) => out.push(format!("{place}: expected {wanted}, found {found}")),
    }
}

fn without_overdue(mut payment: Value) -> Value {
    if let Some(flags) = payment["flags"].as_array_mut() {
        flags.retain(|flag| flag != "unsettled_overdue");
    }
    payment
}

/// A member of an expectation; absent is an empty list.
fn items<'a>(expected: &'a Value, name: &str) -> &'a [Value] {
    expected[name].as_array().map_or(&[], Vec::as_slice)
}

async fn check_payments(app: &TestApp, key: &str, expected: &Value, out: &mut Vec<String>) {
    for wanted in items(expected, "payments") {
        let payment_key = wanted["payment_key"].as_str().expect("a payment has a key");
        let answer = app.get_as(key, &format!("/v1/payments/{}", encoded(payment_key))).await;
        if answer.status == StatusCode::OK {
            differences(wanted, &without_overdue(answer.json()), payment_key, out);
        } else {
            out.push(format!("{payment_key}: {}", answer.status));
        }
    }
    for absent in items(expected, "not_found").iter().filter_map(Value::as_str) {
        let answer = app.get_as(key, &format!("/v1/payments/{}", encoded(absent))).await;
        if answer.status != StatusCode::NOT_FOUND {
            out.push(format!("{absent}: expected 404, found {}", answer.status));
        }
    }
}

async fn check_reports(app: &TestApp, expected: &Value, out: &mut Vec<String>) {
    for report in items(expected, "reports") {
        let parameters = report["parameters"].as_object().expect("parameters");
        let pairs: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value.as_str().expect("a text"))))
            .collect();
        let address = format!("{}?{}", report["path"].as_str().expect("a path"), pairs.join("&"));
        for source in ["rollup", "ledger"] {
            let found = app.get(&format!("{address}&source={source}")).await.ok();
            assert_eq!(found["source"], source);
            differences(&report["answer"], &found, &format!("{address} from {source}"), out);
        }
    }
}

async fn check_quarantine(app: &TestApp, expected: &Value, out: &mut Vec<String>) {
    let operator = app.key(Role::Operator, &[]);
    let found = app.get_as(&operator, "/v1/quarantine?limit=100&open=true").await.ok();
    let pairs = |rows: &[Value]| -> BTreeSet<String> {
        rows.iter()
            .map(|row| format!("{} {}", row["code"], row["payment_key"]))
            .collect()
    };
    let (wanted, found) = (pairs(items(expected, "quarantine")), pairs(items(&found, "data")));
    if wanted != found {
        out.push(format!("quarantine: expected {wanted:?}, found {found:?}"));
    }
}

async fn check(messages: &Path, expected: &Path) {
    let text = std::fs::read(expected).expect("the expectation");
    let expected: Value = serde_json::from_slice(&text).expect("JSON");
    let mut app = TestApp::new();
    app.feed(&lines(messages));
    let mut out = Vec::new();
    check_payments(&app, FINANCE, &expected, &mut out).await;
    for view in items(&expected, "views") {
        let key = app.key(Role::Merchant, &[view["merchant"].as_str().expect("a merchant")]);
        check_payments(&app, &key, view, &mut out).await;
    }
    check_reports(&app, &expected, &mut out).await;
    check_quarantine(&app, &expected, &mut out).await;
    assert!(out.is_empty(), "{}\n{}", messages.display(), out.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worked_example_answers_as_written() {
    check(
        &fixtures().join("worked-example.ndjson"),
        &fixtures().join("worked-example.expected.json"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_answers_as_written() {
    let found = std::fs::read_dir(fixtures().join("scenarios")).expect("the scenarios");
    let mut scenarios: Vec<PathBuf> = found.filter_map(Result::ok).map(|item| item.path()).collect();
    scenarios.sort();
    assert!(scenarios.len() >= 30, "{} scenarios", scenarios.len());
    for scenario in scenarios {
        check(&scenario.join("messages.ndjson"), &scenario.join("expected.json")).await;
    }
}
