//! Reading: snapshots of the rows, and of rows and DuckDB at one and the same batch.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::dossier::Dossier;
use domain::position::PartitionId;
use domain::scope::Scope;
use duckdb::Connection;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::bodies::BodyFile;
use crate::engine::Engine;
use crate::error::LedgerError;
use crate::event_find::EventWatch;
use crate::events::Hasher;
use crate::joint::{Joint, Pooled};
use crate::keymap::KeyMap;
use crate::quarantine_list::{self, QuarantineFilter, QuarantineRow, RowAndRaw};
use crate::reached::{Herald, Reached};
use crate::rows::{RowSnapshot, RowStore};
use crate::status::{Counts, Status};

/// How far the ledger is: the position that an answer names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Batches applied since the store was made.
    pub batch_no: u64,
    /// When the last one was applied.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub applied_at: Option<DateTime<Utc>>,
    /// Broker time of the newest message applied, where a broker said one.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub appended_at: Option<DateTime<Utc>>,
}

/// What writer and readers share.
pub(crate) struct Shared {
    pub(crate) engine: Mutex<Engine>,
    pub(crate) rows: RowStore,
    pub(crate) keymap: KeyMap,
    /// Payments that readers of different merchants see differently, and some that were so once.
    pub(crate) split: RwLock<BTreeSet<u64>>,
    pub(crate) store_id: String,
    pub(crate) pool: Mutex<Vec<Connection>>,
    pub(crate) readers: usize,
    pub(crate) data_dir: PathBuf,
    /// The last batch that is visible in both stores.
    pub(crate) committed: AtomicU64,
    /// Tells whoever waits.
    pub(crate) herald: Herald,
    pub(crate) events: Hasher,
    pub(crate) watch: EventWatch,
    pub(crate) bodies: BodyFile,
    /// Let go of after all others, when the last reader is gone.
    pub(crate) _dir: Arc<File>,
}

impl Shared {
    pub(crate) fn connection(&self) -> Result<Connection, LedgerError> {
        if let Some(connection) = self.pool.lock().pop() {
            return Ok(connection);
        }
        self.engine.lock().connection()
    }

    pub(crate) fn give_back(&self, connection: Connection) {
        let mut pool = self.pool.lock();
        if pool.len() < self.readers {
            pool.push(connection);
        }
    }
}

/// Reads the ledger; cheap to clone, to be used from any thread (calls block).
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Reader { shared }
    }

    /// Names the store: an index of another store is not this one's.
    pub fn store_id(&self) -> &str {
        &self.shared.store_id
    }

    pub fn data_dir(&self) -> &std::path::Path {
        &self.shared.data_dir
    }

    /// A connection that no other reader has.
    pub(crate) fn new_connection(&self) -> Result<Connection, LedgerError> {
        self.shared.engine.lock().connection()
    }

    /// The last batch that readers see.
    pub fn batch_no(&self) -> u64 {
        self.shared.committed.load(Ordering::Acquire)
    }

    pub(crate) fn bodies(&self) -> &BodyFile {
        &self.shared.bodies
    }

    pub(crate) fn events(&self) -> Hasher {
        self.shared.events
    }

    pub(crate) fn watch(&self) -> &EventWatch {
        &self.shared.watch
    }

    /// Follows what readers see: it is never ahead of them.
    pub fn follow(&self) -> watch::Receiver<Reached> {
        self.shared.herald.subscribe()
    }

    /// The rows as of now.
    pub fn rows(&self) -> Result<Rows, LedgerError> {
        let snapshot = self.shared.rows.snapshot()?;
        let head = snapshot.head().cloned().unwrap_or_default();
        Ok(Rows {
            snapshot,
            head,
            shared: self.shared.clone(),
        })
    }

    /// Rows and DuckDB as of one batch.
    ///
    /// The writer commits DuckDB some milliseconds before the rows; in between the two differ and are taken again.
    pub fn joint(&self) -> Result<Joint, LedgerError> {
        let connection = Pooled::take(self.shared.clone())?;
        let started = Instant::now();
        loop {
            connection
                .get()
                .execute_batch("begin")
                .map_err(LedgerError::engine("began a read"))?;
            let ledger_batch: i64 = connection
                .get()
                .query_row("select max(batch_no) from heads", [], |row| row.get(0))
                .map_err(LedgerError::engine("read its head"))?;
            let rows = self.rows()?;
            if rows.head.batch_no == ledger_batch.unsigned_abs() {
                return Ok(Joint::new(connection, rows));
            }
            connection
                .get()
                .execute_batch("rollback")
                .map_err(LedgerError::engine("ended a read"))?;
            if started.elapsed() > Duration::from_secs(10) {
                return Err(LedgerError::Damaged(
                    "the row store does not reach the ledger".to_owned(),
                ));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Some row could not be read: the writer is to make the rows again ([`crate::Writer::reload`]).
    pub fn rows_are_damaged(&self) -> bool {
        self.shared.rows.is_damaged()
    }

    /// The row store was damaged when it was opened, and has been made again.
    pub(crate) fn rows_were_damaged(&self) -> bool {
        self.shared.rows.was_damaged()
    }

    /// Progress and sizes.
    pub fn status(&self) -> Result<Status, LedgerError> {
        let joint = self.joint()?;
        let doing = "read its status";
        let (counts, nulls) = joint
            .connection()
            .query_row(
                "select applied, duplicate, stale, conflict, quarantined, nulls from head",
                [],
                |row| {
                    let count = |place| row.get::<_, i64>(place).map(i64::unsigned_abs);
                    let counts = Counts {
                        applied: count(0)?,
                        duplicate: count(1)?,
                        stale: count(2)?,
                        conflict: count(3)?,
                        quarantined: count(4)?,
                    };
                    Ok((counts, count(5)?))
                },
            )
            .map_err(LedgerError::engine(doing))?;
        let mut statement = joint
            .connection()
            .prepare("select name, next from positions where next is not null order by name")
            .map_err(LedgerError::engine(doing))?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
            .map_err(LedgerError::engine(doing))?
            .collect::<Result<Vec<_>, _>>()
            .map_err(LedgerError::engine(doing))?;
        Ok(Status {
            head: joint.head().clone(),
            counts,
            nulls,
            payments: self.shared.keymap.len(),
            positions: rows
                .into_iter()
                .filter_map(|(name, next)| Some((PartitionId::parse(&name)?, next.unsigned_abs())))
                .collect(),
            ledger_bytes: self.shared.engine.lock().file_bytes() + self.shared.bodies.bytes(),
            row_bytes: self.shared.rows.disk_bytes(),
        })
    }

    /// Every payment that a batch after `batch_no` may have changed, for an index that has reached that batch.
    pub fn touched_since(&self, batch_no: u64) -> Result<Vec<u64>, LedgerError> {
        let joint = self.joint()?;
        crate::catch_up::touched_since(joint.connection(), batch_no)
    }

    /// Rows of quarantine with a number below `before`, newest first, and the position they are of.
    pub fn quarantine(
        &self,
        filter: &QuarantineFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<QuarantineRow>, Head), LedgerError> {
        let joint = self.joint()?;
        let rows = quarantine_list::list(joint.connection(), filter, before, limit)?;
        Ok((rows, joint.head().clone()))
    }

    /// One row of quarantine, with what was kept of the message, and the position it is of.
    pub fn quarantine_row(&self, n: u64) -> Result<(Option<RowAndRaw>, Head), LedgerError> {
        let joint = self.joint()?;
        let found = quarantine_list::one(joint.connection(), n)?;
        Ok((found, joint.head().clone()))
    }

    /// The canonical, redacted `data` of the entry that a row of quarantine is about; `None` where it is about none.
    pub fn quarantined_entry(&self, row: &QuarantineRow) -> Result<Option<Vec<u8>>, LedgerError> {
        let joint = self.joint()?;
        quarantine_list::entry_data(joint.connection(), joint.bodies(), row)
    }
}

/// Payments whose rows are mostly not packed yet.
const NEWEST: u64 = 50_000;

/// The rows as of one batch.
pub struct Rows {
    snapshot: RowSnapshot,
    head: Head,
    shared: Arc<Shared>,
}

impl Rows {
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// How many rows were read by their seq or key so far, and their bytes as they are kept.
    pub fn read(&self) -> (u64, u64) {
        self.snapshot.read()
    }

    /// The dossier with this seq, if the batch has reached it.
    pub fn get(&self, seq: u64) -> Result<Option<Dossier>, LedgerError> {
        self.snapshot.get(seq)
    }

    /// The dossier of this payment key.
    pub fn find(&self, payment_key: &str) -> Result<Option<(u64, Dossier)>, LedgerError> {
        let hash = self.shared.keymap.hash(payment_key);
        let candidates = self.shared.keymap.candidates(hash);
        for &seq in &candidates {
            if let Some(dossier) = self.snapshot.get(seq)?
                && dossier.payment_key == payment_key
            {
                return Ok(Some((seq, dossier)));
            }
        }
        if candidates.is_empty() {
            // An absent key costs what another merchant's costs, so that no clock tells which keys exist: half of them what
            // a payment of any age costs, half what one of the newest does, whose rows are not packed yet.
            let payments = self.shared.keymap.len();
            let other = match hash % 2 {
                0 => (hash / 2).checked_rem(payments),
                _ => (hash / 2)
                    .checked_rem(payments.min(NEWEST))
                    .map(|back| payments - 1 - back),
            };
            other.map(|other| self.snapshot.get(other)).transpose()?;
        }
        Ok(None)
    }

    /// How many payments the store has, also those that came later.
    pub(crate) fn payments(&self) -> u64 {
        self.shared.keymap.len()
    }

    pub(crate) fn bodies(&self) -> &BodyFile {
        &self.shared.bodies
    }

    /// Every dossier from seq `first` on.
    pub fn scan(&self, first: u64) -> impl Iterator<Item = Result<(u64, Dossier), LedgerError>> {
        self.snapshot.scan(first)
    }

    /// Payments that a reader of some merchants may see otherwise than a reader of all: a superset.
    pub fn split(&self, scope: &Scope) -> Vec<u64> {
        match scope {
            Scope::All => Vec::new(),
            Scope::Merchants(_) => self.shared.split.read().iter().copied().collect(),
        }
    }
}
