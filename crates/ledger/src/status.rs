//! How far the ledger is and what became of the messages so far.

use domain::dossier::Verdict;
use domain::position::PartitionId;

use crate::reader::Head;

/// Messages by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub applied: u64,
    pub duplicate: u64,
    pub stale: u64,
    pub conflict: u64,
    pub quarantined: u64,
}

impl Counts {
    pub fn note(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Applied => self.applied += 1,
            Verdict::Duplicate => self.duplicate += 1,
            Verdict::Stale => self.stale += 1,
            Verdict::Conflict => self.conflict += 1,
            Verdict::Quarantined => self.quarantined += 1,
        }
    }

    pub fn add(&mut self, other: &Counts) {
        self.applied += other.applied;
        self.duplicate += other.duplicate;
        self.stale += other.stale;
        self.conflict += other.conflict;
        self.quarantined += other.quarantined;
    }

    pub fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Applied => self.applied,
            Verdict::Duplicate => self.duplicate,
            Verdict::Stale => self.stale,
            Verdict::Conflict => self.conflict,
            Verdict::Quarantined => self.quarantined,
        }
    }

    /// Every message with a verdict.
    pub fn read(&self) -> u64 {
        self.applied + self.duplicate + self.stale + self.conflict + self.quarantined
    }
}

/// The ledger's own view of its progress, over the store's whole life.
#[derive(Clone, Debug)]
pub struct Status {
    pub head: Head,
    pub counts: Counts,
    pub nulls: u64,
    pub payments: u64,
    pub positions: Vec<(PartitionId, u64)>,
    /// Bytes on disk: DuckDB's file and log with the bodies beside them, and the row store.
    pub ledger_bytes: u64,
    pub row_bytes: u64,
}
