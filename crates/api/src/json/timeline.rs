//! The messages of one payment.

use domain::record::Record;
use domain::time::format_time;
use lookup::Moment;
use serde::Serialize;

use super::money;
use super::position::PositionJson;

#[derive(Serialize)]
pub(crate) struct MomentJson<'a> {
    kind: &'static str,
    entry_id: &'a str,
    version: u64,
    /// Of the canonical content, to tell two contents of one version apart.
    /// `None` for a merchant: it is of the message as sent, so costs and whole card numbers could be guessed by it.
    sha256: Option<String>,
    /// When it happened.
    at: String,
    status: &'static str,
    currency: &'static str,
    /// A cancellation's is negative, as in the list of entries.
    amount: String,
    deleted: bool,
    /// It is the entry's state now.
    current: bool,
    /// It names another merchant or currency than its payment.
    set_aside: bool,
    /// Null for merchants: positions count the messages of everybody.
    position: Option<PositionJson>,
    applied_at: String,
    verdict: &'static str,
    /// How often it came again.
    repeats: u64,
    changed: Vec<&'a str>,
}

/// What the contract says of each kind; other members may be the provider's own, and so are costs.
const SHOWN_TO_MERCHANTS: &[&str] = &[
    "merchant_id",
    "order_id",
    "deleted",
    "status",
    "method",
    "currency",
    "amount",
    "requested_at",
    "approved_at",
    "order_name",
    "customer",
    "card",
    "virtual_account",
    "easy_pay",
    "transfer",
    "mobile_phone",
    "gift_certificate",
    "transaction_key",
    "receipt_url",
    "failure",
    "metadata",
    "reason",
    "reason_code",
    "requested_by",
    "canceled_at",
    "of",
    "cancellation_id",
    "fees",
    "vat",
    "payout_amount",
    "sold_on",
    "paid_out_on",
    "payout_id",
    "contract",
];

impl<'a> MomentJson<'a> {
    /// `sees_all`: not cut for a merchant.
    pub(crate) fn of(moment: &'a Moment, sees_all: bool) -> Self {
        let held = &moment.held;
        let (status, amount) = match &held.record {
            Record::Payment(record) => (record.status.as_str(), record.amount.total),
            Record::Cancellation(record) => (record.status.as_str(), -record.total),
            Record::Settlement(record) => (record.status.as_str(), record.amount),
        };
        let currency = held.record.currency();
        let changed = moment.changed.iter().map(String::as_str).filter(|pointer| {
            let member = pointer.split('/').nth(1).unwrap_or_default();
            sees_all || SHOWN_TO_MERCHANTS.contains(&member)
        });
        MomentJson {
            kind: held.key.kind.as_str(),
            entry_id: &held.key.entry_id,
            version: held.version,
            sha256: sees_all.then(|| held.digest.to_string()),
            at: format_time(moment.at),
            status,
            currency: currency.code(),
            amount: money(amount, currency),
            deleted: held.record.deleted(),
            current: moment.is_current,
            set_aside: moment.is_set_aside,
            position: sees_all.then(|| PositionJson::of(held.partition.clone(), held.position)),
            applied_at: format_time(held.applied_at),
            verdict: held.verdict.as_str(),
            repeats: held.repeats,
            changed: changed.collect(),
        }
    }
}
