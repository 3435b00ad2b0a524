//! Adds up what a store must answer, one payment's life after the other, by the contract's rules.

use std::collections::BTreeMap;

use crate::cells::{Basis, Cells, Dimensions, LINE_STATUSES, SalesSums, SettlementSums};
use crate::expect::{Counts, Flags};
use crate::fold::{Fold, Verdict};
use crate::life::{Entry, Life, Packet, Status};
use crate::message::Topic;
use crate::method::{Currency, Method};
use crate::stream::poison_rule;
use crate::world::World;

/// Adds up one payment after the other.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    pub(crate) topics: [u64; 3],
    pub(crate) poison: BTreeMap<&'static str, u64>,
    pub(crate) payments: u64,
    pub(crate) set_aside: u64,
    pub(crate) orphan_cancellations: u64,
    pub(crate) flags: Flags,
    pub(crate) sales: Cells<SalesSums>,
    pub(crate) settlements: Cells<SettlementSums>,
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
        for delivery in life
            .deliveries
            .iter()
            .take_while(|delivery| delivery.at_ms < world.calendar.end_ms())
        {
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
        let Counts {
            read,
            applied,
            duplicate,
            stale,
            conflict,
            quarantined,
        } = &mut self.counts;
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
            Home {
                merchant: facts.merchant,
                sale_day: world.calendar.zone_day(facts.instant_ms),
            }
        });
        let mut entries = 0_u64;
        let mut canceled = 0;
        for state in fold.states.iter().filter(|state| !state.packet.deleted) {
            entries += 1;
            match state.packet.entry {
                Entry::Payment => self.add_payment(world, life, &state.packet),
                Entry::Cancellation(index) => {
                    canceled += self.add_cancellation(world, life, index, &state.packet, home)
                }
                Entry::Line(index) => self.add_line(world, life, index, &state.packet, home),
            }
        }
        self.payments += u64::from(payment.is_some());
        self.flags.awaiting_payment += u64::from(payment.is_none() && entries > 0);
        if entries == 0 {
            // Not found, so nothing of it can be flagged.
            return;
        }
        self.flags.card_number_redacted += u64::from(payment.is_some() && life.card_number_leaked);
        self.flags.conflict += u64::from(fold.states.iter().any(|state| state.contested));
        self.flags.identity_changed += u64::from(fold.identity_changed(life));
        self.flags.over_canceled += u64::from(payment.is_some_and(|packet| canceled > life.payment(&packet).total));
    }

    fn add_payment(&mut self, world: &World, life: &Life, packet: &Packet) {
        let facts = life.payment(packet);
        let sums = match packet.status {
            Status::Authorized | Status::Done => SalesSums {
                payment_count: 1,
                payment_amount: facts.total,
                ..SalesSums::default()
            },
            Status::Aborted | Status::Expired => SalesSums {
                failed_count: 1,
                ..SalesSums::default()
            },
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
        let sums = SalesSums {
            cancellation_count: 1,
            cancellation_amount: facts.total,
            ..SalesSums::default()
        };
        let method = home.map(|_| life.method);
        let day = world.calendar.zone_day(canceled_ms);
        self.sales.add(
            &at(Basis::EventDay, day, facts.merchant, facts.currency, method),
            world.calendar.month(day),
            sums,
        );
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
        let status = LINE_STATUSES
            .iter()
            .position(|name| *name == packet.status.name())
            .map(|place| place as u8);
        let method = home.map(|_| life.method);
        for (basis, day) in [(Basis::SoldOn, facts.sold_on), (Basis::PaidOutOn, facts.paid_out_on)] {
            let at = Dimensions {
                status,
                ..at(basis, day, facts.merchant, facts.currency, method)
            };
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
    Dimensions {
        basis,
        period: Some(period),
        merchant: Some(merchant),
        currency,
        method: Some(method),
        status: None,
    }
}
