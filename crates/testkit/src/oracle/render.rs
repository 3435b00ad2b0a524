//! The JSON of one payment.

use super::instant::{self, Zones};
use super::mask;
use super::message::Message;
use super::money;
use super::state::{self, View};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value, json};

/// The groups of a payment that are null when they were not sent, with the members that are shown.
const GROUPS: [(&str, &[&str]); 8] = [
    ("customer", &["name", "email", "phone", "customer_key"]),
    (
        "card",
        &[
            "issuer",
            "acquirer",
            "number_masked",
            "last4",
            "approve_no",
            "installment_months",
            "type",
            "acquire_status",
        ],
    ),
    ("virtual_account", &["bank", "account_number", "depositor", "due_at"]),
    ("easy_pay", &["provider"]),
    ("transfer", &["bank"]),
    ("mobile_phone", &["carrier", "phone_masked"]),
    ("gift_certificate", &["issuer"]),
    ("failure", &["code", "message"]),
];

/// How the answer is cut for its reader.
pub(crate) struct Cut<'a> {
    pub(crate) zones: &'a Zones,
    /// `cost`, `costs` and `net_profit` are shown.
    pub(crate) provider_figures: bool,
    /// Personal data is shown in full.
    pub(crate) unmasked: bool,
}

/// The payment as the contract shows it, without `as_of`.
pub(crate) fn payment(seen: &View<'_>, cut: &Cut<'_>) -> Value {
    let own = seen.payment;
    let own_text = |name: &str| own.and_then(|p| p.text(name)).map_or(Value::Null, Value::from);
    let own_time = |name: &str| own.and_then(|p| p.instant(name)).map_or(Value::Null, time);
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("payment_key", json!(seen.payment_key));
    put("merchant_id", json!(seen.merchant));
    put("order_id", own_text("order_id"));
    put("status", json!(seen.status()));
    put("recorded_status", own_text("status"));
    put("method", own_text("method"));
    put("currency", json!(seen.currency));
    put(
        "amount",
        own.map_or(Value::Null, |p| {
            amount(p, &["total", "supplied", "vat", "tax_free", "discount"])
        }),
    );
    put("canceled_amount", money_or_null(Some(seen.canceled()), seen.currency));
    put("balance_amount", money_or_null(seen.balance(), seen.currency));
    put("requested_at", own_time("requested_at"));
    put("approved_at", own_time("approved_at"));
    put("occurred_at", time(seen.occurred_at));
    put("event_day", day(seen.event_day));
    put("sale_day", day(seen.event_day));
    put("order_name", own_text("order_name"));
    put("transaction_key", own_text("transaction_key"));
    put("receipt_url", own_text("receipt_url"));
    put("metadata", own.map_or(Value::Null, metadata));
    for (name, members) in GROUPS {
        put(name, own.map_or(Value::Null, |p| group(p, name, members, cut.unmasked)));
    }
    put("settlement_status", json!(seen.settlement_status()));
    put("settlement", settlement_sums(seen, cut));
    put(
        "cancellations",
        seen.cancellations.iter().map(|c| cancellation(c, cut)).collect(),
    );
    put(
        "settlements",
        seen.settlements.iter().map(|s| settlement(s, cut)).collect(),
    );
    put("flags", json!(seen.flags));
    put("version", own.map_or(Value::Null, |p| json!(p.version)));
    Value::Object(out)
}

fn settlement_sums(seen: &View<'_>, cut: &Cut<'_>) -> Value {
    let Some(currency) = seen.currency else {
        return Value::Null;
    };
    let sum = |of: &dyn Fn(&Message) -> i128| seen.settlements.iter().map(|s| of(s)).sum::<i128>();
    let fee = sum(&|s| s.sum_of("fees"));
    let cost = sum(&|s| s.sum_of("costs"));
    let print = |minor| money::major_units(minor, currency);
    let mut out = json!({
        "gross": print(sum(&|s| s.required_minor("amount"))),
        "fee": print(fee),
        "vat": print(sum(&|s| s.required_minor("vat"))),
        "payout": print(sum(&|s| s.required_minor("payout_amount"))),
    });
    if cut.provider_figures {
        out["cost"] = json!(print(cost));
        out["net_profit"] = json!(print(fee - cost));
    }
    out
}

fn cancellation(entry: &Message, cut: &Cut<'_>) -> Value {
    json!({
        "cancellation_id": entry.entry_id(),
        "status": entry.status(),
        "currency": entry.currency(),
        "amount": amount(entry, &["total", "tax_free"]),
        "reason": entry.text("reason"),
        "reason_code": entry.text("reason_code"),
        "requested_by": group(entry, "requested_by", &["channel", "actor"], true),
        "requested_at": entry.instant("requested_at").map(instant::print),
        "canceled_at": entry.instant("canceled_at").map(instant::print),
        "event_day": day(state::event_day(entry, cut.zones)),
        "metadata": metadata(entry),
        "version": entry.version,
    })
}

fn settlement(entry: &Message, cut: &Cut<'_>) -> Value {
    let print = |minor| money::major_units(minor, entry.currency());
    let mut out = json!({
        "settlement_id": entry.entry_id(),
        "of": entry.text("of"),
        "cancellation_id": entry.text("cancellation_id"),
        "status": entry.status(),
        "currency": entry.currency(),
        "amount": print(entry.required_minor("amount")),
        "fees": charges(entry, "fees"),
        "fee": print(entry.sum_of("fees")),
        "vat": print(entry.required_minor("vat")),
        "payout_amount": print(entry.required_minor("payout_amount")),
        "sold_on": day(entry.date("sold_on")),
        "paid_out_on": day(entry.date("paid_out_on")),
        "payout_id": entry.text("payout_id"),
        "contract": group(entry, "contract", &["id", "fee_rate"], true),
        "metadata": metadata(entry),
        "version": entry.version,
    });
    if cut.provider_figures {
        out["costs"] = charges(entry, "costs");
        out["cost"] = json!(print(entry.sum_of("costs")));
    }
    out
}

fn charges(entry: &Message, name: &str) -> Value {
    if !entry.data.contains_key(name) {
        return Value::Null;
    }
    let charge = |item: &Value| {
        let minor = item["amount"]
            .as_str()
            .and_then(|text| money::minor_units(text, entry.currency()))
            .unwrap_or(0);
        json!({"type": item["type"], "amount": money::major_units(minor.into(), entry.currency())})
    };
    entry.items(name).iter().map(charge).collect()
}

/// The members of an amount that were sent, each with the currency's digits.
fn amount(entry: &Message, members: &[&str]) -> Value {
    let sent = members.iter().filter_map(|member| {
        let minor = entry.minor(&format!("amount.{member}"))?;
        Some(((*member).to_owned(), json!(money::major_units(minor, entry.currency()))))
    });
    Value::Object(sent.collect())
}

/// The known members of a group that were sent; null when the group was not.
fn group(entry: &Message, name: &str, members: &[&str], unmasked: bool) -> Value {
    let Some(sent) = entry.object(name) else {
        return Value::Null;
    };
    let mut out = Map::new();
    for member in members {
        let value = match (name, *member) {
            ("card", "last4") => entry.last4().map(Value::from),
            ("virtual_account", "due_at") => entry.instant("virtual_account.due_at").map(time),
            _ => sent.get(*member).cloned(),
        };
        let Some(value) = value else { continue };
        let masked = value
            .as_str()
            .filter(|_| !unmasked)
            .and_then(|text| mask::masked(name, member, text));
        out.insert((*member).to_owned(), masked.map_or(value, Value::from));
    }
    Value::Object(out)
}

fn metadata(entry: &Message) -> Value {
    entry
        .object("metadata")
        .map_or(Value::Null, |pairs| Value::Object(pairs.clone()))
}

fn money_or_null(minor: Option<i128>, currency: Option<&str>) -> Value {
    match (minor, currency) {
        (Some(minor), Some(currency)) => json!(money::major_units(minor, currency)),
        _ => Value::Null,
    }
}

fn time(at: DateTime<Utc>) -> Value {
    Value::from(instant::print(at))
}

fn day(day: Option<NaiveDate>) -> Value {
    day.map_or(Value::Null, |day| Value::from(day.to_string()))
}
