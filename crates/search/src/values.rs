//! What a payment holds under each searchable field.
//!
//! The document of the index and the recheck of a row both read a payment through here, so the index cannot miss a value
//! that the recheck would accept. Only live entries are read: [`Payment`] holds no others.

use domain::derive::Payment;
use domain::record::{CancellationRecord, PaymentRecord, SettlementRecord};
use query::{IdentField, TextField};

/// The keyword fields whose values come straight from messages and hardly ever change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StableKeyword {
    Last4,
    Issuer,
    Provider,
    Bank,
    ReasonCode,
    Channel,
}

impl StableKeyword {
    pub const ALL: [StableKeyword; 6] = [
        StableKeyword::Last4,
        StableKeyword::Issuer,
        StableKeyword::Provider,
        StableKeyword::Bank,
        StableKeyword::ReasonCode,
        StableKeyword::Channel,
    ];
}

/// Which entry an identifier was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A settlement line.
    Line,
    /// The payment or a cancellation.
    Other,
}

/// Calls `take` with every identifier of a field, as sent, and what names it. A settlement line of a cancellation names that
/// cancellation and may be there before it, so its `cancellation_id` is one as well.
pub fn identifiers<'p>(payment: &Payment<'p>, field: IdentField, mut take: impl FnMut(Holder, &'p str)) {
    let mut other = |sent| take(Holder::Other, sent);
    match field {
        IdentField::PaymentKey => other(payment.payment_key),
        IdentField::CancellationId => {
            cancellations(payment).for_each(|record| other(&record.cancellation_id));
            settlements(payment)
                .filter_map(|record| record.cancellation_id.as_deref())
                .for_each(|sent| take(Holder::Line, sent));
        }
        IdentField::SettlementId => {
            settlements(payment).for_each(|record| take(Holder::Line, &record.settlement_id));
        }
        IdentField::PayoutId => settlements(payment)
            .filter_map(|record| record.payout_id.as_deref())
            .for_each(|sent| take(Holder::Line, sent)),
        IdentField::OrderId
        | IdentField::TransactionKey
        | IdentField::ApproveNo
        | IdentField::AccountNumber
        | IdentField::Email
        | IdentField::Phone => payment
            .record
            .and_then(|record| own_identifier(record, field))
            .into_iter()
            .for_each(other),
    }
}

fn own_identifier(record: &PaymentRecord, field: IdentField) -> Option<&str> {
    match field {
        IdentField::OrderId => Some(&record.order_id),
        IdentField::TransactionKey => record.transaction_key.as_deref(),
        IdentField::ApproveNo => record.card.as_ref()?.approve_no.as_deref(),
        IdentField::AccountNumber => record.virtual_account.as_ref()?.account_number.as_deref(),
        IdentField::Email => record.customer.as_ref()?.email.as_deref(),
        IdentField::Phone => record.customer.as_ref()?.phone.as_deref(),
        IdentField::PaymentKey | IdentField::CancellationId | IdentField::SettlementId | IdentField::PayoutId => None,
    }
}

/// Calls `take` with every text of a field, as sent.
pub fn texts<'p>(payment: &Payment<'p>, field: TextField, mut take: impl FnMut(&'p str)) {
    if field == TextField::Reason {
        return cancellations(payment)
            .filter_map(|record| record.reason.as_deref())
            .for_each(take);
    }
    if let Some(text) = payment.record.and_then(|record| own_text(record, field)) {
        take(text);
    }
}

fn own_text(record: &PaymentRecord, field: TextField) -> Option<&str> {
    match field {
        TextField::OrderName => record.order_name.as_deref(),
        TextField::CustomerName => record.customer.as_ref()?.name.as_deref(),
        TextField::Depositor => record.virtual_account.as_ref()?.depositor.as_deref(),
        TextField::FailureMessage => record.failure.as_ref()?.message.as_deref(),
        TextField::Reason => None,
    }
}

/// Calls `take` with every value of a keyword field, as sent.
pub fn keywords<'p>(payment: &Payment<'p>, field: StableKeyword, mut take: impl FnMut(&'p str)) {
    match (field, payment.record) {
        (StableKeyword::ReasonCode, _) => {
            cancellations(payment)
                .filter_map(|record| record.reason_code.as_deref())
                .for_each(take);
        }
        (StableKeyword::Channel, _) => cancellations(payment)
            .filter_map(|record| record.requested_by.as_ref()?.channel)
            .for_each(|channel| take(channel.as_str())),
        (_, Some(record)) => own_keywords(record, field).into_iter().flatten().for_each(take),
        (_, None) => {}
    }
}

/// A payment has at most two: a card and a gift certificate both have an issuer.
fn own_keywords(record: &PaymentRecord, field: StableKeyword) -> [Option<&str>; 2] {
    let card = record.card.as_ref();
    match field {
        StableKeyword::Last4 => [card.and_then(|card| card.last4.as_deref()), None],
        StableKeyword::Issuer => [
            card.and_then(|card| card.issuer.as_deref()),
            inner(&record.gift_certificate),
        ],
        StableKeyword::Provider => [inner(&record.easy_pay), None],
        StableKeyword::Bank => {
            let account = record.virtual_account.as_ref();
            [
                account.and_then(|account| account.bank.as_deref()),
                inner(&record.transfer),
            ]
        }
        StableKeyword::ReasonCode | StableKeyword::Channel => [None, None],
    }
}

fn inner(object: &Option<Option<String>>) -> Option<&str> {
    object.as_ref()?.as_deref()
}

/// Calls `take` with every key and value of metadata.
pub fn metadata<'p>(payment: &Payment<'p>, mut take: impl FnMut(&'p str, &'p str)) {
    let own = payment.record.and_then(|record| record.metadata.as_ref());
    let of_cancellations = cancellations(payment).filter_map(|record| record.metadata.as_ref());
    let of_settlements = settlements(payment).filter_map(|record| record.metadata.as_ref());
    for pairs in own.into_iter().chain(of_cancellations).chain(of_settlements) {
        pairs.iter().for_each(|(key, value)| take(key, value));
    }
}

/// The merchants for whose keys the payment can be visible: its own, or while it has not arrived those that its entries
/// name.
pub fn merchants<'p>(payment: &Payment<'p>, mut take: impl FnMut(&'p str)) {
    match payment.record {
        Some(record) => take(&record.merchant_id),
        None => {
            cancellations(payment).for_each(|record| take(&record.merchant_id));
            settlements(payment).for_each(|record| take(&record.merchant_id));
        }
    }
}

fn cancellations<'p>(payment: &Payment<'p>) -> impl Iterator<Item = &'p CancellationRecord> {
    payment.cancellations.iter().map(|live| live.record)
}

fn settlements<'p>(payment: &Payment<'p>) -> impl Iterator<Item = &'p SettlementRecord> {
    payment.settlements.iter().map(|live| live.record)
}
