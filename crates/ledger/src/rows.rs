//! The row store: the dossier of each payment by seq, ready to be read.
//!
//! A log-structured store (fjall) because the rows written are mostly the newest: 5 µs of processor a row written with
//! compaction, 8 to 20 µs a row read, flat in the number of rows, where the column store needs 2 to 60 ms a page. It is
//! derived data. Its journal is not synced to disk; after a power cut it may be some batches behind and is caught up.
//!
//! A store that cannot be read is made again from the ledger in a directory of its own and then taken in place of the
//! damaged one. Until then rows that can be read are answered from it, and others are refused.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::dossier::Dossier;
use fjall::config::{CompressionPolicy, FilterPolicy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Snapshot};
use parking_lot::RwLock;

use crate::codec;
use crate::error::LedgerError;
use crate::generations::Generations;
use crate::reader::Head;

/// The key of the head; keys of rows are eight bytes.
const HEAD: &[u8] = b"h";

/// The key of the store's id.
const STORE_ID: &[u8] = b"s";

pub(crate) struct RowStore {
    generations: Generations,
    cache_bytes: u64,
    /// Empty while there is none: before it was made, and while one that stopped is opened again.
    slot: RwLock<Option<RowFiles>>,
}

/// One generation, open.
#[derive(Clone)]
pub(crate) struct RowFiles {
    database: Database,
    rows: Keyspace,
    health: Arc<Health>,
}

/// What was found out while it was used.
#[derive(Default)]
struct Health {
    /// Something read was not what was written.
    is_damaged: AtomicBool,
    /// A write failed, after which the engine takes none until it is opened again.
    has_stopped: AtomicBool,
}

/// What one batch writes.
pub(crate) type EncodedRow = (u64, Vec<u8>);

impl RowStore {
    /// Opens the store in `root`; there may be none, or a damaged one, which counts as none.
    pub(crate) fn open(root: &Path, cache_bytes: u64) -> Result<Self, LedgerError> {
        let store = RowStore {
            generations: Generations::new(root),
            cache_bytes,
            slot: RwLock::new(None),
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
        match RowFiles::open(&path, self.cache_bytes) {
            Ok(files) => Ok(Some(files)),
            Err(error) if is_damage(&error) => {
                tracing::warn!(%error, "the row store is damaged and is made again from the ledger");
                Ok(None)
            }
            Err(error) => Err(LedgerError::rows("was opened")(error)),
        }
    }

    /// The generation in use; `None` where there is none that can be used.
    pub(crate) fn sound(&self) -> Option<RowFiles> {
        let files = self.slot.read().clone();
        files.filter(|files| !files.health.is_damaged.load(Ordering::Acquire))
    }

    /// Something read was not what was written: the store is to be made again.
    pub(crate) fn is_damaged(&self) -> bool {
        let slot = self.slot.read();
        slot.as_ref()
            .is_some_and(|files| files.health.is_damaged.load(Ordering::Acquire))
    }

    /// Opens a store again whose writing has failed. While readers still look at the stopped one it stays locked, which
    /// is an error like others: this is tried again.
    pub(crate) fn resume(&self) -> Result<(), LedgerError> {
        let has_stopped = match &*self.slot.read() {
            Some(files) => files.health.has_stopped.load(Ordering::Acquire),
            None => true,
        };
        if has_stopped {
            let mut slot = self.slot.write();
            *slot = None;
            *slot = self.open_current()?;
        }
        Ok(())
    }

    /// An empty store beside the one in use.
    pub(crate) fn begin(&self) -> Result<(RowFiles, std::path::PathBuf), LedgerError> {
        let path = self.generations.fresh();
        let path = path
            .map_err(fjall::Error::Io)
            .map_err(LedgerError::rows("was made again"))?;
        let files = RowFiles::open(&path, self.cache_bytes).map_err(LedgerError::rows("was made again"))?;
        Ok((files, path))
    }

    /// Takes a store that [`begin`](Self::begin) gave, and that is complete, in place of the one in use.
    pub(crate) fn publish(&self, files: RowFiles, path: &Path) -> Result<(), LedgerError> {
        let failed = "was put in place";
        // Into tables: rows of a journal would have to be read again at every opening until as many others came.
        let flushed = files.rows.rotate_memtable_and_wait();
        flushed.map_err(LedgerError::rows(failed))?;
        let synced = files.database.persist(fjall::PersistMode::SyncAll);
        synced.map_err(LedgerError::rows(failed))?;
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

    /// The newest committed row, for the writer.
    pub(crate) fn get(&self, seq: u64) -> Result<Option<Dossier>, LedgerError> {
        self.in_use()?.get(seq)
    }

    /// Makes one batch visible, all at once.
    pub(crate) fn commit(&self, head: &Head, rows: Vec<EncodedRow>) -> Result<(), LedgerError> {
        self.in_use()?.commit(head, rows)
    }

    pub(crate) fn snapshot(&self) -> Result<RowSnapshot, LedgerError> {
        let files = self.in_use()?;
        Ok(RowSnapshot {
            snapshot: files.database.snapshot(),
            files,
            read: RowsRead::default(),
        })
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        let slot = self.slot.read();
        slot.as_ref()
            .map_or(0, |files| files.database.disk_space().unwrap_or(0))
    }
}

/// Whether only making the store again helps. Of what the disk says, a missing or cut file does not come back.
fn is_damage(error: &fjall::Error) -> bool {
    let of_io = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
        )
    };
    match error {
        fjall::Error::Locked | fjall::Error::Poisoned => false,
        fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => of_io(error),
        _ => true,
    }
}

impl RowFiles {
    fn open(path: &Path, cache_bytes: u64) -> Result<Self, fjall::Error> {
        let database = Database::builder(path)
            .cache_size(cache_bytes)
            .worker_threads(1)
            .max_journaling_size(128 << 20)
            .open()?;
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(32 << 20)
                // Every seq asked for exists, and rows are compressed already.
                .expect_point_read_hits(true)
                .filter_policy(FilterPolicy::disabled())
                .data_block_compression_policy(CompressionPolicy::disabled())
        };
        let rows = database.keyspace("rows", options)?;
        let health = Arc::default();
        Ok(RowFiles { database, rows, health })
    }

    /// Makes rows and the head that they belong to visible, all at once.
    pub(crate) fn commit(&self, head: &Head, rows: Vec<EncodedRow>) -> Result<(), LedgerError> {
        let head = postcard::to_stdvec(head).map_err(|cause| LedgerError::Damaged(cause.to_string()))?;
        self.write(rows, Some(head), "committed a batch")
    }

    /// Writes rows of a rebuild; they count once the head is committed.
    pub(crate) fn put(&self, rows: Vec<EncodedRow>) -> Result<(), LedgerError> {
        self.write(rows, None, "wrote rows again")
    }

    fn write(&self, rows: Vec<EncodedRow>, head: Option<Vec<u8>>, doing: &'static str) -> Result<(), LedgerError> {
        let mut batch = self.database.batch();
        for (seq, row) in rows {
            batch.insert(&self.rows, seq.to_be_bytes(), row);
        }
        if let Some(head) = head {
            batch.insert(&self.rows, HEAD, head);
        }
        batch.commit().map_err(|error| {
            self.health.has_stopped.store(true, Ordering::Release);
            LedgerError::rows(doing)(error)
        })
    }

    fn get(&self, seq: u64) -> Result<Option<Dossier>, LedgerError> {
        let row = self.rows.get(seq.to_be_bytes());
        self.decoded(row)
    }

    fn decoded(&self, row: Result<Option<fjall::UserValue>, fjall::Error>) -> Result<Option<Dossier>, LedgerError> {
        let row = row.map_err(|error| self.noted("read a row", error))?;
        row.map(|bytes| codec::decode(&bytes).map_err(|error| self.unreadable(error)))
            .transpose()
    }

    /// An error of reading, noted if it means damage.
    fn noted(&self, doing: &'static str, error: fjall::Error) -> LedgerError {
        if is_damage(&error) {
            self.health.is_damaged.store(true, Ordering::Release);
        }
        LedgerError::rows(doing)(error)
    }

    fn unreadable(&self, error: LedgerError) -> LedgerError {
        self.health.is_damaged.store(true, Ordering::Release);
        LedgerError::Rows {
            doing: "read a row",
            source: Box::new(error),
        }
    }

    /// The batch reached, if these rows were made from the store `store_id`.
    pub(crate) fn reached(&self, store_id: &str) -> Result<Option<u64>, LedgerError> {
        let doing = "read whose rows it holds";
        let held = self.rows.get(STORE_ID).map_err(|error| self.noted(doing, error))?;
        let head = self.rows.get(HEAD).map_err(|error| self.noted(doing, error))?;
        let (Some(held), Some(head)) = (held, head) else {
            return Ok(None);
        };
        let head: Option<Head> = postcard::from_bytes(&head).ok();
        Ok(head.filter(|_| *held == *store_id.as_bytes()).map(|head| head.batch_no))
    }

    pub(crate) fn set_store_id(&self, store_id: &str) -> Result<(), LedgerError> {
        self.rows
            .insert(STORE_ID, store_id)
            .map_err(LedgerError::rows("wrote whose rows it holds"))
    }
}

/// The rows as of one batch.
pub(crate) struct RowSnapshot {
    snapshot: Snapshot,
    files: RowFiles,
    read: RowsRead,
}

/// How many rows were read by their seq, and their bytes as they are kept.
#[derive(Debug, Default)]
struct RowsRead {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl RowSnapshot {
    /// The batch that this snapshot shows; `None` before the first.
    pub(crate) fn head(&self) -> Result<Option<Head>, LedgerError> {
        let bytes = self.snapshot.get(&self.files.rows, HEAD);
        let bytes = bytes.map_err(|error| self.files.noted("read its head", error))?;
        let decoded = bytes.map(|bytes| postcard::from_bytes(&bytes));
        decoded
            .transpose()
            .map_err(|cause| LedgerError::Damaged(format!("the head of the row store: {cause}")))
    }

    pub(crate) fn get(&self, seq: u64) -> Result<Option<Dossier>, LedgerError> {
        let row = self.snapshot.get(&self.files.rows, seq.to_be_bytes());
        if let Ok(Some(bytes)) = &row {
            self.read.rows.fetch_add(1, Ordering::Relaxed);
            self.read.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        self.files.decoded(row)
    }

    /// Rows and bytes read so far.
    pub(crate) fn read(&self) -> (u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (of(&self.read.rows), of(&self.read.bytes))
    }

    /// Every row from `first` on, in seq order.
    pub(crate) fn scan(&self, first: u64) -> impl Iterator<Item = Result<(u64, Dossier), LedgerError>> {
        let files = self.files.clone();
        self.snapshot
            .range(&self.files.rows, first.to_be_bytes()..=u64::MAX.to_be_bytes())
            .filter_map(move |guard| {
                let (key, value) = match guard.into_inner() {
                    Ok(pair) => pair,
                    Err(error) => return Some(Err(files.noted("scanned its rows", error))),
                };
                // The other keys are one byte; only eight bytes are a seq.
                let seq = u64::from_be_bytes(<[u8; 8]>::try_from(&*key).ok()?);
                let dossier = codec::decode(&value).map_err(|error| files.unreadable(error));
                Some(dossier.map(|dossier| (seq, dossier)))
            })
    }
}
