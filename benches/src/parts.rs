//! `parts`: each stage alone, in this process, on the same messages.
//!
//! The stages take turns, some hundred thousand messages at a time, so that any number of payments fits into memory. A stage is
//! charged with all processor time of the process in its turns, and at the end with what its background threads have left to do; what they
//! do in another one's turn is charged to that one, so the sum of the stages is exact and their shares are nearly so. The ceiling is what the machine could do if the stages were all there is and
//! shared its cores without loss: cores / sum of processor seconds an event. Reading Kafka is not among them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use chrono::Utc;
use domain::decode::decode;
use domain::message::Encoding;
use domain::position::PartitionId;
use generator::{Mix, Stream};
use ledger::data_dir::DataDir;
use ledger::{Batch, Incoming, Reader, Touched, Writer};
use rayon::prelude::*;
use search::{Document, IndexWriter, Part};
use serde_json::{Map, Value, json};

use crate::arguments::{PartsLoad, plan};
use crate::interrupt;
use crate::machine;
use crate::process::own_processor_seconds;
use crate::progress::Progress;
use crate::report::{Report, number, rounded};

/// As the server closes its batches.
const BATCH: usize = 20_000;
/// As the server commits its index.
const DOCUMENTS_MAX: usize = 50_000;

/// Messages of a turn; all they become is held in memory, some 7 KB each.
const TURN: usize = 10 * BATCH;

/// What one stage took.
struct Stage {
    name: &'static str,
    seconds: f64,
    processor_seconds: f64,
}

pub(crate) struct Parts {
    messages: usize,
    documents: u64,
    parts: [Stage; 3],
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
    let mut stream = Stream::new(plan(payments, seed, mix))?;
    let mut progress = Progress::new("measuring the parts alone", "payments", payments);
    let scratch = tempfile::tempdir()?;
    let [mut decoding, mut ledger, mut index] = ["decode and digest", "ledger", "index"].map(Stage::new);
    let mut ledger_alone = ledger.take_turn(|| LedgerAlone::open(&scratch.path().join("data")))?;
    let mut index_alone = index.take_turn(|| IndexAlone::open(&scratch.path().join("index-alone")))?;
    let mut count = 0;
    loop {
        interrupt::check()?;
        let messages = next_messages(&mut stream);
        if messages.is_empty() {
            break;
        }
        let decoded = decoding.take_turn(|| Ok(decode_all(&messages, count)))?;
        count += messages.len();
        drop(messages);
        let touched = ledger.take_turn(|| ledger_alone.apply(decoded))?;
        index.take_turn(|| index_alone.write(&touched))?;
        progress.set(stream.payments_arrived());
    }
    ledger.take_turn(|| ledger_alone.end())?;
    let documents = index.take_turn(|| index_alone.end())?;
    Ok(Parts {
        messages: count,
        documents,
        parts: [decoding, ledger, index],
    })
}

impl Stage {
    fn new(name: &'static str) -> Self {
        Stage {
            name,
            seconds: 0.0,
            processor_seconds: 0.0,
        }
    }

    fn take_turn<T>(&mut self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (started, before) = (Instant::now(), own_processor_seconds()?);
        let done = work()?;
        self.seconds += started.elapsed().as_secs_f64();
        self.processor_seconds += own_processor_seconds()? - before;
        Ok(done)
    }
}

fn next_messages(stream: &mut Stream) -> Vec<Vec<u8>> {
    let mut messages = Vec::with_capacity(TURN);
    while messages.len() < TURN
        && let Some(message) = stream.next_message()
    {
        messages.push(message.value.to_vec());
    }
    messages
}

/// On all threads, as the projector does.
fn decode_all(messages: &[Vec<u8>], first: usize) -> Vec<Incoming> {
    let source = Arc::new(PartitionId::Kafka {
        topic: "parts".to_owned(),
        partition: 0,
    });
    let one = |(number, message): (usize, &Vec<u8>)| {
        let content = decode(message, Encoding::Structured).ok()?;
        Some(Incoming {
            source: source.clone(),
            position: (first + number) as u64,
            content: Ok(Box::new(content)),
        })
    };
    messages.par_iter().enumerate().filter_map(one).collect()
}

struct LedgerAlone {
    writer: Writer,
    _reader: Reader,
}

impl LedgerAlone {
    fn open(dir: &Path) -> Result<Self> {
        let zones = domain::time::Zones {
            default: "Asia/Seoul".parse().ok().context("a time zone")?,
            merchants: std::collections::BTreeMap::new(),
        };
        let (writer, reader) = ledger::open(&DataDir::lock(dir)?, &ledger::Options::default(), zones)?;
        Ok(LedgerAlone {
            writer,
            _reader: reader,
        })
    }

    /// What each batch touched, for the index.
    fn apply(&mut self, decoded: Vec<Incoming>) -> Result<Vec<Vec<Touched>>> {
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
            self.writer.apply(batch, &mut |_, touched| all.push(touched))?;
        }
        Ok(all)
    }

    fn end(mut self) -> Result<()> {
        Ok(self.writer.checkpoint()?)
    }
}

struct IndexAlone {
    writer: IndexWriter,
    digests: HashMap<u64, u64>,
    batches: u64,
    written: u64,
}

impl IndexAlone {
    fn open(dir: &Path) -> Result<Self> {
        Ok(IndexAlone {
            writer: IndexWriter::create(dir, "parts", &search::Options::default())?,
            digests: HashMap::new(),
            batches: 0,
            written: 0,
        })
    }

    /// Builds the documents of each batch, and writes the last one of each payment where it changed: as the server does, which
    /// lets them wait for some seconds while a backlog is read.
    fn write(&mut self, batches: &[Vec<Touched>]) -> Result<()> {
        let mut waiting: BTreeMap<u64, Document> = BTreeMap::new();
        for touched in batches {
            let documents: Vec<Document> = touched
                .par_iter()
                .filter_map(|touched| Document::of(touched.seq, &touched.dossier))
                .collect();
            waiting.extend(documents.into_iter().map(|document| (document.seq, document)));
        }
        for document in waiting.values() {
            let mut is_written = false;
            for part in Part::ALL {
                let Some(digest) = document.digest(part) else { continue };
                match self.digests.insert(part.key(document.seq), digest) {
                    Some(held) if held == digest => continue,
                    Some(_) => self.writer.remove_part(document.seq, part)?,
                    None => {}
                }
                is_written |= self.writer.add_part(document, part)?;
            }
            self.written += u64::from(is_written);
        }
        self.batches += batches.len() as u64;
        if self.writer.uncommitted() >= DOCUMENTS_MAX {
            self.writer.commit(self.batches)?;
        }
        Ok(())
    }

    /// The number of documents written. Waits for the merges.
    fn end(mut self) -> Result<u64> {
        self.writer.commit(self.batches + 1)?;
        Ok(self.written)
    }
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
        let row = |part: &Stage| {
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
