//! What can go wrong with an index, by what its owner does about it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum SearchError {
    /// Rebuild.
    #[error("there is no search index in {}", dir.display())]
    Missing { dir: PathBuf },
    /// Rebuild.
    #[error("the search index cannot be read: {detail}")]
    Corrupt { detail: String },
    /// Rebuild.
    #[error("the search index belongs to the store {found}, not to {expected}")]
    Foreign { found: String, expected: String },
    /// Rebuild.
    #[error("the search index has the format {found}, and this program writes {expected}")]
    Format { found: u32, expected: u32 },
    /// Another writer has the directory open.
    #[error("another process writes the search index in {}", dir.display())]
    Locked { dir: PathBuf },
    /// Drop the writer and open the index again: it stands at its last commit.
    #[error("the search index's writer has stopped: {detail}")]
    WriterStopped { detail: String },
    /// The disk or its file system. A writer that reported it is to be dropped too.
    #[error("the search index could not be read or written")]
    Io(#[source] io::Error),
}

impl SearchError {
    /// True when only writing the index anew from the ledger helps.
    pub fn needs_rebuild(&self) -> bool {
        match self {
            SearchError::Missing { .. }
            | SearchError::Corrupt { .. }
            | SearchError::Foreign { .. }
            | SearchError::Format { .. } => true,
            SearchError::Locked { .. } | SearchError::WriterStopped { .. } | SearchError::Io(_) => false,
        }
    }

    pub(crate) fn corrupt(detail: impl Into<String>) -> Self {
        SearchError::Corrupt { detail: detail.into() }
    }
}

impl From<io::Error> for SearchError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // A file that ends early or decodes to nonsense is no fault of the disk at this moment.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::NotFound => {
                SearchError::corrupt(error.to_string())
            }
            _ => SearchError::Io(error),
        }
    }
}

impl From<TantivyError> for SearchError {
    fn from(error: TantivyError) -> Self {
        let shared = |error: &io::Error| SearchError::from(io::Error::new(error.kind(), error.to_string()));
        match &error {
            TantivyError::IoError(inner) => shared(inner),
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. })
            | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error, .. })
            | TantivyError::LockFailure(LockError::IoError(io_error), _) => shared(io_error),
            TantivyError::OpenDirectoryError(OpenDirectoryError::DoesNotExist(dir)) => {
                SearchError::Missing { dir: dir.clone() }
            }
            TantivyError::LockFailure(LockError::LockBusy, _) => SearchError::Locked { dir: PathBuf::new() },
            TantivyError::OpenWriteError(_) => SearchError::Io(io::Error::other(error.to_string())),
            TantivyError::ErrorInThread(detail) | TantivyError::SystemError(detail) => {
                SearchError::WriterStopped { detail: detail.clone() }
            }
            TantivyError::Poisoned => SearchError::WriterStopped {
                detail: error.to_string(),
            },
            _ => SearchError::corrupt(error.to_string()),
        }
    }
}

/// Runs a reading of the engine's files. The engine panics on some damaged files instead of reporting them; such a panic
/// means the same as a report, so it becomes one here. Nothing that `read` leaves behind is used after a panic.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, SearchError>) -> Result<T, SearchError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(SearchError::corrupt(
            said.unwrap_or_else(|| "a file is damaged".to_owned()),
        ))
    })
}
