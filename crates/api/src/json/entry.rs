//! A row of the unified ledger: a payment, a cancellation or a settlement line.

use chrono::NaiveDate;
use ledger::{EntryRow, EntrySums};
use serde::Serialize;

use super::list::TotalJson;
use super::money;

#[derive(Serialize)]
pub(crate) struct EntryJson<'a> {
    kind: &'static str,
    payment_key: &'a str,
    entry_id: &'a str,
    merchant_id: &'a str,
    method: &'a str,
    status: &'static str,
    currency: &'static str,
    event_day: Option<NaiveDate>,
    sale_day: Option<NaiveDate>,
    sold_on: Option<NaiveDate>,
    paid_out_on: Option<NaiveDate>,
    payout_id: Option<&'a str>,
    amount: String,
    fee: String,
    vat: String,
    payout: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
}

impl<'a> EntryJson<'a> {
    pub(crate) fn of(entry: &'a EntryRow, provider_figures: bool) -> Self {
        let row = &entry.row;
        EntryJson {
            kind: row.kind.as_str(),
            payment_key: &entry.payment_key,
            entry_id: &row.entry_id,
            merchant_id: &row.merchant_id,
            method: &row.method,
            status: row.status,
            currency: row.currency.code(),
            event_day: row.event_day,
            sale_day: row.sale_day,
            sold_on: row.sold_on,
            paid_out_on: row.paid_out_on,
            payout_id: row.payout_id.as_deref(),
            amount: money(row.amount, row.currency),
            fee: money(row.fee, row.currency),
            vat: money(row.vat, row.currency),
            payout: money(row.payout, row.currency),
            cost: provider_figures.then(|| money(row.cost, row.currency)),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct EntrySumsJson {
    currency: &'static str,
    amount: String,
    fee: String,
    vat: String,
    payout: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
}

/// The total of a list of entries.
pub(crate) fn total_of(sums: &[EntrySums], provider_figures: bool) -> TotalJson<EntrySumsJson> {
    let lines = sums.iter().map(|sums| EntrySumsJson {
        currency: sums.currency.code(),
        amount: money(sums.amount, sums.currency),
        fee: money(sums.fee, sums.currency),
        vat: money(sums.vat, sums.currency),
        payout: money(sums.payout, sums.currency),
        cost: provider_figures.then(|| money(sums.cost, sums.currency)),
    });
    TotalJson {
        count: sums.iter().map(|sums| sums.count).sum(),
        sums: lines.collect(),
    }
}
