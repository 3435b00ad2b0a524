//! The data directory: one process at a time, and never somebody else's files.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::codec::FORMAT;
use crate::error::LedgerError;

/// The file that says what the directory is.
pub const MARKER: &str = "ledgerlens.store";
const LOCK: &str = "lock";

/// What the marker of this program's format says.
pub fn marker_text() -> String {
    format!("format {FORMAT}\n")
}

/// A data directory that this process holds until the value, and everything that was opened in it, is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    // The operating system gives the lock back when the process ends, however it ends.
    lock: Arc<File>,
}

/// Makes the directory where it is missing, and checks that it is a data directory of this format or empty. Takes no
/// lock: keys may be made beside a running server.
///
/// # Errors
/// [`LedgerError::Foreign`] where it holds other files or a store of another format, [`LedgerError::Directory`] where it
/// cannot be made or written.
pub fn prepare(path: &Path) -> Result<(), LedgerError> {
    let io = |source| LedgerError::Directory {
        path: path.to_owned(),
        source,
    };
    let foreign = |reason| LedgerError::Foreign {
        path: path.to_owned(),
        reason,
    };
    fs::create_dir_all(path).map_err(io)?;
    let marker = path.join(MARKER);
    let wanted = marker_text();
    if marker.exists() {
        let found = fs::read_to_string(&marker).map_err(io)?;
        if found != wanted {
            return Err(foreign(format!(
                "its {MARKER} says {:?}, this program writes {:?}",
                found.trim(),
                wanted.trim()
            )));
        }
        return Ok(());
    }
    let mut items = fs::read_dir(path).map_err(io)?.filter_map(Result::ok);
    if let Some(item) = items.find(|item| item.file_name() != LOCK) {
        return Err(foreign(format!("it holds {:?} and no {MARKER}", item.file_name())));
    }
    fs::write(&marker, wanted).map_err(io)
}

/// Checks that a store is there. For whatever only reads or changes one: a mistyped directory is no empty store.
///
/// # Errors
/// [`LedgerError::Absent`] where there is none, and those of [`prepare`].
pub fn expect(path: &Path) -> Result<(), LedgerError> {
    let is_empty = fs::read_dir(path).map_or(true, |mut items| items.next().is_none());
    if is_empty {
        return Err(LedgerError::Absent(path.to_owned()));
    }
    prepare(path)
}

impl DataDir {
    /// [`prepare`]s the directory and takes its lock.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] while another process holds it, and those of [`prepare`].
    pub fn lock(path: &Path) -> Result<Self, LedgerError> {
        prepare(path)?;
        let io = |source| LedgerError::Directory {
            path: path.to_owned(),
            source,
        };
        let file = path.join(LOCK);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(file)
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(DataDir {
                path: path.to_owned(),
                lock: Arc::new(lock),
            }),
            Err(TryLockError::WouldBlock) => Err(LedgerError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// Keeps the directory locked: a store that is still being closed must not be opened beside.
    pub(crate) fn hold(&self) -> Arc<File> {
        self.lock.clone()
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
