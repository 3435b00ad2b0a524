//! Rows at rest: neighbours packed together.
//!
//! A payment changes for some days and hardly ever after. A row that has been left alone for a while is packed with
//! its neighbours, because what they have in common then costs little room. A packed row that changes lies on its own
//! again, which counts before the pack, until its group is packed anew.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::codec::{Plain, compress_many};
use crate::error::LedgerError;

/// Neighbours packed together. More of them take less room, and reading one row unpacks them all.
pub(crate) const GROUP: u64 = 64;

/// Rows of more bytes stay on their own: reading a row must not cost what its neighbours have become.
pub(crate) const ROW_MAX: usize = 64 << 10;

/// The most groups packed after one batch, so that a store whose rows all become due at once does not keep its writer waiting.
/// A batch of new payments completes some 80.
const GROUPS_AT_ONCE: usize = 1_000;

/// Packs that a snapshot holds unpacked, some 30 KiB each and at most 4 MiB: a page of neighbours lies in a few.
const UNPACKED: usize = 8;

/// Entries of a queue that are not worth removing.
const QUEUE_SLACK: usize = 10_000;

pub(crate) const fn group_of(seq: u64) -> u64 {
    seq / GROUP
}

/// The rows of one group, empty where there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pack([Plain; GROUP as usize]);

/// Before the texts: the length of each, and then of the fingerprints of each, in 4 bytes, little endian.
const HEADER: usize = GROUP as usize * 8;

impl Default for Pack {
    fn default() -> Self {
        Pack(std::array::from_fn(|_| Plain::default()))
    }
}

impl Pack {
    pub(crate) fn put(&mut self, seq: u64, plain: Plain) {
        self.0[(seq % GROUP) as usize] = plain;
    }

    /// Rows with their seqs.
    pub(crate) fn into_rows(self, group: u64) -> impl Iterator<Item = (u64, Plain)> {
        let seqs = group * GROUP..;
        seqs.zip(self.0).filter(|(_, plain)| !plain.text.is_empty())
    }

    /// As it lies in the store.
    pub(crate) fn sealed(&self) -> Result<Vec<u8>, LedgerError> {
        let texts = self.0.iter().map(|row| &row.text);
        let fingerprints = self.0.iter().map(|row| &row.fingerprints);
        let mut pack = Plain {
            text: Vec::with_capacity(HEADER + texts.clone().map(Vec::len).sum::<usize>()),
            fingerprints: Vec::with_capacity(fingerprints.clone().map(Vec::len).sum()),
        };
        for bytes in texts.clone().chain(fingerprints.clone()) {
            let length = u32::try_from(bytes.len()).map_err(|cause| LedgerError::Damaged(format!("a row: {cause}")))?;
            pack.text.extend_from_slice(&length.to_le_bytes());
        }
        texts.for_each(|text| pack.text.extend_from_slice(text));
        fingerprints.for_each(|bytes| pack.fingerprints.extend_from_slice(bytes));
        pack.sealed(compress_many)
    }

    /// Undoes [`sealed`](Self::sealed).
    pub(crate) fn opened(bytes: &[u8]) -> Result<Self, LedgerError> {
        let pack = Plain::opened(bytes)?;
        let mut rows = Pack::default();
        for (row, places) in rows.0.iter_mut().zip(places(&pack)?) {
            let (text, fingerprints) = places.of(&pack)?;
            row.text = text.to_vec();
            row.fingerprints = fingerprints.to_vec();
        }
        Ok(rows)
    }
}

/// A row's text and its fingerprints.
type Parts<'a> = (&'a [u8], &'a [u8]);

/// One row of an opened pack.
pub(crate) fn row_of(pack: &Plain, seq: u64) -> Result<Option<Parts<'_>>, LedgerError> {
    let places = places(pack)?.nth((seq % GROUP) as usize).ok_or_else(cut)?;
    let row = places.of(pack)?;
    Ok((!row.0.is_empty()).then_some(row))
}

/// The packs read last, decompressed: neighbours are often asked for together.
#[derive(Default)]
pub(crate) struct Unpacked(Mutex<VecDeque<(u64, Arc<Plain>)>>);

impl Unpacked {
    pub(crate) fn of(&self, group: u64) -> Option<Arc<Plain>> {
        let packs = self.0.lock();
        let found = packs.iter().find(|(kept, _)| *kept == group);
        found.map(|(_, pack)| pack.clone())
    }

    pub(crate) fn keep(&self, group: u64, pack: Arc<Plain>) {
        let mut packs = self.0.lock();
        packs.truncate(UNPACKED - 1);
        packs.push_front((group, pack));
    }
}

/// Where a row lies in its pack.
struct Places {
    text: Range<usize>,
    fingerprints: Range<usize>,
}

impl Places {
    fn of(self, pack: &Plain) -> Result<Parts<'_>, LedgerError> {
        let text = pack.text.get(self.text);
        text.zip(pack.fingerprints.get(self.fingerprints)).ok_or_else(cut)
    }
}

fn places(pack: &Plain) -> Result<impl Iterator<Item = Places>, LedgerError> {
    let (lengths, _) = pack.text.get(..HEADER).ok_or_else(cut)?.as_chunks::<4>();
    let (texts, fingerprints) = lengths.split_at(GROUP as usize);
    let ranges = |lengths: &'_ [[u8; 4]], mut end: usize| {
        let ranges = lengths.iter().map(move |length| {
            let start = end;
            end += u32::from_le_bytes(*length) as usize;
            start..end
        });
        ranges.collect::<Vec<_>>()
    };
    let both = ranges(texts, HEADER).into_iter().zip(ranges(fingerprints, 0));
    Ok(both.map(|(text, fingerprints)| Places { text, fingerprints }))
}

fn cut() -> LedgerError {
    LedgerError::Damaged("packed rows are cut".to_owned())
}

/// Which groups have been left alone for long enough to be packed.
#[derive(Debug)]
pub(crate) struct Idle {
    /// Rows written so far.
    written: u64,
    /// Rows that are written elsewhere until a group is at rest.
    rest: u64,
    /// When a group was written last.
    last: HashMap<u64, u64>,
    /// Every group in the order of writing. What was written again later is passed over, and removed once it is too much.
    queue: VecDeque<(u64, u64)>,
}

impl Idle {
    pub(crate) fn new(rest: u64) -> Self {
        Idle {
            written: 0,
            rest,
            last: HashMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// Notes rows written, in the order of their seqs.
    pub(crate) fn note(&mut self, seqs: impl Iterator<Item = u64>) {
        let (before, mut newest) = (self.written, None);
        for group in seqs.map(|seq| {
            self.written += 1;
            group_of(seq)
        }) {
            if newest.replace(group) != Some(group) {
                self.last.insert(group, before);
                self.queue.push_back((before, group));
            }
        }
        if self.queue.len() > 2 * self.last.len() + QUEUE_SLACK {
            let last = &self.last;
            self.queue.retain(|(at, group)| last.get(group) == Some(at));
        }
    }

    /// Takes the groups that are at rest by now.
    pub(crate) fn due(&mut self) -> Vec<u64> {
        let mut due = Vec::new();
        while due.len() < GROUPS_AT_ONCE
            && let Some(&(at, group)) = self.queue.front()
            && at + self.rest <= self.written
        {
            self.queue.pop_front();
            if self.last.get(&group) == Some(&at) {
                self.last.remove(&group);
                due.push(group);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_of_a_pack_as_they_were_put_in() {
        let mut pack = Pack::default();
        let first = 7 * GROUP;
        let row = |at: u64| Plain {
            text: vec![b'a' + at as u8; 5 + at as usize],
            fingerprints: vec![at as u8; at as usize],
        };
        for at in [0, 3, GROUP - 1] {
            pack.put(first + at, row(at));
        }
        let bytes = pack.sealed().expect("sealed");
        let opened = Plain::opened(&bytes).expect("opened");
        let expected = row(3);
        let found = row_of(&opened, first + 3).expect("read").expect("there");
        assert_eq!(found, (expected.text.as_slice(), expected.fingerprints.as_slice()));
        assert_eq!(row_of(&opened, first + 4).expect("read"), None);
        assert_eq!(Pack::opened(&bytes).expect("opened"), pack);
        let seqs: Vec<u64> = pack.into_rows(7).map(|(seq, _)| seq).collect();
        assert_eq!(seqs, [first, first + 3, first + GROUP - 1]);
        for (text, fingerprints) in [(HEADER + 6, GROUP as usize), (usize::MAX, 4), (HEADER - 1, 0)] {
            let mut cut = opened.clone();
            cut.text.truncate(text);
            cut.fingerprints.truncate(fingerprints);
            row_of(&cut, first + GROUP - 1).expect_err("cut");
            Pack::opened(&cut.sealed(compress_many).expect("sealed")).expect_err("cut");
        }
        Pack::opened(&bytes[..2]).expect_err("cut");
    }

    #[test]
    fn a_group_is_at_rest_once_enough_other_rows_were_written() {
        let mut idle = Idle::new(4);
        idle.note([0, 1, GROUP].into_iter());
        assert_eq!(idle.due(), Vec::<u64>::new());
        idle.note([1].into_iter());
        assert_eq!(idle.due(), [1], "the first group was written again");
        idle.note([5 * GROUP, 5 * GROUP + 1, 5 * GROUP + 2].into_iter());
        assert_eq!(idle.due(), [0]);
        assert_eq!(idle.due(), Vec::<u64>::new());
    }
}
