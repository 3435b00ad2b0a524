//! What one payment adds to every sum: its ledger rows and its contributions to rollup cells.
//!
//! Both are functions of the dossier alone. A batch takes the old contributions of each touched payment out and puts
//! the new ones in, whatever the payment's age, so that at any moment the cells equal the sums over the rows.

use chrono::NaiveDate;

use crate::derive::{LiveEntries, UNKNOWN};
use crate::dossier::Dossier;
use crate::money::Currency;
use crate::record::{
    CancellationRecord, CancellationStatus, Kind, LineStatus, PaymentRecord, PaymentStatus, SettlementRecord,
};
use crate::time::business_day;

/// By which day a report counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// Payments and cancellations by their own day.
    EventDay,
    /// Payments and cancellations by the payment's day.
    SaleDay,
    /// Settlement lines by the day they are computed for.
    SoldOn,
    /// Settlement lines by the day of the bank transfer.
    PaidOutOn,
    /// Done cancellations whose payment has not arrived; they have no sale day yet, so they count by no day.
    Orphaned,
}

impl Basis {
    pub const fn as_str(self) -> &'static str {
        match self {
            Basis::EventDay => "event_day",
            Basis::SaleDay => "sale_day",
            Basis::SoldOn => "sold_on",
            Basis::PaidOutOn => "paid_out_on",
            Basis::Orphaned => "orphaned",
        }
    }
}

/// One combination of dimensions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub merchant_id: String,
    pub kind: CellKind,
    pub currency: Currency,
    pub method: String,
}

/// What a cell counts. It has every day that a report may count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CellKind {
    /// Payments and cancellations.
    Sales {
        event_day: NaiveDate,
        /// Absent for done cancellations whose payment has not arrived.
        sale_day: Option<NaiveDate>,
    },
    /// Settlement lines.
    Settlement {
        sold_on: NaiveDate,
        paid_out_on: Option<NaiveDate>,
        status: LineStatus,
    },
}

/// The exact sums of a cell, in minor units of its currency, or a signed change of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    pub payment_count: i64,
    pub payment_amount: i128,
    pub cancellation_count: i64,
    pub cancellation_amount: i128,
    pub failed_count: i64,
    pub settlement_count: i64,
    pub gross: i128,
    pub fee: i128,
    pub vat: i128,
    pub payout: i128,
    pub cost: i128,
}

impl Measures {
    /// Adds `sign` times `other`.
    pub fn add(&mut self, other: &Measures, sign: i8) {
        let count = i64::from(sign);
        let money = i128::from(sign);
        self.payment_count += count * other.payment_count;
        self.payment_amount += money * other.payment_amount;
        self.cancellation_count += count * other.cancellation_count;
        self.cancellation_amount += money * other.cancellation_amount;
        self.failed_count += count * other.failed_count;
        self.settlement_count += count * other.settlement_count;
        self.gross += money * other.gross;
        self.fee += money * other.fee;
        self.vat += money * other.vat;
        self.payout += money * other.payout;
        self.cost += money * other.cost;
    }

    pub fn is_zero(&self) -> bool {
        *self == Measures::default()
    }
}

/// One row of the unified ledger: a live payment, cancellation or settlement line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerRow {
    pub kind: Kind,
    pub entry_id: String,
    pub merchant_id: String,
    pub currency: Currency,
    /// The payment's method, `UNKNOWN` while it has not arrived.
    pub method: String,
    /// The entry's own.
    pub status: &'static str,
    pub event_day: Option<NaiveDate>,
    /// The day of the sale that the entry belongs to, once the payment is there.
    pub sale_day: Option<NaiveDate>,
    pub sold_on: Option<NaiveDate>,
    pub paid_out_on: Option<NaiveDate>,
    pub payout_id: Option<String>,
    /// Minor units; a cancellation's is negative.
    pub amount: i64,
    pub fee: i128,
    pub vat: i64,
    pub payout: i64,
    pub cost: i128,
}

/// The rows of the unified ledger that this payment has now, by kind and id.
pub fn ledger_rows(dossier: &Dossier) -> Vec<LedgerRow> {
    let live = LiveEntries::of(dossier);
    let method = live.payment.map_or(UNKNOWN, |entry| entry.record.method.as_str());
    let sale_day = live
        .payment
        .map(|entry| business_day(entry.record.instant(), entry.zone));
    let mut rows = Vec::with_capacity(live.cancellations.len() + live.settlements.len() + 1);
    for entry in &live.cancellations {
        rows.push(cancellation_row(
            entry.record,
            method,
            business_day(entry.record.instant(), entry.zone),
            sale_day,
        ));
    }
    if let (Some(entry), Some(day)) = (live.payment, sale_day) {
        rows.push(payment_row(entry.record, day));
    }
    rows.extend(
        live.settlements
            .iter()
            .map(|entry| settlement_row(entry.record, method, sale_day)),
    );
    rows
}

fn payment_row(record: &PaymentRecord, day: NaiveDate) -> LedgerRow {
    LedgerRow {
        kind: Kind::Payment,
        entry_id: record.payment_key.clone(),
        merchant_id: record.merchant_id.clone(),
        currency: record.currency,
        method: record.method.clone(),
        status: record.status.as_str(),
        event_day: Some(day),
        sale_day: Some(day),
        sold_on: None,
        paid_out_on: None,
        payout_id: None,
        amount: record.amount.total,
        fee: 0,
        vat: 0,
        payout: 0,
        cost: 0,
    }
}

fn cancellation_row(
    record: &CancellationRecord,
    method: &str,
    event_day: NaiveDate,
    sale_day: Option<NaiveDate>,
) -> LedgerRow {
    LedgerRow {
        kind: Kind::Cancellation,
        entry_id: record.cancellation_id.clone(),
        merchant_id: record.merchant_id.clone(),
        currency: record.currency,
        method: method.to_owned(),
        status: record.status.as_str(),
        event_day: Some(event_day),
        sale_day,
        sold_on: None,
        paid_out_on: None,
        payout_id: None,
        // The decoder admits totals above zero only, so the negation cannot overflow.
        amount: -record.total,
        fee: 0,
        vat: 0,
        payout: 0,
        cost: 0,
    }
}

fn settlement_row(record: &SettlementRecord, method: &str, sale_day: Option<NaiveDate>) -> LedgerRow {
    LedgerRow {
        kind: Kind::Settlement,
        entry_id: record.settlement_id.clone(),
        merchant_id: record.merchant_id.clone(),
        currency: record.currency,
        method: method.to_owned(),
        status: record.status.as_str(),
        event_day: None,
        sale_day,
        sold_on: Some(record.sold_on),
        paid_out_on: record.paid_out_on,
        payout_id: record.payout_id.clone(),
        amount: record.amount,
        fee: record.fee(),
        vat: record.vat,
        payout: record.payout_amount,
        cost: record.cost(),
    }
}

/// What `row` adds to which cell, if it counts at all.
pub fn contribution(row: &LedgerRow) -> Option<(Cell, Measures)> {
    let amount = i128::from(row.amount);
    let measures = match row.kind {
        Kind::Payment => match PaymentStatus::parse(row.status) {
            Some(PaymentStatus::Authorized | PaymentStatus::Done) => Measures {
                payment_count: 1,
                payment_amount: amount,
                ..Measures::default()
            },
            Some(PaymentStatus::Aborted | PaymentStatus::Expired) => Measures {
                failed_count: 1,
                ..Measures::default()
            },
            _ => return None,
        },
        Kind::Cancellation if row.status == CancellationStatus::Done.as_str() => Measures {
            cancellation_count: 1,
            cancellation_amount: -amount,
            ..Measures::default()
        },
        Kind::Cancellation => return None,
        Kind::Settlement => Measures {
            settlement_count: 1,
            gross: amount,
            fee: row.fee,
            vat: i128::from(row.vat),
            payout: i128::from(row.payout),
            cost: row.cost,
            ..Measures::default()
        },
    };
    let kind = match row.kind {
        Kind::Settlement => CellKind::Settlement {
            sold_on: row.sold_on?,
            paid_out_on: row.paid_out_on,
            status: LineStatus::parse(row.status)?,
        },
        _ => CellKind::Sales {
            event_day: row.event_day?,
            sale_day: row.sale_day,
        },
    };
    let cell = Cell {
        merchant_id: row.merchant_id.clone(),
        kind,
        currency: row.currency,
        method: row.method.clone(),
    };
    Some((cell, measures))
}
