//! Running ingestion on a thread of its own, and telling the API how far it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use api::{PartitionProgress, Progress};
use chrono::{DateTime, Utc};
use domain::position::{PartitionId, Positions};
use ledger::acts::ActQueue;
use ledger::{Reader, Writer};
use projector::batch::BatchLimits;
use projector::index_keeper::{IndexLimits, IndexPlace};
use projector::kafka::{KafkaOptions, KafkaSource};
use projector::pipeline::{Pipeline, PipelineError};
use projector::run::{Surroundings, run};
use projector::source::{PartitionStatus, Source};

use crate::config::Config;
use crate::failure::{Failure, chain};

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
    let progress = parts.progress;
    progress.set_ledger_open(true);
    let mut pipeline = match Pipeline::start(parts.writer, parts.reader, parts.place, parts.index) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            tracing::error!(error = %chain(&error), "the search index cannot be opened; lists and searches are answered from the ledger alone, nothing new is read");
            progress.set_source_problem(Some("the search index cannot be opened; see the log".to_owned()));
            return;
        }
    };
    progress.set_index_open(true);
    pipeline.set_acts(parts.acts);
    let Some(options) = parts.kafka else {
        serve_acts(&mut pipeline, &stop);
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
    let outcome = run(&mut pipeline, &mut open, &around, true, &mut |now| {
        progress.set_partitions(now.partitions.iter().filter_map(partition).collect());
        progress.set_source_problem(now.problems.first().cloned());
        progress.set_lag_ms(lag_ms(&now.partitions, now.appended_at));
    });
    if let Err(error) = outcome {
        tracing::error!(error = %chain(&error), "ingestion has ended");
    }
}

/// Without input there are still acts to do.
fn serve_acts(pipeline: &mut Pipeline, stop: &AtomicBool) {
    const WITHIN: Duration = Duration::from_millis(50);
    while !stop.load(Ordering::Acquire) {
        if let Err(error) = pipeline.serve_acts(WITHIN, &Utc::now) {
            tracing::error!(error = %chain(&error), "an act failed and the stores are read again");
            while let Err(error) = pipeline.recover() {
                tracing::error!(error = %chain(&error), "the stores cannot be read yet");
                thread::sleep(Duration::from_secs(1));
                if stop.load(Ordering::Acquire) {
                    return;
                }
            }
        }
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

/// How far behind the newest applied message is, while anything waits.
fn lag_ms(partitions: &[PartitionStatus], appended_at: Option<DateTime<Utc>>) -> u64 {
    let behind = partitions
        .iter()
        .any(|partition| partition.lag.is_some_and(|lag| lag > 0));
    match (behind, appended_at) {
        (true, Some(at)) => u64::try_from((Utc::now() - at).num_milliseconds()).unwrap_or(0),
        // Nothing was applied yet and something waits: at least as long as it takes to find out.
        (true, None) => 1,
        (false, _) => 0,
    }
}
