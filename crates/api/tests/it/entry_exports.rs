//! Exports of entries: the rows of the pages, the sums of the lists and of the reports, and the audit log.

use std::collections::BTreeSet;

use api::keys::Role;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{FINANCE, TestApp, encoded};
use crate::exports::{SALES, SETTLEMENTS, app, joined, ndjson, parsed, read, rows_of, scalars};
use crate::messages::{cancellation, message};

const ADDRESSES: [&str; 5] = [
    "/v1/entries",
    "/v1/entries?kind=payment&status=DONE&amount%5Bgte%5D=1050",
    "/v1/entries?kind=cancellation&kind=settlement",
    "/v1/entries?method=UNKNOWN",
    "/v1/entries?merchant_id=nobody",
];

#[tokio::test]
async fn entries_are_those_of_the_pages_and_their_sums_the_total() {
    let mut app = app();
    // A changed entry leaves signed rows behind, which must not come out.
    let changed = json!({
        "payment_key": "P003", "merchant_id": "m1", "order_id": "O", "version": 2, "status": "DONE", "method": "TRANSFER",
        "currency": "KRW", "amount": {"total": "5000"}, "requested_at": "2026-05-01T00:00:00Z",
        "approved_at": "2026-05-01T00:00:00Z",
    });
    app.feed(&[message("payment", &changed), cancellation("P003", "C9", "m1", 40)]);
    let merchant = app.key(Role::Merchant, &["m1"]);
    let mut counts = BTreeSet::new();
    for key in [FINANCE, &merchant] {
        for address in ADDRESSES {
            let pages = rows_of(&app, key, address).await;
            let (lines, manifest) = ndjson(&app, key, address).await;
            assert_eq!(parsed(&lines), pages, "{address}");
            let total = app.get_as(key, &joined(address, "total=true&limit=1")).await.ok();
            assert_eq!(manifest["rows"], total["total"]["count"], "{address}");
            assert_eq!(manifest["control_sums"], total["total"]["sums"], "{address}");
            for sums in manifest["control_sums"].as_array().expect("sums") {
                assert_eq!(sums.get("cost").is_some(), key == FINANCE, "{sums}");
            }
            counts.insert(lines.len());
        }
    }
    assert!(
        counts.contains(&0) && counts.iter().any(|count| *count > 150),
        "{counts:?}"
    );
}

#[tokio::test]
async fn control_sums_of_entries_are_those_of_the_report_above_them() {
    let app = app();
    let mut followed = 0;
    for (address, pairs) in [
        (
            SETTLEMENTS,
            &[
                ("amount", "gross"),
                ("fee", "fee"),
                ("vat", "vat"),
                ("payout", "payout"),
                ("cost", "cost"),
            ][..],
        ),
        // No payment of these has failed, so the entries add up to what was sold less what was given back.
        (SALES, &[("amount", "net_amount")]),
    ] {
        let report = app.get(address).await.ok();
        let rows = ["data", "totals"].map(|member| report[member].as_array().expect("rows").clone());
        for row in rows
            .concat()
            .iter()
            .filter(|row| row["failed_count"].as_i64().unwrap_or(0) == 0)
        {
            let (_, manifest) = ndjson(&app, FINANCE, row["rows_url"].as_str().expect("an address")).await;
            let sums = manifest["control_sums"].as_array().expect("sums");
            assert_eq!(sums.len(), 1, "{row}");
            for (of_entries, of_report) in pairs {
                assert_eq!(sums[0][*of_entries], row[*of_report], "{of_report} of {row}");
            }
            followed += 1;
        }
    }
    assert!(followed > 10, "{followed}");
}

#[tokio::test]
async fn every_format_holds_the_values_of_entries() {
    let app = app();
    let merchant = app.key(Role::Merchant, &["m1"]);
    for key in [FINANCE, &merchant] {
        let (lines, manifest) = ndjson(&app, key, "/v1/entries").await;
        let rows = parsed(&lines);
        for format in ["csv", "xlsx", "parquet"] {
            let found = read(&app, key, "/v1/entries", format).await;
            assert_eq!(found.rows.len(), rows.len(), "{format}");
            // As JSON prints them, in its order.
            let members: Vec<&str> =
                "kind payment_key entry_id merchant_id method status currency event_day sale_day sold_on \
                                      paid_out_on payout_id amount fee vat payout cost"
                    .split_whitespace()
                    .filter(|name| key == FINANCE || *name != "cost")
                    .collect();
            assert_eq!(found.columns, members, "{format}");
            for (found, row) in found.rows.iter().zip(&rows) {
                // No identifier of these looks like a formula, and negative amounts are numbers.
                assert_eq!(found, &scalars(row), "{format}");
            }
            for name in ["rows", "control_sums", "sha256", "as_of"] {
                assert_eq!(found.manifest[name], manifest[name], "{format}: {name}");
            }
        }
    }
}

#[tokio::test]
async fn what_belongs_to_pages_is_refused_beside_other_formats() {
    let app = app();
    for address in ["/v1/payments", "/v1/payments/search?q=ORD-P001", "/v1/entries"] {
        for format in ["ndjson", "csv", "xlsx", "parquet"] {
            let asked = joined(address, &format!("format={format}&total=true"));
            let answer = app.get(&asked).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{asked}");
            let error = &answer.json()["errors"][0];
            assert_eq!(error["parameter"], "total", "{asked}");
            assert!(
                error["detail"]
                    .as_str()
                    .is_some_and(|detail| detail.contains("manifest")),
                "{error}"
            );
            let answer = app.get(&joined(address, &format!("format={format}&total=false"))).await;
            assert_eq!(answer.status, StatusCode::OK, "{asked}");
        }
        let total = app.get(&joined(address, "format=json&total=true")).await.ok();
        assert!(total["total"]["count"].is_number(), "{address}");
        let page = app.get(&joined(address, "limit=1")).await.ok();
        if let Some(cursor) = page["next_cursor"].as_str() {
            let asked = joined(address, &format!("limit=1&format=csv&cursor={}", encoded(cursor)));
            assert_eq!(app.get(&asked).await.json()["errors"][0]["parameter"], "cursor");
        }
    }
}

fn logged(app: &TestApp) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = app.audit();
    lines
        .iter()
        .map(|line| (text(&line["act"]), text(&line["target"])))
        .collect()
}

#[tokio::test]
async fn an_export_is_on_the_audit_log_and_does_not_leave_without() {
    let app = app();
    app.get("/v1/entries?format=json").await.ok();
    assert!(logged(&app).is_empty(), "a page is no export");
    let mut expect = Vec::new();
    for (address, path) in [
        ("/v1/entries?kind=payment&format=csv", "/v1/entries"),
        ("/v1/payments?status=DONE&format=parquet", "/v1/payments"),
        ("/v1/payments/search?q=aa+bb&format=ndjson", "/v1/payments"),
        (
            "/v1/reports/sales?basis=event_day&from=2026-01-01&to=2027-01-01&format=xlsx",
            "/v1/reports/sales",
        ),
    ] {
        assert_eq!(app.get(address).await.status, StatusCode::OK, "{address}");
        let query = address.split_once('?').expect("parameters").1.replace('+', " ");
        expect.push(("export".to_owned(), format!("{path}?{query}")));
        assert_eq!(logged(&app), expect);
    }
    let line = app.audit().pop().expect("a line");
    assert_eq!((&line["role"], &line["reason"]), (&json!("finance"), &Value::Null));

    std::fs::write(app.audit_path(), "not a line of the log\n").expect("written");
    for address in ["/v1/entries", "/v1/payments", SALES, SETTLEMENTS] {
        let answer = app.get(&joined(address, "format=csv")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{address}");
        assert_eq!(answer.json()["code"], "audit_unavailable", "{address}");
    }
}
