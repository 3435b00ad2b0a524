//! The table behind the catalogue.

use crate::catalogue::{FieldInfo, Holder, Target, Vocabulary};
use crate::filter::{AmountField, DayField, IdentField, KeywordField, TextField, TimeField};

/// A payment's status: its own, or derived from its cancellations; `UNKNOWN` while the payment has not arrived.
pub(crate) const STATUSES: &[&str] = &[
    "READY",
    "IN_PROGRESS",
    "WAITING_FOR_DEPOSIT",
    "AUTHORIZED",
    "DONE",
    "ABORTED",
    "EXPIRED",
    "PARTIALLY_CANCELED",
    "CANCELED",
    "UNKNOWN",
];

/// What an entry itself can say of its status: payment, cancellation and settlement line.
pub(crate) const ENTRY_STATUSES: &[&str] = &[
    "READY",
    "IN_PROGRESS",
    "WAITING_FOR_DEPOSIT",
    "AUTHORIZED",
    "DONE",
    "ABORTED",
    "EXPIRED",
    "PENDING",
    "FAILED",
    "SCHEDULED",
    "PAID",
    "HELD",
];

pub(crate) const LINE_STATUSES: &[&str] = &["SCHEDULED", "PAID", "HELD"];
pub(crate) const KINDS: &[&str] = &["payment", "cancellation", "settlement"];
const SETTLEMENT_STATUSES: &[&str] = &["NONE", "SCHEDULED", "PARTIALLY_PAID", "PAID", "HELD"];
const CHANNELS: &[&str] = &["API", "CONSOLE", "ISSUER", "SYSTEM"];

const METHODS: &[&str] = &[
    "CARD",
    "VIRTUAL_ACCOUNT",
    "EASY_PAY",
    "TRANSFER",
    "MOBILE_PHONE",
    "GIFT_CERTIFICATE",
    "FOREIGN_EASY_PAY",
    "POINT",
    "UNKNOWN",
];

const FLAGS: &[&str] = &[
    "awaiting_payment",
    "card_number_redacted",
    "conflict",
    "identity_changed",
    "over_canceled",
    "quarantined",
    "unsettled_overdue",
];

pub(crate) const MERCHANT_ID: Target = Target::Keyword(KeywordField::MerchantId, Vocabulary::Open);
pub(crate) const STATUS: Target = Target::Keyword(KeywordField::Status, Vocabulary::Closed(STATUSES));
pub(crate) const SETTLEMENT_STATUS: Target =
    Target::Keyword(KeywordField::SettlementStatus, Vocabulary::Closed(SETTLEMENT_STATUSES));
pub(crate) const METHOD: Target = Target::Keyword(KeywordField::Method, Vocabulary::Usual(METHODS));
pub(crate) const CURRENCY: Target = Target::Keyword(KeywordField::Currency, Vocabulary::Currency);
pub(crate) const FLAG: Target = Target::Keyword(KeywordField::Flag, Vocabulary::Closed(FLAGS));
const LAST4: Target = Target::Keyword(KeywordField::Last4, Vocabulary::FourDigits);
const CHANNEL: Target = Target::Keyword(KeywordField::Channel, Vocabulary::Closed(CHANNELS));

/// `metadata.<key>`: as many fields as there are keys, so it is found by its beginning.
pub(crate) static METADATA: FieldInfo = METADATA_INFO;

const METADATA_INFO: FieldInfo = field(
    "metadata.<key>",
    Target::Metadata,
    Holder::Entry,
    "The merchant's own value under this key on the payment, a cancellation or a settlement line. The key is compared as written, the value without letter case and width.",
    &["metadata.store:s12", "metadata.\"gift wrap\":yes"],
);

pub(crate) static FIELDS: &[FieldInfo] = &[
    // What the payment is.
    parameter(
        "merchant_id",
        MERCHANT_ID,
        Holder::Payment,
        "The seller, compared as written. Of a payment that has not arrived: the merchant its entries agree on.",
        &["merchant_id:m1"],
    ),
    parameter(
        "status",
        STATUS,
        Holder::Payment,
        "The payment's status with its cancellations counted in; UNKNOWN while only a cancellation or settlement has arrived.",
        &["status:DONE", "status:PARTIALLY_CANCELED"],
    ),
    parameter(
        "settlement_status",
        SETTLEMENT_STATUS,
        Holder::Payment,
        "How far the payment's settlement lines are paid out.",
        &["settlement_status:HELD"],
    ),
    parameter(
        "method",
        METHOD,
        Holder::Payment,
        "The payment method, compared as written; new methods appear without notice. UNKNOWN while the payment has not arrived.",
        &["method:CARD", "method:UNKNOWN"],
    ),
    parameter(
        "currency",
        CURRENCY,
        Holder::Payment,
        "The payment's ISO 4217 currency.",
        &["currency:KRW"],
    ),
    parameter(
        "flag",
        FLAG,
        Holder::Payment,
        "A remark on the payment's data.",
        &["flag:over_canceled", "-flag:awaiting_payment"],
    ),
    parameter(
        "amount",
        Target::Amount(AmountField::Amount),
        Holder::Payment,
        "The payment's total in major units of its own currency, never converted.",
        &["amount:15000", "amount:>=10000", "amount:[10.50 TO 20}"],
    ),
    parameter(
        "balance_amount",
        Target::Amount(AmountField::BalanceAmount),
        Holder::Payment,
        "The total less what was cancelled, in major units of the payment's own currency.",
        &["balance_amount:0", "balance_amount:{0 TO *]"],
    ),
    parameter(
        "sale_day",
        Target::Day(DayField::SaleDay),
        Holder::Payment,
        "The business day of the sale in the merchant's time zone, the same for all entries of a payment.",
        &["sale_day:2026-03-01", "sale_day:[2026-03-01 TO 2026-04-01}"],
    ),
    parameter(
        "approved_at",
        Target::Time(TimeField::ApprovedAt),
        Holder::Payment,
        "The instant of approval.",
        &["approved_at:>=2026-03-01T00:00:00+09:00"],
    ),
    // What its entries say of days and times.
    parameter(
        "event_day",
        Target::Day(DayField::EventDay),
        Holder::Entry,
        "The business day on which the payment or one of its cancellations happened, in the merchant's time zone.",
        &["event_day:2026-11-01", "event_day:[2026-11-01 TO 2026-11-20}"],
    ),
    parameter(
        "canceled_at",
        Target::Time(TimeField::CanceledAt),
        Holder::Entry,
        "The instant of a cancellation.",
        &["canceled_at:[2026-04-01T00:00:00Z TO 2026-05-01T00:00:00Z}"],
    ),
    parameter(
        "sold_on",
        Target::Day(DayField::SoldOn),
        Holder::Entry,
        "The basis day of a settlement line.",
        &["sold_on:2026-03-01"],
    ),
    parameter(
        "paid_out_on",
        Target::Day(DayField::PaidOutOn),
        Holder::Entry,
        "The expected or actual payout day of a settlement line.",
        &["paid_out_on:<2026-04-01", "-paid_out_on:[* TO *]"],
    ),
    // Identifiers.
    field(
        "payment_key",
        Target::Ident(IdentField::PaymentKey),
        Holder::Payment,
        "The payment's own key.",
        &["payment_key:pay_9f27c1"],
    ),
    parameter(
        "order_id",
        Target::Ident(IdentField::OrderId),
        Holder::Payment,
        "The merchant's order number.",
        &["order_id:ORD-2026-0042", "order_id:ORD-2026*"],
    ),
    field(
        "transaction_key",
        Target::Ident(IdentField::TransactionKey),
        Holder::Payment,
        "The approval's own number.",
        &["transaction_key:tx_81ab"],
    ),
    field(
        "cancellation_id",
        Target::Ident(IdentField::CancellationId),
        Holder::Entry,
        "A cancellation's number.",
        &["cancellation_id:C1"],
    ),
    field(
        "settlement_id",
        Target::Ident(IdentField::SettlementId),
        Holder::Entry,
        "A settlement line's number.",
        &["settlement_id:S1"],
    ),
    parameter(
        "payout_id",
        Target::Ident(IdentField::PayoutId),
        Holder::Entry,
        "The bank transfer that a settlement line was paid with.",
        &["payout_id:po1", "-payout_id:po1"],
    ),
    field(
        "approve_no",
        Target::Ident(IdentField::ApproveNo),
        Holder::Payment,
        "The card approval number.",
        &["approve_no:30412233"],
    ),
    field(
        "account_number",
        Target::Ident(IdentField::AccountNumber),
        Holder::Payment,
        "The number of the virtual account.",
        &["account_number:110-234-567890"],
    ),
    field(
        "email",
        Target::Ident(IdentField::Email),
        Holder::Payment,
        "The customer's e-mail address.",
        &["email:kim@example.com"],
    ),
    field(
        "phone",
        Target::Ident(IdentField::Phone),
        Holder::Payment,
        "The customer's telephone number, as the merchant sent it.",
        &["phone:010-1234-5678"],
    ),
    field(
        "last4",
        LAST4,
        Holder::Payment,
        "The last four digits of the card.",
        &["last4:4242"],
    ),
    // Texts.
    field(
        "order_name",
        Target::Text(TextField::OrderName),
        Holder::Payment,
        "What the shopper bought.",
        &["order_name:아메리카노", "order_name:\"wireless mouse\""],
    ),
    field(
        "customer_name",
        Target::Text(TextField::CustomerName),
        Holder::Payment,
        "The customer's name.",
        &["customer_name:김민"],
    ),
    field(
        "depositor",
        Target::Text(TextField::Depositor),
        Holder::Payment,
        "The name expected on a deposit into the virtual account.",
        &["depositor:홍길동"],
    ),
    field(
        "reason",
        Target::Text(TextField::Reason),
        Holder::Entry,
        "Why a cancellation was made, in words.",
        &["reason:변심", "reason:\"wrong size\""],
    ),
    field(
        "failure_message",
        Target::Text(TextField::FailureMessage),
        Holder::Payment,
        "What the payment failed with, in words.",
        &["failure_message:한도"],
    ),
    // What else is compared as written.
    field(
        "issuer",
        open(KeywordField::Issuer),
        Holder::Payment,
        "The issuer of the card or gift certificate, compared as written.",
        &["issuer:SHINHAN"],
    ),
    field(
        "provider",
        open(KeywordField::Provider),
        Holder::Payment,
        "The provider of an easy-pay payment, compared as written.",
        &["provider:TOSSPAY"],
    ),
    field(
        "bank",
        open(KeywordField::Bank),
        Holder::Payment,
        "The bank of the virtual account or transfer, compared as written.",
        &["bank:KB"],
    ),
    field(
        "reason_code",
        open(KeywordField::ReasonCode),
        Holder::Entry,
        "Why a cancellation was made, as a code, compared as written.",
        &["reason_code:CUSTOMER_REQUEST"],
    ),
    field(
        "channel",
        CHANNEL,
        Holder::Entry,
        "Who asked for a cancellation.",
        &["channel:CONSOLE"],
    ),
    METADATA_INFO,
];

const fn open(field: KeywordField) -> Target {
    Target::Keyword(field, Vocabulary::Open)
}

const fn field(
    name: &'static str,
    target: Target,
    holder: Holder,
    description: &'static str,
    examples: &'static [&'static str],
) -> FieldInfo {
    FieldInfo {
        name,
        target,
        holder,
        description,
        examples,
        parameter: false,
    }
}

const fn parameter(
    name: &'static str,
    target: Target,
    holder: Holder,
    description: &'static str,
    examples: &'static [&'static str],
) -> FieldInfo {
    FieldInfo {
        name,
        target,
        holder,
        description,
        examples,
        parameter: true,
    }
}
