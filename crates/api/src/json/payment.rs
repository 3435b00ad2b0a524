//! The unified ledger of one payment.
//!
//! Every member stands in every payment: what is absent is null, and of an orphan so is all that its payment entry would
//! say. Only the provider's own figures are left out altogether, because a merchant's contract has no such members.

use chrono::{DateTime, NaiveDate, Utc};
use domain::derive::{Flag, Live, Payment};
use domain::record::{CancellationRecord, Metadata, PaymentRecord};
use domain::time::{business_day, format_time};
use serde::Serialize;

use super::payment_groups::{
    AmountJson, BankJson, CardJson, CustomerJson, FailureJson, IssuerJson, MobilePhoneJson, ProviderJson,
    VirtualAccountJson,
};
use super::settlement::{SettlementJson, SettlementSumsJson};
use super::{AsOfJson, money, time};

/// Whether personal data is shown in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Masking {
    Masked,
    /// For a reader who has given a reason, which is on record before the answer leaves.
    #[allow(
        dead_code,
        reason = "no address shows it yet: that takes a record of who asked and why"
    )]
    Unmasked,
}

/// How a payment is cut for its reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Flags look at the clock.
    pub(crate) now: DateTime<Utc>,
    pub(crate) overdue_days: u32,
    /// `cost`, `costs` and `net_profit` are shown.
    pub(crate) provider_figures: bool,
    pub(crate) masking: Masking,
}

#[derive(Serialize)]
pub(crate) struct PaymentJson<'a> {
    payment_key: &'a str,
    merchant_id: Option<&'a str>,
    order_id: Option<&'a str>,
    status: &'static str,
    recorded_status: Option<&'static str>,
    method: Option<&'a str>,
    currency: Option<&'static str>,
    amount: Option<AmountJson>,
    canceled_amount: Option<String>,
    balance_amount: Option<String>,
    requested_at: Option<String>,
    approved_at: Option<String>,
    occurred_at: String,
    event_day: Option<NaiveDate>,
    sale_day: Option<NaiveDate>,
    order_name: Option<&'a str>,
    customer: Option<CustomerJson<'a>>,
    card: Option<CardJson<'a>>,
    virtual_account: Option<VirtualAccountJson<'a>>,
    easy_pay: Option<ProviderJson<'a>>,
    transfer: Option<BankJson<'a>>,
    mobile_phone: Option<MobilePhoneJson<'a>>,
    gift_certificate: Option<IssuerJson<'a>>,
    transaction_key: Option<&'a str>,
    receipt_url: Option<&'a str>,
    failure: Option<FailureJson<'a>>,
    metadata: Option<&'a Metadata>,
    settlement_status: &'static str,
    settlement: Option<SettlementSumsJson>,
    cancellations: Vec<CancellationJson<'a>>,
    settlements: Vec<SettlementJson<'a>>,
    flags: Vec<&'static str>,
    version: Option<u64>,
    /// Of a single payment; rows of a list have it in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<AsOfJson>,
}

impl<'a> PaymentJson<'a> {
    pub(crate) fn of(payment: &Payment<'a>, cut: &Cut) -> Self {
        let own = payment.record;
        let amount_in_currency = |minor: Option<i128>| Some(money(minor?, payment.currency?));
        PaymentJson {
            payment_key: payment.payment_key,
            merchant_id: payment.merchant_id,
            order_id: own.map(|own| own.order_id.as_str()),
            status: payment.status,
            recorded_status: own.map(|own| own.status.as_str()),
            method: own.map(|own| own.method.as_str()),
            currency: payment.currency.map(|currency| currency.code()),
            amount: own.map(|own| AmountJson::of(&own.amount, own.currency)),
            canceled_amount: amount_in_currency(payment.canceled_amount),
            balance_amount: amount_in_currency(payment.balance_amount),
            requested_at: own.map(|own| format_time(own.requested_at)),
            approved_at: own.and_then(|own| time(own.approved_at)),
            occurred_at: format_time(payment.occurred_at),
            event_day: payment.event_day,
            sale_day: payment.event_day,
            order_name: own.and_then(|own| own.order_name.as_deref()),
            customer: own
                .and_then(|own| own.customer.as_ref())
                .map(|customer| CustomerJson::of(customer, cut.masking)),
            card: own.and_then(|own| own.card.as_ref()).map(CardJson::from),
            virtual_account: own
                .and_then(|own| own.virtual_account.as_ref())
                .map(|account| VirtualAccountJson::of(account, cut.masking)),
            easy_pay: group(own, |own| &own.easy_pay, |provider| ProviderJson { provider }),
            transfer: group(own, |own| &own.transfer, |bank| BankJson { bank }),
            mobile_phone: own.and_then(|own| own.mobile_phone.as_ref()).map(MobilePhoneJson::from),
            gift_certificate: group(own, |own| &own.gift_certificate, |issuer| IssuerJson { issuer }),
            transaction_key: own.and_then(|own| own.transaction_key.as_deref()),
            receipt_url: own.and_then(|own| own.receipt_url.as_deref()),
            failure: own.and_then(|own| own.failure.as_ref()).map(FailureJson::from),
            metadata: own.and_then(|own| own.metadata.as_ref()),
            settlement_status: payment.settlement_status,
            settlement: payment
                .currency
                .zip(payment.settlement)
                .map(|(currency, sums)| SettlementSumsJson::of(&sums, currency, cut)),
            cancellations: payment
                .cancellations
                .iter()
                .copied()
                .map(CancellationJson::of)
                .collect(),
            settlements: payment
                .settlements
                .iter()
                .map(|line| SettlementJson::of(line.record, cut))
                .collect(),
            flags: payment
                .flags_at(cut.now, cut.overdue_days)
                .into_iter()
                .map(Flag::as_str)
                .collect(),
            version: own.map(|own| own.version),
            as_of: None,
        }
    }

    pub(crate) fn as_of(mut self, as_of: AsOfJson) -> Self {
        self.as_of = Some(as_of);
        self
    }
}

/// A group that the record keeps as its one member: absent, sent without it, or sent with it.
fn group<'a, T>(
    own: Option<&'a PaymentRecord>,
    member: impl Fn(&'a PaymentRecord) -> &'a Option<Option<String>>,
    shown: impl Fn(Option<&'a str>) -> T,
) -> Option<T> {
    member(own?).as_ref().map(|sent| shown(sent.as_deref()))
}

#[derive(Serialize)]
struct CancellationJson<'a> {
    cancellation_id: &'a str,
    status: &'static str,
    currency: &'static str,
    amount: CancellationAmountJson,
    reason: Option<&'a str>,
    reason_code: Option<&'a str>,
    requested_by: Option<RequestedByJson<'a>>,
    requested_at: Option<String>,
    canceled_at: Option<String>,
    event_day: NaiveDate,
    metadata: Option<&'a Metadata>,
    version: u64,
}

#[derive(Serialize)]
struct CancellationAmountJson {
    total: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_free: Option<String>,
}

#[derive(Serialize)]
struct RequestedByJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
}

impl<'a> CancellationJson<'a> {
    fn of(live: Live<'a, CancellationRecord>) -> Self {
        let Live { record, zone } = live;
        CancellationJson {
            cancellation_id: &record.cancellation_id,
            status: record.status.as_str(),
            currency: record.currency.code(),
            amount: CancellationAmountJson {
                total: money(record.total, record.currency),
                tax_free: record.tax_free.map(|minor| money(minor, record.currency)),
            },
            reason: record.reason.as_deref(),
            reason_code: record.reason_code.as_deref(),
            requested_by: record.requested_by.as_ref().map(|by| RequestedByJson {
                channel: by.channel.map(|channel| channel.as_str()),
                actor: by.actor.as_deref(),
            }),
            requested_at: time(record.requested_at),
            canceled_at: time(record.canceled_at),
            event_day: business_day(record.instant(), zone),
            metadata: record.metadata.as_ref(),
            version: record.version,
        }
    }
}
