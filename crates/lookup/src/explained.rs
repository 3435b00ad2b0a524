//! What an answer took to make.

use std::time::{Duration, Instant};

use ledger::{Look, spent_counting};

/// Where an answer's candidates or sums came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The search index, and the payments that it has not reached yet.
    Index,
    /// The ledger's list of payments.
    Payments,
    /// The unified ledger's rows.
    Entries,
    /// The rollup cells.
    Rollups,
}

/// Where an answer came from and what was read for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub source: Source,
    /// Payments that were joined and checked; entries and cells have no such step.
    pub candidates: Option<u64>,
    /// Documents of the index in the hours that were looked at; of a rare word next to nothing of them is read.
    pub documents_covered: Option<u64>,
    /// Ready-made rows of payments that were read, and their bytes.
    pub rows: (u64, u64),
    /// What the ledger's tables were asked.
    pub looks: Vec<Look>,
    /// Where the time went, in the order of the stages.
    pub stages: Vec<(&'static str, Duration)>,
}

/// Adds up the time of stages that take turns.
#[derive(Debug, Default)]
pub(crate) struct Stages(Vec<(&'static str, Duration)>);

impl Stages {
    pub(crate) fn time<T>(&mut self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let (started, counting) = (Instant::now(), spent_counting());
        let done = work();
        let elapsed = started.elapsed().saturating_sub(spent_counting() - counting);
        match self.0.iter_mut().find(|(known, _)| *known == stage) {
            Some((_, sum)) => *sum += elapsed,
            None => self.0.push((stage, elapsed)),
        }
        done
    }

    pub(crate) fn list(self) -> Vec<(&'static str, Duration)> {
        self.0
    }
}
