//! Folding DuckDB's log into its file beside the batches, and then adding up the cells' changes and sealing rows.
//!
//! Folding takes the time of several batches. Batches only append, which the engine lets go on meanwhile, provided that some
//! open transaction began before the last one ended: without one it takes the file for itself, and then also gives back the room
//! of what was deleted. So folds begin beside two transactions, of which one ends first; and once changes of cells were added up
//! the writer folds the little log of one batch before its next, with no other transaction that writes. What changes rows in place
//! (quarantine seen again) waits for a fold, or it for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use duckdb::Connection;

use crate::compaction::compact;
use crate::engine;
use crate::error::LedgerError;
use crate::events;
use crate::sealing::seal;
use crate::step::{OnStep, Step};

/// A log of so many times the configured length is waited for: batches come faster than it is folded.
const BEHIND_MAX: u64 = 4;

/// When it is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoldSettings {
    /// Length of the log.
    pub(crate) wal_bytes: u64,
    /// Changes of cells that are then made a run.
    pub(crate) rollup_rows: u64,
    /// Rows that are sealed at once.
    pub(crate) seal_rows: u64,
    /// What became of the messages of batches up to this one need not be kept any longer.
    pub(crate) events_through: Option<u64>,
    pub(crate) on_step: OnStep,
}

/// The thread that is at it, if one is.
#[derive(Default)]
pub(crate) struct Folding(Option<Fold>);

struct Fold {
    thread: JoinHandle<Result<Room, LedgerError>>,
    /// Somebody waits: what can be done another time is left.
    hurry: Arc<AtomicBool>,
}

/// Whether rows were deleted whose room a fold could give back that has the file for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    ToGiveBack,
    None,
}

impl Folding {
    pub(crate) fn is_idle(&self) -> bool {
        self.0.as_ref().is_none_or(|fold| fold.thread.is_finished())
    }

    /// Begins where the log is too long, and waits where it is far longer. Returns whether one has begun.
    ///
    /// # Errors
    /// Those of the fold before: the engine has given the file up then.
    pub(crate) fn tend(
        &mut self,
        wal_bytes: u64,
        settings: FoldSettings,
        connection: impl Fn() -> Result<Connection, LedgerError>,
    ) -> Result<bool, LedgerError> {
        let is_far_behind = wal_bytes > settings.wal_bytes.saturating_mul(BEHIND_MAX);
        if (is_far_behind || self.is_idle()) && self.ended()? == Room::ToGiveBack {
            engine::checkpoint(&connection()?)?;
            settings.on_step.reached(Step::RoomGivenBack);
        }
        if wal_bytes > settings.wal_bytes && self.0.is_none() {
            let (connection, beside) = (connection()?, connection()?);
            let hurry = Arc::<AtomicBool>::default();
            let is_hurried = hurry.clone();
            let thread = thread::Builder::new()
                .name("fold".to_owned())
                .spawn(move || fold(&connection, &beside, settings, &is_hurried))
                .map_err(LedgerError::Thread)?;
            self.0 = Some(Fold { thread, hurry });
            return Ok(true);
        }
        Ok(false)
    }

    /// How the one that has ended went.
    pub(crate) fn check(&mut self) -> Result<(), LedgerError> {
        match self.0.as_ref().is_some_and(|fold| fold.thread.is_finished()) {
            true => self.wait(),
            false => Ok(()),
        }
    }

    /// Waits for the one under way.
    pub(crate) fn wait(&mut self) -> Result<(), LedgerError> {
        self.ended().map(|_| ())
    }

    /// Waits for the one under way.
    fn ended(&mut self) -> Result<Room, LedgerError> {
        let Some(fold) = self.0.take() else {
            return Ok(Room::None);
        };
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
    settings: FoldSettings,
    is_hurried: &AtomicBool,
) -> Result<Room, LedgerError> {
    let on_step = settings.on_step;
    on_step.reached(Step::Folding);
    fold_beside(connection, beside)?;
    on_step.reached(Step::Folded);
    let mut folded = Ok(());
    let mut goes_on = |step: Step| {
        on_step.reached(step);
        folded = fold_beside(connection, beside);
        on_step.reached(Step::Folded);
        folded.is_ok() && !is_hurried.load(Ordering::Acquire)
    };
    let pruned = settings.events_through.map(|through| {
        let pruned = events::prune(connection, through);
        on_step.reached(Step::EventsPruned);
        pruned
    });
    let steps = pruned.transpose().and_then(|pruned| {
        let compacted = compact(connection, settings.rollup_rows, &mut || goes_on(Step::CellsAddedUp))?;
        let sealed = match is_hurried.load(Ordering::Acquire) {
            true => 0,
            false => seal(connection, settings.seal_rows, &mut || goes_on(Step::RowsSealed))?,
        };
        Ok(usize::from(pruned.is_some()) + compacted + sealed)
    });
    folded?;
    match steps {
        Ok(0) => Ok(Room::None),
        Ok(_) => Ok(Room::ToGiveBack),
        // Nothing was changed, and rows are added up as well where they lie.
        Err(error) => {
            tracing::warn!(%error, "rows of the ledger are added up later");
            Ok(Room::None)
        }
    }
}

/// Folds while a transaction is open, so that others may append.
fn fold_beside(connection: &Connection, beside: &Connection) -> Result<(), LedgerError> {
    let doing = "began to fold its log";
    beside
        .execute_batch("begin; select 1 from heads limit 1")
        .map_err(LedgerError::engine(doing))?;
    // One that began later and has ended.
    connection
        .execute_batch("begin; select 1 from heads limit 1; commit")
        .map_err(LedgerError::engine(doing))?;
    let folded = engine::checkpoint(connection);
    let ended = beside.execute_batch("rollback");
    folded.and(ended.map_err(LedgerError::engine(doing)))
}
