//! Why a question was not answered.

use ledger::LedgerError;
use search::SearchError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum LookupError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The total of a list is not known in time.
    #[error("adding up the total took too long")]
    TotalTooSlow,
    /// There is no index to look identifiers up in, and too many payments to read them all.
    #[error("there is no search index at the moment")]
    NoIndex,
}
