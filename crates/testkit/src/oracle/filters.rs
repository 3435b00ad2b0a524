//! The typed filters of a list.

use super::query::{By, RefQuery};

/// Typed filters; values of one parameter are alternatives, bounds of one parameter are one interval.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// `(parameter, value)` of `merchant_id, status, settlement_status, method, currency, order_id, payout_id, flag`.
    pub equal: Vec<(String, String)>,
    /// `(parameter, bound, value)` of `amount, balance_amount, event_day, sale_day, approved_at, canceled_at, sold_on,
    /// paid_out_on`; never [`By::Value`].
    pub bounds: Vec<(String, By, String)>,
    /// The search language.
    pub q: Option<RefQuery>,
    /// Oldest first (`order=asc`); keys ascend either way.
    pub ascending: bool,
}

impl Filters {
    /// The request's parameters, not yet percent-encoded.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let mut out = self.equal.clone();
        for (name, by, value) in &self.bounds {
            let bound = match by {
                By::Gt => "gt",
                By::Lt => "lt",
                By::Lte => "lte",
                By::Gte | By::Value => "gte",
            };
            out.push((format!("{name}[{bound}]"), value.clone()));
        }
        out.extend(self.q.as_ref().map(|q| ("q".to_owned(), q.to_string())));
        out
    }
}
