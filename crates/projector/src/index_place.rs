//! Where the search index is, and who reads it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use ledger::Generations;
use parking_lot::{Mutex, RwLock};
use search::{IndexReader, Recent, SearchError};

#[derive(Clone)]
pub struct IndexPlace {
    pub dir: PathBuf,
    /// Empty while there is no index to be asked.
    pub reader: Arc<RwLock<Option<IndexReader>>>,
    pub recent: Arc<Recent>,
    /// It was damaged when it was opened, and has been made again.
    found_damaged: Arc<AtomicBool>,
    /// A comparison under way, and the directory that it is about.
    check: Arc<Mutex<Option<(PathBuf, Check)>>>,
}

type Check = JoinHandle<Result<(), SearchError>>;

impl IndexPlace {
    /// Of the index in `dir`, which is not open yet.
    pub fn new(dir: PathBuf) -> Self {
        IndexPlace {
            dir,
            reader: Arc::default(),
            recent: Arc::default(),
            found_damaged: Arc::default(),
            check: Arc::default(),
        }
    }

    pub(crate) fn note_damage(&self) {
        self.found_damaged.store(true, Ordering::Release);
    }

    pub(crate) fn was_damaged(&self) -> bool {
        self.found_damaged.load(Ordering::Acquire)
    }

    /// Begins to compare the files with their checksums while the ledger is still being opened: both read for seconds where there are
    /// many payments. Nothing may write the index until it is opened.
    pub fn check_ahead(&self) {
        let Ok(Some(dir)) = Generations::new(&self.dir).current() else {
            return;
        };
        let checked = dir.clone();
        let thread = thread::Builder::new()
            .name("index-check".to_owned())
            .spawn(move || search::check_files(&checked));
        // Without a thread it is compared when it is opened.
        *self.check.lock() = thread.ok().map(|thread| (dir, thread));
    }

    /// How the comparison went, where one of this directory was begun.
    pub(crate) fn checked_ahead(&self, dir: &Path) -> Option<Result<(), SearchError>> {
        let (checked, thread) = self.check.lock().take()?;
        let outcome = thread.join().ok()?;
        (checked == dir).then_some(outcome)
    }
}
