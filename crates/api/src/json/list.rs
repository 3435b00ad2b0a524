//! The frame around a page of rows.

use lookup::Total;
use serde::Serialize;

use super::{AsOfJson, money};
use crate::explain::ExplainJson;

#[derive(Serialize)]
pub(crate) struct List<T, S = ()> {
    pub(crate) data: Vec<T>,
    pub(crate) has_more: bool,
    pub(crate) next_cursor: Option<String>,
    /// Of all pages, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<TotalJson<S>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<ExplainJson>,
    pub(crate) as_of: AsOfJson,
}

/// How many rows all pages have, and what they add up to by currency.
#[derive(Serialize)]
pub(crate) struct TotalJson<S> {
    pub(crate) count: u64,
    pub(crate) sums: Vec<S>,
}

#[derive(Serialize)]
pub(crate) struct PaymentSumsJson {
    currency: &'static str,
    amount: String,
    canceled_amount: String,
    balance_amount: String,
}

impl From<&Total> for TotalJson<PaymentSumsJson> {
    fn from(total: &Total) -> Self {
        let sums = total.sums.iter().map(|sums| PaymentSumsJson {
            currency: sums.currency.code(),
            amount: money(sums.amount, sums.currency),
            canceled_amount: money(sums.canceled, sums.currency),
            balance_amount: money(sums.balance, sums.currency),
        });
        TotalJson {
            count: total.count,
            sums: sums.collect(),
        }
    }
}
