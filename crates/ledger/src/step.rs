//! The places at which the work on the stores may end: between two acts of which the first may be the last.
//!
//! Whoever opens the ledger can be told of them. A test ends the process at each, and looks at what the next one makes of it.

/// What has been done, or is about to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A batch's bodies are written and synced, and nothing else of it.
    BodiesWritten,
    /// The batch is committed in DuckDB; the row store does not know of it.
    LedgerCommitted,
    /// And in the row store.
    RowsCommitted,
    /// Rows at rest are packed.
    RowsPacked,
    /// Heads and positions of old batches are removed.
    HeadsPruned,
    /// The log is about to be folded beside batches.
    Folding,
    /// It is, and so it is after each of the next three.
    Folded,
    /// Old events are removed.
    EventsPruned,
    /// Changes of cells are added up, or runs of them merged.
    CellsAddedUp,
    /// Rows are sealed.
    RowsSealed,
    /// The room of what was deleted is given back.
    RoomGivenBack,
}

impl Step {
    pub const ALL: [Step; 11] = [
        Step::BodiesWritten,
        Step::LedgerCommitted,
        Step::RowsCommitted,
        Step::RowsPacked,
        Step::HeadsPruned,
        Step::Folding,
        Step::Folded,
        Step::EventsPruned,
        Step::CellsAddedUp,
        Step::RowsSealed,
        Step::RoomGivenBack,
    ];
}

/// Told of each step as it is reached, by the thread that reaches it.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnStep(Option<fn(Step)>);

impl OnStep {
    #[must_use]
    pub fn new(told: fn(Step)) -> Self {
        OnStep(Some(told))
    }

    pub(crate) fn reached(self, step: Step) {
        if let Some(told) = self.0 {
            told(step);
        }
    }
}
