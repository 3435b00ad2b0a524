//! The same log into PostgreSQL: a batch is copied into empty tables and upserted from there, all in one transaction.
//!
//! What a batch needs of the messages is worked out on a thread of its own while the batch before it is applied.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, FixedOffset};
use generator::{Plan, Stream};
use postgres::Client;
use serde_json::Value;
use std::io::Write as _;

use crate::interrupt;
use crate::progress::Progress;

/// As many messages to a transaction as Ledgerlens takes.
const BATCH: u64 = 20_000;
const WAITING_MAX: usize = 2;
const KOREA_SECONDS: i32 = 9 * 3_600;

const UPSERTS: [(&str, &str); 3] = [
    ("new_payments", include_str!("payments.sql")),
    ("new_cancellations", include_str!("cancellations.sql")),
    ("new_settlements", include_str!("settlements.sql")),
];

/// The lines of one batch for each table of `UPSERTS`.
#[derive(Default)]
struct Batch {
    lines: [String; 3],
    payments: u64,
}

pub(crate) struct Loaded {
    pub(crate) messages: u64,
    pub(crate) took: Duration,
}

/// Makes the tables and reads the whole stream into them.
pub(crate) fn load(client: &mut Client, plan: Plan) -> Result<Loaded> {
    client
        .batch_execute(include_str!("schema.sql"))
        .context("the tables were not made")?;
    let payments = plan.payments;
    let (sender, receiver) = sync_channel(WAITING_MAX);
    let started = Instant::now();
    let reader = thread::spawn(move || {
        let mut stream = Stream::new(plan)?;
        let mut batch = Batch::default();
        while let Some(message) = stream.next_message() {
            add(&mut batch, message.value)?;
            if stream.emitted().is_multiple_of(BATCH) {
                batch.payments = stream.payments_arrived();
                if sender.send(std::mem::take(&mut batch)).is_err() {
                    break;
                }
            }
        }
        batch.payments = stream.payments_arrived();
        // The other side is gone only after an error of its own.
        let _ = sender.send(batch);
        Ok::<_, anyhow::Error>(stream.emitted())
    });
    let applied = apply_all(client, &receiver, payments);
    drop(receiver);
    let messages = reader.join().map_err(|_| anyhow!("the reading thread failed"))?;
    applied?;
    let took = started.elapsed();
    client.batch_execute("vacuum analyze")?;
    Ok(Loaded {
        messages: messages?,
        took,
    })
}

fn apply_all(client: &mut Client, batches: &Receiver<Batch>, payments: u64) -> Result<()> {
    let mut progress = Progress::new("loading PostgreSQL", "payments", payments);
    for batch in batches {
        interrupt::check()?;
        let mut transaction = client.transaction()?;
        for ((table, upsert), lines) in UPSERTS.iter().zip(&batch.lines) {
            if lines.is_empty() {
                continue;
            }
            let mut copy = transaction.copy_in(&format!("copy {table} from stdin"))?;
            copy.write_all(lines.as_bytes())?;
            copy.finish().with_context(|| format!("copying into {table}"))?;
            transaction
                .batch_execute(upsert)
                .with_context(|| format!("upserting from {table}"))?;
        }
        transaction.commit()?;
        progress.set(batch.payments);
    }
    Ok(())
}

/// Adds the line of one message.
fn add(batch: &mut Batch, message: &[u8]) -> Result<()> {
    let mut event: Value = serde_json::from_slice(message)?;
    let data = event["data"].take();
    let (place, columns) = match event["type"].as_str() {
        Some("payment.recorded.v1") => (0, payment(&data)?),
        Some("cancellation.recorded.v1") => (1, cancellation(&data)?),
        _ => (2, settlement(&data)),
    };
    let lines = &mut batch.lines[place];
    for column in columns.into_iter().chain([Some(data.to_string())]) {
        match column {
            Some(text) => escape(&text, lines),
            None => lines.push_str("\\N"),
        }
        lines.push('\t');
    }
    lines.pop();
    lines.push('\n');
    Ok(())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn ident(value: &Value) -> Option<String> {
    value.as_str().map(query::ident)
}

/// Also `2.0` is a whole number.
fn version(data: &Value) -> Option<String> {
    let text = data["version"].to_string();
    Some(text.strip_suffix(".0").unwrap_or(&text).to_owned())
}

fn payment(data: &Value) -> Result<Vec<Option<String>>> {
    let at = if data["approved_at"].is_string() {
        &data["approved_at"]
    } else {
        &data["requested_at"]
    };
    let metadata = data["metadata"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, value)| value);
    let texts = [
        &data["order_name"],
        &data["customer"]["name"],
        &data["virtual_account"]["depositor"],
        &data["failure"]["message"],
    ];
    let texts: Vec<String> = texts
        .into_iter()
        .chain(metadata)
        .filter_map(Value::as_str)
        .map(query::fold)
        .collect();
    Ok(vec![
        text(&data["payment_key"]),
        version(data),
        text(&data["merchant_id"]),
        text(&data["status"]),
        text(&data["method"]),
        text(&data["currency"]),
        text(&data["amount"]["total"]),
        text(at),
        Some(day(at)?),
        ident(&data["order_id"]),
        ident(&data["transaction_key"]),
        ident(&data["card"]["approve_no"]),
        ident(&data["virtual_account"]["account_number"]),
        ident(&data["customer"]["email"]),
        ident(&data["customer"]["phone"]),
        // A text must not reach over into the next one.
        Some(texts.join("\n")),
    ])
}

fn cancellation(data: &Value) -> Result<Vec<Option<String>>> {
    let at = if data["canceled_at"].is_string() {
        &data["canceled_at"]
    } else {
        &data["requested_at"]
    };
    Ok(vec![
        text(&data["payment_key"]),
        text(&data["cancellation_id"]),
        version(data),
        text(&data["merchant_id"]),
        text(&data["status"]),
        text(&data["currency"]),
        text(&data["amount"]["total"]),
        Some(day(at)?),
        ident(&data["cancellation_id"]),
        Some(query::fold(data["reason"].as_str().unwrap_or_default())),
    ])
}

fn settlement(data: &Value) -> Vec<Option<String>> {
    vec![
        text(&data["payment_key"]),
        text(&data["settlement_id"]),
        version(data),
        text(&data["status"]),
        text(&data["payout_amount"]),
        text(&data["sold_on"]),
        ident(&data["settlement_id"]),
        ident(&data["cancellation_id"]),
        ident(&data["payout_id"]),
    ]
}

/// The day in Korea, where every merchant of the stream is.
fn day(at: &Value) -> Result<String> {
    let at = DateTime::parse_from_rfc3339(at.as_str().context("an instant")?)?;
    let zone = FixedOffset::east_opt(KOREA_SECONDS).context("a zone")?;
    Ok(at.with_timezone(&zone).date_naive().to_string())
}

/// As `copy` wants a text.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
}
