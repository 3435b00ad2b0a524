//! The generator's ground truth against the reports of a server that has read the whole stream.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use chrono::{Days, NaiveDate};
use generator::{Expect, Grouping, Plan};
use serde_json::Value;

use crate::http::{Client, address};

/// Days after the stream's last one that a line can still be foretold to be paid on.
const AFTER: Days = Days::new(60);

/// # Errors
/// Names the first row in which they differ.
pub(crate) fn compare(client: &Client, plan: &Plan, expect: &Expect) -> Result<usize> {
    let from = (plan.start - Days::new(u64::from(plan.tail_days) + 31)).to_string();
    let to = (plan.start + Days::new(u64::from(plan.days)) + AFTER).to_string();
    let mut compared = 0;
    let sales = serde_json::to_value(expect.sales(Grouping::Day))?;
    for basis in ["event_day", "sale_day"] {
        compared += compare_one(client, "/v1/reports/sales", (&from, &to), basis, None, &sales)?;
    }
    let settlements = serde_json::to_value(expect.settlements(Grouping::Day))?;
    for basis in ["sold_on", "paid_out_on"] {
        for status in ["SCHEDULED", "PAID", "HELD"] {
            let path = "/v1/reports/settlements";
            compared += compare_one(client, path, (&from, &to), basis, Some(status), &settlements)?;
        }
    }
    Ok(compared)
}

fn compare_one(
    client: &Client,
    path: &str,
    (from, to): (&str, &str),
    basis: &str,
    status: Option<&str>,
    expected: &Value,
) -> Result<usize> {
    let mut answered = BTreeSet::new();
    // Year by year: a report has at most 100,000 rows.
    let mut at: NaiveDate = from.parse()?;
    let end: NaiveDate = to.parse()?;
    while at < end {
        let next = (at + Days::new(365)).min(end);
        let (since, until) = (at.to_string(), next.to_string());
        let mut parameters = vec![
            ("basis", basis),
            ("from", &since),
            ("to", &until),
            ("group_by", "day,method"),
        ];
        parameters.extend(status.map(|status| ("status", status)));
        let report = client.json(&address(path, &parameters))?;
        let rows = report["data"].as_array().into_iter().flatten();
        answered.extend(rows.map(|row| without(row, &["rows_url"])));
        at = next;
    }
    let expected = expected.as_array().into_iter().flatten();
    let expected: BTreeSet<String> = expected
        .filter(|row| row["basis"] == basis && status.is_none_or(|status| row["status"] == status))
        .map(|row| without(row, &["basis", "status"]))
        .collect();
    if let Some(row) = expected.symmetric_difference(&answered).next() {
        let side = if expected.contains(row) {
            "expected and not answered"
        } else {
            "answered and not expected"
        };
        bail!("{path} by {basis}: {side}: {row}");
    }
    Ok(expected.len())
}

fn without(row: &Value, members: &[&str]) -> String {
    let mut row = row.clone();
    if let Some(row) = row.as_object_mut() {
        row.retain(|name, _| !members.contains(&name.as_str()));
    }
    row.to_string()
}
