//! `payment.recorded.v1`.

use crate::decode::code;
use crate::decode::fields::{Fields, IDENTIFIER_CHARS_MAX, MERCHANT_CHARS_MAX, Sign};
use crate::money::Currency;
use crate::record::{
    Card, Customer, Failure, MobilePhone, PaymentAmount, PaymentRecord, PaymentStatus, VirtualAccount,
};
use crate::refusal::Refusal;

/// How many characters of a card number are hidden at least.
const HIDDEN_DIGITS_MIN: usize = 4;

pub(super) fn decode(fields: &Fields<'_, '_>) -> Result<PaymentRecord, Refusal> {
    let payment_key = fields.identifier("payment_key", IDENTIFIER_CHARS_MAX)?;
    let merchant_id = fields.identifier("merchant_id", MERCHANT_CHARS_MAX)?;
    let order_id = fields.identifier("order_id", IDENTIFIER_CHARS_MAX)?;
    let version = fields.version()?;
    let deleted = fields.flag("deleted")?;
    let status = fields.one_of("status", PaymentStatus::ALL, PaymentStatus::parse)?;
    // An open list, but its values group sums, so they are held to the length of an identifier.
    let method = fields.identifier("method", IDENTIFIER_CHARS_MAX)?;
    let currency = fields.currency()?;
    let amount = fields.object("amount", |amount| amounts(amount, currency))?;
    let requested_at = fields
        .optional_time("requested_at")?
        .ok_or_else(|| fields.missing("requested_at"))?;
    let approved_at = fields.optional_time("approved_at")?;
    if approved_at.is_none() && matches!(status, PaymentStatus::Authorized | PaymentStatus::Done) {
        return Err(fields.refuse(code::MISSING_FIELD, "approved_at", "is required of AUTHORIZED and DONE"));
    }
    Ok(PaymentRecord {
        payment_key,
        merchant_id,
        order_id,
        version,
        deleted,
        status,
        method,
        currency,
        amount,
        requested_at,
        approved_at,
        order_name: fields.optional_string("order_name")?,
        customer: fields.optional_object("customer", customer)?,
        card: fields.optional_object("card", card)?,
        virtual_account: fields.optional_object("virtual_account", virtual_account)?,
        easy_pay: fields.optional_object("easy_pay", |easy_pay| easy_pay.optional_string("provider"))?,
        transfer: fields.optional_object("transfer", |transfer| transfer.optional_string("bank"))?,
        mobile_phone: fields.optional_object("mobile_phone", mobile_phone)?,
        gift_certificate: fields.optional_object("gift_certificate", |gift| gift.optional_string("issuer"))?,
        transaction_key: fields.optional_identifier("transaction_key")?,
        receipt_url: fields.optional_string("receipt_url")?,
        failure: fields.optional_object("failure", failure)?,
        metadata: fields.metadata()?,
    })
}

fn amounts(amount: &Fields<'_, '_>, currency: Currency) -> Result<PaymentAmount, Refusal> {
    Ok(PaymentAmount {
        total: amount.money("total", currency, Sign::NotNegative)?,
        supplied: amount.optional_money("supplied", currency, Sign::NotNegative)?,
        vat: amount.optional_money("vat", currency, Sign::NotNegative)?,
        tax_free: amount.optional_money("tax_free", currency, Sign::NotNegative)?,
        discount: amount.optional_money("discount", currency, Sign::NotNegative)?,
    })
}

fn customer(customer: &Fields<'_, '_>) -> Result<Customer, Refusal> {
    Ok(Customer {
        name: customer.optional_string("name")?,
        email: customer.optional_string("email")?,
        phone: customer.optional_string("phone")?,
        customer_key: customer.optional_identifier("customer_key")?,
    })
}

fn card(card: &Fields<'_, '_>) -> Result<Card, Refusal> {
    let issuer = card.optional_string("issuer")?;
    let acquirer = card.optional_string("acquirer")?;
    let number_masked = card.optional_string("number_masked")?;
    if number_masked
        .as_ref()
        .is_some_and(|number| number.matches('*').count() < HIDDEN_DIGITS_MIN)
    {
        let detail = format_args!("must hide at least {HIDDEN_DIGITS_MIN} digits, each by one `*`");
        return Err(card.refuse(code::CARD_NOT_MASKED, "number_masked", detail));
    }
    let last4 = card
        .optional_string("last4")?
        .or_else(|| number_masked.as_deref().and_then(trailing_digits));
    Ok(Card {
        issuer,
        acquirer,
        number_masked,
        last4,
        approve_no: card.optional_identifier("approve_no")?,
        installment_months: card.optional_count("installment_months")?,
        card_type: card.optional_string("type")?,
        acquire_status: card.optional_string("acquire_status")?,
    })
}

/// The last four characters of a masked number, if they are digits.
fn trailing_digits(number_masked: &str) -> Option<String> {
    let start = number_masked.len().checked_sub(4)?;
    let last = number_masked.get(start..)?;
    last.bytes().all(|byte| byte.is_ascii_digit()).then(|| last.to_owned())
}

fn virtual_account(account: &Fields<'_, '_>) -> Result<VirtualAccount, Refusal> {
    Ok(VirtualAccount {
        bank: account.optional_string("bank")?,
        account_number: account.optional_identifier("account_number")?,
        depositor: account.optional_string("depositor")?,
        due_at: account.optional_time("due_at")?,
    })
}

fn mobile_phone(phone: &Fields<'_, '_>) -> Result<MobilePhone, Refusal> {
    Ok(MobilePhone {
        carrier: phone.optional_string("carrier")?,
        phone_masked: phone.optional_string("phone_masked")?,
    })
}

fn failure(failure: &Fields<'_, '_>) -> Result<Failure, Refusal> {
    Ok(Failure {
        code: failure.optional_string("code")?,
        message: failure.optional_string("message")?,
    })
}
