//! The fields of each message kind, rule by rule.

use super::message::Kind;
use super::validate::{Rule, broken};
use super::{instant, money};
use serde_json::{Map, Value};

type Fields = Map<String, Value>;

const VERSION_MAX: i64 = (1 << 53) - 1;
const IDENTIFIER_MAX: usize = 200;

const PAYMENT_STATUSES: [&str; 7] = [
    "READY",
    "IN_PROGRESS",
    "WAITING_FOR_DEPOSIT",
    "AUTHORIZED",
    "DONE",
    "ABORTED",
    "EXPIRED",
];

/// Checks every rule of the kind; the answer is the version.
pub(crate) fn check(kind: Kind, data: &Fields) -> Rule<i64> {
    identifier(data, "payment_key", IDENTIFIER_MAX)?;
    identifier(data, kind.id_field(), IDENTIFIER_MAX)?;
    identifier(data, "merchant_id", 64)?;
    let currency = text(data, "currency")?;
    if money::digits_of(currency).is_none() {
        return broken("currency");
    }
    if !matches!(data.get("deleted"), None | Some(Value::Bool(_))) {
        return broken("deleted");
    }
    metadata(data)?;
    match kind {
        Kind::Payment => payment(data, currency)?,
        Kind::Cancellation => cancellation(data, currency)?,
        Kind::Settlement => settlement(data, currency)?,
    }
    version(data)
}

fn payment(data: &Fields, currency: &str) -> Rule<()> {
    identifier(data, "order_id", IDENTIFIER_MAX)?;
    let status = one_of(data, "status", &PAYMENT_STATUSES)?;
    identifier(data, "method", IDENTIFIER_MAX)?;
    let amount = object(data, "amount")?.ok_or("amount is missing")?;
    amount_of(amount, "total", currency)?;
    for member in ["total", "supplied", "vat", "tax_free", "discount"] {
        if optional_amount(amount, member, currency)?.is_some_and(|minor| minor < 0) {
            return broken(format!("amount.{member} is negative"));
        }
    }
    time(data, "requested_at", true)?;
    time(data, "approved_at", ["AUTHORIZED", "DONE"].contains(&status))?;
    optional_text(data, "order_name")?;
    optional_identifier(data, "transaction_key")?;
    optional_text(data, "receipt_url")?;
    payment_groups(data)
}

fn payment_groups(data: &Fields) -> Rule<()> {
    if let Some(customer) = object(data, "customer")? {
        texts(customer, &["name", "email", "phone"])?;
        optional_identifier(customer, "customer_key")?;
    }
    if let Some(card) = object(data, "card")? {
        texts(
            card,
            &["issuer", "acquirer", "number_masked", "last4", "type", "acquire_status"],
        )?;
        optional_identifier(card, "approve_no")?;
        if card
            .get("number_masked")
            .and_then(Value::as_str)
            .is_some_and(|mask| mask.matches('*').count() < 4)
        {
            return broken("card.number_masked hides fewer than four digits");
        }
        if card
            .get("installment_months")
            .is_some_and(|months| months.as_u64().is_none())
        {
            return broken("card.installment_months");
        }
    }
    if let Some(account) = object(data, "virtual_account")? {
        texts(account, &["bank", "depositor"])?;
        optional_identifier(account, "account_number")?;
        time(account, "due_at", false)?;
    }
    for (group, members) in [
        ("easy_pay", &["provider"][..]),
        ("transfer", &["bank"]),
        ("mobile_phone", &["carrier", "phone_masked"]),
        ("gift_certificate", &["issuer"]),
        ("failure", &["code", "message"]),
    ] {
        if let Some(fields) = object(data, group)? {
            texts(fields, members)?;
        }
    }
    Ok(())
}

fn cancellation(data: &Fields, currency: &str) -> Rule<()> {
    let status = one_of(data, "status", &["PENDING", "DONE", "FAILED"])?;
    let amount = object(data, "amount")?.ok_or("amount is missing")?;
    if amount_of(amount, "total", currency)? <= 0 {
        return broken("amount.total is not positive");
    }
    optional_amount(amount, "tax_free", currency)?;
    texts(data, &["reason", "reason_code"])?;
    if let Some(by) = object(data, "requested_by")? {
        one_of(by, "channel", &["API", "CONSOLE", "ISSUER", "SYSTEM"])?;
        optional_text(by, "actor")?;
    }
    time(data, "requested_at", status != "DONE")?;
    time(data, "canceled_at", status == "DONE")
}

fn settlement(data: &Fields, currency: &str) -> Rule<()> {
    let of = one_of(data, "of", &["PAYMENT", "CANCELLATION"])?;
    if of == "CANCELLATION" {
        identifier(data, "cancellation_id", IDENTIFIER_MAX)?;
    }
    optional_identifier(data, "cancellation_id")?;
    one_of(data, "status", &["SCHEDULED", "PAID", "HELD"])?;
    let amount = amount_of(data, "amount", currency)?;
    if (of == "PAYMENT" && amount < 0) || (of == "CANCELLATION" && amount > 0) {
        return broken("amount has the wrong sign");
    }
    let fees = charges(data, "fees", currency, true)?;
    charges(data, "costs", currency, false)?;
    let vat = amount_of(data, "vat", currency)?;
    let payout = amount_of(data, "payout_amount", currency)?;
    if i128::from(payout) != i128::from(amount) - fees - i128::from(vat) {
        return broken("payout_amount is not amount - fees - vat");
    }
    date(data, "sold_on", true)?;
    date(data, "paid_out_on", false)?;
    optional_identifier(data, "payout_id")?;
    if let Some(contract) = object(data, "contract")? {
        identifier(contract, "id", IDENTIFIER_MAX)?;
        optional_text(contract, "fee_rate")?;
    }
    match data.get("payout_currency") {
        Some(payout_currency) if payout_currency.as_str() != Some(currency) => broken("payout_currency"),
        _ => Ok(()),
    }
}

/// The sum of `[{type, amount}]`.
fn charges(data: &Fields, name: &str, currency: &str, required: bool) -> Rule<i128> {
    let items = match data.get(name) {
        Some(Value::Array(items)) => items,
        None if !required => return Ok(0),
        _ => return broken(name),
    };
    let mut sum = 0;
    for item in items {
        let Value::Object(charge) = item else {
            return broken(name);
        };
        text(charge, "type")?;
        sum += i128::from(amount_of(charge, "amount", currency)?);
    }
    Ok(sum)
}

fn version(data: &Fields) -> Rule<i64> {
    match data.get("version").and_then(Value::as_i64) {
        Some(version) if (1..=VERSION_MAX).contains(&version) => Ok(version),
        _ => broken("version"),
    }
}

fn metadata(data: &Fields) -> Rule<()> {
    let Some(pairs) = object(data, "metadata")? else {
        return Ok(());
    };
    let fits = |(key, value): (&String, &Value)| {
        key.chars().count() <= 40 && value.as_str().is_some_and(|text| text.chars().count() <= 500)
    };
    if pairs.len() > 50 || !pairs.iter().all(fits) {
        return broken("metadata");
    }
    Ok(())
}

fn text<'a>(data: &'a Fields, name: &str) -> Rule<&'a str> {
    data.get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("{name} is missing or not a string"))
}

fn optional_text(data: &Fields, name: &str) -> Rule<()> {
    if data.contains_key(name) {
        text(data, name).map(|_| ())
    } else {
        Ok(())
    }
}

fn texts(data: &Fields, names: &[&str]) -> Rule<()> {
    names.iter().try_for_each(|name| optional_text(data, name))
}

fn identifier(data: &Fields, name: &str, characters_max: usize) -> Rule<()> {
    if (1..=characters_max).contains(&text(data, name)?.chars().count()) {
        Ok(())
    } else {
        broken(format!("{name} has a wrong length"))
    }
}

fn optional_identifier(data: &Fields, name: &str) -> Rule<()> {
    if data.contains_key(name) {
        identifier(data, name, IDENTIFIER_MAX)
    } else {
        Ok(())
    }
}

fn one_of<'a>(data: &'a Fields, name: &str, values: &[&str]) -> Rule<&'a str> {
    let value = text(data, name)?;
    if values.contains(&value) {
        Ok(value)
    } else {
        broken(format!("{name} is none of {values:?}"))
    }
}

fn object<'a>(data: &'a Fields, name: &str) -> Rule<Option<&'a Fields>> {
    match data.get(name) {
        None => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(_) => broken(format!("{name} is not an object")),
    }
}

fn amount_of(data: &Fields, name: &str, currency: &str) -> Rule<i64> {
    money::minor_units(text(data, name)?, currency).ok_or_else(|| format!("{name} is not an amount of {currency}"))
}

fn optional_amount(data: &Fields, name: &str, currency: &str) -> Rule<Option<i64>> {
    if data.contains_key(name) {
        amount_of(data, name, currency).map(Some)
    } else {
        Ok(None)
    }
}

fn time(data: &Fields, name: &str, required: bool) -> Rule<()> {
    match data.contains_key(name) {
        false if !required => Ok(()),
        _ if instant::instant(text(data, name)?).is_some() => Ok(()),
        _ => broken(format!("{name} is not a time")),
    }
}

fn date(data: &Fields, name: &str, required: bool) -> Rule<()> {
    match data.contains_key(name) {
        false if !required => Ok(()),
        _ if instant::date(text(data, name)?).is_some() => Ok(()),
        _ => broken(format!("{name} is not a date")),
    }
}
