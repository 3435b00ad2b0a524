//! What lies beneath answers: entries, lookups, timelines, and the rows behind a report's rows.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Value, json};
use testkit::oracle::{Content, Reader};

use crate::compare::{address, encoded, key_of, ok, same};
use crate::expected::Expected;
use crate::product::Product;

/// Entries, lookups and timelines as three readers see them.
pub(crate) fn differences(product: &mut Product, expected: &Expected) -> Vec<String> {
    let mut out = Vec::new();
    for reader in [
        Reader::finance(),
        Reader::merchant(["m1", "m_ny"]),
        Reader::merchant(["m_utc"]),
    ] {
        let key = key_of(product, &reader);
        let found = [
            entries(product, &key, &reader, expected),
            lookup(product, &key, &reader, expected),
            timelines(product, &key, &reader, expected),
        ];
        let told = |difference| format!("{:?} asks beneath\n{difference}", reader.scope);
        out.extend(found.into_iter().filter_map(Result::err).map(told));
    }
    out
}

/// All rows of a list of entries, page by page, and its first page.
pub(crate) fn all_entries(
    product: &Product,
    key: &str,
    url: &str,
    limit: usize,
) -> Result<(Vec<Value>, Value), String> {
    let base = format!("{url}{}limit={limit}", if url.contains('?') { '&' } else { '?' });
    let first = ok(product.get(key, &base))?;
    let (mut rows, mut page) = (Vec::new(), first.clone());
    loop {
        rows.extend(page["data"].as_array().ok_or("  a page without data")?.iter().cloned());
        match (&page["has_more"], &page["next_cursor"]) {
            (Value::Bool(true), Value::String(next)) => {
                page = ok(product.get(key, &format!("{base}&cursor={next}")))?;
            }
            (Value::Bool(false), Value::Null) => return Ok((rows, first)),
            (more, next) => return Err(format!("  has_more {more} with next_cursor {next}")),
        }
    }
}

fn entries(product: &Product, key: &str, reader: &Reader, expected: &Expected) -> Result<(), String> {
    let wanted = expected.oracle.entries(reader);
    let (rows, first) = all_entries(product, key, "/v1/entries?total=true", 3)?;
    same("the entries", &json!(wanted), &json!(rows))?;
    let exported = ok(product.get(key, "/v1/entries?format=ndjson"))?;
    let mut exported = exported.as_array().cloned().unwrap_or_default();
    let manifest = exported.pop().unwrap_or_default();
    same("the entries of the export", &json!(wanted), &json!(exported))?;
    let members = ["amount", "fee", "vat", "payout", "cost"];
    let shown = if reader.provider_figures {
        &members[..]
    } else {
        &members[..4]
    };
    let total = json!({"count": wanted.len(), "sums": sums(&wanted, shown)});
    let control_sums = &manifest["manifest"]["control_sums"];
    same("the control sums of the entries", &total["sums"], control_sums)?;
    same("the total of the entries", &total, &first["total"])
}

/// Whole minor units: all amounts of a currency have as many digits.
pub(crate) fn minor(amount: &Value) -> i128 {
    let text = amount.as_str().unwrap_or_default().replace('.', "");
    text.parse().unwrap_or_else(|_| panic!("no amount: {amount}"))
}

/// An amount of so many minor units, written like this one.
fn written(minor: i128, like: &str) -> String {
    let digits = like.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let sign = if minor < 0 { "-" } else { "" };
    let all = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = all.split_at(all.len() - digits);
    if digits == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

/// Sums of these members by currency, as totals show them.
fn sums(rows: &[Value], members: &[&str]) -> Value {
    let mut by_currency: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        let currency = row["currency"].as_str().unwrap_or_default();
        by_currency.entry(currency).or_default().push(row);
    }
    let lines = by_currency.into_iter().map(|(currency, rows)| {
        let mut line = json!({"currency": currency});
        for member in members {
            let sum = rows.iter().map(|row| minor(&row[*member])).sum();
            let like = rows[0][*member].as_str().unwrap_or_default();
            line[*member] = json!(written(sum, like));
        }
        line
    });
    lines.collect()
}

/// The total of a list of payments with these rows: orphans are in the count only.
pub(crate) fn total_of_payments(rows: &[Value]) -> Value {
    let flat = |row: &Value| {
        let mut row = row.clone();
        row["amount"] = row["amount"]["total"].clone();
        row
    };
    let arrived: Vec<Value> = rows.iter().filter(|row| row["status"] != "UNKNOWN").map(flat).collect();
    json!({"count": rows.len(), "sums": sums(&arrived, &["amount", "canceled_amount", "balance_amount"])})
}

fn lookup(product: &Product, key: &str, reader: &Reader, expected: &Expected) -> Result<(), String> {
    let ids = identifiers(expected);
    let answer = ok(product.post(key, "/v1/lookup", &json!({"ids": ids})))?;
    let (mut data, mut not_found, mut ambiguous) = (Vec::new(), Vec::new(), Vec::new());
    for id in &ids {
        let found = expected.oracle.found(reader, id);
        match found.as_slice() {
            [] => not_found.push(json!(id)),
            [(payment_key, field)] => {
                let payment = expected.oracle.payment(payment_key, reader);
                data.push(json!({"id": id, "matched_by": field, "payment": payment}));
            }
            several => {
                let keys: Vec<&String> = several.iter().map(|(key, _)| key).take(20).collect();
                ambiguous.push(json!({"id": id, "payments": keys}));
            }
        }
    }
    same("what was found", &json!(data), &answer["data"])?;
    same("what was not found", &json!(not_found), &answer["not_found"])?;
    same("what is ambiguous", &json!(ambiguous), &answer["ambiguous"])
}

/// Identifiers of every payment as they are and otherwise spelled, and some that do not exist.
fn identifiers(expected: &Expected) -> Vec<String> {
    let mut ids: BTreeSet<String> = ["nothing", "ORD-2026-0001", "ord 2026 0001", "po1", "PO-1", "4242"]
        .map(str::to_owned)
        .into();
    let finance = Reader::finance();
    for row in expected.oracle.entries(&finance) {
        for member in ["entry_id", "payment_key", "payout_id"] {
            ids.extend(row[member].as_str().map(str::to_owned));
        }
    }
    for payment_key in expected.oracle.payment_keys() {
        ids.insert(payment_key.to_uppercase());
        let Some(payment) = expected.oracle.payment(&payment_key, &finance) else {
            continue;
        };
        for pointer in ["/order_id", "/transaction_key", "/card/approve_no"] {
            ids.extend(payment.pointer(pointer).and_then(Value::as_str).map(str::to_owned));
        }
    }
    ids.into_iter()
        .filter(|id| id.chars().any(char::is_alphanumeric))
        .collect()
}

fn timelines(product: &Product, key: &str, reader: &Reader, expected: &Expected) -> Result<(), String> {
    for payment_key in expected.oracle.payment_keys() {
        let answer = product.get(key, &format!("/v1/payments/{}/timeline", encoded(&payment_key)));
        // Digests are of messages as sent, costs and card numbers included: merchants see none.
        let shown = |(kind, entry, version, digest): Content| match reader.provider_figures {
            true => (kind, entry, version, digest),
            false => (kind, entry, version, String::new()),
        };
        let wanted = expected.oracle.timeline(&payment_key, reader);
        let wanted: Option<Vec<Content>> = wanted.map(|contents| contents.into_iter().map(shown).collect());
        if answer.status == StatusCode::NOT_FOUND {
            same("the timeline is not found", &json!(wanted), &Value::Null)?;
            continue;
        }
        let answer = ok(answer)?;
        let text = |item: &Value, member: &str| item[member].as_str().unwrap_or_default().to_owned();
        let items = answer["data"].as_array().ok_or("  a timeline without data")?;
        let mut found: Vec<Content> = items
            .iter()
            .map(|item| {
                let version = item["version"].as_i64().unwrap_or_default();
                (
                    text(item, "kind"),
                    text(item, "entry_id"),
                    version,
                    text(item, "sha256"),
                )
            })
            .collect();
        found.sort_unstable();
        if !items.is_sorted_by_key(|item| text(item, "at")) {
            return Err(format!("  the timeline of {payment_key}: {}", answer["data"]));
        }
        same(&format!("the timeline of {payment_key}"), &json!(wanted), &json!(found))?;
    }
    Ok(())
}

/// Adds up the rows behind a report's row and compares each measure.
pub(crate) fn drill(product: &Product, key: &str, row: &Value, sales: bool) -> Result<(), String> {
    let url = row["rows_url"].as_str().ok_or("  a row without rows_url")?;
    let (entries, _) = all_entries(product, key, url, 100)?;
    let mut found = BTreeMap::<&str, i128>::new();
    let mut add = |name, value| *found.entry(name).or_default() += value;
    for entry in &entries {
        same("the currency of an entry", &row["currency"], &entry["currency"])?;
        let amount = minor(&entry["amount"]);
        match (entry["kind"].as_str(), entry["status"].as_str()) {
            (Some("payment"), Some("AUTHORIZED" | "DONE")) if sales => {
                add("payment_count", 1);
                add("payment_amount", amount);
                add("net_amount", amount);
            }
            (Some("payment"), Some("ABORTED" | "EXPIRED")) if sales => add("failed_count", 1),
            (Some("cancellation"), Some("DONE")) if sales => {
                add("cancellation_count", 1);
                add("cancellation_amount", -amount);
                add("net_amount", amount);
            }
            (Some("settlement"), _) if !sales => {
                add("settlement_count", 1);
                add("gross", amount);
                for name in ["fee", "vat", "payout"] {
                    add(name, minor(&entry[name]));
                }
                if !entry["cost"].is_null() {
                    add("cost", minor(&entry["cost"]));
                    add("net_profit", minor(&entry["fee"]) - minor(&entry["cost"]));
                }
            }
            _ => return Err(format!("  {entry} counts in nothing of {row}")),
        }
    }
    for (name, value) in row.as_object().ok_or("  a row that is none")? {
        let wanted = match (name.as_str(), value) {
            (name, Value::Number(count)) if name.ends_with("_count") => count.as_i64().map(i128::from),
            ("day" | "month" | "method" | "merchant_id" | "currency" | "rows_url", _) => None,
            (_, value) => Some(minor(value)),
        };
        if let Some(wanted) = wanted
            && wanted != found.get(name.as_str()).copied().unwrap_or(0)
        {
            return Err(format!("  {name} of {row} is not the sum of {}", json!(entries)));
        }
    }
    Ok(())
}

/// Every row and every line of the totals of a report.
pub(crate) fn drill_report(product: &Product, key: &str, parameters: &[(String, String)], sales: bool) -> Vec<String> {
    let path = if sales {
        "/v1/reports/sales"
    } else {
        "/v1/reports/settlements"
    };
    let asked = address(path, parameters);
    let report = match ok(product.get(key, &asked)) {
        Ok(report) => report,
        Err(difference) => return vec![format!("{asked}\n{difference}")],
    };
    let rows = ["data", "totals"]
        .into_iter()
        .flat_map(|member| report[member].as_array());
    rows.flatten()
        .filter_map(|row| drill(product, key, row, sales).err())
        .map(|difference| format!("{asked}\n{difference}"))
        .collect()
}
