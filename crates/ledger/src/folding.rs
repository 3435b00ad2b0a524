//! Folding DuckDB's log into its file beside the batches, and then adding up the cells' changes.
//!
//! Folding takes the time of several batches. Batches only append, which the engine lets go on meanwhile, provided that
//! some transaction is open when it begins: without one it takes the file for itself, and then also gives back the room of
//! what was deleted. So most folds begin beside a transaction opened for that, and one does not, right after another: with
//! hardly any log it takes little time. What changes rows in place (quarantine seen again) waits for a fold, or it for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use duckdb::Connection;

use crate::compaction::{self, compact};
use crate::engine;
use crate::error::LedgerError;

/// A log of so many times the configured length is waited for: batches come faster than it is folded.
const BEHIND_MAX: u64 = 4;

/// When it is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoldSettings {
    /// Length of the log.
    pub(crate) wal_bytes: u64,
    /// Changes of cells that are then made a run.
    pub(crate) rollup_rows: u64,
}

/// The thread that is at it, if one is.
#[derive(Default)]
pub(crate) struct Folding(Option<Fold>);

struct Fold {
    thread: JoinHandle<Result<(), LedgerError>>,
    /// Somebody waits: what can be done another time is left.
    hurry: Arc<AtomicBool>,
}

impl Folding {
    pub(crate) fn is_idle(&self) -> bool {
        self.0.as_ref().is_none_or(|fold| fold.thread.is_finished())
    }

    /// Begins where the log is longer than `max`, and waits where it is far longer.
    ///
    /// # Errors
    /// Those of the fold before: the engine has given the file up then.
    pub(crate) fn tend(
        &mut self,
        wal_bytes: u64,
        settings: FoldSettings,
        connection: impl Fn() -> Result<Connection, LedgerError>,
    ) -> Result<(), LedgerError> {
        if wal_bytes > settings.wal_bytes.saturating_mul(BEHIND_MAX) {
            self.wait()?;
        }
        self.check()?;
        if wal_bytes > settings.wal_bytes && self.0.is_none() {
            let (connection, beside) = (connection()?, connection()?);
            let hurry = Arc::<AtomicBool>::default();
            let is_hurried = hurry.clone();
            let thread = thread::Builder::new()
                .name("fold".to_owned())
                .spawn(move || fold(&connection, &beside, settings.rollup_rows, &is_hurried))
                .map_err(LedgerError::Thread)?;
            self.0 = Some(Fold { thread, hurry });
        }
        Ok(())
    }

    /// How the one that has ended went.
    pub(crate) fn check(&mut self) -> Result<(), LedgerError> {
        if self.is_idle() { self.wait() } else { Ok(()) }
    }

    /// Waits for the one under way.
    pub(crate) fn wait(&mut self) -> Result<(), LedgerError> {
        let Some(fold) = self.0.take() else { return Ok(()) };
        fold.hurry.store(true, Ordering::Release);
        match fold.thread.join() {
            Ok(outcome) => outcome,
            Err(_) => Err(LedgerError::Damaged("folding the log broke off".to_owned())),
        }
    }
}

impl Drop for Folding {
    fn drop(&mut self) {
        // Whoever opens the file next must not find it in use; an error shows itself there.
        let _ = self.wait();
    }
}

fn fold(
    connection: &Connection,
    beside: &Connection,
    rollup_rows: u64,
    is_hurried: &AtomicBool,
) -> Result<(), LedgerError> {
    fold_beside(connection, beside)?;
    let mut folded = Ok(());
    let compacted = compact(connection, rollup_rows, &mut || {
        folded = fold_beside(connection, beside);
        folded.is_ok() && !is_hurried.load(Ordering::Acquire)
    });
    folded?;
    match compacted {
        Ok(compaction::Done { steps: 0 }) => Ok(()),
        Ok(_) => engine::checkpoint(connection),
        // Nothing was changed, and the changes of cells are added up as well where they lie.
        Err(error) => {
            tracing::warn!(%error, "changes of cells are added up later");
            Ok(())
        }
    }
}

/// Folds while a transaction is open, so that others may append.
fn fold_beside(connection: &Connection, beside: &Connection) -> Result<(), LedgerError> {
    let doing = "began to fold its log";
    beside
        .execute_batch("begin; select 1 from heads limit 1")
        .map_err(LedgerError::engine(doing))?;
    let folded = engine::checkpoint(connection);
    let ended = beside.execute_batch("rollback");
    folded.and(ended.map_err(LedgerError::engine(doing)))
}
