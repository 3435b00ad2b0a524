//! The unified ledger of one payment, derived from its dossier: who may see which entry, sums, states, days and flags.
//!
//! A payment *has arrived* while it has a payment entry that is not deleted. Then that entry says merchant and
//! currency, and entries naming another one are set aside. While it has not arrived, its cancellations and settlement
//! lines count on their own, each for the merchant it names. A reader that may see some merchants only sees the entries
//! of those, as if the others did not exist.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::dossier::{Dossier, Entry};
use crate::money::Currency;
use crate::record::{
    CancellationRecord, CancellationStatus, LineStatus, PaymentRecord, PaymentStatus, Record, SettlementRecord,
};
use crate::scope::Scope;
use crate::time::{business_day, first_instant};

/// The status and method of a payment that has not arrived.
pub const UNKNOWN: &str = "UNKNOWN";

/// A live entry with the zone its days are computed in.
#[derive(Debug)]
pub struct Live<'a, R> {
    pub record: &'a R,
    pub zone: Tz,
}

// Written out because a derived `Copy` would ask for `R: Copy`.
impl<R> Clone for Live<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Live<'_, R> {}

/// The live entries of a dossier: neither deleted nor set aside.
#[derive(Clone, Debug, Default)]
pub struct LiveEntries<'a> {
    pub payment: Option<Live<'a, PaymentRecord>>,
    /// By id.
    pub cancellations: Vec<Live<'a, CancellationRecord>>,
    /// By id.
    pub settlements: Vec<Live<'a, SettlementRecord>>,
    /// Entries that name another merchant or currency than the payment that has arrived.
    pub set_aside: Vec<SetAside<'a>>,
}

/// An entry in no sum, because it names another merchant or currency than its payment.
#[derive(Clone, Copy, Debug)]
pub struct SetAside<'a> {
    pub entry: &'a Entry,
    pub merchant_differs: bool,
    pub currency_differs: bool,
}

impl<'a> LiveEntries<'a> {
    /// Splits a dossier's entries as anyone who sees all merchants does.
    pub fn of(dossier: &'a Dossier) -> Self {
        Self::among(dossier.entries.values())
    }

    fn among(entries: impl Iterator<Item = &'a Entry> + Clone) -> Self {
        let mut live = LiveEntries::default();
        let undeleted = entries.filter(|entry| !entry.current.record.deleted());
        for entry in undeleted.clone() {
            if let Record::Payment(record) = &entry.current.record {
                live.payment = Some(Live {
                    record,
                    zone: entry.current.zone,
                });
            }
        }
        for entry in undeleted {
            let record = &entry.current.record;
            let merchant_differs = live
                .payment
                .is_some_and(|p| p.record.merchant_id != record.merchant_id());
            let currency_differs = live.payment.is_some_and(|p| p.record.currency != record.currency());
            if merchant_differs || currency_differs {
                live.set_aside.push(SetAside {
                    entry,
                    merchant_differs,
                    currency_differs,
                });
                continue;
            }
            let zone = entry.current.zone;
            match record {
                Record::Payment(_) => {}
                Record::Cancellation(record) => live.cancellations.push(Live { record, zone }),
                Record::Settlement(record) => live.settlements.push(Live { record, zone }),
            }
        }
        live
    }

    fn is_empty(&self) -> bool {
        self.payment.is_none() && self.cancellations.is_empty() && self.settlements.is_empty()
    }
}

spelled!(
    /// What is remarkable about a payment. The order of the variants is alphabetical.
    Flag {
        /// The payment entry has not arrived or is deleted.
        AwaitingPayment = "awaiting_payment",
        /// A live entry's state had a full card number in it.
        CardNumberRedacted = "card_number_redacted",
        /// Two contents of some entry's greatest version are held.
        Conflict = "conflict",
        /// The payment entry's messages differ in merchant or currency.
        IdentityChanged = "identity_changed",
        /// More was cancelled than paid.
        OverCanceled = "over_canceled",
        /// A message of the payment was refused, or an entry of it is set aside.
        Quarantined = "quarantined",
        /// Done, something is left, and no settlement line came in time.
        UnsettledOverdue = "unsettled_overdue",
    }
);

/// What the settlement lines of a payment add up to, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettlementSums {
    pub gross: i128,
    pub fee: i128,
    pub vat: i128,
    pub payout: i128,
    pub cost: i128,
}

impl SettlementSums {
    /// What the payment provider keeps, before its own taxes.
    pub fn net_profit(&self) -> i128 {
        self.fee - self.cost
    }
}

/// One payment as a reader sees it.
#[derive(Clone, Debug)]
pub struct Payment<'a> {
    pub payment_key: &'a str,
    /// The payment's own record; none while it has not arrived.
    pub record: Option<&'a PaymentRecord>,
    /// The payment's, else what its entries agree on.
    pub merchant_id: Option<&'a str>,
    /// The payment's, else what its entries agree on.
    pub currency: Option<Currency>,
    /// Derived: `PARTIALLY_CANCELED`, `CANCELED`, `UNKNOWN` or the recorded one.
    pub status: &'static str,
    /// None where the currency is.
    pub canceled_amount: Option<i128>,
    /// None while the payment has not arrived.
    pub balance_amount: Option<i128>,
    pub occurred_at: DateTime<Utc>,
    /// Of the payment entry; also the sale day of all its entries.
    pub event_day: Option<NaiveDate>,
    pub settlement_status: &'static str,
    /// None where the currency is.
    pub settlement: Option<SettlementSums>,
    /// By their instant, then id.
    pub cancellations: Vec<Live<'a, CancellationRecord>>,
    /// By `sold_on`, then id.
    pub settlements: Vec<Live<'a, SettlementRecord>>,
    /// Alphabetical, without [`Flag::UnsettledOverdue`], which looks at the clock: see [`Payment::flags_at`].
    pub timeless_flags: Vec<Flag>,
    zone: Option<Tz>,
}

/// The spellings of `settlement_status`, in no order.
pub const SETTLEMENT_STATUSES: [&str; 5] = ["NONE", "SCHEDULED", "PARTIALLY_PAID", "PAID", "HELD"];

impl<'a> Payment<'a> {
    /// The payment as `scope` sees it; `None` if there is nothing that it may see.
    ///
    /// A payment that has arrived is its merchant's alone. Apart from that, an entry that names a merchant outside the
    /// scope does not exist for the reader: not in sums, flags or instants.
    pub fn derive(dossier: &'a Dossier, scope: &Scope) -> Option<Self> {
        let visible = |entry: &Entry| scope.allows(entry.current.record.merchant_id());
        let arrived = dossier.payment_entry().filter(|entry| !entry.current.record.deleted());
        if arrived.is_some_and(|entry| !visible(entry)) {
            return None;
        }
        Self::of_visible(dossier, &visible)
    }

    fn of_visible(dossier: &'a Dossier, visible: &dyn Fn(&Entry) -> bool) -> Option<Self> {
        let entries = || dossier.entries.values().filter(|entry| visible(entry));
        let mut live = LiveEntries::among(entries());
        if live.is_empty() {
            return None;
        }
        live.cancellations.sort_by(|a, b| {
            (a.record.instant(), &a.record.cancellation_id).cmp(&(b.record.instant(), &b.record.cancellation_id))
        });
        live.settlements.sort_by(|a, b| {
            (a.record.sold_on, &a.record.settlement_id).cmp(&(b.record.sold_on, &b.record.settlement_id))
        });
        let record = live.payment.map(|payment| payment.record);
        let (merchant_id, currency) = match record {
            Some(record) => (Some(record.merchant_id.as_str()), Some(record.currency)),
            None => (agreed(merchants(&live)), agreed(currencies(&live))),
        };
        let canceled: i128 = done(&live).map(|cancellation| i128::from(cancellation.total)).sum();
        let total = record.map(|record| i128::from(record.amount.total));
        let mut flags = stored_flags(dossier, entries(), &live);
        if total.is_some_and(|total| canceled > total) {
            flags.push(Flag::OverCanceled);
        }
        flags.sort_unstable();
        Some(Payment {
            payment_key: &dossier.payment_key,
            record,
            merchant_id,
            currency,
            status: status(record, canceled),
            canceled_amount: currency.map(|_| canceled),
            balance_amount: total.map(|total| total - canceled),
            occurred_at: occurred_at(&live)?,
            event_day: live
                .payment
                .map(|payment| business_day(payment.record.instant(), payment.zone)),
            settlement_status: settlement_status(&live.settlements),
            settlement: currency.map(|_| settlement_sums(&live.settlements)),
            zone: live.payment.map(|payment| payment.zone),
            cancellations: live.cancellations,
            settlements: live.settlements,
            timeless_flags: flags,
        })
    }

    /// All flags, alphabetical. A sale is overdue when today, in the merchant's zone, is later than `overdue_days` days
    /// after the sale day.
    pub fn flags_at(&self, now: DateTime<Utc>, overdue_days: u32) -> Vec<Flag> {
        let mut flags = self.timeless_flags.clone();
        if self.is_overdue(now, overdue_days) {
            flags.push(Flag::UnsettledOverdue);
            flags.sort_unstable();
        }
        flags
    }

    fn is_overdue(&self, now: DateTime<Utc>, overdue_days: u32) -> bool {
        let done = self.record.is_some_and(|record| record.status == PaymentStatus::Done);
        let (Some(zone), Some(sale_day), Some(balance)) = (self.zone, self.event_day, self.balance_amount) else {
            return false;
        };
        let due = sale_day.checked_add_days(Days::new(u64::from(overdue_days)));
        done && balance > 0 && self.settlements.is_empty() && due.is_some_and(|due| business_day(now, zone) > due)
    }
}

fn merchants<'a>(live: &LiveEntries<'a>) -> impl Iterator<Item = &'a str> {
    let cancellations: Vec<&'a str> = live
        .cancellations
        .iter()
        .map(|c| c.record.merchant_id.as_str())
        .collect();
    let settlements: Vec<&'a str> = live.settlements.iter().map(|s| s.record.merchant_id.as_str()).collect();
    cancellations.into_iter().chain(settlements)
}

fn currencies(live: &LiveEntries<'_>) -> impl Iterator<Item = Currency> {
    let cancellations: Vec<Currency> = live.cancellations.iter().map(|c| c.record.currency).collect();
    let settlements: Vec<Currency> = live.settlements.iter().map(|s| s.record.currency).collect();
    cancellations.into_iter().chain(settlements)
}

fn agreed<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

fn done<'a>(live: &LiveEntries<'a>) -> impl Iterator<Item = &'a CancellationRecord> {
    let records: Vec<&'a CancellationRecord> = live.cancellations.iter().map(|live| live.record).collect();
    records
        .into_iter()
        .filter(|record| record.status == CancellationStatus::Done)
}

fn stored_flags<'a>(
    dossier: &Dossier,
    visible: impl Iterator<Item = &'a Entry> + Clone,
    live: &LiveEntries<'_>,
) -> Vec<Flag> {
    let redacted_live = visible.clone().any(|entry| {
        let aside = live.set_aside.iter().any(|aside| std::ptr::eq(aside.entry, entry));
        entry.current.redacted && !entry.current.record.deleted() && !aside
    });
    let conditions = [
        (Flag::AwaitingPayment, live.payment.is_none()),
        (Flag::CardNumberRedacted, redacted_live),
        (Flag::Conflict, visible.clone().any(Entry::in_conflict)),
        (
            Flag::IdentityChanged,
            visible.clone().any(|entry| entry.identities.len() > 1),
        ),
        (Flag::Quarantined, dossier.refused > 0 || !live.set_aside.is_empty()),
    ];
    conditions
        .into_iter()
        .filter(|(_, holds)| *holds)
        .map(|(flag, _)| flag)
        .collect()
}

fn status(record: Option<&PaymentRecord>, canceled: i128) -> &'static str {
    let Some(record) = record else { return UNKNOWN };
    let total = i128::from(record.amount.total);
    match record.status {
        PaymentStatus::Authorized | PaymentStatus::Done if canceled > 0 && canceled < total => "PARTIALLY_CANCELED",
        PaymentStatus::Authorized | PaymentStatus::Done if total > 0 && canceled >= total => "CANCELED",
        own => own.as_str(),
    }
}

fn settlement_status(lines: &[Live<'_, SettlementRecord>]) -> &'static str {
    let paid = lines
        .iter()
        .filter(|line| line.record.status == LineStatus::Paid)
        .count();
    if lines.is_empty() {
        "NONE"
    } else if lines.iter().any(|line| line.record.status == LineStatus::Held) {
        "HELD"
    } else if paid == lines.len() {
        "PAID"
    } else if paid > 0 {
        "PARTIALLY_PAID"
    } else {
        "SCHEDULED"
    }
}

fn settlement_sums(lines: &[Live<'_, SettlementRecord>]) -> SettlementSums {
    let mut sums = SettlementSums::default();
    for line in lines {
        sums.gross += i128::from(line.record.amount);
        sums.fee += line.record.fee();
        sums.vat += i128::from(line.record.vat);
        sums.payout += i128::from(line.record.payout_amount);
        sums.cost += line.record.cost();
    }
    sums
}

fn occurred_at(live: &LiveEntries<'_>) -> Option<DateTime<Utc>> {
    if let Some(payment) = live.payment {
        return Some(payment.record.instant());
    }
    let cancellations = live.cancellations.iter().map(|entry| entry.record.instant());
    let settlements = live
        .settlements
        .iter()
        .map(|entry| first_instant(entry.record.sold_on, entry.zone));
    cancellations.chain(settlements).min()
}
