//! The list of entries behind a row of a report.
//!
//! Its filters select exactly the entries that count in one of the row's counts: of sales the payments that were authorised
//! or finished or that failed, and the finished cancellations. `DONE` is a status of both, and none of the other three is
//! one of a cancellation, so one set of statuses does for both kinds.

use chrono::{Months, NaiveDate};
use domain::rollup::Basis;
use ledger::reports::{Group, ReportRequest, ReportRow};

use crate::problem::{Problem, kinds};

/// What the addresses of one answer may add up to: a report that repeats long lists of filters in thousands of rows is
/// asked for in parts.
const BYTES_MAX: usize = 64 << 20;

/// Makes the addresses of one report.
pub(crate) struct RowsUrls<'a> {
    request: &'a ReportRequest,
    /// What all rows have in common.
    common: String,
}

impl<'a> RowsUrls<'a> {
    /// # Errors
    /// 400 where the addresses of so many rows would be larger than an answer may be.
    pub(crate) fn new(request: &'a ReportRequest, rows: usize) -> Result<Self, Problem> {
        let mut common = String::from("/v1/entries?");
        let sales = matches!(request.basis, Basis::EventDay | Basis::SaleDay);
        let (kinds_of, statuses): (&[&str], Vec<&str>) = match sales {
            true => (
                &["payment", "cancellation"],
                vec!["AUTHORIZED", "DONE", "ABORTED", "EXPIRED"],
            ),
            false => (&["settlement"], distinct(&request.statuses)),
        };
        let grouped = |group: Group| request.group_by.contains(&group);
        let filters = [
            ("kind", kinds_of.to_vec()),
            ("status", statuses),
            ("merchant_id", unless(grouped(Group::Merchant), &request.merchants)),
            ("method", unless(grouped(Group::Method), &request.methods)),
        ];
        for (name, values) in filters {
            values.iter().for_each(|value| add(&mut common, name, value));
        }
        if common.len().saturating_mul(rows) > BYTES_MAX {
            let detail = "the report repeats its filters in too many rows; give fewer values or take a shorter span";
            return Err(Problem::new(&kinds::REPORT_TOO_LARGE, detail));
        }
        Ok(RowsUrls { request, common })
    }

    /// The address behind one row, or behind a line of the totals.
    pub(crate) fn of(&self, row: &ReportRow) -> String {
        let mut url = self.common.clone();
        let named = [
            (
                Group::Merchant,
                "merchant_id",
                &row.merchant_id,
                &self.request.merchants,
            ),
            (Group::Method, "method", &row.method, &self.request.methods),
        ];
        for (group, name, value, filters) in named {
            match value {
                Some(value) => add(&mut url, name, value),
                // A line of the totals is of all that the report was narrowed to.
                None if self.request.group_by.contains(&group) => {
                    distinct(filters)
                        .into_iter()
                        .for_each(|value| add(&mut url, name, value));
                }
                None => {}
            }
        }
        add(&mut url, "currency", row.currency.code());
        let basis = self.request.basis.as_str();
        if let Some(day) = row.day {
            add(&mut url, basis, &day.to_string());
            return url;
        }
        let (from, to) = self.days(row.month);
        if let Some(from) = from {
            add(&mut url, &format!("{basis}[gte]"), &from.to_string());
        }
        if let Some(to) = to {
            add(&mut url, &format!("{basis}[lt]"), &to.to_string());
        }
        url
    }

    /// The report's days, of them those of the row's month.
    fn days(&self, month: Option<NaiveDate>) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let (from, to) = (self.request.from, self.request.to);
        let Some(first) = month else { return (from, to) };
        let next = first.checked_add_months(Months::new(1));
        (
            Some(from.map_or(first, |from| from.max(first))),
            to.into_iter().chain(next).min(),
        )
    }
}

fn distinct(values: &[String]) -> Vec<&str> {
    let mut values: Vec<&str> = values.iter().map(String::as_str).collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn unless(named_by_row: bool, values: &[String]) -> Vec<&str> {
    if named_by_row { Vec::new() } else { distinct(values) }
}

fn add(url: &mut String, name: &str, value: &str) {
    if !url.ends_with('?') {
        url.push('&');
    }
    encode(url, name);
    url.push('=');
    encode(url, value);
}

/// Percent-encodes all but letters, digits and `-._~`.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
}
