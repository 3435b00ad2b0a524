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
    /// The question is about words, and there is no index to ask at the moment.
    #[error("the search index is being rebuilt")]
    IndexUnavailable,
    /// So many payments had to be looked at for one page that the question was given up.
    #[error("more than {limit} payments would have to be looked at for one page")]
    TooBroad { limit: usize },
}
