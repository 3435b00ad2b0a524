//! The process ends at each step of the work on the stores, and the next one goes on: nothing is lost, nothing counts twice.
//!
//! One stream of hostile histories is fed by processes of their own that end, without any notice, when they have come to a step for the
//! n-th time, or some milliseconds later in the middle of the next one. Everything that is done now and then (packing,
//! folding, adding up, sealing) is done every few batches. After every end the store is opened by the next process; after the last one
//! every answer must be the model's. `LEDGERLENS_SEED` says which stream, and is printed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use domain::position::PartitionId;
use ledger::{OnStep, Step};
use projector::source::Headers;
use testkit::histories::History;

use crate::chance::Chance;
use crate::compare::differences;
use crate::expected::{Expected, questions};
use crate::feeding::zones;
use crate::product::{Product, Sent, index_limits, small_options};

/// Histories that make a stream.
const HISTORIES: u64 = 200;

/// Payments that everyone is asked about.
const ASKED_FOR: usize = 40;

/// Times that each step is the last one.
const ENDS: usize = 2;

/// Batches of new messages that a process feeds at most: the others want some too.
const NEW_BATCHES: usize = 25;

/// Times that it feeds all again.
const PASSES: i32 = 3;

/// Drawn questions, beside those that are asked of every history.
const QUESTIONS: usize = 20;

/// What a process is told: where the store is, the stream, and at which step to end.
const DIR: &str = "LEDGERLENS_STEPS_DIR";
const SEED: &str = "LEDGERLENS_SEED";
const END: &str = "LEDGERLENS_STEPS_END";

/// Where a process is to end.
#[derive(Clone, Copy, Debug)]
struct End {
    /// Place in [`Step::ALL`].
    step: usize,
    time: u64,
    millis_later: u64,
}

impl End {
    fn written(self) -> String {
        format!("{} {} {}", self.step, self.time, self.millis_later)
    }

    fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(End {
            step: usize::try_from(next()?).ok()?,
            time: next()?,
            millis_later: next()?,
        })
    }
}

fn stream(seed: u64) -> History {
    let mut all = History {
        seed,
        messages: Vec::new(),
        payment_keys: Vec::new(),
    };
    let mut chance = Chance::new(seed);
    let mut later: Vec<(u64, Vec<u8>)> = Vec::new();
    for (one, history) in (0..HISTORIES).map(|one| (one, History::small(seed * HISTORIES + one))) {
        for message in history.shuffled(1) {
            // Some come long after their neighbours, which are packed by then.
            match chance.percent(30) {
                true => later.push((one + chance.between(1, HISTORIES as usize) as u64, message)),
                false => all.messages.push(message),
            }
        }
        let due = later.extract_if(.., |(at, _)| *at <= one);
        all.messages.extend(due.map(|(_, message)| message));
        all.payment_keys.extend(history.payment_keys);
    }
    all.messages.extend(later.into_iter().map(|(_, message)| message));
    all.payment_keys.sort();
    all.payment_keys.dedup();
    all.payment_keys.truncate(ASKED_FOR);
    all
}

#[test]
fn a_process_may_end_at_every_step() {
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut chance = Chance::new(seed);
    let mut ends: Vec<End> = (0..Step::ALL.len() * ENDS)
        .map(|one| End {
            step: one % Step::ALL.len(),
            time: chance.between(1, 2) as u64,
            millis_later: [0, 0, 1, 4][chance.between(0, 3)],
        })
        .collect();
    // In any order, so that each end meets what all sorts of others have left.
    for at in (1..ends.len()).rev() {
        ends.swap(at, chance.between(0, at));
    }
    let mut met = vec![0; Step::ALL.len()];
    for end in ends {
        if ended_there(dir.path(), seed, Some(end)) {
            met[end.step] += 1;
        }
    }
    assert!(
        !ended_there(dir.path(), seed, None),
        "seed {seed}: the last process ends well"
    );
    let missed: Vec<_> = Step::ALL.iter().zip(&met).filter(|(_, met)| **met == 0).collect();
    assert!(
        missed.is_empty(),
        "seed {seed}: nobody ended at {missed:?}; all: {met:?}"
    );

    let history = stream(seed);
    let asked = questions(&history, QUESTIONS);
    let expected = Expected::of(&history.messages, &asked);
    let mut product = opened(dir.path(), OnStep::default());
    let mut found = differences(&mut product, &expected);
    found.extend(product.verify());
    assert!(
        found.is_empty(),
        "seed {seed}: {} differences, the first:\n{}",
        found.len(),
        found[0]
    );
}

/// Runs a process on the store. False: it came to the end of the stream.
fn ended_there(dir: &Path, seed: u64, end: Option<End>) -> bool {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command
        .args(["--exact", "steps::feed_and_end", "--nocapture"])
        .env(DIR, dir)
        .env(SEED, seed.to_string())
        .env(END, end.map(End::written).unwrap_or_default())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let output = command.output().expect("a process");
    if output.status.success() {
        return false;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !said.contains("panicked"),
        "seed {seed}, end {end:?}: it failed:\n{said}"
    );
    true
}

static ENDING: OnceLock<End> = OnceLock::new();
static TIMES: AtomicU64 = AtomicU64::new(0);

fn end_at(step: Step) {
    let Some(end) = ENDING.get().filter(|end| Step::ALL[end.step] == step) else {
        return;
    };
    if TIMES.fetch_add(1, Ordering::AcqRel) + 1 == end.time {
        if end.millis_later == 0 {
            die();
        }
        let later = Duration::from_millis(end.millis_later);
        thread::spawn(move || {
            thread::sleep(later);
            die();
        });
    }
}

/// As by SIGKILL: nothing is written, closed or told.
fn die() {
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::KILL).expect("the signal is sent");
}

fn opened(dir: &Path, on_step: OnStep) -> Product {
    let options = ledger::Options {
        wal_bytes: 24 << 10,
        events_max: 60,
        row_rest: 1,
        on_step,
        ..small_options()
    };
    Product::at(dir, zones(), index_limits(Duration::from_millis(20)), options)
}

/// Not a test: what [`a_process_may_end_at_every_step`] runs as another process. Feeds some of the stream from where the store is, and then
/// all of it again from partitions of their own, for steps that take many batches; without an end, the rest of the stream.
#[test]
fn feed_and_end() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else {
        return;
    };
    let seed = std::env::var(SEED)
        .ok()
        .and_then(|seed| seed.parse().ok())
        .expect("a seed");
    if let Some(end) = std::env::var(END).ok().as_deref().and_then(End::read) {
        ENDING.set(end).expect("set once");
    }
    let messages = stream(seed).messages;
    let mut product = opened(&dir, OnStep::new(end_at));
    let is_to_end = ENDING.get().is_some();
    feed(
        &mut product,
        &messages,
        0,
        if is_to_end { NEW_BATCHES } else { usize::MAX },
    );
    for pass in (1..=PASSES).filter(|_| is_to_end) {
        feed(&mut product, &messages, pass, usize::MAX);
    }
}

/// Feeds the messages from a partition's position on, some batches of them.
fn feed(product: &mut Product, messages: &[Vec<u8>], partition: i32, batches: usize) {
    let partition = Arc::new(PartitionId::Kafka {
        topic: "stream".to_owned(),
        partition,
    });
    for _ in 0..batches {
        let from = product.applied(&partition) as usize;
        let to = (from + 1 + from % 3).min(messages.len());
        if from >= to {
            return;
        }
        let sent = (from..to).map(|position| Sent {
            partition: partition.clone(),
            position: position as u64,
            value: Some((messages[position].clone(), Headers::new())),
        });
        product.apply(sent.collect());
    }
}
