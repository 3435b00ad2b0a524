//! Exports: the rows of the pages in every format, whole, proven by a manifest.

use std::collections::{BTreeMap, BTreeSet};

use api::keys::Role;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::{FINANCE, TestApp, encoded, fixtures, lines};
use crate::export_readers::{Read, read_csv, read_parquet, read_xlsx};
use crate::messages::{cancellation, line, message, personal, sale};

pub(crate) const SALES: &str =
    "/v1/reports/sales?basis=event_day&from=2026-01-01&to=2027-01-01&group_by=day,method,merchant,month";
pub(crate) const SETTLEMENTS: &str =
    "/v1/reports/settlements?basis=sold_on&from=2026-01-01&to=2027-01-01&group_by=merchant";

/// Payments of every kind: enough for several pages, some at one instant, with every field, orphans, two currencies,
/// and texts that spreadsheets would run.
pub(crate) fn app() -> TestApp {
    let mut app = TestApp::new();
    let sales: Vec<Vec<u8>> = (0..150)
        .map(|n| {
            sale(
                &format!("P{n:03}"),
                if n % 3 == 0 { "m1" } else { "m2" },
                1000 + n,
                n / 4,
            )
        })
        .collect();
    app.feed(&sales);
    let abroad = json!({
        "payment_key": "USD1", "merchant_id": "m1", "order_id": "007", "version": 1, "status": "DONE", "method": "CARD",
        "currency": "USD", "amount": {"total": "10.5", "vat": "0.95"}, "requested_at": "2026-06-01T00:00:00Z",
        "approved_at": "2026-06-01T00:00:00Z", "order_name": "=HYPERLINK(\"x\"), \"quoted\"\r\nand more",
        "customer": {"name": "@SUM(1)", "customer_key": "+1"}, "failure": {"code": "-1", "message": "\tx"},
        "metadata": {"store": "s1"},
    });
    let huge = json!({
        "payment_key": "#KRW", "merchant_id": "m1", "order_id": "-5", "version": 1, "status": "DONE", "method": "CARD",
        "currency": "KRW", "amount": {"total": "9007199254740993"}, "requested_at": "2026-06-01T00:00:00.123456Z",
        "approved_at": "2026-06-01T00:00:00.123456Z",
    });
    app.feed(&[
        message("payment", &abroad),
        message("payment", &huge),
        personal("personal"),
        line("P000", "S1", "m1"),
        line("P001", "S2", "m2"),
        cancellation("P000", "C1", "m1", 300),
        cancellation("USD-orphan", "C2", "m1", 50),
        cancellation("split", "C3", "m1", 1),
        cancellation("split", "C4", "m2", 2),
    ]);
    let every_field = std::fs::read(fixtures().join("messages/valid/payment-every-field.json")).expect("a message");
    app.feed(&[every_field.trim_ascii_end()]);
    app.feed(&lines(&fixtures().join("worked-example.ndjson")));
    app
}

pub(crate) fn joined(address: &str, more: &str) -> String {
    format!("{address}{}{more}", if address.contains('?') { '&' } else { '?' })
}

/// The rows of all pages.
pub(crate) async fn rows_of(app: &TestApp, key: &str, address: &str) -> Vec<Value> {
    let (mut rows, mut next) = (Vec::new(), String::new());
    loop {
        let page = app.get_as(key, &joined(address, &format!("limit=7{next}"))).await.ok();
        rows.extend(page["data"].as_array().expect("rows").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={}", encoded(cursor)),
            None => return rows,
        }
    }
}

/// Lines and manifest of an NDJSON export.
pub(crate) async fn ndjson(app: &TestApp, key: &str, address: &str) -> (Vec<String>, Value) {
    let answer = app.get_as(key, &joined(address, "format=ndjson")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let text = answer.text();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(text.ends_with('\n'));
    let last: Value = serde_json::from_str(&lines.pop().expect("a manifest")).expect("JSON");
    let manifest = last["manifest"].clone();
    assert_eq!(
        manifest["as_of"]["token"].as_str(),
        answer.header("ledger-as-of"),
        "{address}"
    );
    (lines, manifest)
}

pub(crate) fn parsed(lines: &[String]) -> Vec<Value> {
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The scalar members of a row by their names in flat formats.
pub(crate) fn scalars(row: &Value) -> BTreeMap<String, Value> {
    fn add(prefix: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members.iter().filter(|(name, _)| *name != "metadata") {
                    let name = if prefix.is_empty() {
                        name.clone()
                    } else {
                        format!("{prefix}.{name}")
                    };
                    add(&name, value, out);
                }
            }
            Value::Array(_) | Value::Null => {}
            scalar => {
                out.insert(prefix.to_owned(), scalar.clone());
            }
        }
    }
    let mut out = BTreeMap::new();
    add("", row, &mut out);
    out
}

/// Sums of columns per currency, exact, from the printed rows.
fn sums(rows: &[Value], names: &[(&str, &str)]) -> Value {
    let digits = |currency: &str| if currency == "USD" { 2 } else { 0 };
    let mut sums: BTreeMap<String, Vec<i128>> = BTreeMap::new();
    for row in rows {
        let Some(currency) = row["currency"].as_str() else {
            continue;
        };
        let sums = sums.entry(currency.to_owned()).or_insert_with(|| vec![0; names.len()]);
        let printed = scalars(row);
        for (sum, (_, column)) in sums.iter_mut().zip(names) {
            let minor = match printed.get(*column) {
                Some(Value::String(text)) => text.replace('.', "").parse().expect("money"),
                Some(Value::Number(number)) => i128::from(number.as_i64().expect("a count")),
                _ => 0,
            };
            *sum += minor;
        }
    }
    let row = |(currency, sums): (&String, &Vec<i128>)| {
        let mut row = json!({"currency": currency});
        for (sum, (name, _)) in sums.iter().zip(names) {
            let digits = digits(currency);
            row[*name] = match name.ends_with("count") {
                true => i64::try_from(*sum).expect("a count").into(),
                false if digits == 0 => sum.to_string().into(),
                false => {
                    let text = format!("{:03}", sum);
                    format!("{}.{}", &text[..text.len() - 2], &text[text.len() - 2..]).into()
                }
            };
        }
        row
    };
    sums.iter().map(row).collect::<Vec<_>>().into()
}

const PAYMENT_SUMS: [(&str, &str); 3] = [
    ("amount", "amount.total"),
    ("canceled_amount", "canceled_amount"),
    ("balance_amount", "balance_amount"),
];

#[tokio::test]
async fn ndjson_holds_the_rows_of_the_pages_and_proves_it() {
    let app = app();
    let merchant = app.key(Role::Merchant, &["m1"]);
    let mut counts = BTreeSet::new();
    for key in [FINANCE, &merchant] {
        for address in [
            "/v1/payments",
            "/v1/payments?order=asc",
            "/v1/payments?status=DONE&amount%5Bgte%5D=1050",
            "/v1/payments?status=UNKNOWN",
            "/v1/payments?merchant_id=nobody",
            "/v1/payments/search?q=ORD-P01*",
            "/v1/payments/search?q=-flag:awaiting_payment&order=asc",
        ] {
            let pages = rows_of(&app, key, address).await;
            let (lines, manifest) = ndjson(&app, key, address).await;
            assert_eq!(parsed(&lines), pages, "{address}");
            counts.insert(lines.len());
            assert_eq!(manifest["rows"], lines.len(), "{address}");
            assert_eq!(manifest["control_sums"], sums(&pages, &PAYMENT_SUMS), "{address}");
            let digest = Sha256::digest(lines.iter().map(|line| format!("{line}\n")).collect::<String>());
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(manifest["sha256"], digest, "{address}");
            assert_eq!(manifest["query"]["format"], "ndjson", "{address}");
        }
    }
    assert!(
        counts.contains(&0) && counts.iter().any(|count| *count > 150),
        "{counts:?}"
    );
    let (_, manifest) = ndjson(&app, FINANCE, "/v1/payments?status=DONE&status=READY&limit=1").await;
    assert_eq!(
        manifest["query"],
        json!({"format": "ndjson", "limit": "1", "status": ["DONE", "READY"]})
    );
}

pub(crate) async fn read(app: &TestApp, key: &str, address: &str, format: &str) -> Read {
    let answer = app.get_as(key, &joined(address, &format!("format={format}"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    match format {
        "csv" => read_csv(&answer.body),
        "xlsx" => read_xlsx(&answer.body),
        _ => read_parquet(&answer.body),
    }
}

#[tokio::test]
async fn every_format_holds_every_value() {
    let app = app();
    let merchant = app.key(Role::Merchant, &["m1"]);
    for key in [FINANCE, &merchant] {
        for address in [
            "/v1/payments",
            "/v1/payments?order=asc&status=DONE",
            "/v1/payments?q=nothing-at-all",
            SALES,
            SETTLEMENTS,
        ] {
            let (lines, manifest) = ndjson(&app, key, address).await;
            let rows = parsed(&lines);
            for format in ["csv", "xlsx", "parquet"] {
                let what = format!("{address} as {format}");
                let found = read(&app, key, address, format).await;
                assert_eq!(found.rows.len(), rows.len(), "{what}");
                for (found, row) in found.rows.iter().zip(&rows) {
                    let mut expect = scalars(row);
                    if format == "xlsx" {
                        expect.values_mut().for_each(as_xlsx);
                    }
                    if format == "csv" {
                        expect.values_mut().for_each(as_csv);
                    }
                    assert_eq!(found, &expect, "{what}");
                }
                for name in ["rows", "control_sums", "sha256", "as_of"] {
                    assert_eq!(found.manifest[name], manifest[name], "{what}: {name}");
                }
                assert_eq!(found.manifest["query"]["format"], format, "{what}");
            }
        }
    }
}

/// A spreadsheet shows 15 digits of a number; what has more is a text. Texts that look like formulas are as in CSV.
fn as_xlsx(value: &mut Value) {
    if value.is_number() && value.to_string().len() > 15 {
        *value = value.to_string().into();
    }
    if value.is_string() {
        as_csv(value);
    }
}

/// CSV has texts alone, and those that look like formulas in quotes.
fn as_csv(value: &mut Value) {
    const TEXTS_WITHOUT_AMOUNTS: [&str; 5] = ["=HYPERLINK", "@", "+1", "-1", "\tx"];
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let formula = TEXTS_WITHOUT_AMOUNTS.iter().any(|start| text.starts_with(start)) || text == "-5";
    *value = if formula { format!("'{text}") } else { text }.into();
}

#[tokio::test]
async fn columns_are_the_scalar_members_of_the_rows() {
    let app = app();
    let merchant = app.key(Role::Merchant, &["m1"]);
    for key in [FINANCE, &merchant] {
        let mut members: BTreeSet<String> = BTreeSet::new();
        for row in rows_of(&app, key, "/v1/payments").await {
            members.extend(scalars(&row).into_keys());
        }
        let columns: BTreeSet<String> = read(&app, key, "/v1/payments", "csv")
            .await
            .columns
            .into_iter()
            .collect();
        assert!(members.is_subset(&columns), "{:?}", members.difference(&columns));
        // Members that no message of this test has are left; there are none in the payment with every field.
        let absent: Vec<&String> = columns.difference(&members).collect();
        assert!(key != FINANCE || absent.is_empty(), "{absent:?}");
        let provider = columns
            .iter()
            .any(|name| name.contains("cost") || name.contains("net_profit"));
        assert_eq!(provider, key == FINANCE);
        for address in [SALES, SETTLEMENTS] {
            let (lines, _) = ndjson(&app, key, address).await;
            let members: BTreeSet<String> = parsed(&lines).iter().flat_map(|row| scalars(row).into_keys()).collect();
            let columns = read(&app, key, address, "csv").await.columns;
            assert_eq!(members, columns.iter().cloned().collect(), "{address}");
            let text = app.get_as(key, address).await.text();
            let places: Vec<Option<usize>> = columns.iter().map(|name| text.find(&format!("\"{name}\":"))).collect();
            assert!(places.is_sorted(), "columns stand as members do: {columns:?}");
        }
    }
}

#[tokio::test]
async fn control_sums_of_a_report_are_its_totals() {
    let app = app();
    for address in [SALES, SETTLEMENTS] {
        let report = app.get(address).await.ok();
        let (lines, manifest) = ndjson(&app, FINANCE, address).await;
        assert_eq!(Value::from(parsed(&lines)), report["data"], "{address}");
        let mut totals = report["totals"].clone();
        for line in totals.as_array_mut().expect("lines") {
            assert!(line.as_object_mut().expect("a line").remove("rows_url").is_some());
        }
        assert_eq!(manifest["control_sums"], totals, "{address}");
        for name in ["orphans_left_out", "source"] {
            assert_eq!(manifest[name], report[name], "{address}");
        }
    }
}

#[tokio::test]
async fn nothing_of_the_provider_reaches_a_merchant_in_any_format() {
    let app = app();
    let merchant = app.key(Role::Merchant, &["m1"]);
    // One page: a cursor is random text, which may hold any word.
    let whole = "/v1/payments?limit=100";
    assert_eq!(
        app.get_as(&merchant, whole).await.ok().get("next_cursor"),
        Some(&Value::Null)
    );
    for address in [whole, SETTLEMENTS] {
        for format in ["json", "ndjson", "csv", "xlsx", "parquet"] {
            let answer = app
                .get_as(&merchant, &joined(address, &format!("format={format}")))
                .await;
            let text = match format {
                "xlsx" => format!("{:?}", read_xlsx(&answer.body)),
                "parquet" => format!("{:?}", read_parquet(&answer.body)),
                _ => answer.text(),
            };
            for word in ["cost", "net_profit", "m2", "kim.minjun", "010-1234-5678", "김민준"] {
                assert!(!text.contains(word), "{address} as {format} has {word}");
            }
        }
    }
}
