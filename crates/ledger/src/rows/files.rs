//! The files of one generation of rows: writing and packing.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use domain::dossier::Dossier;
use fjall::{Guard, Keyspace, UserValue};
use parking_lot::Mutex;
use rayon::prelude::*;

use super::keyspaces::Keyspaces;
use super::seen::{Seen, Showing};
use super::{EncodedRow, RowSettings};
use crate::codec::{self, Plain};
use crate::error::LedgerError;
use crate::loose::Loose;
use crate::pack::{GROUP, Idle, Pack, ROW_MAX, group_of};
use crate::reader::Head;

/// The key of the head, among the packs; keys of groups are eight bytes.
const HEAD: &[u8] = b"h";

/// So many rows of a packed group lie on their own before it is packed anew. One late change would have 64 rows read, packed and written, and the
/// engine merge them into the oldest tables: of a stream with 1 in 100 events about payments of years ago that was most of all packing.
const REPACKED_FROM: usize = 4;

/// The key of the store's id.
const STORE_ID: &[u8] = b"s";

/// One generation, open.
#[derive(Clone)]
pub(crate) struct RowFiles {
    pub(super) stored: Keyspaces,
    pub(super) loose: Arc<Loose>,
    showing: Arc<Showing>,
    idle: Arc<Mutex<Idle>>,
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

impl RowFiles {
    pub(super) fn open(path: &Path, settings: RowSettings) -> Result<Self, fjall::Error> {
        let stored = Keyspaces::open(path, settings.cache_bytes / 2)?;
        let mut idle = Idle::new(settings.rest);
        let head = stored.packs.get(HEAD)?;
        let seqs = match stored.listed.get(HEAD)? == head {
            true => numbers(&stored.listed)?,
            false => relist(&stored, head.as_ref())?,
        };
        idle.note(seqs.iter().copied());
        let loose = Loose::new(settings.cache_bytes / 2);
        loose.list(seqs.into_iter());
        let head = head.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        let showing = Showing::new(&stored.database, &loose, head);
        Ok(RowFiles {
            stored,
            loose: Arc::new(loose),
            showing: Arc::new(showing),
            idle: Arc::new(Mutex::new(idle)),
            health: Arc::default(),
        })
    }

    pub(super) fn seen(&self) -> Arc<Seen> {
        self.showing.seen()
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.health.is_damaged.load(Ordering::Acquire)
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.health.has_stopped.load(Ordering::Acquire)
    }

    /// Waits until nobody but its owner holds it.
    pub(super) fn is_left_within(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while Arc::strong_count(&self.loose) > 1 {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.stored.database.disk_space().unwrap_or(0)
    }

    /// Writes everything into tables, synced: rows of a journal would have to be read again at every opening until as
    /// many others came.
    pub(super) fn settle(&self) -> Result<(), fjall::Error> {
        self.stored.rows.rotate_memtable_and_wait()?;
        self.stored.listed.rotate_memtable_and_wait()?;
        self.stored.packs.rotate_memtable_and_wait()?;
        self.stored.database.persist(fjall::PersistMode::SyncAll)
    }

    /// Makes rows and the head that they belong to visible, all at once.
    pub(crate) fn commit(&self, head: &Head, rows: Vec<EncodedRow>) -> Result<(), LedgerError> {
        let bytes = postcard::to_stdvec(head).map_err(|cause| LedgerError::Damaged(cause.to_string()))?;
        let new = self.loose.write(head.batch_no, &rows);
        self.write(rows, &new, Some(bytes), "committed a batch")?;
        self.showing
            .show(&self.stored.database, &self.loose, Some(head.clone()));
        Ok(())
    }

    /// Writes rows that were missed; they count once the head is committed.
    pub(crate) fn put(&self, rows: Vec<EncodedRow>) -> Result<(), LedgerError> {
        let new = self.loose.list(rows.iter().map(|(seq, _)| *seq));
        self.write(rows, &new, None, "caught its rows up")
    }

    /// Writes rows of a rebuild, packed; they count once the head is committed. No group may come in two parts.
    pub(crate) fn put_packed(&self, dossiers: &BTreeMap<u64, Dossier>) -> Result<(), LedgerError> {
        let mut packs: BTreeMap<u64, Pack> = BTreeMap::new();
        let mut batch = self.stored.database.batch();
        for (seq, dossier) in dossiers {
            let plain = codec::plain(dossier)?;
            match plain.len() {
                0..=ROW_MAX => packs.entry(group_of(*seq)).or_default().put(*seq, plain),
                _ => {
                    self.loose.list(std::iter::once(*seq));
                    batch.insert(&self.stored.listed, seq.to_be_bytes(), []);
                    batch.insert(&self.stored.rows, seq.to_be_bytes(), plain.sealed(codec::compress)?);
                }
            }
        }
        for (group, pack) in packs {
            batch.insert(&self.stored.packs, group.to_be_bytes(), pack.sealed()?);
        }
        self.done("wrote rows again", batch.commit())
    }

    /// Packs the groups that have come to rest; whether any has.
    pub(super) fn pack_idle(&self) -> Result<bool, LedgerError> {
        let at_rest = self.idle.lock().due();
        let mut due = Vec::new();
        for group in at_rest {
            if self.is_worth_packing(group)? {
                due.push(group);
            }
        }
        if due.is_empty() {
            return Ok(false);
        }
        let repacked: Vec<Repacked> = due
            .par_iter()
            .map(|group| self.repacked(*group))
            .collect::<Result<_, _>>()?;
        let mut batch = self.stored.database.batch();
        for Repacked { group, bytes, seqs } in &repacked {
            batch.insert(&self.stored.packs, group.to_be_bytes(), bytes.as_slice());
            for seq in seqs {
                batch.remove(&self.stored.rows, seq.to_be_bytes());
                batch.remove(&self.stored.listed, seq.to_be_bytes());
            }
        }
        self.done("packed its rows", batch.commit())?;
        self.loose
            .packed(repacked.into_iter().flat_map(|repacked| repacked.seqs));
        self.showing.show(&self.stored.database, &self.loose, None);
        Ok(true)
    }

    fn is_worth_packing(&self, group: u64) -> Result<bool, LedgerError> {
        if self.loose.count(group * GROUP..(group + 1) * GROUP) >= REPACKED_FROM {
            return Ok(true);
        }
        let is_packed = self.stored.packs.contains_key(group.to_be_bytes());
        Ok(!is_packed.map_err(|error| self.noted("packed its rows", error))?)
    }

    fn repacked(&self, group: u64) -> Result<Repacked, LedgerError> {
        let doing = "packed its rows";
        let old = self.stored.packs.get(group.to_be_bytes());
        let mut pack = match old.map_err(|error| self.noted(doing, error))? {
            Some(bytes) => Pack::opened(&bytes).map_err(|error| self.unreadable(error))?,
            None => Pack::default(),
        };
        let first = group * GROUP;
        let range = first.to_be_bytes()..(first + GROUP).to_be_bytes();
        let mut seqs = Vec::new();
        for guard in self.stored.rows.range(range) {
            let (key, value) = guard.into_inner().map_err(|error| self.noted(doing, error))?;
            let Some(seq) = number_of(&key) else { continue };
            let plain = Plain::opened(&value).map_err(|error| self.unreadable(error))?;
            if plain.len() > ROW_MAX {
                pack.put(seq, Plain::default());
                continue;
            }
            pack.put(seq, plain);
            seqs.push(seq);
        }
        let bytes = pack.sealed()?;
        Ok(Repacked { group, bytes, seqs })
    }

    /// `new`: those of the rows that were not listed.
    fn write(
        &self,
        rows: Vec<EncodedRow>,
        new: &[u64],
        head: Option<Vec<u8>>,
        doing: &'static str,
    ) -> Result<(), LedgerError> {
        self.idle.lock().note(rows.iter().map(|(seq, _)| *seq));
        let mut batch = self.stored.database.batch();
        for seq in new {
            batch.insert(&self.stored.listed, seq.to_be_bytes(), []);
        }
        for (seq, row) in rows {
            batch.insert(&self.stored.rows, seq.to_be_bytes(), row);
        }
        if let Some(head) = head {
            batch.insert(&self.stored.listed, HEAD, head.as_slice());
            batch.insert(&self.stored.packs, HEAD, head);
        }
        self.done(doing, batch.commit())
    }

    fn done(&self, doing: &'static str, committed: Result<(), fjall::Error>) -> Result<(), LedgerError> {
        committed.map_err(|error| {
            self.health.has_stopped.store(true, Ordering::Release);
            LedgerError::rows(doing)(error)
        })
    }

    /// An error of reading, noted if it means damage.
    pub(super) fn noted(&self, doing: &'static str, error: fjall::Error) -> LedgerError {
        if is_damage(&error) {
            self.health.is_damaged.store(true, Ordering::Release);
        }
        LedgerError::rows(doing)(error)
    }

    pub(super) fn unreadable(&self, error: LedgerError) -> LedgerError {
        self.health.is_damaged.store(true, Ordering::Release);
        LedgerError::Rows {
            doing: "read a row",
            source: Box::new(error),
        }
    }

    /// The batch reached, if these rows were made from the store `store_id`.
    pub(crate) fn reached(&self, store_id: &str) -> Result<Option<u64>, LedgerError> {
        let doing = "read whose rows it holds";
        let held = self
            .stored
            .packs
            .get(STORE_ID)
            .map_err(|error| self.noted(doing, error))?;
        let head = self.stored.packs.get(HEAD).map_err(|error| self.noted(doing, error))?;
        let (Some(held), Some(head)) = (held, head) else {
            return Ok(None);
        };
        let head: Option<Head> = postcard::from_bytes(&head).ok();
        Ok(head.filter(|_| *held == *store_id.as_bytes()).map(|head| head.batch_no))
    }

    pub(crate) fn set_store_id(&self, store_id: &str) -> Result<(), LedgerError> {
        self.stored
            .packs
            .insert(STORE_ID, store_id)
            .map_err(LedgerError::rows("wrote whose rows it holds"))
    }
}

/// A group as it is to lie from now on, and the rows that lay on their own until now.
struct Repacked {
    group: u64,
    bytes: Vec<u8>,
    seqs: Vec<u64>,
}

/// Lists the rows anew. The list is of another batch than they are: a program wrote them that kept none.
fn relist(stored: &Keyspaces, head: Option<&UserValue>) -> Result<Vec<u64>, fjall::Error> {
    let seqs = numbers(&stored.rows)?;
    let are: BTreeSet<u64> = seqs.iter().copied().collect();
    let were: BTreeSet<u64> = numbers(&stored.listed)?.into_iter().collect();
    let mut batch = stored.database.batch();
    for gone in were.difference(&are) {
        batch.remove(&stored.listed, gone.to_be_bytes());
    }
    for new in are.difference(&were) {
        batch.insert(&stored.listed, new.to_be_bytes(), []);
    }
    if let Some(head) = head {
        batch.insert(&stored.listed, HEAD, head.clone());
    }
    batch.commit()?;
    Ok(seqs)
}

/// All keys that are numbers.
fn numbers(keyspace: &Keyspace) -> Result<Vec<u64>, fjall::Error> {
    let keys = keyspace.iter().map(Guard::key);
    let numbers = keys.filter_map(|key| key.map(|key| number_of(&key)).transpose());
    numbers.collect()
}

/// The seq or group that a key is. The other keys, of one byte, lie between them.
pub(super) fn number_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(<[u8; 8]>::try_from(key).ok()?))
}

/// Whether only making the store again helps. Of what the disk says, a missing or cut file does not come back.
pub(super) fn is_damage(error: &fjall::Error) -> bool {
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

#[cfg(test)]
mod tests;
