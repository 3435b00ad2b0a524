//! A bounded batch: what is applied in one transaction.
//!
//! A batch is closed by whichever comes first: the number of messages, their bytes, or the age of the first one. It moves
//! the positions of its partitions to after their last message, never further: what a source passed without delivering
//! is added by [`Source::passed`].

use std::time::{Duration, Instant};

use domain::position::Positions;

use crate::error::SourceError;
use crate::source::{Budget, Polled, RawMessage, Source};

/// When a batch is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// A transaction has a fixed cost, and beyond some ten thousand rows a larger one is hardly cheaper a row.
    pub messages_max: usize,
    /// Bounds the memory of a batch, whatever the size of its messages. One message may go beyond it.
    pub bytes_max: usize,
    /// How long the first message of a batch waits for others: the part of freshness that is spent on batching.
    pub age_max: Duration,
    /// How long to wait for a first message: so long may it take until a shutdown is noticed.
    pub wait_max: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        BatchLimits {
            messages_max: 20_000,
            bytes_max: 32 * 1024 * 1024,
            age_max: Duration::from_millis(200),
            wait_max: Duration::from_millis(200),
        }
    }
}

/// Messages, in the order of their partitions, and the positions after them.
#[derive(Debug, Default)]
pub struct Batch {
    pub messages: Vec<RawMessage>,
    /// Of the partitions that the batch moves on, and of these alone.
    pub positions: Positions,
    /// The source has ended: no batch follows.
    pub ended: bool,
    /// It was closed by its size: more was waiting.
    pub full: bool,
}

impl Batch {
    /// There is nothing to write. A batch without messages can still move positions on.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.positions.iter().next().is_none()
    }
}

/// Takes the next batch from `source`. Messages that were taken before an error are dropped with it: they are not
/// applied, so they come again.
pub fn collect(source: &mut dyn Source, limits: &BatchLimits) -> Result<Batch, SourceError> {
    let mut batch = Batch::default();
    let mut bytes = 0;
    let mut until = Instant::now() + limits.wait_max;
    loop {
        let taken = batch.messages.len();
        let budget = Budget {
            messages: limits.messages_max - taken,
            bytes: limits.bytes_max - bytes,
            until,
        };
        let polled = source.poll(&budget, &mut batch.messages)?;
        let new = batch.messages.get(taken..).unwrap_or_default();
        bytes += new.iter().map(|message| message.content.held_bytes()).sum::<usize>();
        if taken == 0 && !new.is_empty() {
            until = Instant::now() + limits.age_max;
        }
        batch.ended = polled == Polled::Ended;
        batch.full = batch.messages.len() >= limits.messages_max || bytes >= limits.bytes_max;
        if batch.full || batch.ended || Instant::now() >= until {
            break;
        }
    }
    batch.positions = positions_after(&batch.messages);
    source.passed(&mut batch.positions);
    Ok(batch)
}

/// The position after the last message of each partition.
fn positions_after(messages: &[RawMessage]) -> Positions {
    let mut positions = Positions::default();
    // Messages of one partition come in runs, and only the last of a run counts.
    for run in messages.chunk_by(|a, b| a.partition == b.partition) {
        if let Some(last) = run.last() {
            positions.advance(&last.partition, last.position + 1);
        }
    }
    positions
}
