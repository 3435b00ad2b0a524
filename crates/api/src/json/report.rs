//! The rows of both reports.

use chrono::NaiveDate;
use ledger::reports::ReportRow;
use serde::Serialize;

use super::{AsOfJson, money};
use crate::explain::ExplainJson;
use crate::rows_url::RowsUrls;

#[derive(Serialize)]
pub(crate) struct ReportJson<T> {
    pub(crate) data: Vec<T>,
    pub(crate) totals: Vec<T>,
    pub(crate) orphans_left_out: i64,
    pub(crate) source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<ExplainJson>,
    pub(crate) as_of: AsOfJson,
}

/// What a row is about; only what the report is grouped by.
#[derive(Serialize)]
struct GroupJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_id: Option<String>,
    currency: &'static str,
}

impl GroupJson {
    fn of(row: &ReportRow) -> Self {
        GroupJson {
            day: row.day,
            month: row.month.map(|month| month.format("%Y-%m").to_string()),
            method: row.method.clone(),
            merchant_id: row.merchant_id.clone(),
            currency: row.currency.code(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct SalesRowJson {
    #[serde(flatten)]
    group: GroupJson,
    payment_count: i64,
    payment_amount: String,
    cancellation_count: i64,
    cancellation_amount: String,
    net_amount: String,
    failed_count: i64,
    rows_url: String,
}

impl SalesRowJson {
    pub(crate) fn of(row: &ReportRow, urls: &RowsUrls<'_>) -> Self {
        let print = |minor: i128| money(minor, row.currency);
        let sums = &row.measures;
        SalesRowJson {
            group: GroupJson::of(row),
            payment_count: sums.payment_count,
            payment_amount: print(sums.payment_amount),
            cancellation_count: sums.cancellation_count,
            cancellation_amount: print(sums.cancellation_amount),
            net_amount: print(sums.payment_amount - sums.cancellation_amount),
            failed_count: sums.failed_count,
            rows_url: urls.of(row),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct SettlementsRowJson {
    #[serde(flatten)]
    group: GroupJson,
    settlement_count: i64,
    gross: String,
    fee: String,
    vat: String,
    payout: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    net_profit: Option<String>,
    rows_url: String,
}

impl SettlementsRowJson {
    pub(crate) fn of(row: &ReportRow, provider_figures: bool, urls: &RowsUrls<'_>) -> Self {
        let print = |minor: i128| money(minor, row.currency);
        let sums = &row.measures;
        SettlementsRowJson {
            group: GroupJson::of(row),
            settlement_count: sums.settlement_count,
            gross: print(sums.gross),
            fee: print(sums.fee),
            vat: print(sums.vat),
            payout: print(sums.payout),
            cost: provider_figures.then(|| print(sums.cost)),
            net_profit: provider_figures.then(|| print(sums.fee - sums.cost)),
            rows_url: urls.of(row),
        }
    }
}
