//! The sums of the ground truth, in three groupings.
//!
//! Cells by day, merchant and method at once would be as many as the payments. Three groupings of two dimensions find
//! every error that those would find, short of two that cancel out, and stay small: by day and method, by month and
//! merchant, by merchant and method over the whole span. With 5,000 merchants over three years that is some two
//! million cells however many payments there are, about 200 MB.

use std::collections::HashMap;

use crate::method::{Currency, Method};

/// Which day a sum is cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Basis {
    EventDay,
    SaleDay,
    SoldOn,
    PaidOutOn,
}

impl Basis {
    const ALL: [Self; 4] = [Self::EventDay, Self::SaleDay, Self::SoldOn, Self::PaidOutOn];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EventDay => "event_day",
            Self::SaleDay => "sale_day",
            Self::SoldOn => "sold_on",
            Self::PaidOutOn => "paid_out_on",
        }
    }
}

/// The state of a settlement line as a dimension; of sales there is none.
pub(crate) const LINE_STATUSES: [&str; 3] = ["SCHEDULED", "PAID", "HELD"];

/// A combination of dimensions, packed so that numeric order is the order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(u64);

/// A combination of dimensions, spelled out. A dimension a grouping leaves out is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dimensions {
    pub(crate) basis: Basis,
    /// Days since 1970-01-01, or months since January of the year 0.
    pub(crate) period: Option<u32>,
    pub(crate) merchant: Option<u32>,
    pub(crate) currency: Currency,
    /// The method, or `UNKNOWN` of an orphan.
    pub(crate) method: Option<Option<Method>>,
    /// Index into `LINE_STATUSES`.
    pub(crate) status: Option<u8>,
}

const PERIOD_BITS: u32 = 20;
const MERCHANT_BITS: u32 = 18;

impl Dimensions {
    pub(crate) fn pack(&self) -> Key {
        let method = match self.method {
            None => 0,
            Some(None) => 1,
            Some(Some(method)) => 2 + method as u64,
        };
        let fields = [
            (PERIOD_BITS, self.period.map_or(0, |period| u64::from(period) + 1)),
            (
                MERCHANT_BITS,
                self.merchant.map_or(0, |merchant| u64::from(merchant) + 1),
            ),
            (2, self.currency as u64),
            (4, method),
            (2, self.status.map_or(0, |status| u64::from(status) + 1)),
        ];
        Key(fields
            .into_iter()
            .fold(self.basis as u64, |packed, (bits, value)| packed << bits | value))
    }

    pub(crate) fn unpack(key: Key) -> Self {
        let mut rest = key.0;
        let mut take = |bits: u32| {
            let value = rest & ((1 << bits) - 1);
            rest >>= bits;
            value
        };
        let status = take(2).checked_sub(1).map(|status| status as u8);
        let method = take(4);
        let currency = Currency::ALL[take(2) as usize];
        let merchant = take(MERCHANT_BITS).checked_sub(1).map(|merchant| merchant as u32);
        let period = take(PERIOD_BITS).checked_sub(1).map(|period| period as u32);
        let method = match method {
            0 => None,
            1 => Some(None),
            place => Some(Some(Method::ALL[place as usize - 2])),
        };
        Self {
            basis: Basis::ALL[rest as usize & 3],
            period,
            merchant,
            currency,
            method,
            status,
        }
    }
}

/// Sums over payments and cancellations, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SalesSums {
    pub payment_count: u64,
    pub payment_amount: i64,
    pub cancellation_count: u64,
    pub cancellation_amount: i64,
    pub failed_count: u64,
}

/// Sums over settlement lines, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettlementSums {
    pub settlement_count: u64,
    pub gross: i64,
    pub fee: i64,
    pub vat: i64,
    pub payout: i64,
    pub cost: i64,
}

/// Something that adds up.
pub(crate) trait Sums: Copy + Default {
    fn add(&mut self, other: Self);
}

impl Sums for SalesSums {
    fn add(&mut self, other: Self) {
        self.payment_count += other.payment_count;
        self.payment_amount += other.payment_amount;
        self.cancellation_count += other.cancellation_count;
        self.cancellation_amount += other.cancellation_amount;
        self.failed_count += other.failed_count;
    }
}

impl Sums for SettlementSums {
    fn add(&mut self, other: Self) {
        self.settlement_count += other.settlement_count;
        self.gross += other.gross;
        self.fee += other.fee;
        self.vat += other.vat;
        self.payout += other.payout;
        self.cost += other.cost;
    }
}

/// The three groupings, and the totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    Totals,
    /// By day and method.
    Day,
    /// By month and merchant.
    Month,
    /// By merchant and method, over the whole span.
    Merchant,
}

#[derive(Default)]
pub(crate) struct Cells<S> {
    by_day: HashMap<Key, S>,
    by_month: HashMap<Key, S>,
    by_merchant: HashMap<Key, S>,
}

impl<S: Sums> Cells<S> {
    /// Adds to one cell of each grouping; `at` names every dimension, its period is a day.
    pub(crate) fn add(&mut self, at: &Dimensions, month: u32, sums: S) {
        self.by_day
            .entry(Dimensions { merchant: None, ..*at }.pack())
            .or_default()
            .add(sums);
        self.by_month
            .entry(
                Dimensions {
                    period: Some(month),
                    method: None,
                    ..*at
                }
                .pack(),
            )
            .or_default()
            .add(sums);
        self.by_merchant
            .entry(Dimensions { period: None, ..*at }.pack())
            .or_default()
            .add(sums);
    }

    /// The cells of one grouping in the order of their dimensions.
    pub(crate) fn rows(&self, grouping: Grouping) -> Vec<(Dimensions, S)> {
        let mut totals = HashMap::new();
        let cells = match grouping {
            Grouping::Day => &self.by_day,
            Grouping::Month => &self.by_month,
            Grouping::Merchant => &self.by_merchant,
            Grouping::Totals => {
                for (key, sums) in &self.by_day {
                    let at = Dimensions {
                        period: None,
                        method: None,
                        ..Dimensions::unpack(*key)
                    };
                    totals.entry(at.pack()).or_insert_with(S::default).add(*sums);
                }
                &totals
            }
        };
        let mut rows: Vec<_> = cells.iter().map(|(key, sums)| (*key, *sums)).collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        rows.into_iter()
            .map(|(key, sums)| (Dimensions::unpack(key), sums))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_dimensions_come_back() {
        let at = |merchant, method, status| Dimensions {
            basis: Basis::PaidOutOn,
            period: Some(20_000),
            merchant,
            currency: Currency::Bhd,
            method,
            status,
        };
        for dimensions in [
            at(Some(99_999), Some(Some(Method::Billing)), Some(2)),
            at(None, Some(None), None),
            Dimensions {
                basis: Basis::EventDay,
                period: None,
                ..at(Some(0), None, None)
            },
        ] {
            assert_eq!(Dimensions::unpack(dimensions.pack()), dimensions);
        }
    }
}
