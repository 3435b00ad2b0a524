//! The unified ledger row by row, what an identifier finds, and the messages of a payment.

use super::evaluate;
use super::instant::Zones;
use super::message::{Kind, Message};
use super::money;
use super::state::{self, Entry, Scope, View};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One version and content: kind, entry, version, SHA-256 in hexadecimal digits.
pub type Content = (String, String, i64, String);

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Payment => "payment",
        Kind::Cancellation => "cancellation",
        Kind::Settlement => "settlement",
    }
}

/// `/v1/entries` without a filter, from everything the reader sees.
pub(crate) fn rows(views: &[View<'_>], provider_figures: bool, zones: &Zones) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    for view in views {
        let entries = view.payment.iter().chain(&view.cancellations).chain(&view.settlements);
        rows.extend(entries.map(|entry| row(view, entry, provider_figures, zones)));
    }
    let text = |row: &Value, member: &str| row[member].as_str().unwrap_or_default().to_owned();
    rows.sort_by_key(|row| ["payment_key", "kind", "entry_id"].map(|member| text(row, member)));
    rows
}

fn row(view: &View<'_>, entry: &Message, provider_figures: bool, zones: &Zones) -> Value {
    let print = |minor: i128| money::major_units(minor, entry.currency());
    let is_line = entry.kind == Kind::Settlement;
    let (amount, of_line): (i128, [i128; 4]) = match entry.kind {
        Kind::Payment => (entry.required_minor("amount.total"), [0; 4]),
        Kind::Cancellation => (-entry.required_minor("amount.total"), [0; 4]),
        Kind::Settlement => (
            entry.required_minor("amount"),
            [
                entry.sum_of("fees"),
                entry.required_minor("vat"),
                entry.required_minor("payout_amount"),
                entry.sum_of("costs"),
            ],
        ),
    };
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string());
    let event_day = if is_line { None } else { state::event_day(entry, zones) };
    let mut row = json!({
        "kind": name(entry.kind),
        "payment_key": view.payment_key,
        "entry_id": entry.entry_id(),
        "merchant_id": entry.merchant(),
        "method": view.payment.map_or("UNKNOWN", |payment| payment.required("method")),
        "status": entry.status(),
        "currency": entry.currency(),
        "event_day": day(event_day),
        "sale_day": day(view.event_day),
        "sold_on": entry.date("sold_on").filter(|_| is_line).map(|day| day.to_string()),
        "paid_out_on": entry.date("paid_out_on").filter(|_| is_line).map(|day| day.to_string()),
        "payout_id": entry.text("payout_id").filter(|_| is_line),
        "amount": print(amount),
        "fee": print(of_line[0]),
        "vat": print(of_line[1]),
        "payout": print(of_line[2]),
    });
    if provider_figures {
        row["cost"] = json!(print(of_line[3]));
    }
    row
}

/// The payments that an identifier finds, in list order, each with the first field that it is found by.
pub(crate) fn found(mut views: Vec<View<'_>>, id: &str, zones: &Zones) -> Vec<(String, &'static str)> {
    views.sort_by_key(|view| (std::cmp::Reverse(view.occurred_at), view.payment_key));
    views
        .iter()
        .filter_map(|view| {
            let field = evaluate::identified_by(view, id, zones)?;
            Some((view.payment_key.to_owned(), field))
        })
        .collect()
}

/// Every version and content that the reader of a found payment sees.
pub(crate) fn contents(entries: &[Entry<'_>], scope: &Scope) -> BTreeSet<Content> {
    let aside: Vec<*const Message> = state::set_aside(entries)
        .into_iter()
        .map(|(state, _)| std::ptr::from_ref(state))
        .collect();
    let exists = |entry: &&Entry<'_>| match scope {
        Scope::All => true,
        Scope::Merchants(_) => scope.sees(entry.state.merchant()) && !aside.contains(&std::ptr::from_ref(entry.state)),
    };
    let messages = entries.iter().filter(exists).flat_map(|entry| &entry.messages);
    messages
        .filter(|message| scope.sees(message.merchant()))
        .map(|message| {
            let digest: String = message.digest.iter().map(|byte| format!("{byte:02x}")).collect();
            (
                name(message.kind).to_owned(),
                message.entry_id().to_owned(),
                message.version,
                digest,
            )
        })
        .collect()
}
