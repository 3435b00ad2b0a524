//! A position and the documents it covers are durable together.

use std::thread;
use std::time::Duration;

use search::{IndexPosition, IndexReader, IndexWriter, Options, Order, SearchError};

use crate::support::{Fixture, STORE, document, open, term, walked};

#[test]
fn a_commit_comes_back_with_its_position() {
    let mut fixture = Fixture::new();
    assert_eq!(
        fixture.reader().position(),
        IndexPosition::new(STORE, 0),
        "a new index has indexed nothing"
    );
    for round in 1..=5_u64 {
        fixture.upsert(document(round, 5, &["ia"]));
        fixture.commit();
        fixture = fixture.restart();
        assert_eq!(fixture.reader().position(), IndexPosition::new(STORE, round));
        assert_eq!(fixture.reader().snapshot().payment_count(), round);
    }
}

#[test]
fn what_was_not_committed_is_gone_and_its_position_with_it() {
    let mut fixture = Fixture::new();
    fixture.upsert(document(1, 5, &["ia"]));
    fixture.commit();
    fixture.upsert(document(1, 5, &["ib"]));
    fixture.upsert(document(2, 5, &["ia"]));
    assert_eq!(fixture.writer.uncommitted(), 2);
    let fixture = fixture.restart();
    let found = walked(&fixture.reader(), &term("ia"), Order::NewestFirst, None, 9);
    assert_eq!(found.iter().map(|hit| hit.seq).collect::<Vec<_>>(), [1]);
    assert_eq!(fixture.reader().position().batch_no, 1);
}

#[test]
fn merges_keep_the_position() {
    let mut fixture = Fixture::new();
    // Many small segments, so that the merge policy has something to do.
    for seq in 0..40 {
        fixture.upsert(document(seq, 5, &["ia"]));
        fixture.commit();
    }
    let Fixture { dir, writer, .. } = fixture;
    drop(writer);
    let index = dir.path().join("index");
    let reader = IndexReader::open(&index, STORE).unwrap_or_else(|error| panic!("open: {error}"));
    assert_eq!(reader.position().batch_no, 40);
    assert_eq!(reader.snapshot().payment_count(), 40);
    assert!(reader.snapshot().segment_count() < 40, "nothing was merged");
    assert!(reader.bytes_on_disk().is_ok_and(|bytes| bytes > 1_000));
    search::check_files(&index).unwrap_or_else(|error| panic!("sound files: {error}"));
}

#[test]
fn a_document_replaces_the_one_of_its_seq_wherever_that_is() {
    let mut fixture = Fixture::new();
    // Within a batch, across commits, across a restart, and for a seq that is below others but new.
    fixture.upsert(document(7, 5, &["ia"]));
    fixture.upsert(document(7, 6, &["ia"]));
    fixture.commit();
    fixture.upsert(document(7, 7, &["ia"]));
    fixture.upsert(document(3, 7, &["ia"]));
    fixture.commit();
    fixture = fixture.restart();
    fixture.upsert(document(7, 8, &["ia"]));
    fixture.upsert(document(7, 9, &["ia"]));
    fixture.remove(7);
    fixture.upsert(document(7, 10, &["ia"]));
    fixture.remove(3);
    fixture.commit();
    fixture.check(&term("ia"), Order::NewestFirst, None, 9);
    assert_eq!(fixture.reader().snapshot().payment_count(), 1);
}

#[test]
fn one_writer_at_a_time() {
    let fixture = Fixture::new();
    let dir = fixture.dir.path().join("index");
    let impatient = Options {
        lock_wait: Duration::ZERO,
        ..Options::default()
    };
    let second = IndexWriter::open(&dir, STORE, &impatient);
    assert!(matches!(second, Err(SearchError::Locked { .. })), "{:?}", second.err());
    drop(fixture.writer);
    drop(open(&dir));
}

#[test]
fn a_lock_that_is_let_go_of_is_waited_for() {
    let fixture = Fixture::new();
    let dir = fixture.dir.path().join("index");
    let first = fixture.writer;
    let letting_go = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        drop(first);
    });
    drop(open(&dir));
    letting_go.join().expect("the first writer closes");
}
