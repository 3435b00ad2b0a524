//! The stream against the contract, against a slow recount of its own, and against the shapes it promises.

// The seed and the figures belong into the output of a failing test.
#![allow(clippy::print_stderr)]

mod contract;
mod determinism;
mod kafka;
mod outputs;
mod recount;
mod shapes;
mod truth;

use chrono::NaiveDate;
use generator::{Plan, Stream, Topic};

/// A message as a test keeps it.
#[derive(Clone)]
struct Kept {
    topic: Topic,
    key: String,
    value: Vec<u8>,
    at_ms: i64,
}

fn keep_all(stream: &mut Stream) -> Vec<Kept> {
    let mut kept = Vec::new();
    while let Some(message) = stream.next_message() {
        let (key, value) = (message.key.to_owned(), message.value.to_vec());
        kept.push(Kept {
            topic: message.topic,
            key,
            value,
            at_ms: message.at_ms,
        });
    }
    kept
}

fn messages(plan: Plan) -> Vec<Kept> {
    keep_all(&mut Stream::new(plan).expect("a valid plan"))
}

/// Few payments over the usual three years.
fn small(payments: u64) -> Plan {
    Plan {
        payments,
        merchants: 200,
        ..Plan::default()
    }
    .ending(NaiveDate::from_ymd_opt(2026, 9, 30).expect("a day"))
}
