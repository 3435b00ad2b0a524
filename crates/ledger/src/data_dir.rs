//! The data directory: one process at a time, and never somebody else's files.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::codec::FORMAT;
use crate::error::LedgerError;

const MARKER: &str = "ledgerlens.store";
const LOCK: &str = "lock";

/// A data directory that this process holds until the value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    // The operating system gives the lock back when the process ends, however it ends.
    _lock: File,
}

impl DataDir {
    /// Makes the directory where it is missing and takes its lock.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] while another process holds it, [`LedgerError::Foreign`] where it holds other files or
    /// a store of another format, [`LedgerError::Directory`] where it cannot be made or written.
    pub fn lock(path: &Path) -> Result<Self, LedgerError> {
        let io = |source| LedgerError::Directory {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(io)?;
        let marker = path.join(MARKER);
        if !marker.exists() {
            let strange = fs::read_dir(path)
                .map_err(io)?
                .filter_map(Result::ok)
                .find(|item| item.file_name() != LOCK);
            if let Some(item) = strange {
                let reason = format!("it holds {:?} and no {MARKER}", item.file_name());
                return Err(LedgerError::Foreign {
                    path: path.to_owned(),
                    reason,
                });
            }
        }
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let wanted = format!("format {FORMAT}\n");
        if marker.exists() {
            let found = fs::read_to_string(&marker).map_err(io)?;
            if found != wanted {
                let reason = format!(
                    "its {MARKER} says {:?}, this program writes {:?}",
                    found.trim(),
                    wanted.trim()
                );
                return Err(LedgerError::Foreign {
                    path: path.to_owned(),
                    reason,
                });
            }
        } else {
            fs::write(&marker, wanted).map_err(io)?;
        }
        Ok(DataDir {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    pub(crate) fn rows(&self) -> PathBuf {
        self.path.join("rows")
    }

    /// Where the search index lies.
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }
}
