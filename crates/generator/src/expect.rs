//! The ground truth: what a store that took in the whole stream must answer.
//!
//! It is added up from the same lives that the messages are written from, after the contract's rules, while the stream
//! is drawn. It is exact for any mix of switches, because no disturbance reaches beyond one payment. Two things it
//! rests on: the store began empty, and its time zone is the plan's. The split between `applied`, `stale` and
//! `duplicate` also rests on each partition being read in order; the sums do not.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::cells::{Basis, Cells, Dimensions, Grouping, LINE_STATUSES, SalesSums, SettlementSums};
use crate::fold::{Fold, Verdict};
use crate::life::{Entry, Life, Packet, Status};
use crate::message::Topic;
use crate::method::{Currency, Method};
use crate::stream::poison_rule;
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

/// How many payments carry a flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flags {
    /// Also the number of orphans.
    pub awaiting_payment: u64,
    pub conflict: u64,
    pub identity_changed: u64,
    pub over_canceled: u64,
}

/// Adds up one payment after the other.
#[derive(Default)]
pub(crate) struct Tally {
    counts: Counts,
    topics: [u64; 3],
    poison: std::collections::BTreeMap<&'static str, u64>,
    payments: u64,
    set_aside: u64,
    orphan_cancellations: u64,
    flags: Flags,
    sales: Cells<SalesSums>,
    settlements: Cells<SettlementSums>,
    fold: Fold,
}

/// The payment's side of a cell: where its entries count.
#[derive(Clone, Copy)]
struct Home {
    merchant: u32,
    sale_day: i32,
}

impl Tally {
    pub(crate) fn add(&mut self, world: &World, life: &Life) {
        let mut fold = std::mem::take(&mut self.fold);
        fold.clear();
        for delivery in life.deliveries.iter().take_while(|delivery| delivery.at_ms < world.calendar.end_ms()) {
            self.topics[Topic::of(delivery.packet.entry) as usize] += 1;
            if let Some(rule) = poison_rule(delivery.form) {
                *self.poison.entry(rule).or_default() += 1;
            }
            self.count(fold.apply(world, life, delivery.form, delivery.packet));
        }
        self.sum(world, life, &fold);
        self.fold = fold;
    }

    fn count(&mut self, verdict: Verdict) {
        let Counts { read, applied, duplicate, stale, conflict, quarantined } = &mut self.counts;
        *read += 1;
        *match verdict {
            Verdict::Applied => applied,
            Verdict::Duplicate => duplicate,
            Verdict::Stale => stale,
            Verdict::Conflict => conflict,
            Verdict::Quarantined => quarantined,
        } += 1;
    }

    fn sum(&mut self, world: &World, life: &Life, fold: &Fold) {
        let payment = fold.live_payment();
        let home = payment.map(|packet| {
            let facts = life.payment(&packet);
            Home { merchant: facts.merchant, sale_day: world.calendar.zone_day(facts.instant_ms) }
        });
        let mut entries = 0_u64;
        let mut canceled = 0;
        for state in fold.states.iter().filter(|state| !state.packet.deleted) {
            entries += 1;
            match state.packet.entry {
                Entry::Payment => self.add_payment(world, life, &state.packet),
                Entry::Cancellation(index) => canceled += self.add_cancellation(world, life, index, &state.packet, home),
                Entry::Line(index) => self.add_line(world, life, index, &state.packet, home),
            }
        }
        self.payments += u64::from(payment.is_some());
        self.flags.awaiting_payment += u64::from(payment.is_none() && entries > 0);
        if entries == 0 {
            // Not found, so nothing of it can be flagged.
            return;
        }
        self.flags.conflict += u64::from(fold.states.iter().any(|state| state.contested));
        self.flags.identity_changed += u64::from(fold.identity_changed(life));
        self.flags.over_canceled += u64::from(payment.is_some_and(|packet| canceled > life.payment(&packet).total));
    }

    fn add_payment(&mut self, world: &World, life: &Life, packet: &Packet) {
        let facts = life.payment(packet);
        let sums = match packet.status {
            Status::Authorized | Status::Done => SalesSums { payment_count: 1, payment_amount: facts.total, ..SalesSums::default() },
            Status::Aborted | Status::Expired => SalesSums { failed_count: 1, ..SalesSums::default() },
            _ => return,
        };
        let day = world.calendar.zone_day(facts.instant_ms);
        for basis in [Basis::EventDay, Basis::SaleDay] {
            let at = at(basis, day, facts.merchant, life.currency, Some(life.method));
            self.sales.add(&at, world.calendar.month(day), sums);
        }
    }

    /// Returns what the cancellation takes back from its payment.
    fn add_cancellation(&mut self, world: &World, life: &Life, index: u8, packet: &Packet, home: Option<Home>) -> i64 {
        let facts = life.cancellation(index, packet);
        if self.is_set_aside(life, home, facts.merchant, facts.currency) {
            return 0;
        }
        let Some(canceled_ms) = facts.canceled_ms else { return 0 };
        let sums = SalesSums { cancellation_count: 1, cancellation_amount: facts.total, ..SalesSums::default() };
        let method = home.map(|_| life.method);
        let day = world.calendar.zone_day(canceled_ms);
        self.sales.add(&at(Basis::EventDay, day, facts.merchant, facts.currency, method), world.calendar.month(day), sums);
        match home {
            None => self.orphan_cancellations += 1,
            Some(Home { merchant, sale_day }) => {
                let at = at(Basis::SaleDay, sale_day, merchant, facts.currency, method);
                self.sales.add(&at, world.calendar.month(sale_day), sums);
            }
        }
        facts.total
    }

    fn add_line(&mut self, world: &World, life: &Life, index: u8, packet: &Packet, home: Option<Home>) {
        let facts = life.line(index, packet);
        if self.is_set_aside(life, home, facts.merchant, facts.currency) {
            return;
        }
        let sums = SettlementSums {
            settlement_count: 1,
            gross: facts.amount,
            fee: facts.base_fee + facts.extra_fee,
            vat: facts.vat,
            payout: facts.payout,
            cost: facts.issuer_cost + facts.network_cost,
        };
        let status = LINE_STATUSES.iter().position(|name| *name == packet.status.name()).map(|place| place as u8);
        let method = home.map(|_| life.method);
        for (basis, day) in [(Basis::SoldOn, facts.sold_on), (Basis::PaidOutOn, facts.paid_out_on)] {
            let at = Dimensions { status, ..at(basis, day, facts.merchant, facts.currency, method) };
            self.settlements.add(&at, world.calendar.month(day), sums);
        }
    }

    fn is_set_aside(&mut self, life: &Life, home: Option<Home>, merchant: u32, currency: Currency) -> bool {
        let aside = home.is_some_and(|home| home.merchant != merchant || life.currency != currency);
        self.set_aside += u64::from(aside);
        aside
    }
}

fn at(basis: Basis, day: i32, merchant: u32, currency: Currency, method: Option<Method>) -> Dimensions {
    let period = u32::try_from(day).unwrap_or(0);
    Dimensions { basis, period: Some(period), merchant: Some(merchant), currency, method: Some(method), status: None }
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

    fn rows<S: crate::cells::Sums>(&self, grouping: Grouping, cells: &Cells<S>) -> Vec<Row<S>> {
        let named = |(at, sums): (Dimensions, S)| {
            let day = (grouping == Grouping::Day).then_some(at.period).flatten();
            let month = (grouping == Grouping::Month).then_some(at.period).flatten();
            Row {
                basis: at.basis.name(),
                day: day.map(|day| String::from_utf8_lossy(&self.world.calendar.date(day.cast_signed())).into_owned()),
                month: month.map(|month| format!("{:04}-{:02}", month / 12, month % 12 + 1)),
                merchant_id: at.merchant.map(|merchant| self.world.merchants.get(merchant).id.to_string()),
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
        optional.into_iter().filter_map(|(name, value)| Some((name, value?))).try_for_each(|(name, value)| map.serialize_entry(name, value))
    }

    /// A decimal string in major units with exactly the currency's digits, as the reports print it.
    fn money(&self, minor: i64) -> String {
        if self.digits == 0 {
            return minor.to_string();
        }
        let unit = 10_u64.pow(self.digits);
        let size = minor.unsigned_abs();
        let sign = if minor < 0 { "-" } else { "" };
        format!("{sign}{}.{:0width$}", size / unit, size % unit, width = self.digits as usize)
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
        map.serialize_entry("net_amount", &self.money(sums.payment_amount - sums.cancellation_amount))?;
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
        let money = [("gross", sums.gross), ("fee", sums.fee), ("vat", sums.vat), ("payout", sums.payout), ("cost", sums.cost)];
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
        let Tally { counts, topics, poison, set_aside, orphan_cancellations, flags, .. } = &self.tally;
        let topics: std::collections::BTreeMap<_, _> = Topic::ALL.iter().map(|topic| topic.name()).zip(topics).collect();
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
