//! What the API says about ingestion: filled in by whoever runs it, read by answers.
//!
//! It holds plain values, so that the API knows no source and no engine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::RwLock;

/// One partition of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionProgress {
    pub topic: String,
    pub partition: i32,
    /// The next offset to apply.
    pub applied: u64,
    /// The offset after the last message, as far as the broker has said.
    pub end: Option<u64>,
    /// Why nothing is read from it, and what to do.
    pub problem: Option<String>,
}

/// How far ingestion is. Nothing is ready until somebody says so.
#[derive(Debug, Default)]
pub struct Progress {
    partitions: RwLock<Vec<PartitionProgress>>,
    source_problem: RwLock<Option<String>>,
    store_problem: RwLock<Option<String>>,
    lag_ms: AtomicU64,
    input_unknown: AtomicBool,
    ledger_open: AtomicBool,
    index_open: AtomicBool,
}

impl Progress {
    /// Nothing open yet, nothing read.
    pub fn new() -> Self {
        Self::default()
    }

    pub fn set_partitions(&self, partitions: Vec<PartitionProgress>) {
        *self.partitions.write() = partitions;
    }

    /// What keeps all input from being read, such as a broker that does not answer; `None` when it is over.
    pub fn set_source_problem(&self, problem: Option<String>) {
        *self.source_problem.write() = problem;
    }

    /// What keeps the stores from being written, such as a full disk; `None` when it is over.
    pub fn set_store_problem(&self, problem: Option<String>) {
        *self.store_problem.write() = problem;
    }

    pub fn store_problem(&self) -> Option<String> {
        self.store_problem.read().clone()
    }

    /// 0 when nothing is left in any partition; else the time since the newest message applied was appended, or nothing was left.
    pub fn set_lag_ms(&self, lag_ms: u64) {
        self.lag_ms.store(lag_ms, Ordering::Release);
    }

    /// Whether there is an input of which nobody has seen yet how much of it waits.
    pub fn set_input_unknown(&self, unknown: bool) {
        self.input_unknown.store(unknown, Ordering::Release);
    }

    pub fn set_ledger_open(&self, open: bool) {
        self.ledger_open.store(open, Ordering::Release);
    }

    pub fn set_index_open(&self, open: bool) {
        self.index_open.store(open, Ordering::Release);
    }

    pub fn partitions(&self) -> Vec<PartitionProgress> {
        self.partitions.read().clone()
    }

    pub fn source_problem(&self) -> Option<String> {
        self.source_problem.read().clone()
    }

    pub fn lag_ms(&self) -> u64 {
        self.lag_ms.load(Ordering::Acquire)
    }

    pub fn input_unknown(&self) -> bool {
        self.input_unknown.load(Ordering::Acquire)
    }

    pub fn ledger_open(&self) -> bool {
        self.ledger_open.load(Ordering::Acquire)
    }

    pub fn index_open(&self) -> bool {
        self.index_open.load(Ordering::Acquire)
    }
}
