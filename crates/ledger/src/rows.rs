//! The row store: the dossier of each payment by seq, ready to be read.
//!
//! A log-structured store (fjall) because the rows written are mostly the newest: 5 µs of processor a row written with
//! compaction, 8 to 20 µs a row read, flat in the number of rows, where the column store needs 2 to 60 ms a page. It is
//! derived data. Its journal is not synced to disk; after a power cut it may be some batches behind and is caught up.
//!
//! Rows lie on their own while they change and packed together with their neighbours afterwards ([`crate::pack`]).
//!
//! A store that cannot be read is made again from the ledger in a directory of its own and then taken in place of the
//! damaged one. Until then rows that can be read are answered from it, and others are refused.

mod files;
mod keyspaces;
mod seen;
mod snapshot;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fjall::UserValue;
use parking_lot::RwLock;

use crate::error::LedgerError;
use crate::generations::Generations;
use crate::reader::Head;

use self::files::{RowFiles, is_damage};
pub(crate) use self::snapshot::RowSnapshot;

pub(crate) struct RowStore {
    generations: Generations,
    settings: RowSettings,
    /// Empty while there is none: before it was made, and while one that stopped is opened again.
    slot: RwLock<Option<RowFiles>>,
    /// It was damaged when it was opened, and has been made again.
    found_damaged: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSettings {
    pub(crate) cache_bytes: u64,
    /// Rows that are written elsewhere until a group is packed.
    pub(crate) rest: u64,
}

/// So long new readers wait for others to leave a store that is to be opened again.
const RESUME_WITHIN: Duration = Duration::from_secs(1);

/// What one batch writes.
pub(crate) type EncodedRow = (u64, UserValue);

impl RowStore {
    /// Opens the store in `root`; there may be none, or a damaged one, which counts as none.
    pub(crate) fn open(root: &Path, settings: RowSettings) -> Result<Self, LedgerError> {
        let store = RowStore {
            generations: Generations::new(root),
            settings,
            slot: RwLock::new(None),
            found_damaged: AtomicBool::new(false),
        };
        store.generations.sweep();
        *store.slot.write() = store.open_current()?;
        Ok(store)
    }

    fn open_current(&self) -> Result<Option<RowFiles>, LedgerError> {
        let current = self.generations.current();
        let current = current
            .map_err(fjall::Error::Io)
            .map_err(LedgerError::rows("was looked for"))?;
        let Some(path) = current else { return Ok(None) };
        match RowFiles::open(&path, self.settings) {
            Ok(files) => Ok(Some(files)),
            Err(error) if is_damage(&error) => {
                tracing::warn!(%error, "the row store is damaged and is made again from the ledger");
                self.found_damaged.store(true, Ordering::Release);
                Ok(None)
            }
            Err(error) => Err(LedgerError::rows("was opened")(error)),
        }
    }

    /// The generation in use; `None` where there is none that can be used.
    pub(crate) fn sound(&self) -> Option<RowFiles> {
        let files = self.slot.read().clone();
        files.filter(|files| !files.is_damaged())
    }

    pub(crate) fn was_damaged(&self) -> bool {
        self.found_damaged.load(Ordering::Acquire)
    }

    /// Something read was not what was written: the store is to be made again.
    pub(crate) fn is_damaged(&self) -> bool {
        let slot = self.slot.read();
        slot.as_ref().is_some_and(RowFiles::is_damaged)
    }

    /// Opens a store again whose writing has failed. While somebody looks at the stopped one it stays locked and in use, as an
    /// export does for long, which is an error like others: this is tried again.
    pub(crate) fn resume(&self) -> Result<(), LedgerError> {
        let has_stopped = match &*self.slot.read() {
            Some(files) => files.has_stopped(),
            None => true,
        };
        if has_stopped {
            let mut slot = self.slot.write();
            if let Some(files) = &*slot
                && !files.is_left_within(RESUME_WITHIN)
            {
                return Err(LedgerError::rows("is opened again")(fjall::Error::Locked));
            }
            *slot = None;
            *slot = self.open_current()?;
        }
        Ok(())
    }

    /// An empty store beside the one in use.
    pub(crate) fn begin(&self) -> Result<(RowFiles, std::path::PathBuf), LedgerError> {
        // What tries that failed have left.
        self.generations.sweep();
        let path = self.generations.fresh();
        let path = path
            .map_err(fjall::Error::Io)
            .map_err(LedgerError::rows("was made again"))?;
        let files = RowFiles::open(&path, self.settings).map_err(LedgerError::rows("was made again"))?;
        Ok((files, path))
    }

    /// Takes a store that [`begin`](Self::begin) gave, and that is complete, in place of the one in use.
    pub(crate) fn publish(&self, files: RowFiles, path: &Path) -> Result<(), LedgerError> {
        let failed = "was put in place";
        files.settle().map_err(LedgerError::rows(failed))?;
        let switched = self.generations.switch(path);
        switched.map_err(fjall::Error::Io).map_err(LedgerError::rows(failed))?;
        *self.slot.write() = Some(files);
        self.generations.sweep();
        Ok(())
    }

    pub(crate) fn in_use(&self) -> Result<RowFiles, LedgerError> {
        let absent = || LedgerError::rows("is opened again")(fjall::Error::Locked);
        self.slot.read().clone().ok_or_else(absent)
    }

    /// Makes one batch visible, all at once.
    pub(crate) fn commit(&self, head: &Head, rows: Vec<EncodedRow>) -> Result<(), LedgerError> {
        self.in_use()?.commit(head, rows)
    }

    /// Packs what has come to rest; whether anything has. Readers see the same rows before and after.
    pub(crate) fn pack_idle(&self) -> Result<bool, LedgerError> {
        self.in_use()?.pack_idle()
    }

    pub(crate) fn snapshot(&self) -> Result<RowSnapshot, LedgerError> {
        Ok(RowSnapshot::new(self.in_use()?))
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        let slot = self.slot.read();
        slot.as_ref().map_or(0, RowFiles::disk_bytes)
    }
}
