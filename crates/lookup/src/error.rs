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
}
