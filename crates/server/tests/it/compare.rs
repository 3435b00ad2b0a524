//! Asking the product over HTTP what the reference model was asked, and naming every difference.

use std::collections::BTreeSet;

use api::keys::Role;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use testkit::histories::{Asked, Question};
use testkit::oracle::{Filters, Oracle, QuarantineRow, Reader, ReportParams, Scope};

use crate::drilled;
use crate::expected::Expected;
use crate::product::{Answer, Product};

/// Small, so that most lists go over several pages.
const PAGE: usize = 2;

/// More pages than any history fills.
const PAGES_MAX: usize = 1000;

/// Everything in which the product's answers are not the expected ones.
pub(crate) fn differences(product: &mut Product, expected: &Expected) -> Vec<String> {
    let mut out = Vec::new();
    for (number, (asked, answer)) in expected.questions.iter().enumerate() {
        let key = key_of(product, &asked.reader);
        out.extend(difference(product, &key, asked, answer, number, &expected.oracle));
    }
    out.extend(quarantine(product, expected).err());
    out.extend(drilled::differences(product, expected));
    out
}

/// The difference in one answer, if there is one. `number` varies in which way a list is asked for.
pub(crate) fn difference(
    product: &Product,
    key: &str,
    asked: &Asked,
    expected: &Value,
    number: usize,
    oracle: &Oracle,
) -> Option<String> {
    let found = match &asked.question {
        Question::Payment(payment_key) => payment(product, key, payment_key, expected),
        Question::List(filters) => list(product, key, filters, expected, number, oracle, &asked.reader),
        Question::Sales(params) => report(product, key, "/v1/reports/sales", params, expected),
        Question::Settlements(params) => report(product, key, "/v1/reports/settlements", params, expected),
    };
    found
        .err()
        .map(|difference| format!("{}\n{difference}", described(asked)))
}

fn described(asked: &Asked) -> String {
    let who = match &asked.reader.scope {
        Scope::All => "finance".to_owned(),
        Scope::Merchants(merchants) => format!("the merchants {merchants:?}"),
    };
    let what = match &asked.question {
        Question::Payment(key) => format!("payment {key}"),
        Question::List(filters) => format!("list {}", pairs(&list_parameters(filters))),
        Question::Sales(params) => format!("sales {}", pairs(&params.parameters())),
        Question::Settlements(params) => format!("settlements {}", pairs(&params.parameters())),
    };
    format!("{who} asks: {what}")
}

fn pairs(parameters: &[(String, String)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(" & ")
}

pub(crate) fn key_of(product: &mut Product, reader: &Reader) -> String {
    match &reader.scope {
        Scope::All => product.key(Role::Finance, &[]),
        Scope::Merchants(merchants) => {
            let merchants: Vec<String> = merchants.iter().cloned().collect();
            product.key(Role::Merchant, &merchants)
        }
    }
}

pub(crate) fn ok(answer: Answer) -> Result<Value, String> {
    match answer.status {
        StatusCode::OK => Ok(answer.body),
        status => Err(format!("  answered {status}: {}", answer.body)),
    }
}

pub(crate) fn same(what: &str, expected: &Value, found: &Value) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!("  {what}\n  expected {expected}\n  found    {found}"))
}

fn payment(product: &Product, key: &str, payment_key: &str, expected: &Value) -> Result<(), String> {
    let answer = product.get(key, &format!("/v1/payments/{}", encoded(payment_key)));
    if answer.status == StatusCode::NOT_FOUND {
        return same("the payment is not found", expected, &Value::Null);
    }
    let mut found = ok(answer)?;
    let as_of = found.as_object_mut().and_then(|members| members.remove("as_of"));
    if as_of.is_none_or(|as_of| !as_of["token"].is_string()) {
        return Err("  the payment has no as_of".to_owned());
    }
    same("the payment", expected, &found)
}

fn list_parameters(filters: &Filters) -> Vec<(String, String)> {
    let mut parameters = filters.parameters();
    if filters.ascending {
        parameters.push(("order".to_owned(), "asc".to_owned()));
    }
    parameters
}

/// The rows of all pages: their keys as expected, and each as the payment itself is.
fn list(
    product: &Product,
    key: &str,
    filters: &Filters,
    expected: &Value,
    number: usize,
    oracle: &Oracle,
    reader: &Reader,
) -> Result<(), String> {
    let rows = rows(product, key, filters, number)?;
    let keys: Value = rows.iter().map(|row| row["payment_key"].clone()).collect();
    same("the keys of all pages", expected, &keys)?;
    let mut exported = list_parameters(filters);
    exported
        .extend([("format", "ndjson"), ("manifest", "none")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    let exported = ok(product.get(key, &address("/v1/payments", &exported)))?;
    same("the rows of the export", &Value::from(rows.clone()), &exported)?;
    for row in &rows {
        let payment = oracle.payment(row["payment_key"].as_str().unwrap_or_default(), reader);
        same("a row", &payment.unwrap_or_default(), row)?;
    }
    let mut parameters = list_parameters(filters);
    parameters.extend([("limit", "1"), ("total", "true")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    let page = ok(product.get(key, &address("/v1/payments", &parameters)))?;
    same("the total", &drilled::total_of_payments(&rows), &page["total"])
}

fn rows(product: &Product, key: &str, filters: &Filters, number: usize) -> Result<Vec<Value>, String> {
    let mut parameters = list_parameters(filters);
    parameters.push(("limit".to_owned(), (PAGE + number % 2).to_string()));
    let mut rows = Vec::new();
    let mut cursor = None;
    for _ in 0..PAGES_MAX {
        let mut sent = parameters.clone();
        sent.extend(cursor.take().map(|cursor| ("cursor".to_owned(), cursor)));
        // A list and a search are one question; a search can be posted too.
        let page = ok(match number % 3 {
            0 => product.get(key, &address("/v1/payments", &sent)),
            1 => product.get(key, &address("/v1/payments/search", &sent)),
            _ => product.post(key, "/v1/payments/search", &body(&sent)),
        })?;
        let data = page["data"].as_array().ok_or("  a page without data")?;
        rows.extend(data.iter().cloned());
        match (&page["has_more"], &page["next_cursor"]) {
            (Value::Bool(true), Value::String(next)) => cursor = Some(next.clone()),
            (Value::Bool(false), Value::Null) => return Ok(rows),
            (more, next) => return Err(format!("  has_more {more} with next_cursor {next}")),
        }
        if data.is_empty() {
            return Err("  an empty page that says there is more".to_owned());
        }
    }
    Err(format!("  more than {PAGES_MAX} pages"))
}

pub(crate) fn address(path: &str, parameters: &[(String, String)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// The same parameters as a JSON object; a repeated one is a list.
fn body(parameters: &[(String, String)]) -> Value {
    let mut members: Map<String, Value> = Map::new();
    for (name, value) in parameters {
        let value = match value.parse::<u64>() {
            Ok(limit) if name == "limit" => json!(limit),
            _ => json!(value),
        };
        match members.get_mut(name) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = json!([first, value]),
            None => {
                members.insert(name.clone(), value);
            }
        }
    }
    Value::Object(members)
}

/// The report from either source.
fn report(product: &Product, key: &str, path: &str, params: &ReportParams, expected: &Value) -> Result<(), String> {
    for source in ["rollup", "ledger"] {
        let mut parameters = params.parameters();
        parameters.push(("source".to_owned(), source.to_owned()));
        let mut found = ok(product.get(key, &address(path, &parameters)))?;
        same("its source", &json!(source), &found["source"])?;
        for rows in ["data", "totals"] {
            let rows = found[rows].as_array_mut().ok_or("  a report without rows")?;
            for row in rows {
                let url = row.as_object_mut().and_then(|row| row.remove("rows_url"));
                if url.is_none_or(|url| !url.is_string()) {
                    return Err("  a row without rows_url".to_owned());
                }
            }
        }
        for member in ["data", "totals", "orphans_left_out"] {
            same(&format!("{member} from {source}"), &expected[member], &found[member])?;
        }
    }
    Ok(())
}

fn quarantine(product: &mut Product, expected: &Expected) -> Result<(), String> {
    let key = product.key(Role::Operator, &[]);
    let base = "/v1/quarantine?open=true&limit=100";
    let mut page = ok(product.get(&key, base))?;
    let mut rows = Vec::new();
    loop {
        rows.extend(
            page["data"]
                .as_array()
                .ok_or("  quarantine without data")?
                .iter()
                .cloned(),
        );
        match (&page["has_more"], &page["next_cursor"]) {
            (Value::Bool(true), Value::String(next)) => {
                page = ok(product.get(&key, &format!("{base}&cursor={next}")))?;
            }
            (Value::Bool(false), Value::Null) => break,
            (more, next) => return Err(format!("  has_more {more} with next_cursor {next}")),
        }
    }
    let found: BTreeSet<QuarantineRow> = rows.iter().map(quarantine_row).collect();
    if found != expected.quarantine {
        return Err(format!(
            "quarantine\n  expected {:?}\n  found    {found:?}",
            expected.quarantine
        ));
    }
    let refused = rows.iter().filter(|row| quarantine_row(row).code == "refused").count();
    same(
        "refused contents in quarantine",
        &json!(expected.refused_contents),
        &json!(refused),
    )
}

fn quarantine_row(row: &Value) -> QuarantineRow {
    let code = match row["code"].as_str() {
        Some("conflict") => "conflict",
        Some("merchant_mismatch") => "merchant_mismatch",
        Some("currency_mismatch") => "currency_mismatch",
        _ => "refused",
    };
    QuarantineRow {
        code,
        payment_key: row["payment_key"].as_str().map(str::to_owned),
    }
}

/// Percent-encodes everything that has a meaning in an address.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let one = |byte: u8| {
        if plain(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}
