//! Readers: who asks takes a snapshot of the last commit that was loaded.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tantivy::directory::META_LOCK;
use tantivy::{Directory, Index, SegmentReader};

use crate::error::{SearchError, guarded};
use crate::fields::{Fields, schema};
use crate::position::{FORMAT, IndexPosition};
use crate::segment::Segment;
use crate::snapshot::IndexSnapshot;

/// Gives out snapshots of the index. A clone reads the same.
#[derive(Clone)]
pub struct IndexReader {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    index: Index,
    fields: Fields,
    current: RwLock<IndexSnapshot>,
    /// Held while a commit is loaded, so that an older one never replaces a newer one.
    reload: Mutex<()>,
}

impl IndexReader {
    /// Opens the index in `dir` for reading only.
    ///
    /// # Errors
    ///
    /// Any of those that ask for a rebuild, or of the disk.
    pub fn open(dir: &Path, store_id: &str) -> Result<Self, SearchError> {
        guarded(|| Self::of_index(open_engine(dir)?, dir, store_id))
    }

    pub(crate) fn of_index(index: Index, dir: &Path, store_id: &str) -> Result<Self, SearchError> {
        let fields = Fields::of(&index.schema())?;
        let snapshot = load(&index, fields, &[])?;
        let found = &snapshot.position().store_id;
        if found != store_id {
            return Err(SearchError::Foreign {
                found: found.clone(),
                expected: store_id.to_owned(),
            });
        }
        let (current, reload) = (RwLock::new(snapshot), Mutex::new(()));
        Ok(IndexReader {
            shared: Arc::new(Shared {
                dir: dir.to_owned(),
                index,
                fields,
                current,
                reload,
            }),
        })
    }

    /// The last commit that was loaded.
    pub fn snapshot(&self) -> IndexSnapshot {
        self.shared.current.read().clone()
    }

    /// The position of the last commit that was loaded.
    pub fn position(&self) -> IndexPosition {
        self.snapshot().position().clone()
    }

    /// Loads the last commit. The writer does so after each of its commits; beside that it lets go of the files that a
    /// finished merge has replaced.
    pub fn reload(&self) -> Result<(), SearchError> {
        let _alone = self.shared.reload.lock();
        let former = self.snapshot();
        let snapshot = guarded(|| load(&self.shared.index, self.shared.fields, former.segments()))?;
        *self.shared.current.write() = snapshot;
        Ok(())
    }

    /// The size of the index's files.
    pub fn bytes_on_disk(&self) -> Result<u64, SearchError> {
        let mut sum = 0;
        for file in fs::read_dir(&self.shared.dir).map_err(SearchError::Io)? {
            // A merge may take a file away between its name and its size.
            sum += file
                .and_then(|file| file.metadata())
                .map_or(0, |metadata| metadata.len());
        }
        Ok(sum)
    }
}

/// Reads every file of the last commit of the index in `dir` and compares it with its checksum. Takes as long as reading the disk
/// does.
///
/// # Errors
/// Those that ask for a rebuild, or of the disk.
pub fn check_files(dir: &Path) -> Result<(), SearchError> {
    let damaged = guarded(|| Ok(open_engine(dir)?.validate_checksum()?))?;
    match damaged.iter().min() {
        None => Ok(()),
        Some(file) => Err(SearchError::corrupt(format!(
            "{} does not fit its checksum",
            file.display()
        ))),
    }
}

/// The engine's index in `dir`, if it has the fields of this format.
pub(crate) fn open_engine(dir: &Path) -> Result<Index, SearchError> {
    if !dir.join("meta.json").try_exists().map_err(SearchError::Io)? {
        return Err(SearchError::Missing { dir: dir.to_owned() });
    }
    let index = Index::open_in_dir(dir)?;
    if index.schema() != schema() {
        // The payload names the format; without one, or with ours, the fields were tampered with.
        IndexPosition::from_payload(index.load_metas()?.payload.as_deref())?;
        return Err(SearchError::corrupt(format!(
            "its fields are not those of format {FORMAT}"
        )));
    }
    Ok(index)
}

/// Reads the last commit: its position and its segments come from one reading of the engine's list, so they belong
/// together. Segments that `former` has in the same state are taken from there.
fn load(index: &Index, fields: Fields, former: &[Arc<Segment>]) -> Result<IndexSnapshot, SearchError> {
    // While this lock is held no file is removed, so every file of the list is there to be opened.
    let _files_stay = index
        .directory()
        .acquire_lock(&META_LOCK)
        .map_err(tantivy::TantivyError::from)?;
    let metas = index.load_metas()?;
    let position = IndexPosition::from_payload(metas.payload.as_deref())?;
    let former: HashMap<_, _> = former.iter().map(|segment| (segment.id(), segment)).collect();
    let mut segments = Vec::with_capacity(metas.segments.len());
    for meta in metas.segments {
        let known = former.get(&meta.id()).copied();
        if let Some(same) = known.filter(|segment| segment.delete_opstamp() == meta.delete_opstamp()) {
            segments.push(Arc::clone(same));
            continue;
        }
        let reader = SegmentReader::open(&index.segment(meta))?;
        let hours = known.map(|segment| Arc::clone(&segment.hours));
        segments.push(Arc::new(Segment::open(reader, fields, hours)?));
    }
    Ok(IndexSnapshot::new(position, segments))
}
