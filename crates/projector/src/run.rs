//! The loop: source to stores, until it is told to stop or the source has ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::position::Positions;
use ledger::Counts;

use crate::batch::{BatchLimits, collect};
use crate::pipeline::{Pipeline, PipelineError};
use crate::source::{PartitionStatus, Source};

/// What the loop tells whoever watches, after each batch and while it waits.
pub struct Progress<'a> {
    /// Verdicts since the loop began.
    pub counts: &'a Counts,
    pub nulls: u64,
    pub partitions: Vec<PartitionStatus>,
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
        problems: Vec::new(),
        appended_at: None,
        failure: Some(failure),
    }
}

fn drain(
    pipeline: &mut Pipeline,
    source: &mut dyn Source,
    around: &Surroundings,
    counts: &mut Counts,
    watch: &mut dyn FnMut(&Progress<'_>),
) -> Result<(), PipelineError> {
    let mut nulls = 0;
    let mut appended_at = None;
    loop {
        if (around.stop)() {
            return Ok(());
        }
        pipeline.check_rows()?;
        pipeline.serve_acts(Duration::ZERO, &*around.now)?;
        let batch = collect(source, &around.limits)?;
        let ended = batch.ended;
        if !batch.is_empty() {
            let messages = batch.messages.len() as u64;
            let positions = batch.positions.clone();
            let started = Instant::now();
            let applied = pipeline.apply(batch, (around.now)())?;
            metrics::histogram!("ledgerlens_batch_seconds").record(started.elapsed());
            metrics::gauge!("ledgerlens_ledger_batch").set(applied.head.batch_no as f64);
            source.applied(&positions);
            counts.add(&applied.counts);
            nulls += messages - applied.counts.read();
            appended_at = applied.head.appended_at;
            note(&applied.counts);
        }
        let (partitions, problems) = (source.partitions(), source.problems());
        watch(&Progress {
            counts,
            nulls,
            partitions,
            problems,
            appended_at,
            failure: None,
        });
        if ended {
            return Ok(());
        }
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
        std::thread::sleep(Duration::from_millis(20));
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
