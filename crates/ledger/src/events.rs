//! What became of each message, by the id of its event: kept for the newest messages.
//!
//! A row has two seeded hashes (of the id and of the source) instead of the texts, and eight bytes of the content's digest,
//! by which the entry is found in its payment's dossier: under 70 bytes a message before compression. It is appended in
//! the batch's own transaction. The oldest rows leave, in steps of at least a hundredth of the maximum, when the log is folded; of those a Bloom filter
//! stays for a while, so that "it came, long ago" and "it has not come" are told apart.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use domain::dossier::Verdict;
use domain::message::Digest;
use domain::position::PartitionId;
use domain::redact::redact_text;
use duckdb::{Connection, params};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::append::hash_of;
use crate::error::LedgerError;

/// Publishing services whose names are kept; further ones are told apart by their hashes alone. Services are few; a
/// producer that makes up a source for each message must not fill the memory.
const SOURCES_MAX: usize = 10_000;

/// Characters of a name that are kept; a message may have a million.
const SOURCE_CHARS_MAX: usize = 1_000;

/// Steps in which the maximum is let go.
const STEPS: u64 = 100;

/// Steps of which a filter stays: as many messages again as are kept.
const FILTERS_MAX: u64 = STEPS;

/// Bits of a filter for each id, and how many an id sets: one id in 100,000 is taken for another.
const BITS_PER_ID: usize = 24;
const BITS_SET: u64 = 16;

/// Hashes an id or a source. Seeded, so that nobody outside can choose ids that collide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hasher(u64);

impl Hasher {
    pub(crate) fn new(store_seed: u64) -> Self {
        // Not the seed of payment keys: the same text is another hash.
        Hasher(store_seed.rotate_left(32) ^ 0x6576_656e_7473)
    }

    pub(crate) fn hash(self, text: &str) -> i64 {
        xxh3_64_with_seed(text.as_bytes(), self.0).cast_signed()
    }
}

/// What is kept of one message.
pub(crate) struct EventRow {
    pub(crate) id_hash: i64,
    pub(crate) source_hash: i64,
    pub(crate) source: Arc<PartitionId>,
    pub(crate) position: u64,
    pub(crate) verdict: Verdict,
    pub(crate) seq: Option<u64>,
    /// The first eight bytes of the digest: of the content, or of a refused message's bytes.
    pub(crate) content: i64,
}

/// An event's names on their way to its row.
#[derive(Clone, Copy)]
pub(crate) struct EventName {
    id_hash: i64,
    source_hash: i64,
}

/// Collects a batch's rows.
pub(crate) struct Notes<'a> {
    hasher: Hasher,
    known: &'a HashSet<i64>,
    pub(crate) rows: Vec<EventRow>,
    pub(crate) new_sources: Vec<(i64, String)>,
}

impl<'a> Notes<'a> {
    pub(crate) fn new(hasher: Hasher, known: &'a HashSet<i64>) -> Self {
        Notes {
            hasher,
            known,
            rows: Vec::new(),
            new_sources: Vec::new(),
        }
    }

    pub(crate) fn name(&mut self, id: &str, source: &str) -> EventName {
        let name = EventName {
            id_hash: self.hasher.hash(id),
            source_hash: self.hasher.hash(source),
        };
        let hash = name.source_hash;
        if !self.known.contains(&hash)
            && self.known.len() + self.new_sources.len() < SOURCES_MAX
            && !self.new_sources.iter().any(|(new, _)| *new == hash)
        {
            // Redacted before it is cut: half a card number cannot be told from other digits.
            let shown = redact_text(source).unwrap_or_else(|| source.to_owned());
            self.new_sources
                .push((hash, shown.chars().take(SOURCE_CHARS_MAX).collect()));
        }
        name
    }

    pub(crate) fn note(
        &mut self,
        name: EventName,
        place: (Arc<PartitionId>, u64),
        verdict: Verdict,
        seq: Option<u64>,
        digest: &Digest,
    ) {
        self.rows.push(EventRow {
            id_hash: name.id_hash,
            source_hash: name.source_hash,
            source: place.0,
            position: place.1,
            verdict,
            seq,
            content: hash_of(digest),
        });
    }
}

/// What the writer keeps in memory about the table.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) sources: HashSet<i64>,
    rows: u64,
    /// Runs of batches with their rows, the oldest first.
    runs: VecDeque<(u64, u64)>,
    max: u64,
}

impl Kept {
    pub(crate) fn load(connection: &Connection, max: u64) -> Result<Self, LedgerError> {
        let doing = "read its events";
        let failed = LedgerError::engine;
        let mut kept = Kept {
            max: max.max(1),
            ..Kept::default()
        };
        let mut statement = connection
            .prepare("select hash from event_sources")
            .map_err(failed(doing))?;
        let sources = statement
            .query_map([], |row| row.get::<_, i64>(0))
            .map_err(failed(doing))?;
        kept.sources = sources.collect::<Result<_, _>>().map_err(failed(doing))?;
        let mut statement = connection
            .prepare("select batch_no, count(*) from events group by batch_no order by batch_no")
            .map_err(failed(doing))?;
        let mut rows = statement.query([]).map_err(failed(doing))?;
        while let Some(row) = rows.next().map_err(failed(doing))? {
            let batch_no: i64 = row.get(0).map_err(failed(doing))?;
            let count: i64 = row.get(1).map_err(failed(doing))?;
            kept.add(batch_no.unsigned_abs(), count.unsigned_abs());
        }
        Ok(kept)
    }

    fn step(&self) -> u64 {
        self.max.div_ceil(STEPS)
    }

    pub(crate) fn add(&mut self, batch_no: u64, rows: u64) {
        if rows == 0 {
            return;
        }
        self.rows += rows;
        let step = self.step();
        match self.runs.back_mut() {
            // Small batches share a run, so that the list stays short.
            Some(run) if run.1 + rows <= step => *run = (batch_no, run.1 + rows),
            _ => self.runs.push_back((batch_no, rows)),
        }
    }

    /// The last batch to let go so that no more than the maximum and a step are kept, and how many rows go.
    pub(crate) fn excess(&self) -> Option<(u64, u64)> {
        let mut excess = self.rows.saturating_sub(self.max);
        if excess < self.step() {
            return None;
        }
        let mut last = None;
        let mut gone = 0;
        for (batch_no, rows) in &self.runs {
            if *rows > excess {
                break;
            }
            excess -= rows;
            gone += rows;
            last = Some(*batch_no);
        }
        last.map(|batch_no| (batch_no, gone))
    }

    pub(crate) fn let_go(&mut self, batch_no: u64, rows: u64) {
        self.rows -= rows;
        while self.runs.front().is_some_and(|(last, _)| *last <= batch_no) {
            self.runs.pop_front();
        }
    }
}

/// Lets the rows of batches up to `through` go, in a transaction of its own.
pub(crate) fn prune(connection: &Connection, through: u64) -> Result<(), LedgerError> {
    let doing = "let old events go";
    let failed = LedgerError::engine;
    let old = format!("from events where batch_no <= {through}");
    let mut statement = connection
        .prepare(&format!("select id_hash {old}"))
        .map_err(failed(doing))?;
    let ids = statement
        .query_map([], |row| row.get::<_, i64>(0))
        .map_err(failed(doing))?;
    let ids: Vec<i64> = ids.collect::<Result<_, _>>().map_err(failed(doing))?;
    drop(statement);
    let gone = || {
        connection.execute_batch("begin")?;
        connection.execute(
            "insert into events_gone values (?, ?)",
            params![through as i64, Filter::of(&ids).0],
        )?;
        connection.execute_batch(&format!(
            "delete {old};
             delete from events_gone where batch_no not in
             (select batch_no from events_gone order by batch_no desc limit {FILTERS_MAX});
             commit"
        ))
    };
    let done = gone();
    if done.is_err() {
        // There is none where the first statement failed.
        let _ = connection.execute_batch("rollback");
    }
    done.map_err(failed(doing))
}

/// A Bloom filter over ids that are gone.
pub(crate) struct Filter(pub(crate) Vec<u8>);

impl Filter {
    fn of(ids: &[i64]) -> Self {
        let mut bits = vec![0; (ids.len() * BITS_PER_ID).div_ceil(8).max(1)];
        for id in ids {
            for bit in places(*id, bits.len()) {
                bits[bit / 8] |= 1 << (bit % 8);
            }
        }
        Filter(bits)
    }

    /// Never false of an id that is in it.
    pub(crate) fn may_hold(&self, id: i64) -> bool {
        !self.0.is_empty() && places(id, self.0.len()).all(|bit| self.0[bit / 8] & (1 << (bit % 8)) != 0)
    }
}

/// The bits of an id, by double hashing.
fn places(id: i64, bytes: usize) -> impl Iterator<Item = usize> {
    let first = id.cast_unsigned();
    let second = first.rotate_left(32).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let bits = (bytes * 8) as u64;
    (0..BITS_SET).map(move |n| (first.wrapping_add(n.wrapping_mul(second)) % bits) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_knows_its_ids_and_hardly_any_other() {
        let hasher = Hasher::new(7);
        let ids: Vec<i64> = (0..10_000).map(|n| hasher.hash(&format!("id-{n}"))).collect();
        let filter = Filter::of(&ids);
        assert!(ids.iter().all(|id| filter.may_hold(*id)));
        let mistaken = (0..100_000).filter(|n| filter.may_hold(hasher.hash(&format!("other-{n}"))));
        assert!(mistaken.count() < 20);
        assert!(!Filter::of(&[]).may_hold(ids[0]));
    }

    #[test]
    fn names_are_kept_without_card_numbers_and_short() {
        let known = HashSet::new();
        let mut notes = Notes::new(Hasher::new(7), &known);
        notes.name("e1", "/pos/4111111111111111");
        notes.name("e2", "/pos/4111111111111111");
        notes.name("e3", &"x".repeat(5_000));
        let names: Vec<&str> = notes.new_sources.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["/pos/************1111", &"x".repeat(SOURCE_CHARS_MAX)]);
    }

    #[test]
    fn whole_batches_go_once_a_step_is_over_the_maximum() {
        let mut kept = Kept {
            max: 1_000,
            ..Kept::default()
        };
        for batch in 1..=250 {
            kept.add(batch, 4);
            assert_eq!(kept.excess(), None);
        }
        kept.add(251, 9);
        assert_eq!(kept.excess(), None, "less than a step");
        kept.add(252, 3);
        let (through, rows) = kept.excess().expect("a step");
        assert_eq!((through, rows), (2, 8));
        kept.let_go(through, rows);
        assert_eq!((kept.rows, kept.excess()), (1_004, None));
        // One batch larger than all that may be kept stays whole until the next one.
        kept.add(253, 5_000);
        let (through, rows) = kept.excess().expect("steps");
        assert_eq!((through, rows), (252, 1_004));
    }
}
