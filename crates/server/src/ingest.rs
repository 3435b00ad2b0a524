//! Running ingestion on a thread of its own, and telling the API how far it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use api::{PartitionProgress, Progress};
use chrono::{DateTime, Utc};
use domain::position::{PartitionId, Positions};
use ledger::acts::ActQueue;
use ledger::{Reader, Writer};
use projector::batch::BatchLimits;
use projector::index_keeper::IndexLimits;
use projector::index_place::IndexPlace;
use projector::kafka::{KafkaOptions, KafkaSource};
use projector::pipeline::{Pipeline, PipelineError};
use projector::run::{Surroundings, run};
use projector::source::{PartitionStatus, Source};

use crate::background::step_back;
use crate::config::Config;
use crate::failure::{Failure, chain};
use crate::operations::DeskSlot;
use crate::telemetry;

/// An index that cannot be opened, as on a full disk, is opened again after so long.
const OPENED_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Ingestion that runs until it is dropped.
pub(crate) struct Ingestion {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Ingestion {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What ingestion works with.
pub(crate) struct Parts {
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    pub(crate) place: IndexPlace,
    pub(crate) index: IndexLimits,
    pub(crate) batch: BatchLimits,
    /// None: no Kafka is read, and the stores are only brought to one position.
    pub(crate) kafka: Option<KafkaOptions>,
    pub(crate) progress: Arc<Progress>,
    /// What operators want done.
    pub(crate) acts: ActQueue,
    pub(crate) desk: DeskSlot,
}

/// Kafka's settings, if brokers are named.
pub(crate) fn kafka_options(config: &Config, brokers: Option<&str>) -> Option<KafkaOptions> {
    let brokers = brokers
        .or(config.kafka.brokers.as_deref())
        .filter(|brokers| !brokers.trim().is_empty())?;
    Some(KafkaOptions {
        brokers: brokers.to_owned(),
        topics: config.topics().to_vec(),
        group: Some(config.kafka.group.clone()).filter(|group| !group.is_empty()),
        discovery_interval: std::time::Duration::from_secs(config.kafka.discovery_interval_seconds.max(1)),
        continue_after_loss: config.kafka.continue_after_loss,
        options: config.kafka.options.clone(),
        ..KafkaOptions::default()
    })
}

/// Starts ingestion. The brokers are reached before it returns, so that a wrong address is said at once.
pub(crate) fn start(parts: Parts) -> Result<Ingestion, Failure> {
    let first = match &parts.kafka {
        Some(options) => Some(KafkaSource::connect(options, parts.writer.positions())?),
        None => None,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let thread = thread::Builder::new()
        .name("ingest".to_owned())
        .spawn(move || ingest(parts, first, told))
        .map_err(|cause| Failure::Store(format!("ingestion cannot be started: {cause}")))?;
    Ok(Ingestion {
        stop,
        thread: Some(thread),
    })
}

fn ingest(parts: Parts, mut first: Option<KafkaSource>, stop: Arc<AtomicBool>) {
    step_back();
    let progress = parts.progress;
    progress.set_input_unknown(parts.kafka.is_some());
    progress.set_ledger_open(true);
    let mut pipeline = Pipeline::without_index(parts.writer, parts.reader, parts.place, parts.index);
    let mut opened = pipeline.open_index();
    while let Err(error) = opened {
        tracing::error!(error = %chain(&error), "the search index cannot be opened, which is tried again; lists and searches are answered from the ledger alone, nothing new is read");
        progress.set_store_problem(Some(store_problem(&error)));
        if wait(OPENED_AGAIN_AFTER, &stop) {
            return;
        }
        opened = match pipeline.check_stores() {
            Ok(()) => pipeline.open_index(),
            // A row that the index was made of cannot be read: rows come first.
            Err(_) => pipeline.recover(),
        };
    }
    progress.set_store_problem(None);
    progress.set_index_open(true);
    *parts.desk.lock() = Some(pipeline.desk());
    pipeline.set_acts(parts.acts);
    let Some(options) = parts.kafka else {
        keep(&mut pipeline, &progress, &stop);
        return;
    };
    let around = Surroundings {
        stop: Arc::new(move || stop.load(Ordering::Acquire)),
        now: Arc::new(Utc::now),
        limits: parts.batch,
    };
    let mut open = |positions: &Positions| -> Result<Box<dyn Source>, PipelineError> {
        match first.take() {
            Some(source) => Ok(Box::new(source)),
            None => Ok(Box::new(KafkaSource::connect(&options, positions)?)),
        }
    };
    let mut lag = Lag {
        applied_until: pipeline.writer().head().appended_at,
        ..Lag::default()
    };
    let outcome = run(&mut pipeline, &mut open, &around, true, &mut |now| {
        progress.set_store_problem(now.failure.map(store_problem));
        if now.failure.is_some() {
            return;
        }
        let partitions: Vec<PartitionProgress> = now.partitions.iter().filter_map(partition).collect();
        let known = now
            .is_complete
            .then(|| lag.of(&now.partitions, now.appended_at, Utc::now()));
        let lag_ms = known.flatten();
        telemetry::show_progress(&partitions, lag_ms);
        progress.set_partitions(partitions);
        progress.set_source_problem(now.problems.first().cloned());
        if let Some(lag_ms) = lag_ms {
            progress.set_lag_ms(lag_ms);
            progress.set_input_unknown(false);
        }
    });
    if let Err(error) = outcome {
        tracing::error!(error = %chain(&error), "ingestion has ended");
    }
}

/// Nothing is read: acts of operators are done, and the stores are repaired when a question finds them damaged.
fn keep(pipeline: &mut Pipeline, progress: &Progress, stop: &AtomicBool) {
    const ACTS_WITHIN: Duration = Duration::from_millis(50);
    let mut failure: Option<PipelineError> = None;
    while !stop.load(Ordering::Acquire) {
        failure = match failure {
            None => {
                let done = pipeline.check_stores();
                done.and_then(|()| pipeline.serve_acts(ACTS_WITHIN, &Utc::now)).err()
            }
            Some(found) => {
                tracing::error!(error = %chain(&found), "the stores are opened again");
                progress.set_store_problem(Some(store_problem(&found)));
                let failed = pipeline.recover().err();
                if failed.is_some() {
                    thread::sleep(Duration::from_secs(1));
                }
                failed
            }
        };
        if failure.is_none() {
            progress.set_store_problem(None);
        }
    }
}

/// What is wrong with a store, for the status: the chain of causes is in the log.
fn store_problem(error: &PipelineError) -> String {
    let text = chain(error);
    let is_full = ["No space left", "os error 28", "ENOSPC"]
        .iter()
        .any(|sign| text.contains(sign));
    if is_full {
        return "the disk of the data directory is full: nothing new is applied until there is space, and nothing is \
                lost; free space and it goes on by itself"
            .to_owned();
    }
    match error {
        PipelineError::Source(_) => format!("the input cannot be opened, which is tried again: {error}"),
        PipelineError::RowsDamaged => format!("{error}"),
        _ => format!("the stores cannot be written, which is tried again (the log has the cause): {error}"),
    }
}

fn partition(status: &PartitionStatus) -> Option<PartitionProgress> {
    let PartitionId::Kafka { topic, partition } = status.partition.as_ref() else {
        return None;
    };
    Some(PartitionProgress {
        topic: topic.clone(),
        partition: *partition,
        applied: status.next,
        // Ends are heard of once a second; what is applied is known at once.
        end: status.end.map(|end| end.max(status.next)),
        problem: status.problem.clone(),
    })
}

/// How long something has been waiting.
#[derive(Default)]
struct Lag {
    /// Broker time of the newest message applied.
    applied_until: Option<DateTime<Utc>>,
    /// When nothing waited.
    caught_up_at: Option<DateTime<Utc>>,
    /// The end, or why it cannot be told, was known of all partitions once: one that stays unreadable does not keep the others from being
    /// asked for.
    has_looked: bool,
}

impl Lag {
    /// Milliseconds; `None` as long as nobody knows whether anything waits, or since when.
    fn of(
        &mut self,
        partitions: &[PartitionStatus],
        applied_until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<u64> {
        // A ledger may hold a time in the future from before these were cut, which would hide every lag until then.
        self.applied_until = self.applied_until.max(applied_until).map(|at| at.min(now));
        let is_known = |partition: &PartitionStatus| partition.lag.is_some() || partition.is_looked_at;
        self.has_looked |= partitions.iter().all(is_known);
        if !self.has_looked {
            return None;
        }
        if !partitions
            .iter()
            .any(|partition| partition.lag.is_some_and(|lag| lag > 0))
        {
            self.caught_up_at = Some(now);
            return Some(0);
        }
        // What waits came after both.
        let since = self.applied_until.max(self.caught_up_at)?;
        Some(u64::try_from((now - since).num_milliseconds()).unwrap_or(0))
    }
}

/// Waits in small steps; whether it was told to stop.
fn wait(pause: Duration, stop: &AtomicBool) -> bool {
    let until = Instant::now() + pause;
    while !stop.load(Ordering::Acquire) && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    stop.load(Ordering::Acquire)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(next: u64, end: Option<u64>) -> PartitionStatus {
        let topic = "payments".to_owned();
        PartitionStatus {
            partition: Arc::new(PartitionId::Kafka { topic, partition: 0 }),
            next,
            end,
            lag: end.map(|end| end - next),
            is_looked_at: end.is_some(),
            problem: None,
        }
    }

    #[test]
    fn a_backlog_is_as_old_as_what_was_applied_last_and_unknown_before() {
        let at = |seconds: i64| DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds);
        let mut lag = Lag::default();
        let (unknown, behind, level) = ([partition(0, None)], [partition(0, Some(9))], [partition(9, Some(9))]);
        assert_eq!(lag.of(&unknown, None, at(100)), None, "no end is known");
        let [mut told] = unknown.clone();
        told.problem = Some("its log could not be looked at yet".to_owned());
        assert_eq!(lag.of(&[told], None, at(100)), None, "and that is told");
        assert_eq!(lag.of(&behind, None, at(100)), None, "nothing was applied ever");
        assert_eq!(lag.of(&behind, Some(at(40)), at(100)), Some(60_000));
        assert_eq!(lag.of(&level, Some(at(41)), at(101)), Some(0));
        // After a quiet hour one message is no hour behind.
        assert_eq!(lag.of(&level, Some(at(41)), at(3_700)), Some(0));
        assert_eq!(lag.of(&behind, Some(at(41)), at(3_701)), Some(1_000));
        let some = [partition(0, Some(9)), partition(0, None)];
        assert_eq!(lag.of(&some, Some(at(3_702)), at(3_705)), Some(3_000));
        let mut again = Lag {
            applied_until: Some(at(41)),
            ..Lag::default()
        };
        assert_eq!(again.of(&[partition(3, Some(9))], None, at(4_041)), Some(4_000_000));
        assert_eq!(Lag::default().of(&[], None, at(0)), Some(0), "no partition");
    }
}
