//! Whether a view satisfies filters and queries: every question is put to the raw state of the live entries.

use super::filters::Filters;
use super::instant::{self, Zones};
use super::message::Message;
use super::query::{By, End, RefQuery};
use super::state::{self, View};
use super::{money, normal};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use std::cmp::Ordering;

const IDENTIFIERS: [&str; 10] = [
    "payment_key",
    "order_id",
    "transaction_key",
    "cancellation_id",
    "settlement_id",
    "payout_id",
    "approve_no",
    "account_number",
    "email",
    "phone",
];
const TEXTS: [&str; 5] = ["order_name", "customer_name", "depositor", "reason", "failure_message"];

/// One value of a field, as one entry (or the payment as a whole) has it.
enum Held {
    Identifier(String),
    Text(String),
    /// Compared as text is, but as a whole.
    Pair(String),
    Plain(String),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    Money(i128, String),
}

/// Whether the view satisfies every filter.
pub(crate) fn satisfies(seen: &View<'_>, filters: &Filters, zones: &Zones) -> bool {
    let equal = filters.equal.iter().all(|(name, _)| {
        let alternatives = filters.equal.iter().filter(|(n, _)| n == name);
        let held = held(seen, name, zones);
        alternatives
            .into_iter()
            .any(|(_, value)| held.iter().any(|h| compares(h, By::Value, value)))
    });
    let bounded = filters.bounds.iter().all(|(name, ..)| {
        let interval: Vec<_> = filters.bounds.iter().filter(|(n, ..)| n == name).collect();
        // One value has to lie between all bounds: two values of two entries do not help each other.
        held(seen, name, zones)
            .iter()
            .any(|h| interval.iter().all(|(_, by, value)| compares(h, *by, value)))
    });
    equal && bounded && filters.q.as_ref().is_none_or(|q| matches(seen, q, zones))
}

/// Whether the view satisfies a query.
pub(crate) fn matches(seen: &View<'_>, query: &RefQuery, zones: &Zones) -> bool {
    match query {
        RefQuery::Word(word) => contains_word(seen, word, zones),
        RefQuery::Compare { field, by, value } => held(seen, field, zones).iter().any(|h| compares(h, *by, value)),
        RefQuery::Prefix { field, prefix } => {
            let prefix = normal::identifier(prefix);
            held(seen, field, zones).iter().any(|h| match h {
                Held::Identifier(id) => normal::identifier(id).starts_with(&prefix),
                _ => false,
            })
        }
        RefQuery::Range { field, low, high } => held(seen, field, zones).iter().any(|h| {
            let within = |end: &Option<End>, inclusive, exclusive| {
                end.as_ref()
                    .is_none_or(|e| compares(h, if e.inclusive { inclusive } else { exclusive }, &e.value))
            };
            within(low, By::Gte, By::Gt) && within(high, By::Lte, By::Lt)
        }),
        RefQuery::And(parts) => parts.iter().all(|part| matches(seen, part, zones)),
        RefQuery::Or(parts) => parts.iter().any(|part| matches(seen, part, zones)),
        RefQuery::Not(part) => !matches(seen, part, zones),
    }
}

/// The first field by which an identifier finds the payment.
pub(crate) fn identified_by(seen: &View<'_>, id: &str, zones: &Zones) -> Option<&'static str> {
    let holds = |field: &&'static str| held(seen, field, zones).iter().any(|h| compares(h, By::Value, id));
    IDENTIFIERS.iter().find(|field| holds(field)).copied()
}

/// A bare word is an identifier, the last four digits of a card, or part of a text or of a metadata value.
fn contains_word(seen: &View<'_>, word: &str, zones: &Zones) -> bool {
    let fields = IDENTIFIERS.iter().chain(&TEXTS).chain(&["last4"]);
    let mut everywhere: Vec<Held> = fields.flat_map(|field| held(seen, field, zones)).collect();
    let metadata = entries(seen).into_iter().filter_map(|m| m.object("metadata"));
    everywhere.extend(
        metadata
            .flat_map(|pairs| pairs.values())
            .filter_map(Value::as_str)
            .map(text_of),
    );
    everywhere.iter().any(|h| compares(h, By::Value, word))
}

fn text_of(text: &str) -> Held {
    Held::Text(text.to_owned())
}

fn entries<'a>(seen: &View<'a>) -> Vec<&'a Message> {
    seen.payment
        .into_iter()
        .chain(seen.cancellations.iter().copied())
        .chain(seen.settlements.iter().copied())
        .collect()
}

/// Every value that the view holds for a field: each field is known to one of the three.
fn held(seen: &View<'_>, field: &str, zones: &Zones) -> Vec<Held> {
    let derived = derived(seen, field);
    let recorded = recorded(seen, field);
    derived
        .into_iter()
        .chain(recorded)
        .chain(of_entries(seen, field, zones))
        .collect()
}

/// What is worked out for the payment as a whole.
fn derived(seen: &View<'_>, field: &str) -> Vec<Held> {
    let plain = |value: &str| vec![Held::Plain(value.to_owned())];
    let money = |minor: Option<i128>| match (minor, seen.currency) {
        (Some(minor), Some(currency)) => vec![Held::Money(minor, currency.to_owned())],
        _ => Vec::new(),
    };
    match field {
        "payment_key" => vec![Held::Identifier(seen.payment_key.to_owned())],
        "merchant_id" => seen.merchant.map_or(Vec::new(), plain),
        "currency" => seen.currency.map_or(Vec::new(), plain),
        "status" => plain(seen.status()),
        "settlement_status" => plain(seen.settlement_status()),
        "method" => plain(seen.payment.map_or("UNKNOWN", |p| p.required("method"))),
        "flag" => seen.flags.iter().flat_map(|flag| plain(flag)).collect(),
        "amount" => money(seen.total()),
        "balance_amount" => money(seen.balance()),
        "sale_day" => seen.event_day.into_iter().map(Held::Day).collect(),
        _ => Vec::new(),
    }
}

/// What the payment entry says.
fn recorded(seen: &View<'_>, field: &str) -> Vec<Held> {
    let Some(payment) = seen.payment else { return Vec::new() };
    let all = |as_held: fn(String) -> Held, paths: &[&str]| -> Vec<Held> {
        paths
            .iter()
            .filter_map(|path| payment.text(path))
            .map(str::to_owned)
            .map(as_held)
            .collect()
    };
    match field {
        "order_id" | "transaction_key" => all(Held::Identifier, &[field]),
        "approve_no" => all(Held::Identifier, &["card.approve_no"]),
        "account_number" => all(Held::Identifier, &["virtual_account.account_number"]),
        "email" => all(Held::Identifier, &["customer.email"]),
        "phone" => all(Held::Identifier, &["customer.phone"]),
        "last4" => payment.last4().into_iter().map(Held::Identifier).collect(),
        "order_name" => all(Held::Text, &["order_name"]),
        "customer_name" => all(Held::Text, &["customer.name"]),
        "depositor" => all(Held::Text, &["virtual_account.depositor"]),
        "failure_message" => all(Held::Text, &["failure.message"]),
        "issuer" => all(Held::Plain, &["card.issuer", "gift_certificate.issuer"]),
        "provider" => all(Held::Plain, &["easy_pay.provider"]),
        "bank" => all(Held::Plain, &["virtual_account.bank", "transfer.bank"]),
        "approved_at" => payment.instant("approved_at").into_iter().map(Held::Instant).collect(),
        _ => Vec::new(),
    }
}

/// What one entry or another says: one value for each entry that has it.
fn of_entries(seen: &View<'_>, field: &str, zones: &Zones) -> Vec<Held> {
    let identifiers = |entries: &[&Message]| of_each(entries, field).into_iter().map(Held::Identifier).collect();
    let canceled =
        |as_held: fn(String) -> Held, path: &str| of_each(&seen.cancellations, path).into_iter().map(as_held).collect();
    let all = entries(seen);
    match field {
        "event_day" => all
            .into_iter()
            .filter_map(|m| state::event_day(m, zones))
            .map(Held::Day)
            .collect(),
        "canceled_at" => {
            let at = |c: &&Message| c.instant("canceled_at").map(Held::Instant);
            seen.cancellations.iter().filter_map(at).collect()
        }
        "sold_on" | "paid_out_on" => seen
            .settlements
            .iter()
            .filter_map(|s| s.date(field))
            .map(Held::Day)
            .collect(),
        // A settlement line of a cancellation names it, and may be there before it.
        "cancellation_id" => identifiers(&[&seen.cancellations[..], &seen.settlements].concat()),
        "settlement_id" | "payout_id" => identifiers(&seen.settlements),
        "reason" => canceled(Held::Text, "reason"),
        "reason_code" => canceled(Held::Plain, "reason_code"),
        "channel" => canceled(Held::Plain, "requested_by.channel"),
        _ => match field.strip_prefix("metadata.") {
            Some(key) => metadata_values(seen, key),
            None => Vec::new(),
        },
    }
}

fn of_each(entries: &[&Message], path: &str) -> Vec<String> {
    entries.iter().filter_map(|m| m.text(path).map(str::to_owned)).collect()
}

fn metadata_values(seen: &View<'_>, key: &str) -> Vec<Held> {
    entries(seen)
        .into_iter()
        .filter_map(|m| m.object("metadata")?.get(key)?.as_str())
        .map(|text| Held::Pair(text.to_owned()))
        .collect()
}

/// Whether one held value stands in a relation to a written one.
fn compares(held: &Held, by: By, written: &str) -> bool {
    let order = match held {
        Held::Identifier(id) => {
            return by == By::Value && normal::identifier(id) == normal::identifier(written);
        }
        Held::Text(text) => {
            return by == By::Value && normal::text(text).contains(&normal::text(written));
        }
        Held::Pair(text) => return by == By::Value && normal::text(text) == normal::text(written),
        Held::Plain(text) => return by == By::Value && text == written,
        Held::Day(day) => instant::date(written).map(|other| day.cmp(&other)),
        Held::Instant(at) => instant::instant(written).map(|other| at.cmp(&other)),
        Held::Money(minor, currency) => written
            .parse::<Decimal>()
            .ok()
            .map(|other| money::compare(*minor, currency, &other)),
    };
    let Some(order) = order else { return false };
    match by {
        By::Value => order == Ordering::Equal,
        By::Gt => order == Ordering::Greater,
        By::Gte => order != Ordering::Less,
        By::Lt => order == Ordering::Less,
        By::Lte => order != Ordering::Greater,
    }
}
