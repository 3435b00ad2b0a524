//! The one writer: applies batches and keeps both stores at one position.

mod commit;
mod tidy;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::dossier::Dossier;
use domain::message::Digest;
use domain::position::{PartitionId, Positions};
use domain::time::Zones;
use duckdb::Connection;
use parking_lot::RwLock;
use rayon::prelude::*;

use crate::acts::Orders;
use crate::append;
use crate::bodies::BodyFile;
use crate::catch_up;
use crate::data_dir::DataDir;
use crate::engine::{Engine, Options};
use crate::error::LedgerError;
use crate::event_find::EventWatch;
use crate::events::{self, Hasher, Notes};
use crate::fold::{Batch, Incoming, Touched, Work, Works, finish, fold};
use crate::folding::{FoldSettings, Folding};
use crate::keymap::{KeyMap, SEQ_MAX};
use crate::late::Lateness;
use crate::meta;
use crate::positions::{self, SourceIds};
use crate::quarantine;
use crate::reached::Herald;
use crate::reader::{Head, Reader, Shared};
use crate::rows::{RowSettings, RowStore};
use crate::status::Counts;
use crate::step::Step;

/// What became of a batch.
#[derive(Debug)]
pub struct Applied {
    pub head: Head,
    pub counts: Counts,
}

/// The one writer of a data directory.
pub struct Writer {
    /// Waited for before anything else is let go of, the directory's lock above all.
    folding: Folding,
    connection: Connection,
    shared: Arc<Shared>,
    zones: Zones,
    head: Head,
    next_seq: u64,
    next_n: u64,
    bodies_end: u64,
    positions: Positions,
    source_ids: SourceIds,
    fold_settings: FoldSettings,
    events_max: u64,
    events: events::Kept,
    late: Lateness,
    /// Batches since heads and positions of old ones were removed.
    unpruned: u32,
}

/// Opens the ledger in a locked data directory and brings the row store up to it.
///
/// # Errors
/// Where the stores cannot be opened or hold what this program did not write.
pub fn open(dir: &DataDir, options: &Options, zones: Zones) -> Result<(Writer, Reader), LedgerError> {
    let engine = Engine::open(&dir.ledger(), options)?;
    let connection = engine.connection()?;
    let meta = meta::read(&connection)?;
    let of = |key: &str| {
        meta.get(key)
            .cloned()
            .ok_or_else(|| LedgerError::Damaged(format!("meta has no {key}")))
    };
    let seed = of("hash_seed")?
        .parse()
        .map_err(|_| LedgerError::Damaged("the hash seed".to_owned()))?;
    let settings = RowSettings {
        cache_bytes: options.row_cache_bytes,
        rest: options.row_rest,
    };
    let rows = RowStore::open(&dir.rows(), settings)?;
    let bodies = BodyFile::open(&dir.ledger())?;
    let shared = Arc::new(Shared {
        engine: parking_lot::Mutex::new(engine),
        rows,
        bodies,
        keymap: KeyMap::new(seed),
        split: RwLock::new(BTreeSet::new()),
        store_id: of("store_id")?,
        pool: parking_lot::Mutex::new(Vec::new()),
        readers: options.readers,
        data_dir: PathBuf::from(dir.path()),
        committed: AtomicU64::new(0),
        herald: Herald::new(),
        events: Hasher::new(seed),
        watch: EventWatch::default(),
        _dir: dir.hold(),
    });
    let mut writer = Writer {
        folding: Folding::default(),
        connection,
        shared: shared.clone(),
        zones,
        head: Head::default(),
        next_seq: 0,
        next_n: 1,
        bodies_end: 0,
        positions: Positions::default(),
        source_ids: SourceIds::new(),
        fold_settings: FoldSettings {
            wal_bytes: options.wal_bytes,
            rollup_rows: options.rollup_rows,
            seal_rows: options.seal_rows,
            events_through: None,
            on_step: options.on_step,
        },
        events_max: options.events_max,
        events: events::Kept::default(),
        late: Lateness::new(options.late_days, options.late_batch_rows),
        unpruned: 0,
    };
    writer.reload()?;
    writer.late.resume(&writer.connection)?;
    Ok((writer, Reader::new(shared)))
}

/// A payment key's hash, and its seq and dossier where it was seen before.
type Place = (u64, Option<(u64, Dossier)>);

impl Writer {
    fn reached(&self, step: Step) {
        self.fold_settings.on_step.reached(step);
    }

    /// What every partition has been applied up to.
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Takes the time zones that count for messages applied from now on.
    pub fn set_zones(&mut self, zones: Zones) {
        self.zones = zones;
    }

    /// Reads everything that is kept in memory from the stores again and brings the rows up to the ledger. To be called
    /// after any error of [`Writer::apply`], because a failed commit may still have become durable.
    pub fn reload(&mut self) -> Result<(), LedgerError> {
        // The error may have left a transaction open; there is nothing to be done if there is none.
        let _ = self.connection.execute_batch("rollback");
        // Its error is among those that lead here.
        let _ = self.folding.wait();
        if self.connection.query_row("select 1 from head", [], |_| Ok(())).is_err() {
            // The engine has given the file up. Readers get connections of the new opening.
            let engine = self.shared.engine.lock();
            self.shared.pool.lock().clear();
            engine.reattach()?;
            self.connection = engine.connection()?;
        }
        let doing = "read its head";
        (self.head, self.next_seq, self.next_n, self.bodies_end) = self
            .connection
            .query_row(
                "select batch_no, epoch_us(applied_at), epoch_us(appended_at), next_seq, next_n, bodies_end
                 from head",
                [],
                |row| {
                    let micros = |micros: Option<i64>| micros.map(append::of_micros);
                    let head = Head {
                        batch_no: row.get::<_, i64>(0)?.unsigned_abs(),
                        applied_at: micros(row.get(1)?),
                        appended_at: micros(row.get(2)?),
                    };
                    Ok((
                        head,
                        row.get::<_, i64>(3)?.unsigned_abs(),
                        row.get::<_, i64>(4)?.unsigned_abs(),
                        row.get::<_, i64>(5)?.unsigned_abs(),
                    ))
                },
            )
            .map_err(LedgerError::engine(doing))?;
        self.unpruned = positions::unpruned(&self.connection)?;
        self.shared.bodies.cut(self.bodies_end)?;
        (self.source_ids, self.positions) = positions::load(&self.connection)?;
        catch_up::load_keys(&self.connection, &self.shared.keymap)?;
        if self.shared.keymap.len() != self.next_seq {
            return Err(LedgerError::Damaged(format!(
                "{} payment keys are kept, {} were given",
                self.shared.keymap.len(),
                self.next_seq
            )));
        }
        catch_up::rows(&self.connection, &self.shared, &self.head)?;
        *self.shared.split.write() = catch_up::split(&self.connection)?;
        self.events = events::Kept::load(&self.connection, self.events_max)?;
        self.shared.committed.store(self.head.batch_no, Ordering::Release);
        self.shared.watch.anything_may_have_come();
        self.shared.herald.announce(self.head.batch_no, &self.positions);
        Ok(())
    }

    /// Forgets how far a partition was applied, so that it is read from the beginning of its log. What was applied stays,
    /// and repeats change nothing. False: nothing was ever applied of it.
    pub fn forget_position(&mut self, partition: &PartitionId) -> Result<bool, LedgerError> {
        if self.positions.next(partition).is_none() {
            return Ok(false);
        }
        let Some(id) = self.source_ids.get(partition) else {
            return Ok(false);
        };
        positions::forget(&self.connection, *id)?;
        (self.source_ids, self.positions) = positions::load(&self.connection)?;
        Ok(true)
    }

    /// Applies one batch: all of it becomes durable together with the positions that cover it, or none.
    ///
    /// `announce` is given what the batch touches before anything becomes visible, so that a search can never miss it.
    ///
    /// # Errors
    /// After any error the caller must [`Writer::reload`] before it goes on, and go on from [`Writer::positions`].
    pub fn apply(
        &mut self,
        batch: Batch,
        announce: &mut dyn FnMut(&Head, Vec<Touched>),
    ) -> Result<Applied, LedgerError> {
        self.write(batch, Orders::default(), announce)
    }

    /// The one way into the stores, for messages and for what operators do.
    pub(crate) fn write(
        &mut self,
        batch: Batch,
        orders: Orders,
        announce: &mut dyn FnMut(&Head, Vec<Touched>),
    ) -> Result<Applied, LedgerError> {
        let digests: BTreeSet<Digest> = batch
            .items
            .iter()
            .filter_map(|item| item.content.as_ref().err().map(|refused| refused.sha256))
            .collect();
        let digests: Vec<Digest> = digests.into_iter().collect();
        let known = quarantine::known_refused(&self.connection, &digests)?;
        let mut works = self.load(&batch.items, &orders, &known)?;
        let mut seen: BTreeSet<Digest> = known.keys().copied().collect();
        let mut notes = Notes::new(self.shared.events, &self.events.sources);
        let mut prepared = fold(batch.items, &mut works, &self.zones, &mut notes, &mut |refused| {
            seen.insert(refused.sha256)
        })?;
        let (event_rows, new_sources) = (notes.rows, notes.new_sources);
        let is_act = orders.is_act;
        orders.carry_out(&mut works, &mut prepared);
        finish(works, &mut prepared)?;
        let head = Head {
            batch_no: self.head.batch_no + 1,
            applied_at: Some(batch.applied_at),
            appended_at: batch
                .appended_at
                .max(self.head.appended_at.map(|at| at.min(batch.applied_at))),
        };
        let counts = prepared.counts;
        if is_act {
            prepared.counts = Counts::default();
        }
        self.shared.split.write().extend(prepared.split.drain(..));
        announce(&head, std::mem::take(&mut prepared.touched));
        let rows = std::mem::take(&mut prepared.rows);
        let keys = std::mem::take(&mut prepared.keys);
        // An act applies no new message: its messages were noted when they came.
        prepared.events = if is_act { Vec::new() } else { event_rows };
        prepared.event_sources = if is_act { Vec::new() } else { new_sources };
        let was_idle = self.shared.watch.is_idle();
        let awaited: Vec<i64> = match was_idle {
            true => Vec::new(),
            false => prepared.events.iter().map(|row| row.id_hash).collect(),
        };
        let (next_seq, next_n) = self.commit(&head, prepared, &keys, &known, &batch.positions, batch.nulls)?;
        for (seq, hash) in keys {
            self.shared.keymap.insert(hash, seq);
        }
        self.shared.rows.commit(&head, rows)?;
        self.reached(Step::RowsCommitted);
        self.shared.committed.store(head.batch_no, Ordering::Release);
        (self.head, self.next_seq, self.next_n) = (head.clone(), next_seq, next_n);
        self.positions.merge(&batch.positions);
        match was_idle {
            // Who has begun to wait since then looked before this batch could be seen.
            true => self.shared.watch.anything_may_have_come(),
            false => self.shared.watch.came(&awaited),
        }
        self.shared.herald.announce(self.head.batch_no, &self.positions);
        self.tidy()?;
        Ok(Applied { head, counts })
    }

    /// Brings the dossiers of every payment that the messages name into memory.
    fn load(&self, items: &[Incoming], orders: &Orders, known: &HashMap<Digest, u64>) -> Result<Works, LedgerError> {
        let ordered = || orders.payment_keys().map(|key| (key, true));
        let all = || items.iter().filter_map(|item| named(item, known)).chain(ordered());
        let mut keys: Vec<&str> = all().map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        let keymap = &self.shared.keymap;
        let mut asked: Vec<(Vec<u64>, u64, &str)> = keys
            .into_iter()
            .map(|key| {
                let hash = keymap.hash(key);
                (keymap.candidates(hash), hash, key)
            })
            .collect();
        // Neighbours are packed together, and are unpacked once when they are read one after the other.
        asked.sort_unstable();
        let rows = self.shared.rows.snapshot()?;
        let found: Vec<(&str, Place)> = asked
            .par_iter()
            .map(|(candidates, hash, key)| {
                for seq in candidates {
                    if let Some(dossier) = rows.get(*seq)?
                        && dossier.payment_key == *key
                    {
                        return Ok((*key, (*hash, Some((*seq, dossier)))));
                    }
                }
                Ok((*key, (*hash, None)))
            })
            .collect::<Result<_, LedgerError>>()?;
        let mut next_seq = self.next_seq;
        // First-seen keys get their seqs in the order in which their messages came, so that rows lie in that order.
        let mut places: HashMap<&str, Place> = found.into_iter().collect();
        let mut works = Works::with_capacity(places.len());
        for (key, is_kept) in all() {
            if !is_kept && places.get(key).is_some_and(|(_, found)| found.is_none()) {
                continue;
            }
            let Some((hash, found)) = places.remove(key) else {
                continue;
            };
            let work = match found {
                Some((seq, dossier)) => Work::new(seq, hash, false, dossier),
                None => {
                    let seq = next_seq;
                    next_seq += 1;
                    if seq >= SEQ_MAX {
                        return Err(LedgerError::Damaged(
                            "the store holds as many payments as it can".to_owned(),
                        ));
                    }
                    Work::new(seq, hash, true, Dossier::new(key))
                }
            };
            works.insert(key.to_owned(), work);
        }
        Ok(works)
    }
}

/// The payment that a message names, where it can be read, and whether something of it will be kept that names the payment. Bytes that
/// quarantine holds already may have come in another wrapping, in which nobody could read the key.
fn named<'a>(item: &'a Incoming, known: &HashMap<Digest, u64>) -> Option<(&'a str, bool)> {
    match &item.content {
        Ok(message) => Some((message.record.payment_key(), true)),
        Err(refused) => {
            let key = refused.refusal.payment_key.as_deref()?;
            Some((key, !known.contains_key(&refused.sha256)))
        }
    }
}
