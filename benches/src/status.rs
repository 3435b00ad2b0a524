//! How far a server is, as it says itself.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::http::Client;
use crate::interrupt;
use crate::progress::Progress;
use crate::prometheus;

/// Metrics cost the server next to nothing to show.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The status reads the ledger, so it is only asked near the end.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Ingestion that stands still for so long has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// When everything was there.
pub(crate) struct CaughtUp {
    /// Everything is in the ledger, and so in answers.
    pub(crate) applied: Duration,
    /// And in the index.
    pub(crate) indexed: Duration,
    /// Messages read so far and when, since `started`; ten a second.
    pub(crate) marks: Vec<(Duration, u64)>,
    /// The greatest 99th percentile and median of batch seconds that the server showed for a recent minute.
    pub(crate) batch_p99: f64,
    pub(crate) batch_p50: f64,
}

/// Waits until the server has read `messages` since it was started, and indexed them.
pub(crate) fn await_caught_up(client: &Client, messages: u64, started: Instant) -> Result<CaughtUp> {
    let mut progress = Progress::new("ingesting", "messages", messages);
    let mut caught_up = CaughtUp {
        applied: Duration::ZERO,
        indexed: Duration::ZERO,
        marks: Vec::new(),
        batch_p99: 0.0,
        batch_p50: 0.0,
    };
    let mut moved = (Instant::now(), 0);
    loop {
        interrupt::check()?;
        let text = client.text("/metrics")?;
        let read = prometheus::value(&text, "ledgerlens_messages_total", "") as u64;
        caught_up.applied = started.elapsed();
        caught_up.marks.push((caught_up.applied, read));
        caught_up.look_at_batches(&text);
        progress.set(read);
        if read >= messages {
            break;
        }
        if read > moved.1 {
            moved = (Instant::now(), read);
        } else if moved.0.elapsed() > PATIENCE {
            bail!(
                "ingestion stands still at {read} of {messages} messages: {}",
                problem(client)?
            );
        }
        thread::sleep(LOOK_EVERY);
    }
    await_indexed(client)?;
    caught_up.indexed = started.elapsed();
    Ok(caught_up)
}

impl CaughtUp {
    fn look_at_batches(&mut self, metrics: &str) {
        let quantile = |label| prometheus::value(metrics, "ledgerlens_batch_seconds", label);
        self.batch_p99 = self.batch_p99.max(quantile("quantile=\"0.99\""));
        self.batch_p50 = self.batch_p50.max(quantile("quantile=\"0.5\""));
    }
}

/// Waits until the index has reached the ledger.
pub(crate) fn await_indexed(client: &Client) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        interrupt::check()?;
        let status = client.json("/v1/ingest/status")?;
        if status["index"]["batches_behind"].as_u64() == Some(0) {
            return Ok(());
        }
        thread::sleep(ASK_EVERY);
    }
    bail!("the index does not reach the ledger: {}", problem(client)?)
}

/// Waits until nothing that the broker holds is unread, and everything is indexed.
pub(crate) fn await_no_lag(client: &Client) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        interrupt::check()?;
        let status = client.json("/v1/ingest/status")?;
        let partitions = status["partitions"].as_array().map_or(&[][..], Vec::as_slice);
        let done = |partition: &Value| partition["lag"].as_u64() == Some(0);
        if !partitions.is_empty() && partitions.iter().all(done) {
            return await_indexed(client);
        }
        if Instant::now() > until {
            bail!("the server does not catch up: {}", problem(client)?);
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Messages read over the store's whole life.
pub(crate) fn read(client: &Client) -> Result<u64> {
    let status = client.json("/v1/ingest/status")?;
    let counts = status["counts"].as_object().into_iter().flatten();
    Ok(counts.filter_map(|(_, count)| count.as_u64()).sum())
}

fn problem(client: &Client) -> Result<String> {
    let status = client.json("/v1/ingest/status")?;
    Ok(status["problem"].as_str().unwrap_or("no problem is named").to_owned())
}

/// How many messages were read once all of those published are, or after a while in which they did not come: the end of
/// the log that a server knows is some seconds old, so no lag does not mean that.
pub(crate) fn await_read(client: &Client, published: u64) -> Result<u64> {
    let started = Instant::now();
    loop {
        let found = read(client)?;
        if found >= published || started.elapsed() > Duration::from_secs(30) {
            return Ok(found);
        }
        thread::sleep(Duration::from_millis(50));
    }
}
