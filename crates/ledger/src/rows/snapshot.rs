//! Reading rows: one by one or in seq order, as of one batch.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::dossier::Dossier;
use fjall::{Keyspace, Readable, UserValue};

use super::files::{RowFiles, number_of};
use super::seen::Seen;
use crate::codec::{self, Plain};
use crate::error::LedgerError;
use crate::loose::Place;
use crate::pack::{self, GROUP, Pack, Unpacked, group_of};
use crate::reader::Head;

/// The rows as of one batch.
pub(crate) struct RowSnapshot {
    seen: Arc<Seen>,
    files: RowFiles,
    unpacked: Unpacked,
    read: RowsRead,
}

/// How many rows were read by their seq, and their bytes as they are kept.
#[derive(Debug, Default)]
struct RowsRead {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl RowSnapshot {
    pub(super) fn new(files: RowFiles) -> Self {
        RowSnapshot {
            seen: files.seen(),
            files,
            unpacked: Unpacked::default(),
            read: RowsRead::default(),
        }
    }

    /// The batch that this snapshot shows; `None` before the first.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.seen.head.as_ref()
    }

    /// The row of a payment, wherever it lies.
    pub(crate) fn get(&self, seq: u64) -> Result<Option<Dossier>, LedgerError> {
        self.read.rows.fetch_add(1, Ordering::Relaxed);
        let files = &self.files;
        let unreadable = |error| files.unreadable(error);
        let group = group_of(seq);
        if let Some(row) = self.loose(seq)? {
            let decoded = Plain::opened(&row).and_then(|row| codec::decode(&row.text, &row.fingerprints));
            return decoded.map(Some).map_err(unreadable);
        }
        let pack = match self.unpacked.of(group) {
            Some(pack) => pack,
            None => {
                let Some(packed) = self.value(&files.stored.packs, group)? else {
                    return Ok(None);
                };
                let pack = Arc::new(Plain::opened(&packed).map_err(unreadable)?);
                self.unpacked.keep(group, pack.clone());
                pack
            }
        };
        let row = pack::row_of(&pack, seq).map_err(unreadable)?;
        let decoded = row.map(|(text, fingerprints)| codec::decode(text, fingerprints));
        decoded.transpose().map_err(unreadable)
    }

    /// A row that lies on its own.
    fn loose(&self, seq: u64) -> Result<Option<UserValue>, LedgerError> {
        let batch_no = self.seen.head.as_ref().map_or(0, |head| head.batch_no);
        match self.files.loose.find(seq, batch_no, self.seen.moment) {
            Place::Here(row) => {
                self.read.bytes.fetch_add(row.len() as u64, Ordering::Relaxed);
                Ok(Some(row))
            }
            Place::Store => self.value(&self.files.stored.rows, seq),
            Place::Pack => Ok(None),
        }
    }

    fn value(&self, keyspace: &Keyspace, key: u64) -> Result<Option<UserValue>, LedgerError> {
        let value = self.seen.snapshot.get(keyspace, key.to_be_bytes());
        let value = value.map_err(|error| self.files.noted("read a row", error))?;
        let bytes = value.as_ref().map_or(0, |value| value.len());
        self.read.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(value)
    }

    /// Rows and bytes read so far.
    pub(crate) fn read(&self) -> (u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (of(&self.read.rows), of(&self.read.bytes))
    }

    /// Every row from `first` on, in seq order.
    pub(crate) fn scan(&self, first: u64) -> impl Iterator<Item = Result<(u64, Dossier), LedgerError>> {
        let group = group_of(first);
        RowScan {
            first,
            files: &self.files,
            rows: self.values(&self.files.stored.rows, group * GROUP).peekable(),
            packs: self.values(&self.files.stored.packs, group).peekable(),
            ready: VecDeque::new(),
        }
    }

    /// Values by their number, from `first` on.
    fn values(&self, keyspace: &Keyspace, first: u64) -> impl Iterator<Item = Found> {
        let guards = self
            .seen
            .snapshot
            .range(keyspace, first.to_be_bytes()..=u64::MAX.to_be_bytes());
        guards.filter_map(|guard| match guard.into_inner() {
            Ok((key, value)) => number_of(&key).map(|number| Ok((number, value))),
            Err(error) => Some(Err(self.files.noted("scanned its rows", error))),
        })
    }
}

type Found = Result<(u64, UserValue), LedgerError>;

/// Both kinds of rows in one order.
struct RowScan<'a, R: Iterator<Item = Found>, P: Iterator<Item = Found>> {
    first: u64,
    files: &'a RowFiles,
    rows: Peekable<R>,
    packs: Peekable<P>,
    ready: VecDeque<(u64, Plain)>,
}

impl<R: Iterator<Item = Found>, P: Iterator<Item = Found>> RowScan<'_, R, P> {
    /// Makes the rows of the next group ready. False at the end.
    fn fill(&mut self) -> Result<bool, LedgerError> {
        // An error belongs to every group: so it comes out at once.
        let row_group = self
            .rows
            .peek()
            .map(|found| found.as_ref().map_or(0, |(seq, _)| group_of(*seq)));
        let pack_group = self
            .packs
            .peek()
            .map(|found| found.as_ref().map_or(0, |(group, _)| *group));
        let Some(group) = row_group.into_iter().chain(pack_group).min() else {
            return Ok(false);
        };
        let is_next = |found: &Found| found.as_ref().map_or(true, |(found, _)| *found == group);
        let mut pack = match self.packs.next_if(is_next) {
            Some(found) => Pack::opened(&found?.1).map_err(|error| self.files.unreadable(error))?,
            None => Pack::default(),
        };
        let is_next = |found: &Found| found.as_ref().map_or(true, |(seq, _)| group_of(*seq) == group);
        while let Some(found) = self.rows.next_if(is_next) {
            let (seq, row) = found?;
            pack.put(seq, Plain::opened(&row).map_err(|error| self.files.unreadable(error))?);
        }
        let first = self.first;
        self.ready
            .extend(pack.into_rows(group).filter(|(seq, _)| *seq >= first));
        Ok(true)
    }
}

impl<R: Iterator<Item = Found>, P: Iterator<Item = Found>> Iterator for RowScan<'_, R, P> {
    type Item = Result<(u64, Dossier), LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        let (seq, plain) = self.ready.pop_front()?;
        let dossier = codec::decode(&plain.text, &plain.fingerprints).map_err(|error| self.files.unreadable(error));
        Some(dossier.map(|dossier| (seq, dossier)))
    }
}
