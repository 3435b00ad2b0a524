//! The groups of a payment: objects of which only the members that were sent are shown, personal data masked unless
//! [`Masking`] says otherwise.

use domain::money::Currency;
use domain::record::{Card, Customer, Failure, MobilePhone, PaymentAmount, VirtualAccount};
use domain::time::format_time;
use serde::Serialize;

use super::mask::Masking;
use super::money;

#[derive(Serialize)]
pub(super) struct AmountJson {
    total: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplied: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vat: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_free: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<String>,
}

impl AmountJson {
    pub(super) fn of(amount: &PaymentAmount, currency: Currency) -> Self {
        let print = |minor: Option<i64>| minor.map(|minor| money(minor, currency));
        AmountJson {
            total: money(amount.total, currency),
            supplied: print(amount.supplied),
            vat: print(amount.vat),
            tax_free: print(amount.tax_free),
            discount: print(amount.discount),
        }
    }
}

#[derive(Serialize)]
pub(super) struct CustomerJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_key: Option<&'a str>,
}

impl<'a> CustomerJson<'a> {
    pub(super) fn of(customer: &'a Customer, masking: Masking) -> Self {
        CustomerJson {
            name: customer.name.as_deref().map(|name| masking.name(name)),
            email: customer.email.as_deref().map(|email| masking.email(email)),
            phone: customer.phone.as_deref().map(|phone| masking.last_four(phone)),
            customer_key: customer.customer_key.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct CardJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquirer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_masked: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last4: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approve_no: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installment_months: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquire_status: Option<&'a str>,
}

impl<'a> From<&'a Card> for CardJson<'a> {
    fn from(card: &'a Card) -> Self {
        CardJson {
            issuer: card.issuer.as_deref(),
            acquirer: card.acquirer.as_deref(),
            number_masked: card.number_masked.as_deref(),
            last4: card.last4.as_deref(),
            approve_no: card.approve_no.as_deref(),
            installment_months: card.installment_months,
            r#type: card.card_type.as_deref(),
            acquire_status: card.acquire_status.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct VirtualAccountJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    bank: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    depositor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
}

impl<'a> VirtualAccountJson<'a> {
    pub(super) fn of(account: &'a VirtualAccount, masking: Masking) -> Self {
        VirtualAccountJson {
            bank: account.bank.as_deref(),
            account_number: account
                .account_number
                .as_deref()
                .map(|number| masking.last_four(number)),
            depositor: account.depositor.as_deref().map(|name| masking.name(name)),
            due_at: account.due_at.map(format_time),
        }
    }
}

/// `easy_pay`.
#[derive(Serialize)]
pub(super) struct ProviderJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) provider: Option<&'a str>,
}

/// `transfer`.
#[derive(Serialize)]
pub(super) struct BankJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bank: Option<&'a str>,
}

/// `gift_certificate`.
#[derive(Serialize)]
pub(super) struct IssuerJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issuer: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct MobilePhoneJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_masked: Option<&'a str>,
}

impl<'a> From<&'a MobilePhone> for MobilePhoneJson<'a> {
    fn from(phone: &'a MobilePhone) -> Self {
        MobilePhoneJson {
            carrier: phone.carrier.as_deref(),
            phone_masked: phone.phone_masked.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct FailureJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl<'a> From<&'a Failure> for FailureJson<'a> {
    fn from(failure: &'a Failure) -> Self {
        FailureJson {
            code: failure.code.as_deref(),
            message: failure.message.as_deref(),
        }
    }
}
