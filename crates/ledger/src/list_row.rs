//! What lists of payments filter and sort by, for one payment, as everyone who sees all merchants has it.

use chrono::{DateTime, NaiveDate, Utc};
use domain::derive::{Flag, Payment, UNKNOWN};
use domain::dossier::Dossier;
use domain::money::Currency;
use domain::scope::Scope;

/// A row of the table `payments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListRow {
    pub(crate) merchant_id: Option<String>,
    pub(crate) currency: Option<Currency>,
    pub(crate) method: String,
    pub(crate) status: &'static str,
    pub(crate) settlement_status: &'static str,
    pub(crate) total: Option<i64>,
    pub(crate) balance: Option<i128>,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) sale_day: Option<NaiveDate>,
    pub(crate) approved_at: Option<DateTime<Utc>>,
    pub(crate) flags: i16,
}

/// The bit of a payment that readers see differently ([`is_split`]): reading all their rows took seconds of an opening.
pub(crate) const SPLIT: i16 = 1 << 14;

/// The bit that stands for `flag`.
pub(crate) fn flag_bit(flag: Flag) -> i16 {
    1 << (flag as i16)
}

impl ListRow {
    pub(crate) fn of(dossier: &Dossier) -> Option<Self> {
        let payment = Payment::derive(dossier, &Scope::All)?;
        Some(ListRow {
            merchant_id: payment.merchant_id.map(str::to_owned),
            currency: payment.currency,
            method: payment.record.map_or(UNKNOWN, |record| &record.method).to_owned(),
            status: payment.status,
            settlement_status: payment.settlement_status,
            total: payment.record.map(|record| record.amount.total),
            balance: payment.balance_amount,
            occurred_at: payment.occurred_at,
            sale_day: payment.event_day,
            approved_at: payment.record.and_then(|record| record.approved_at),
            flags: payment
                .timeless_flags
                .iter()
                .fold(if is_split(dossier) { SPLIT } else { 0 }, |bits, flag| {
                    bits | flag_bit(*flag)
                }),
        })
    }
}

/// Whether readers of different merchants may see different payments under this key: it has not arrived, and its
/// entries (the deleted payment entry too) name more than one merchant.
pub(crate) fn is_split(dossier: &Dossier) -> bool {
    if dossier
        .payment_entry()
        .is_some_and(|entry| !entry.current.record.deleted())
    {
        return false;
    }
    let mut merchants = dossier.entries.values().map(|entry| entry.current.record.merchant_id());
    let first = merchants.next();
    merchants.any(|merchant| Some(merchant) != first)
}
