//! Where a payment stands in a list: newest first, then by payment key.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use domain::derive::Payment;
use ledger::Order;

/// The place of a payment in a list, as the asking key sees the payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    pub occurred_at: DateTime<Utc>,
    pub payment_key: String,
}

impl SortKey {
    pub fn of(payment: &Payment<'_>) -> Self {
        SortKey {
            occurred_at: payment.occurred_at,
            payment_key: payment.payment_key.to_owned(),
        }
    }

    /// Which of two comes first: the order turns the instants, never the keys.
    pub fn compare(&self, other: &SortKey, order: Order) -> Ordering {
        let by_time = self.occurred_at.cmp(&other.occurred_at);
        let by_time = match order {
            Order::NewestFirst => by_time.reverse(),
            Order::OldestFirst => by_time,
        };
        by_time.then_with(|| self.payment_key.cmp(&other.payment_key))
    }
}
