//! The row store: the dossier of each payment by seq, ready to be read.
//!
//! A log-structured store (fjall) because the rows written are mostly the newest: 5 µs of processor a row written with
//! compaction, 8 to 20 µs a row read, flat in the number of rows, where the column store needs 2 to 60 ms a page. It is
//! derived data. Its journal is not synced to disk; after a power cut it may be some batches behind and is caught up.

use std::path::Path;

use domain::dossier::Dossier;
use fjall::config::{CompressionPolicy, FilterPolicy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Snapshot};

use crate::codec;
use crate::error::LedgerError;
use crate::reader::Head;

/// The key of the head; keys of rows are eight bytes.
const HEAD: &[u8] = b"h";

/// The key of the store's id.
const STORE_ID: &[u8] = b"s";

#[derive(Clone)]
pub(crate) struct RowStore {
    database: Database,
    rows: Keyspace,
}

/// What one batch writes.
pub(crate) type EncodedRow = (u64, Vec<u8>);

impl RowStore {
    pub(crate) fn open(path: &Path, cache_bytes: u64) -> Result<Self, LedgerError> {
        let failed = "was opened";
        let database = Database::builder(path)
            .cache_size(cache_bytes)
            .worker_threads(1)
            .max_journaling_size(128 << 20)
            .open()
            .map_err(LedgerError::rows(failed))?;
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(32 << 20)
                // Every seq asked for exists, and rows are compressed already.
                .expect_point_read_hits(true)
                .filter_policy(FilterPolicy::disabled())
                .data_block_compression_policy(CompressionPolicy::disabled())
        };
        let rows = database.keyspace("rows", options).map_err(LedgerError::rows(failed))?;
        Ok(RowStore { database, rows })
    }

    /// Makes one batch visible, all at once.
    pub(crate) fn commit(&self, head: &Head, rows: Vec<EncodedRow>) -> Result<(), LedgerError> {
        let mut batch = self.database.batch();
        for (seq, row) in rows {
            batch.insert(&self.rows, seq.to_be_bytes(), row);
        }
        let head = postcard::to_stdvec(head).map_err(|cause| LedgerError::Damaged(cause.to_string()))?;
        batch.insert(&self.rows, HEAD, head);
        batch.commit().map_err(LedgerError::rows("committed a batch"))
    }

    pub(crate) fn snapshot(&self) -> RowSnapshot {
        RowSnapshot {
            snapshot: self.database.snapshot(),
            rows: self.rows.clone(),
        }
    }

    /// The newest committed row, for the writer.
    pub(crate) fn get(&self, seq: u64) -> Result<Option<Dossier>, LedgerError> {
        let row = self
            .rows
            .get(seq.to_be_bytes())
            .map_err(LedgerError::rows("read a row"))?;
        row.map(|bytes| codec::decode(&bytes)).transpose()
    }

    /// Writes rows of a rebuild; they count once the head is committed.
    pub(crate) fn put(&self, rows: Vec<EncodedRow>) -> Result<(), LedgerError> {
        let mut batch = self.database.batch();
        for (seq, row) in rows {
            batch.insert(&self.rows, seq.to_be_bytes(), row);
        }
        batch.commit().map_err(LedgerError::rows("wrote rows again"))
    }

    /// The store that these rows were made from.
    pub(crate) fn store_id(&self) -> Result<Option<String>, LedgerError> {
        let bytes = self
            .rows
            .get(STORE_ID)
            .map_err(LedgerError::rows("read whose rows it holds"))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    pub(crate) fn set_store_id(&self, store_id: &str) -> Result<(), LedgerError> {
        self.rows
            .insert(STORE_ID, store_id)
            .map_err(LedgerError::rows("wrote whose rows it holds"))
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) -> Result<(), LedgerError> {
        self.rows.clear().map_err(LedgerError::rows("was cleared"))
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        self.database.disk_space().unwrap_or(0)
    }
}

/// The rows as of one batch.
pub(crate) struct RowSnapshot {
    snapshot: Snapshot,
    rows: Keyspace,
}

impl RowSnapshot {
    /// The batch that this snapshot shows; `None` before the first.
    pub(crate) fn head(&self) -> Result<Option<Head>, LedgerError> {
        let bytes = self
            .snapshot
            .get(&self.rows, HEAD)
            .map_err(LedgerError::rows("read its head"))?;
        let decoded = bytes.map(|bytes| postcard::from_bytes(&bytes));
        decoded
            .transpose()
            .map_err(|cause| LedgerError::Damaged(format!("the head of the row store: {cause}")))
    }

    pub(crate) fn get(&self, seq: u64) -> Result<Option<Dossier>, LedgerError> {
        let row = self
            .snapshot
            .get(&self.rows, seq.to_be_bytes())
            .map_err(LedgerError::rows("read a row"))?;
        row.map(|bytes| codec::decode(&bytes)).transpose()
    }

    /// Every row from `first` on, in seq order.
    pub(crate) fn scan(&self, first: u64) -> impl Iterator<Item = Result<(u64, Dossier), LedgerError>> {
        self.snapshot
            .range(&self.rows, first.to_be_bytes()..=u64::MAX.to_be_bytes())
            .filter_map(|guard| {
                let (key, value) = match guard.into_inner().map_err(LedgerError::rows("scanned its rows")) {
                    Ok(pair) => pair,
                    Err(error) => return Some(Err(error)),
                };
                // The other keys are one byte; only eight bytes are a seq.
                let seq = u64::from_be_bytes(<[u8; 8]>::try_from(&*key).ok()?);
                Some(codec::decode(&value).map(|dossier| (seq, dossier)))
            })
    }
}
