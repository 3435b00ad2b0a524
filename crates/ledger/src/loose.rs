//! Loose rows: those that lie on their own because they still change.
//!
//! Each is listed in memory, and those written last are kept there. That saves a read, and the waiting: the row store's
//! engine lets nobody read a keyspace while it puts a table in place, which takes some syncs of the disk, and loose rows
//! are written all the time.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use fjall::UserValue;
use parking_lot::RwLock;

use crate::rows::EncodedRow;

/// Entries of a queue that are not worth removing.
const QUEUE_SLACK: usize = 10_000;

/// Where a row is to be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Here(UserValue),
    /// Among the loose ones of the store, if it is loose at all.
    Store,
    /// In its pack, if there is such a row.
    Pack,
}

/// What one writer changes and readers look into. A row is to be written here before it is written to the store, and taken
/// out after it was packed there: so everything that the store has loose is listed.
#[derive(Debug)]
pub(crate) struct Loose(RwLock<Rows>);

#[derive(Debug)]
struct Rows {
    /// By seq, as last written.
    last: HashMap<u64, Written>,
    /// Batch and seq of what is kept here, in the order of writing. What was written again later is passed over, and
    /// removed once it is too much.
    queue: VecDeque<(u64, u64)>,
    /// What is kept here, and the most that is.
    bytes: u64,
    bytes_max: u64,
    /// How often rows were packed.
    packings: u64,
}

#[derive(Debug)]
struct Written {
    batch_no: u64,
    /// Absent where only the store has it.
    row: Option<UserValue>,
}

/// The moment from which a snapshot of the store is, or an earlier one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    packings: u64,
}

impl Loose {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Loose(RwLock::new(Rows {
            last: HashMap::new(),
            queue: VecDeque::new(),
            bytes: 0,
            bytes_max,
            packings: 0,
        }))
    }

    /// To be taken before the snapshot.
    pub(crate) fn now(&self) -> Moment {
        Moment {
            packings: self.0.read().packings,
        }
    }

    /// Where a snapshot that shows `batch_no` finds a row.
    pub(crate) fn find(&self, seq: u64, batch_no: u64, moment: Moment) -> Place {
        let rows = self.0.read();
        match rows.last.get(&seq) {
            Some(Written {
                batch_no: written,
                row: Some(row),
            }) if *written <= batch_no => Place::Here(row.clone()),
            None if rows.packings == moment.packings => Place::Pack,
            // Written again or packed since.
            _ => Place::Store,
        }
    }

    /// How many of these rows are loose.
    pub(crate) fn count(&self, seqs: Range<u64>) -> usize {
        let rows = self.0.read();
        seqs.filter(|seq| rows.last.contains_key(seq)).count()
    }

    /// Lists rows that the store has, or is about to have. Returns those that were not listed.
    pub(crate) fn list(&self, seqs: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut rows = self.0.write();
        seqs.filter(|seq| rows.put(*seq, 0, None)).collect()
    }

    /// Takes the rows of a batch that is about to be written. Returns those that were not listed.
    pub(crate) fn write(&self, batch_no: u64, written: &[EncodedRow]) -> Vec<u64> {
        let mut rows = self.0.write();
        let mut new = Vec::new();
        for (seq, row) in written {
            if rows.put(*seq, batch_no, Some(row.clone())) {
                new.push(*seq);
            }
            rows.queue.push_back((batch_no, *seq));
        }
        rows.trim();
        new
    }

    /// Forgets rows that were packed.
    pub(crate) fn packed(&self, seqs: impl Iterator<Item = u64>) {
        let mut rows = self.0.write();
        rows.packings += 1;
        for seq in seqs {
            rows.remove(seq);
        }
    }
}

impl Rows {
    /// Whether it was not listed.
    fn put(&mut self, seq: u64, batch_no: u64, row: Option<UserValue>) -> bool {
        self.bytes += length(row.as_ref());
        let before = self.last.insert(seq, Written { batch_no, row });
        let is_new = before.is_none();
        self.bytes -= length(before.and_then(|before| before.row).as_ref());
        is_new
    }

    fn remove(&mut self, seq: u64) {
        let before = self.last.remove(&seq);
        self.bytes -= length(before.and_then(|before| before.row).as_ref());
    }

    /// Keeps within the bounds: the store has what was written longest ago.
    fn trim(&mut self) {
        while self.bytes > self.bytes_max
            && let Some((batch_no, seq)) = self.queue.pop_front()
        {
            if self.last.get(&seq).is_some_and(|last| last.batch_no == batch_no) {
                self.put(seq, batch_no, None);
            }
        }
        if self.queue.len() > 2 * self.last.len() + QUEUE_SLACK {
            let last = &self.last;
            self.queue
                .retain(|(batch_no, seq)| last.get(seq).is_some_and(|last| last.batch_no == *batch_no));
        }
    }
}

fn length(row: Option<&UserValue>) -> u64 {
    row.map_or(0, |row| row.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(byte: u8) -> UserValue {
        UserValue::from(vec![byte; 10])
    }

    #[test]
    fn a_snapshot_finds_what_it_shows() {
        let loose = Loose::new(1_000);
        assert_eq!(loose.list([3].into_iter()), [3]);
        assert_eq!(loose.write(5, &[(7, row(1)), (8, row(2)), (7, row(1))]), [7, 8]);
        assert_eq!(loose.list([3, 8].into_iter()), [0; 0]);
        let moment = loose.now();
        assert_eq!(loose.find(3, 5, moment), Place::Store);
        assert_eq!(loose.find(7, 5, moment), Place::Here(row(1)));
        assert_eq!(loose.find(7, 4, moment), Place::Store, "not there yet");
        assert_eq!(loose.find(9, 5, moment), Place::Pack);
        assert_eq!(loose.write(6, &[(7, row(3))]), [0; 0]);
        assert_eq!(loose.find(7, 5, moment), Place::Store, "written again");
        assert_eq!(loose.find(7, 6, moment), Place::Here(row(3)));
        assert_eq!((loose.count(7..9), loose.count(9..70)), (2, 0));
        loose.packed([8].into_iter());
        assert_eq!(loose.find(8, 6, moment), Place::Store, "packed since");
        assert_eq!(loose.find(8, 6, loose.now()), Place::Pack);
    }

    #[test]
    fn what_was_written_last_is_kept() {
        let loose = Loose::new(25);
        for batch in 1..=100_000 {
            loose.write(batch, &[(batch % 4, row(batch as u8))]);
        }
        let is_here: Vec<bool> = (0..4)
            .map(|seq| matches!(loose.find(seq, 100_000, loose.now()), Place::Here(_)))
            .collect();
        assert_eq!(is_here, [true, false, false, true], "100,000 and 99,999");
        let rows = loose.0.read();
        assert_eq!((rows.bytes, rows.last.len()), (20, 4));
        assert!(rows.queue.len() <= QUEUE_SLACK + 8, "{}", rows.queue.len());
    }
}
