//! What can go wrong with the ledger, by what its caller does about it.

use std::path::PathBuf;

use thiserror::Error;

/// The cause in the engine's own words; for the log, never for a client.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the ledger.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// Another process writes this directory.
    #[error("the data directory {0} is in use by another ledgerlens process")]
    Locked(PathBuf),
    /// There is no store to read.
    #[error("there is no ledgerlens store in {0}")]
    Absent(PathBuf),
    /// The directory holds something else, or a store of another format.
    #[error("the directory {path} is not a ledgerlens data directory of this version: {reason}")]
    Foreign { path: PathBuf, reason: String },
    /// The directory cannot be made or written.
    #[error("cannot use the data directory {path}")]
    Directory { path: PathBuf, source: std::io::Error },
    /// DuckDB refused; the in-memory positions are no longer to be trusted.
    #[error("the ledger's database failed while it {doing}")]
    Engine { doing: &'static str, source: Cause },
    /// The row store refused.
    #[error("the row store failed while it {doing}")]
    Rows { doing: &'static str, source: Cause },
    /// The file of bodies beside the database.
    #[error("the bodies of versions could not be {doing}")]
    Bodies {
        doing: &'static str,
        source: std::io::Error,
    },
    #[error("a thread cannot be started")]
    Thread(#[source] std::io::Error),
    /// Something read back is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// A report has more rows than one answer may have.
    #[error("the report has more than {limit} rows")]
    ReportTooLarge { limit: usize },
}

impl LedgerError {
    pub(crate) fn engine(doing: &'static str) -> impl FnOnce(duckdb::Error) -> LedgerError {
        move |source| LedgerError::Engine {
            doing,
            source: Box::new(source),
        }
    }

    pub(crate) fn rows(doing: &'static str) -> impl FnOnce(fjall::Error) -> LedgerError {
        move |source| LedgerError::Rows {
            doing,
            source: Box::new(source),
        }
    }
}
