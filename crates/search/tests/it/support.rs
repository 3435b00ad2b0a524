//! Small indexes in temporary directories.

use std::collections::BTreeMap;
use std::path::Path;

use search::{Document, Hit, IndexReader, IndexWriter, Options, Order, SaleDay, TermQuery, When, Within};
use tempfile::TempDir;

pub(crate) const STORE: &str = "store-1";

pub(crate) fn document(seq: u64, minute: u32, terms: &[&str]) -> Document {
    let terms = terms.iter().collect();
    Document {
        seq,
        when: When {
            minute,
            sale_day: SaleDay::None,
        },
        terms,
    }
}

pub(crate) fn term(text: &str) -> TermQuery {
    TermQuery::Term(text.to_owned())
}

pub(crate) fn prefix(text: &str) -> TermQuery {
    TermQuery::Prefix(text.to_owned())
}

pub(crate) fn open(dir: &Path) -> IndexWriter {
    IndexWriter::open(dir, STORE, &Options::default()).unwrap_or_else(|error| panic!("open: {error}"))
}

/// An index and what it should hold, by seq.
pub(crate) struct Fixture {
    pub(crate) dir: TempDir,
    pub(crate) writer: IndexWriter,
    pub(crate) held: BTreeMap<u64, Document>,
    /// Every document that was ever written.
    pub(crate) written: Vec<Document>,
    pub(crate) batch_no: u64,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("temporary directory: {error}"));
        let writer = IndexWriter::create(&dir.path().join("index"), STORE, &Options::default())
            .unwrap_or_else(|error| panic!("create: {error}"));
        Fixture {
            dir,
            writer,
            held: BTreeMap::new(),
            written: Vec::new(),
            batch_no: 0,
        }
    }

    pub(crate) fn upsert(&mut self, document: Document) {
        self.writer
            .upsert(&document)
            .unwrap_or_else(|error| panic!("upsert: {error}"));
        self.written.push(document.clone());
        self.held.insert(document.seq, document);
    }

    pub(crate) fn remove(&mut self, seq: u64) {
        self.writer
            .remove(seq)
            .unwrap_or_else(|error| panic!("remove: {error}"));
        self.held.remove(&seq);
    }

    pub(crate) fn commit(&mut self) {
        self.batch_no += 1;
        self.writer
            .commit(self.batch_no)
            .unwrap_or_else(|error| panic!("commit: {error}"));
    }

    pub(crate) fn reader(&self) -> IndexReader {
        self.writer.reader()
    }

    /// Closes the index and opens it again, as a restart does.
    pub(crate) fn restart(self) -> Self {
        let Fixture {
            dir,
            writer,
            held,
            written,
            batch_no,
        } = self;
        drop(writer);
        let writer = open(&dir.path().join("index"));
        Fixture {
            dir,
            writer,
            held,
            written,
            batch_no,
        }
    }

    /// What the question should find, in walking order.
    pub(crate) fn expect(&self, query: &TermQuery, order: Order, from: Option<u32>) -> Vec<Hit> {
        let within = |minute: u32| match (order, from) {
            (_, None) => true,
            (Order::NewestFirst, Some(from)) => minute <= from,
            (Order::OldestFirst, Some(from)) => minute >= from,
        };
        let matching = self
            .held
            .values()
            .filter(|document| query.matches(&document.terms) && within(document.when.minute));
        let mut hits: Vec<Hit> = matching
            .map(|document| Hit {
                minute: document.when.minute,
                seq: document.seq,
            })
            .collect();
        sort(&mut hits, order);
        hits
    }

    /// Whether an older document satisfies the question: the engine may bring it back, see `IndexSnapshot::digests_of`.
    fn is_old(&self, hit: &Hit, query: &TermQuery) -> bool {
        let current = self.held.get(&hit.seq);
        self.written.iter().any(|old| {
            (old.seq, old.when.minute) == (hit.seq, hit.minute) && query.matches(&old.terms) && current != Some(old)
        })
    }

    /// Walks in chunks and checks what every walk promises.
    pub(crate) fn check(&self, query: &TermQuery, order: Order, from: Option<u32>, min_hits: usize) {
        let mut found = walked(&self.reader(), query, order, from, min_hits);
        let expected = self.expect(query, order, from);
        found.retain(|hit| expected.contains(hit) || !self.is_old(hit, query));
        assert_eq!(found, expected, "{query:?} {order:?} from {from:?} by {min_hits}");
        let estimate = self
            .reader()
            .snapshot()
            .estimate(query)
            .unwrap_or_else(|error| panic!("estimate: {error}"));
        assert!(
            estimate >= self.expect(query, order, None).len() as u64,
            "{query:?}: {estimate} is too low"
        );
    }
}

pub(crate) fn sort(hits: &mut [Hit], order: Order) {
    match order {
        Order::NewestFirst => hits.sort_unstable_by_key(|hit| (std::cmp::Reverse(hit.minute), hit.seq)),
        Order::OldestFirst => hits.sort_unstable_by_key(|hit| (hit.minute, hit.seq)),
    }
}

pub(crate) fn walked(
    reader: &IndexReader,
    query: &TermQuery,
    order: Order,
    from: Option<u32>,
    min_hits: usize,
) -> Vec<Hit> {
    let minutes = match (order, from) {
        (_, None) => 0..=u32::MAX,
        (Order::NewestFirst, Some(from)) => 0..=from,
        (Order::OldestFirst, Some(from)) => from..=u32::MAX,
    };
    let within = Within {
        minutes,
        ..Within::ever()
    };
    let mut walk = reader.snapshot().walk(query, order, &within);
    let mut found: Vec<Hit> = Vec::new();
    let mut small_chunks = 0;
    while let Some(chunk) = walk
        .next_hours(min_hits)
        .unwrap_or_else(|error| panic!("walk: {error}"))
    {
        assert!(!chunk.is_empty(), "an empty chunk would look like the end");
        // Only the last chunk may be smaller than asked for.
        assert_eq!(small_chunks, 0, "a chunk came after one that was too small");
        small_chunks += usize::from(chunk.len() < min_hits);
        if let (Some(last), Some(first)) = (found.last(), chunk.first()) {
            assert_ne!(last.minute / 60, first.minute / 60, "an hour was split");
        }
        found.extend(chunk);
    }
    assert!(
        walk.next_hours(min_hits).is_ok_and(|end| end.is_none()),
        "the end stays the end"
    );
    found
}
