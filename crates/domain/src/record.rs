//! The three kinds of entry as typed, validated records: what a message of `schemas/` says once it was accepted.
//!
//! A record holds exactly the fields that the contract names. Unknown fields stay in the stored body of the version
//! (see [`crate::message::Message::body`]) and are not repeated here. Amounts are minor units of the record's one currency.
//!
//! Records are serialised for the store's ready-made rows, not for answers: any change here changes the store's format.

use std::collections::BTreeMap;
use std::fmt;

use chrono::serde::{ts_microseconds, ts_microseconds_option};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::money::Currency;

/// The kind of an entry. The order of the variants is the alphabetical order of their names, which lists sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A full or partial return of a payment's money.
    Cancellation,
    /// One purchase attempt.
    Payment,
    /// What the merchant is owed for one payment or one cancellation.
    Settlement,
}

spelled!(
    /// The state that a payment's own messages record. Cancelled states are derived, never sent.
    PaymentStatus {
        Ready = "READY", InProgress = "IN_PROGRESS", WaitingForDeposit = "WAITING_FOR_DEPOSIT",
        Authorized = "AUTHORIZED", Done = "DONE", Aborted = "ABORTED", Expired = "EXPIRED",
    }
);
spelled!(
    /// The state of one cancellation.
    CancellationStatus { Pending = "PENDING", Done = "DONE", Failed = "FAILED" }
);
spelled!(
    /// The state of one settlement line.
    LineStatus { Scheduled = "SCHEDULED", Paid = "PAID", Held = "HELD" }
);
spelled!(
    /// What a settlement line is for.
    LineOf { Payment = "PAYMENT", Cancellation = "CANCELLATION" }
);
spelled!(
    /// Through what a cancellation was asked for.
    Channel { Api = "API", Console = "CONSOLE", Issuer = "ISSUER", System = "SYSTEM" }
);

impl Kind {
    /// Every kind, alphabetically.
    pub const ALL: [Kind; 3] = [Kind::Cancellation, Kind::Payment, Kind::Settlement];

    /// `payment`, `cancellation` or `settlement`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Cancellation => "cancellation",
            Kind::Payment => "payment",
            Kind::Settlement => "settlement",
        }
    }

    /// The kind spelled `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// String pairs that a merchant attached, by key.
pub type Metadata = BTreeMap<String, String>;

/// The amounts of a payment, in minor units; none is negative.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PaymentAmount {
    pub total: i64,
    pub supplied: Option<i64>,
    pub vat: Option<i64>,
    pub tax_free: Option<i64>,
    pub discount: Option<i64>,
}

/// The shopper. Personal data: masked in answers, never logged.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Customer {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub customer_key: Option<String>,
}

/// The card that paid, without its full number.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Card {
    pub issuer: Option<String>,
    pub acquirer: Option<String>,
    /// At least four digits are hidden by `*`.
    pub number_masked: Option<String>,
    /// As sent, else the four trailing digits of `number_masked` where those are digits.
    pub last4: Option<String>,
    pub approve_no: Option<String>,
    pub installment_months: Option<i64>,
    pub card_type: Option<String>,
    pub acquire_status: Option<String>,
}

/// The account that a shopper deposits into.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VirtualAccount {
    pub bank: Option<String>,
    pub account_number: Option<String>,
    pub depositor: Option<String>,
    #[serde(with = "ts_microseconds_option")]
    pub due_at: Option<DateTime<Utc>>,
}

/// A mobile-phone payment.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MobilePhone {
    pub carrier: Option<String>,
    pub phone_masked: Option<String>,
}

/// Why a payment failed.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Failure {
    pub code: Option<String>,
    pub message: Option<String>,
}

/// The current state that one `payment.recorded.v1` message carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRecord {
    pub payment_key: String,
    pub merchant_id: String,
    pub order_id: String,
    pub version: u64,
    pub deleted: bool,
    pub status: PaymentStatus,
    pub method: String,
    pub currency: Currency,
    pub amount: PaymentAmount,
    #[serde(with = "ts_microseconds")]
    pub requested_at: DateTime<Utc>,
    #[serde(with = "ts_microseconds_option")]
    pub approved_at: Option<DateTime<Utc>>,
    pub order_name: Option<String>,
    pub customer: Option<Customer>,
    pub card: Option<Card>,
    pub virtual_account: Option<VirtualAccount>,
    /// `easy_pay.provider`; `Some(None)` is an empty object.
    pub easy_pay: Option<Option<String>>,
    /// `transfer.bank`.
    pub transfer: Option<Option<String>>,
    pub mobile_phone: Option<MobilePhone>,
    /// `gift_certificate.issuer`.
    pub gift_certificate: Option<Option<String>>,
    pub transaction_key: Option<String>,
    pub receipt_url: Option<String>,
    pub failure: Option<Failure>,
    pub metadata: Option<Metadata>,
}

/// Who asked for a cancellation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedBy {
    pub channel: Option<Channel>,
    pub actor: Option<String>,
}

/// The current state that one `cancellation.recorded.v1` message carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationRecord {
    pub payment_key: String,
    pub cancellation_id: String,
    pub merchant_id: String,
    pub version: u64,
    pub deleted: bool,
    pub status: CancellationStatus,
    pub currency: Currency,
    /// Greater than zero, minor units.
    pub total: i64,
    pub tax_free: Option<i64>,
    pub reason: Option<String>,
    pub reason_code: Option<String>,
    pub requested_by: Option<RequestedBy>,
    #[serde(with = "ts_microseconds_option")]
    pub requested_at: Option<DateTime<Utc>>,
    #[serde(with = "ts_microseconds_option")]
    pub canceled_at: Option<DateTime<Utc>>,
    pub metadata: Option<Metadata>,
}

/// One fee or cost of a settlement line, signed, minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    pub charge_type: String,
    pub amount: i64,
}

/// The contract that a fee was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    pub id: String,
    /// Printed as sent; never used in arithmetic.
    pub fee_rate: Option<String>,
}

/// The current state that one `settlement.recorded.v1` message carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementRecord {
    pub payment_key: String,
    pub settlement_id: String,
    pub merchant_id: String,
    pub version: u64,
    pub deleted: bool,
    pub of: LineOf,
    pub cancellation_id: Option<String>,
    pub status: LineStatus,
    pub currency: Currency,
    pub amount: i64,
    pub fees: Vec<Charge>,
    pub vat: i64,
    pub payout_amount: i64,
    pub costs: Option<Vec<Charge>>,
    pub sold_on: NaiveDate,
    pub paid_out_on: Option<NaiveDate>,
    pub payout_id: Option<String>,
    pub contract: Option<Contract>,
    pub metadata: Option<Metadata>,
}

impl SettlementRecord {
    /// Sum of the fees, without VAT.
    pub fn fee(&self) -> i128 {
        self.fees.iter().map(|fee| i128::from(fee.amount)).sum()
    }

    /// Sum of what the provider pays issuers and networks.
    pub fn cost(&self) -> i128 {
        self.costs.iter().flatten().map(|cost| i128::from(cost.amount)).sum()
    }
}

/// The current state of one entry, of any kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    Payment(Box<PaymentRecord>),
    Cancellation(Box<CancellationRecord>),
    Settlement(Box<SettlementRecord>),
}

/// Reads one field that all three records have.
macro_rules! shared {
    ($self:expr, $record:ident => $value:expr) => {
        match $self {
            Record::Payment($record) => $value,
            Record::Cancellation($record) => $value,
            Record::Settlement($record) => $value,
        }
    };
}

impl Record {
    pub fn kind(&self) -> Kind {
        match self {
            Record::Payment(_) => Kind::Payment,
            Record::Cancellation(_) => Kind::Cancellation,
            Record::Settlement(_) => Kind::Settlement,
        }
    }

    pub fn payment_key(&self) -> &str {
        shared!(self, record => &record.payment_key)
    }

    /// The entry's own id: of a payment its key.
    pub fn entry_id(&self) -> &str {
        match self {
            Record::Payment(record) => &record.payment_key,
            Record::Cancellation(record) => &record.cancellation_id,
            Record::Settlement(record) => &record.settlement_id,
        }
    }

    pub fn merchant_id(&self) -> &str {
        shared!(self, record => &record.merchant_id)
    }

    pub fn currency(&self) -> Currency {
        shared!(self, record => record.currency)
    }

    pub fn version(&self) -> u64 {
        shared!(self, record => record.version)
    }

    pub fn deleted(&self) -> bool {
        shared!(self, record => record.deleted)
    }
}

impl PaymentRecord {
    /// The payment's own instant: when it was approved, else when it was asked for.
    pub fn instant(&self) -> DateTime<Utc> {
        self.approved_at.unwrap_or(self.requested_at)
    }
}

impl CancellationRecord {
    /// The cancellation's own instant. The decoder requires one of the two times, so the fallback is never reached
    /// for a decoded record.
    pub fn instant(&self) -> DateTime<Utc> {
        self.canceled_at.or(self.requested_at).unwrap_or(DateTime::UNIX_EPOCH)
    }
}
