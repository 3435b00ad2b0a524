//! `parts`: each stage alone, in this process, on the same messages.
//!
//! A stage is charged with all processor time of the process while it runs, its background threads included, and ends
//! when they have nothing left to do. The ceiling is what the machine could do if the stages were all there is and
//! shared its cores without loss: cores / sum of processor seconds an event. Reading Kafka is not among them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use chrono::Utc;
use domain::decode::decode;
use domain::message::Encoding;
use domain::position::PartitionId;
use generator::{Mix, Stream};
use ledger::data_dir::DataDir;
use ledger::{Batch, Incoming, Touched};
use rayon::prelude::*;
use search::{Document, IndexWriter};
use serde_json::{Map, Value, json};

use crate::arguments::{PartsLoad, plan};
use crate::interrupt;
use crate::machine;
use crate::process::own_processor_seconds;
use crate::progress::say;
use crate::report::{Report, number, rounded};

/// As the server closes its batches.
const BATCH: usize = 20_000;
/// As the server commits its index.
const DOCUMENTS_MAX: usize = 50_000;

/// What one stage took.
struct Part {
    name: &'static str,
    seconds: f64,
    processor_seconds: f64,
}

pub(crate) struct Parts {
    messages: usize,
    documents: u64,
    parts: Vec<Part>,
}

pub(crate) fn run(load: &PartsLoad) -> Result<Report> {
    let parts = measure(load.payments, load.seed, load.mix)?;
    let mut report = Report::new("parts");
    parts.describe(&mut report);
    report.member("ceiling_events_per_second", number(parts.ceiling()));
    report.member("parts", parts.members());
    Ok(report)
}

pub(crate) fn measure(payments: u64, seed: u64, mix: Mix) -> Result<Parts> {
    say("measuring the parts alone ...");
    let messages = messages(payments, seed, mix)?;
    let count = messages.len();
    let mut parts = Vec::new();
    let decoded = timed(&mut parts, "decode and digest", || Ok(decode_all(&messages)))?;
    drop(messages);
    interrupt::check()?;
    let scratch = tempfile::tempdir()?;
    let touched = timed(&mut parts, "ledger", || apply_all(scratch.path(), decoded))?;
    interrupt::check()?;
    let documents = timed(&mut parts, "index", || {
        index_all(&scratch.path().join("index-alone"), &touched)
    })?;
    Ok(Parts {
        messages: count,
        documents,
        parts,
    })
}

fn timed<T>(parts: &mut Vec<Part>, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (started, before) = (Instant::now(), own_processor_seconds()?);
    let done = work()?;
    parts.push(Part {
        name,
        seconds: started.elapsed().as_secs_f64(),
        processor_seconds: own_processor_seconds()? - before,
    });
    Ok(done)
}

fn messages(payments: u64, seed: u64, mix: Mix) -> Result<Vec<Vec<u8>>> {
    let mut stream = Stream::new(plan(payments, seed, mix))?;
    let mut messages = Vec::new();
    while let Some(message) = stream.next_message() {
        messages.push(message.value.to_vec());
    }
    Ok(messages)
}

/// On all threads, as the projector does.
fn decode_all(messages: &[Vec<u8>]) -> Vec<Incoming> {
    let source = Arc::new(PartitionId::Kafka {
        topic: "parts".to_owned(),
        partition: 0,
    });
    let one = |(position, message): (usize, &Vec<u8>)| {
        let content = decode(message, Encoding::Structured).ok()?;
        Some(Incoming {
            source: source.clone(),
            position: position as u64,
            content: Ok(Box::new(content)),
        })
    };
    messages.par_iter().enumerate().filter_map(one).collect()
}

/// What each batch touched, for the index.
fn apply_all(dir: &std::path::Path, decoded: Vec<Incoming>) -> Result<Vec<Vec<Touched>>> {
    let dir = DataDir::lock(&dir.join("data"))?;
    let zones = domain::time::Zones {
        default: "Asia/Seoul".parse().ok().context("a time zone")?,
        merchants: std::collections::BTreeMap::new(),
    };
    let (mut writer, _reader) = ledger::open(&dir, &ledger::Options::default(), zones)?;
    let mut all = Vec::new();
    let mut decoded = decoded.into_iter().peekable();
    while decoded.peek().is_some() {
        let items: Vec<Incoming> = decoded.by_ref().take(BATCH).collect();
        let last = items
            .last()
            .map(|item| (PartitionId::clone(&item.source), item.position + 1));
        let batch = Batch {
            items,
            positions: last.into_iter().collect(),
            nulls: 0,
            appended_at: None,
            applied_at: Utc::now(),
        };
        writer.apply(batch, &mut |_, touched| all.push(touched))?;
    }
    writer.checkpoint()?;
    Ok(all)
}

/// Builds the documents, leaves out those that did not change, writes the others. The number written.
fn index_all(dir: &std::path::Path, batches: &[Vec<Touched>]) -> Result<u64> {
    let mut writer = IndexWriter::create(dir, "parts", &search::Options::default())?;
    let mut digests: HashMap<u64, u64> = HashMap::new();
    let mut written = 0;
    for (number, touched) in batches.iter().enumerate() {
        let documents: Vec<Document> = touched
            .par_iter()
            .filter_map(|touched| Document::of(touched.seq, &touched.dossier))
            .collect();
        for document in &documents {
            let digest = document.digest();
            if digests.insert(document.seq, digest) != Some(digest) {
                writer.upsert(document)?;
                written += 1;
            }
        }
        if writer.uncommitted() >= DOCUMENTS_MAX {
            writer.commit(number as u64 + 1)?;
        }
    }
    writer.commit(batches.len() as u64 + 1)?;
    // Waits for the merges.
    drop(writer);
    Ok(written)
}

impl Parts {
    /// Events a second.
    pub(crate) fn ceiling(&self) -> f64 {
        let seconds: f64 = self.parts.iter().map(|part| part.processor_seconds).sum();
        machine::cores() as f64 * self.messages as f64 / seconds.max(f64::EPSILON)
    }

    fn documents_per_event(&self) -> f64 {
        self.documents as f64 / self.messages.max(1) as f64
    }

    pub(crate) fn describe(&self, report: &mut Report) {
        let messages = self.messages.max(1) as f64;
        let row = |part: &Part| {
            vec![
                part.name.to_owned(),
                rounded(messages / part.seconds.max(f64::EPSILON)),
                rounded(part.processor_seconds * 1e6 / messages),
            ]
        };
        let mut rows: Vec<_> = self.parts.iter().map(row).collect();
        let sum: f64 = self.parts.iter().map(|part| part.processor_seconds).sum();
        rows.push(vec![
            "ceiling".to_owned(),
            rounded(self.ceiling()),
            rounded(sum * 1e6 / messages),
        ]);
        let title = format!(
            "the parts alone, on {} messages, {} documents an event",
            self.messages,
            rounded(self.documents_per_event())
        );
        report.table(title, &["part", "events/s alone", "processor µs an event"], rows);
    }

    pub(crate) fn members(&self) -> Value {
        let messages = self.messages.max(1) as f64;
        let mut members: Map<String, Value> = self
            .parts
            .iter()
            .map(|part| {
                (
                    part.name.to_owned(),
                    json!({"processor_us_per_event": number(part.processor_seconds * 1e6 / messages)}),
                )
            })
            .collect();
        members.insert("documents_per_event".to_owned(), number(self.documents_per_event()));
        members.into()
    }
}
