//! How the tests read a source, and how they know that it has nothing more.

use std::time::{Duration, Instant};

use domain::position::Positions;
use projector::batch::{Batch, BatchLimits, collect};
use projector::source::{RawMessage, Source};

/// Longer than anything takes on a busy machine; a test that waits for it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Limits for tests: nothing is waited for long.
pub(crate) fn limits(messages_max: usize) -> BatchLimits {
    BatchLimits {
        messages_max,
        age_max: Duration::from_millis(5),
        wait_max: Duration::from_millis(20),
        ..BatchLimits::default()
    }
}

/// What was read, and the positions a ledger would hold now.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) messages: Vec<RawMessage>,
    pub(crate) positions: Positions,
}

impl Read {
    pub(crate) fn take(&mut self, batch: Batch) {
        self.positions.merge(&batch.positions);
        self.messages.extend(batch.messages);
    }
}

/// Reads until `done` says so, as the apply loop would.
pub(crate) fn read_until(source: &mut dyn Source, read: &mut Read, mut done: impl FnMut(&dyn Source, &Read) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done(source, read) {
        assert!(
            Instant::now() < deadline,
            "nothing came: {:?} {:?}",
            source.partitions(),
            source.problems()
        );
        let batch = collect(source, &limits(1000)).expect("the source can be read");
        read.take(batch);
    }
}

/// Reads at least `count` messages, and then sees whether more come than that.
pub(crate) fn read_all(source: &mut dyn Source, count: usize) -> Read {
    let mut read = Read::default();
    let mut ended = false;
    let deadline = Instant::now() + PATIENCE;
    while read.messages.len() < count && !ended {
        assert!(
            Instant::now() < deadline,
            "{} of {count} came: {:?}",
            read.messages.len(),
            source.partitions()
        );
        let batch = collect(source, &limits(100_000)).expect("the source can be read");
        ended = batch.ended;
        read.take(batch);
    }
    if !ended {
        let more = BatchLimits {
            wait_max: Duration::from_millis(300),
            ..limits(1000)
        };
        read.take(collect(source, &more).expect("the source can be read"));
    }
    read
}
