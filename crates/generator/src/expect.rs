//! The ground truth: what a store that took in the whole stream must answer.
//!
//! It is added up from the same lives that the messages are written from, after the contract's rules, while the stream
//! is drawn. It is exact for any mix of switches, because no disturbance reaches beyond one payment. Two things it
//! rests on: the store began empty, and its time zone is the plan's. The split between `applied`, `stale` and
//! `duplicate` also rests on each partition being read in order; the sums do not.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::cells::{Cells, Dimensions, Grouping, LINE_STATUSES, SalesSums, SettlementSums, Sums};
use crate::message::Topic;
use crate::method::Method;
use crate::tally::Tally;
use crate::world::World;

/// How many messages got which verdict; `read` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub read: u64,
    pub applied: u64,
    pub duplicate: u64,
    pub stale: u64,
    pub conflict: u64,
    pub quarantined: u64,
}

/// How many payments carry a flag. (`quarantined` is left out: whether a refused message names its payment is up to
/// its reader. `unsettled_overdue` looks at the clock.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flags {
    /// Also the number of orphans.
    pub awaiting_payment: u64,
    pub card_number_redacted: u64,
    pub conflict: u64,
    pub identity_changed: u64,
    pub over_canceled: u64,
}

/// What a store must answer after the whole stream.
pub struct Expect {
    world: World,
    tally: Tally,
}

impl Expect {
    pub(crate) fn new(world: World, tally: Tally) -> Self {
        Self { world, tally }
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.tally.counts
    }

    #[must_use]
    pub fn flags(&self) -> Flags {
        self.tally.flags
    }

    /// Payments whose own entry is there and not deleted.
    #[must_use]
    pub fn payments(&self) -> u64 {
        self.tally.payments
    }

    /// Payments a list finds: those, and the orphans.
    #[must_use]
    pub fn payments_found(&self) -> u64 {
        self.tally.payments + self.tally.flags.awaiting_payment
    }

    /// The sums over payments and cancellations in one grouping, in the order of the dimensions.
    #[must_use]
    pub fn sales(&self, grouping: Grouping) -> Vec<Row<SalesSums>> {
        self.rows(grouping, &self.tally.sales)
    }

    /// The sums over settlement lines in one grouping.
    #[must_use]
    pub fn settlements(&self, grouping: Grouping) -> Vec<Row<SettlementSums>> {
        self.rows(grouping, &self.tally.settlements)
    }

    fn rows<S: Sums>(&self, grouping: Grouping, cells: &Cells<S>) -> Vec<Row<S>> {
        let named = |(at, sums): (Dimensions, S)| {
            let day = (grouping == Grouping::Day).then_some(at.period).flatten();
            let month = (grouping == Grouping::Month).then_some(at.period).flatten();
            Row {
                basis: at.basis.name(),
                day: day.map(|day| String::from_utf8_lossy(&self.world.calendar.date(day.cast_signed())).into_owned()),
                month: month.map(|month| format!("{:04}-{:02}", month / 12, month % 12 + 1)),
                merchant_id: at
                    .merchant
                    .map(|merchant| self.world.merchants.get(merchant).id.to_string()),
                currency: at.currency.code(),
                digits: at.currency.digits(),
                method: at.method.map(|method| method.map_or("UNKNOWN", Method::name)),
                status: at.status.map(|status| LINE_STATUSES[usize::from(status)]),
                sums,
            }
        };
        cells.rows(grouping).into_iter().map(named).collect()
    }
}

/// One row of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<S> {
    /// `event_day`, `sale_day`, `sold_on` or `paid_out_on`.
    pub basis: &'static str,
    pub day: Option<String>,
    pub month: Option<String>,
    pub merchant_id: Option<String>,
    pub currency: &'static str,
    /// Fraction digits of the currency.
    pub digits: u32,
    pub method: Option<&'static str>,
    /// Of settlement lines only.
    pub status: Option<&'static str>,
    pub sums: S,
}

impl<S> Row<S> {
    fn serialize_dimensions<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("basis", self.basis)?;
        let optional = [
            ("day", self.day.as_deref()),
            ("month", self.month.as_deref()),
            ("merchant_id", self.merchant_id.as_deref()),
            ("currency", Some(self.currency)),
            ("method", self.method),
            ("status", self.status),
        ];
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .try_for_each(|(name, value)| map.serialize_entry(name, value))
    }

    /// A decimal string in major units with exactly the currency's digits, as the reports print it.
    fn money(&self, minor: i64) -> String {
        if self.digits == 0 {
            return minor.to_string();
        }
        let unit = 10_u64.pow(self.digits);
        let size = minor.unsigned_abs();
        let sign = if minor < 0 { "-" } else { "" };
        format!(
            "{sign}{}.{:0width$}",
            size / unit,
            size % unit,
            width = self.digits as usize
        )
    }
}

impl Serialize for Row<SalesSums> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_dimensions(&mut map)?;
        let sums = &self.sums;
        map.serialize_entry("payment_count", &sums.payment_count)?;
        map.serialize_entry("payment_amount", &self.money(sums.payment_amount))?;
        map.serialize_entry("cancellation_count", &sums.cancellation_count)?;
        map.serialize_entry("cancellation_amount", &self.money(sums.cancellation_amount))?;
        map.serialize_entry(
            "net_amount",
            &self.money(sums.payment_amount - sums.cancellation_amount),
        )?;
        map.serialize_entry("failed_count", &sums.failed_count)?;
        map.end()
    }
}

impl Serialize for Row<SettlementSums> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_dimensions(&mut map)?;
        let sums = &self.sums;
        map.serialize_entry("settlement_count", &sums.settlement_count)?;
        let money = [
            ("gross", sums.gross),
            ("fee", sums.fee),
            ("vat", sums.vat),
            ("payout", sums.payout),
            ("cost", sums.cost),
        ];
        for (name, minor) in money {
            map.serialize_entry(name, &self.money(minor))?;
        }
        map.serialize_entry("net_profit", &self.money(sums.fee - sums.cost))?;
        map.end()
    }
}

/// One of the two reports in all its groupings.
struct Report<'a, F>(&'a F);

impl<R: Serialize, F: Fn(Grouping) -> Vec<R>> Serialize for Report<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut groupings = serializer.serialize_struct("Report", 4)?;
        groupings.serialize_field("totals", &(self.0)(Grouping::Totals))?;
        groupings.serialize_field("by_day_and_method", &(self.0)(Grouping::Day))?;
        groupings.serialize_field("by_month_and_merchant", &(self.0)(Grouping::Month))?;
        groupings.serialize_field("by_merchant_and_method", &(self.0)(Grouping::Merchant))?;
        groupings.end()
    }
}

const RESTS_ON: [&str; 3] = [
    "the whole stream was read into an empty store whose time zone for every merchant is plan.zone",
    "applied, stale and duplicate are told apart by the order of the stream; another order of delivery moves counts between them, never sums",
    "quarantined counts refused messages; conflicts and entries set aside also appear in the quarantine list",
];

impl Serialize for Expect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Tally {
            counts,
            topics,
            poison,
            set_aside,
            orphan_cancellations,
            flags,
            ..
        } = &self.tally;
        let topics: std::collections::BTreeMap<_, _> =
            Topic::ALL.iter().map(|topic| topic.name()).zip(topics).collect();
        let mut expect = serializer.serialize_struct("Expect", 13)?;
        expect.serialize_field("exact", &true)?;
        expect.serialize_field("rests_on", &RESTS_ON)?;
        expect.serialize_field("plan", &self.world.plan)?;
        expect.serialize_field("counts", counts)?;
        expect.serialize_field("messages", &topics)?;
        expect.serialize_field("poison", poison)?;
        expect.serialize_field("payments", &self.payments())?;
        expect.serialize_field("payments_found", &self.payments_found())?;
        expect.serialize_field("set_aside", set_aside)?;
        expect.serialize_field("orphans_left_out", orphan_cancellations)?;
        expect.serialize_field("flags", flags)?;
        expect.serialize_field("sales", &Report(&|grouping| self.sales(grouping)))?;
        expect.serialize_field("settlements", &Report(&|grouping| self.settlements(grouping)))?;
        expect.end()
    }
}
