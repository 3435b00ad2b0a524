//! A small reader of the event contract, written apart from the generator: what it refuses, a store may refuse.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

pub(crate) type Data = Map<String, Value>;
type Check<T = ()> = Result<T, String>;

/// One accepted message: its type's first word, and its data.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) kind: &'static str,
    pub(crate) data: Data,
}

pub(crate) fn accept(raw: &[u8]) -> Check<Accepted> {
    if raw.len() > 1 << 20 {
        return Err("over 1 MiB".into());
    }
    let Strict(message) = serde_json::from_slice(raw).map_err(|error| error.to_string())?;
    if depth(&message) > 32 {
        return Err("too deep".into());
    }
    let envelope = message.as_object().ok_or("not an object")?;
    if text(envelope, "specversion")? != "1.0" {
        return Err("specversion".into());
    }
    text(envelope, "id")?;
    text(envelope, "source")?;
    instant(envelope, "time")?;
    let data = envelope.get("data").and_then(Value::as_object).ok_or("data")?;
    let kind = match text(envelope, "type")? {
        "payment.recorded.v1" => "payment",
        "cancellation.recorded.v1" => "cancellation",
        "settlement.recorded.v1" => "settlement",
        _ => return Err("type".into()),
    };
    common(data)?;
    match kind {
        "payment" => payment(data)?,
        "cancellation" => cancellation(data)?,
        _ => settlement(data)?,
    }
    Ok(Accepted {
        kind,
        data: data.clone(),
    })
}

fn common(data: &Data) -> Check {
    within(text(data, "payment_key")?, 200)?;
    within(text(data, "merchant_id")?, 64)?;
    let version = data.get("version").ok_or("version")?;
    let version = version.as_i64().or_else(|| {
        version
            .as_f64()
            .filter(|number| number.fract() == 0.0)
            .map(|number| number as i64)
    });
    if !version.is_some_and(|version| (1..1 << 53).contains(&version)) {
        return Err("version".into());
    }
    if data.get("deleted").is_some_and(|deleted| !deleted.is_boolean()) {
        return Err("deleted".into());
    }
    if let Some(metadata) = data.get("metadata") {
        let pairs = metadata.as_object().ok_or("metadata")?;
        let fits = |(name, value): (&String, &Value)| {
            name.chars().count() <= 40 && value.as_str().is_some_and(|text| text.chars().count() <= 500)
        };
        if pairs.len() > 50 || !pairs.iter().all(fits) {
            return Err("metadata".into());
        }
    }
    currency_digits(data).map(drop)
}

fn payment(data: &Data) -> Check {
    let digits = currency_digits(data)?;
    within(text(data, "order_id")?, 200)?;
    within(text(data, "method")?, 200)?;
    let status = one_of(
        data,
        "status",
        &[
            "READY",
            "IN_PROGRESS",
            "WAITING_FOR_DEPOSIT",
            "AUTHORIZED",
            "DONE",
            "ABORTED",
            "EXPIRED",
        ],
    )?;
    let amount = data.get("amount").and_then(Value::as_object).ok_or("amount")?;
    money(amount, "total", digits)?;
    for (name, _) in amount {
        if money(amount, name, digits)? < Decimal::ZERO {
            return Err(format!("{name} is negative"));
        }
    }
    let requested = instant(data, "requested_at")?;
    if ["AUTHORIZED", "DONE"].contains(&status) && instant(data, "approved_at")? < requested {
        return Err("approved before it was requested".into());
    }
    for member in [
        "customer",
        "card",
        "virtual_account",
        "easy_pay",
        "transfer",
        "mobile_phone",
        "gift_certificate",
        "failure",
    ] {
        if data.get(member).is_some_and(|value| !value.is_object()) {
            return Err(member.into());
        }
    }
    let masked = data
        .get("card")
        .and_then(|card| card.get("number_masked"))
        .and_then(Value::as_str);
    if masked.is_some_and(|masked| masked.matches('*').count() < 4) {
        return Err("card number not masked".into());
    }
    if data.contains_key("failure") != (status == "ABORTED") {
        return Err("a failure without an aborted payment, or none with one".into());
    }
    Ok(())
}

fn cancellation(data: &Data) -> Check {
    let digits = currency_digits(data)?;
    within(text(data, "cancellation_id")?, 200)?;
    let status = one_of(data, "status", &["PENDING", "DONE", "FAILED"])?;
    let amount = data.get("amount").and_then(Value::as_object).ok_or("amount")?;
    if money(amount, "total", digits)? <= Decimal::ZERO {
        return Err("total".into());
    }
    if status == "DONE" {
        instant(data, "canceled_at")?
    } else {
        instant(data, "requested_at")?
    };
    if let Some(by) = data.get("requested_by") {
        one_of(
            by.as_object().ok_or("requested_by")?,
            "channel",
            &["API", "CONSOLE", "ISSUER", "SYSTEM"],
        )?;
    }
    Ok(())
}

fn settlement(data: &Data) -> Check {
    let digits = currency_digits(data)?;
    within(text(data, "settlement_id")?, 200)?;
    one_of(data, "status", &["SCHEDULED", "PAID", "HELD"])?;
    let amount = money(data, "amount", digits)?;
    match one_of(data, "of", &["PAYMENT", "CANCELLATION"])? {
        "PAYMENT" if amount < Decimal::ZERO => return Err("a negative sale".into()),
        "CANCELLATION" if amount > Decimal::ZERO => return Err("a positive return".into()),
        "CANCELLATION" => within(text(data, "cancellation_id")?, 200)?,
        _ => {}
    }
    let fees = parts(data, "fees", digits)?;
    if data.contains_key("costs") {
        parts(data, "costs", digits)?;
    }
    if money(data, "payout_amount", digits)? != amount - fees - money(data, "vat", digits)? {
        return Err("arithmetic".into());
    }
    if data
        .get("payout_currency")
        .is_some_and(|other| other != &data["currency"])
    {
        return Err("payout_currency".into());
    }
    let sold_on = day(data, "sold_on")?;
    if data.contains_key("paid_out_on") && day(data, "paid_out_on")? < sold_on {
        return Err("paid out before it was sold".into());
    }
    Ok(())
}

/// The sum of a list of typed amounts.
pub(crate) fn parts(data: &Data, name: &str, digits: u32) -> Check<Decimal> {
    let list = data
        .get(name)
        .and_then(Value::as_array)
        .ok_or_else(|| name.to_owned())?;
    list.iter().try_fold(Decimal::ZERO, |sum, part| {
        let part = part.as_object().ok_or_else(|| name.to_owned())?;
        text(part, "type")?;
        Ok(sum + money(part, "amount", digits)?)
    })
}

pub(crate) fn currency_digits(data: &Data) -> Check<u32> {
    match text(data, "currency")? {
        "KRW" | "JPY" => Ok(0),
        "USD" => Ok(2),
        "BHD" => Ok(3),
        _ => Err("currency".into()),
    }
}

pub(crate) fn money(object: &Data, name: &str, digits: u32) -> Check<Decimal> {
    let written = text(object, name)?;
    let size = written.strip_prefix('-').unwrap_or(written);
    let (whole, fraction) = size.split_once('.').unwrap_or((size, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.len() > 1 && whole.starts_with('0') {
        return Err(format!("{name} is not an amount"));
    }
    let amount: Decimal = written.parse().map_err(|_| name.to_owned())?;
    let minor = amount * Decimal::from(10_u64.pow(digits));
    if minor.normalize().scale() > 0 || i64::try_from(minor).is_err() {
        return Err(format!("{name} does not fit its currency"));
    }
    Ok(amount)
}

pub(crate) fn text<'a>(object: &'a Data, name: &str) -> Check<&'a str> {
    object.get(name).and_then(Value::as_str).ok_or_else(|| name.to_owned())
}

pub(crate) fn instant(object: &Data, name: &str) -> Check<i64> {
    let parsed = DateTime::parse_from_rfc3339(text(object, name)?).map_err(|_| name.to_owned())?;
    Ok(parsed.timestamp_millis())
}

fn day(object: &Data, name: &str) -> Check<NaiveDate> {
    text(object, name)?.parse().map_err(|_| name.to_owned())
}

fn one_of<'a>(object: &'a Data, name: &str, allowed: &[&str]) -> Check<&'a str> {
    text(object, name).and_then(|value| {
        if allowed.contains(&value) {
            Ok(value)
        } else {
            Err(name.to_owned())
        }
    })
}

fn within(value: &str, most: usize) -> Check {
    if (1..=most).contains(&value.chars().count()) {
        Ok(())
    } else {
        Err(format!("{value} is empty or too long"))
    }
}

fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => members.values().map(depth).max().unwrap_or(0),
        _ => return 0,
    }
}

/// A JSON value without duplicate names.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON without duplicate names")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut names, mut object) = (BTreeSet::new(), Map::new());
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("duplicate name"));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}
