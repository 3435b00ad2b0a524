//! The loop: source to stores, until it is told to stop or the source has ended.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::position::{PartitionId, Positions};
use ledger::Counts;

use crate::batch::{Batch, BatchLimits, collect};
use crate::incoming::Decoded;
use crate::pipeline::{Pipeline, PipelineError};
use crate::source::{PartitionStatus, Source};

/// What the loop tells whoever watches, after each batch and while it waits.
pub struct Progress<'a> {
    /// Verdicts since the loop began.
    pub counts: &'a Counts,
    pub nulls: u64,
    /// As far as they are durable in the ledger.
    pub partitions: Vec<PartitionStatus>,
    /// As [`Source::is_complete`].
    pub is_complete: bool,
    pub problems: Vec<String>,
    /// Broker time of the newest message applied.
    pub appended_at: Option<DateTime<Utc>>,
    /// Why the stores cannot be written or the source not be opened; it is tried again. The members above say nothing then.
    pub failure: Option<&'a PipelineError>,
}

/// What the loop needs from outside.
pub struct Surroundings {
    /// True once the loop is to end.
    pub stop: Arc<dyn Fn() -> bool + Send + Sync>,
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    pub limits: BatchLimits,
}

/// Opens the source at these positions.
pub type Open<'a> = dyn FnMut(&Positions) -> Result<Box<dyn Source>, PipelineError> + 'a;

/// The longest pause between two tries after an error.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Applies what `open` delivers. `open` is called with the ledger's positions at the start and after every error.
///
/// Ends when the source has ended, when it is told to stop, and with an error only if `forever` is not set: a server
/// goes on trying, a backfill tells its user.
pub fn run(
    pipeline: &mut Pipeline,
    open: &mut Open<'_>,
    around: &Surroundings,
    forever: bool,
    watch: &mut dyn FnMut(&Progress<'_>),
) -> Result<Counts, PipelineError> {
    let mut counts = Counts::default();
    let mut pause = Duration::from_millis(100);
    loop {
        let positions = pipeline.writer().positions().clone();
        let outcome =
            open(&positions).and_then(|mut source| drain(pipeline, source.as_mut(), around, &mut counts, watch));
        match outcome {
            Ok(()) => return Ok(counts),
            Err(error) if !forever => return Err(error),
            Err(error) => {
                tracing::error!(error = %chain(&error), "ingestion failed and begins again from the ledger's positions");
                watch(&failed(&counts, &error));
            }
        }
        loop {
            if wait(pause, around) {
                return Ok(counts);
            }
            match pipeline.recover() {
                Ok(()) => break,
                Err(error) => {
                    tracing::error!(error = %chain(&error), "the stores cannot be read yet");
                    watch(&failed(&counts, &error));
                }
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

fn failed<'a>(counts: &'a Counts, failure: &'a PipelineError) -> Progress<'a> {
    Progress {
        counts,
        nulls: 0,
        partitions: Vec::new(),
        is_complete: false,
        problems: Vec::new(),
        appended_at: None,
        failure: Some(failure),
    }
}

/// A batch that is durable.
struct Done {
    positions: Positions,
    counts: Counts,
    nulls: u64,
    appended_at: Option<DateTime<Utc>>,
}

/// How long the applying thread waits for a batch before it looks for acts of operators.
const ACTS_WITHIN: Duration = Duration::from_millis(20);

/// Two stages on two threads: this one collects and decodes the next batch while the other applies the last one. There
/// are never more than these two, so the memory of ingestion is bounded by two batches.
fn drain(
    pipeline: &mut Pipeline,
    source: &mut dyn Source,
    around: &Surroundings,
    counts: &mut Counts,
    watch: &mut dyn FnMut(&Progress<'_>),
) -> Result<(), PipelineError> {
    let mut told = Told {
        counts,
        nulls: 0,
        appended_at: None,
        waiting: VecDeque::new(),
    };
    thread::scope(|scope| {
        let (hand_over, batches) = sync_channel(0);
        let (report, reports) = channel();
        thread::Builder::new()
            .name("apply".to_owned())
            .spawn_scoped(scope, move || apply_each(pipeline, around, &batches, &report))
            .map_err(PipelineError::Thread)?;
        let fed = feed(source, around, &hand_over, &reports, &mut told, watch);
        drop(hand_over);
        for done in reports {
            told.note(source, done?);
        }
        told.tell(source, watch);
        fed
    })
}

/// Collects and decodes until the source has ended, the other stage has, or the loop is to stop.
fn feed(
    source: &mut dyn Source,
    around: &Surroundings,
    hand_over: &SyncSender<Decoded>,
    reports: &Receiver<Result<Done, PipelineError>>,
    told: &mut Told<'_>,
    watch: &mut dyn FnMut(&Progress<'_>),
) -> Result<(), PipelineError> {
    while !(around.stop)() {
        let batch = collect(source, &around.limits)?;
        let ended = batch.ended;
        if !batch.is_empty() {
            told.waiting.push_back(firsts(&batch));
            if hand_over.send(Decoded::of(batch)).is_err() {
                // The other stage has ended with an error, which is among its reports.
                return Ok(());
            }
        }
        for done in reports.try_iter() {
            told.note(source, done?);
        }
        told.tell(source, watch);
        if ended {
            break;
        }
    }
    Ok(())
}

/// Applies what comes, and does the acts of operators between two batches. An error ends it; it is the last report.
fn apply_each(
    pipeline: &mut Pipeline,
    around: &Surroundings,
    batches: &Receiver<Decoded>,
    reports: &Sender<Result<Done, PipelineError>>,
) {
    loop {
        let taken = match batches.recv_timeout(ACTS_WITHIN) {
            Ok(batch) => Some(batch),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let outcome = step(pipeline, around, taken).transpose();
        let goes_on = !matches!(outcome, Some(Err(_)));
        let is_heard = outcome.is_none_or(|report| reports.send(report).is_ok());
        if !goes_on || !is_heard {
            return;
        }
    }
}

fn step(pipeline: &mut Pipeline, around: &Surroundings, batch: Option<Decoded>) -> Result<Option<Done>, PipelineError> {
    pipeline.check_stores()?;
    pipeline.serve_acts(Duration::ZERO, &*around.now)?;
    let Some(mut batch) = batch else { return Ok(None) };
    let (positions, nulls) = (batch.positions().clone(), batch.nulls());
    let card_numbers = batch.take_card_numbers();
    let started = Instant::now();
    let applied = pipeline.apply_decoded(batch, (around.now)())?;
    metrics::histogram!("ledgerlens_batch_seconds").record(started.elapsed());
    note(&applied.counts);
    card_numbers.count();
    Ok(Some(Done {
        positions,
        counts: applied.counts,
        nulls,
        appended_at: applied.head.appended_at,
    }))
}

/// The first message of each partition in a batch.
type Firsts = HashMap<Arc<PartitionId>, u64>;

fn firsts(batch: &Batch) -> Firsts {
    let mut firsts = Firsts::new();
    // Messages of one partition come in runs.
    for run in batch.messages.chunk_by(|a, b| a.partition == b.partition) {
        if let Some(first) = run.first() {
            firsts.entry(first.partition.clone()).or_insert(first.position);
        }
    }
    firsts
}

/// What whoever watches was told of since the source was opened.
struct Told<'a> {
    counts: &'a mut Counts,
    nulls: u64,
    appended_at: Option<DateTime<Utc>>,
    /// Batches that were collected and are not durable yet.
    waiting: VecDeque<Firsts>,
}

impl Told<'_> {
    fn note(&mut self, source: &mut dyn Source, done: Done) {
        self.waiting.pop_front();
        source.applied(&done.positions);
        self.counts.add(&done.counts);
        self.nulls += done.nulls;
        self.appended_at = done.appended_at;
    }

    /// What was delivered and is not durable yet counts as waiting: nobody may take the ledger for caught up meanwhile.
    fn as_applied(&self, mut status: PartitionStatus) -> PartitionStatus {
        let first = self.waiting.iter().find_map(|firsts| firsts.get(&status.partition));
        if let Some(&first) = first {
            status.next = status.next.min(first);
            status.lag = status.end.map(|end| end.saturating_sub(first));
        }
        status
    }

    fn tell(&self, source: &dyn Source, watch: &mut dyn FnMut(&Progress<'_>)) {
        watch(&Progress {
            counts: self.counts,
            nulls: self.nulls,
            partitions: source
                .partitions()
                .into_iter()
                .map(|status| self.as_applied(status))
                .collect(),
            is_complete: source.is_complete(),
            problems: source.problems(),
            appended_at: self.appended_at,
            failure: None,
        });
    }
}

fn note(counts: &Counts) {
    let verdicts = [
        ("applied", counts.applied),
        ("duplicate", counts.duplicate),
        ("stale", counts.stale),
        ("conflict", counts.conflict),
        ("quarantined", counts.quarantined),
    ];
    for (verdict, count) in verdicts {
        metrics::counter!("ledgerlens_messages_total", "verdict" => verdict).increment(count);
    }
}

/// Waits in small steps; true if the loop was told to stop.
fn wait(pause: Duration, around: &Surroundings) -> bool {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        if (around.stop)() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    (around.stop)()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::source::{Content, RawMessage};

    fn batch(messages: &[(&Arc<PartitionId>, u64)]) -> Batch {
        let message = |(partition, position): &(&Arc<PartitionId>, u64)| RawMessage {
            partition: (*partition).clone(),
            position: *position,
            content: Content::Null,
            appended_at: None,
        };
        Batch {
            messages: messages.iter().map(message).collect(),
            ..Batch::default()
        }
    }

    #[test]
    fn what_is_not_durable_yet_counts_as_waiting() {
        let [a, b] = ["payments/0", "payments/1"].map(|name| Arc::new(PartitionId::parse(name).expect("a partition")));
        let mut counts = Counts::default();
        let mut told = Told {
            counts: &mut counts,
            nulls: 0,
            appended_at: None,
            waiting: VecDeque::new(),
        };
        let delivered = |partition: &Arc<PartitionId>| PartitionStatus {
            partition: partition.clone(),
            next: 12,
            end: Some(12),
            lag: Some(0),
            is_looked_at: true,
            problem: None,
        };
        let shown = |told: &Told<'_>, partition| {
            let status = told.as_applied(delivered(partition));
            (status.next, status.lag)
        };
        assert_eq!(shown(&told, &a), (12, Some(0)));
        told.waiting
            .push_back(firsts(&batch(&[(&a, 5), (&a, 6), (&b, 3), (&a, 8)])));
        told.waiting.push_back(firsts(&batch(&[(&a, 10)])));
        assert_eq!((shown(&told, &a), shown(&told, &b)), ((5, Some(7)), (3, Some(9))));
        told.waiting.pop_front();
        assert_eq!((shown(&told, &a), shown(&told, &b)), ((10, Some(2)), (12, Some(0))));
    }
}
