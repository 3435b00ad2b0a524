//! What batches leave behind is what the versions say, however they were cut.

use generator::Plan;
use ledger::verify::verify;

use crate::feed::{batch, messages, open};

fn hostile(payments: u64) -> Plan {
    Plan {
        payments,
        merchants: 20,
        days: 30,
        oversize: false,
        ..Plan::default()
    }
    .hostile()
}

fn assert_clean(opened: &crate::feed::Opened) {
    let verified = verify(&opened.reader, &|_, _, _| None).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        verified.differences.is_empty(),
        "{:#?}",
        &verified.differences[..verified.differences.len().min(10)]
    );
    assert!(verified.payments > 0 && verified.cells > 0);
}

#[test]
fn any_cutting_into_batches_verifies_and_gives_the_same_counts() {
    let all = messages(hostile(300));
    let mut counts = Vec::new();
    for size in [1, 7, 100, all.len()] {
        let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let mut opened = open(dir.path()).unwrap_or_else(|error| panic!("{error}"));
        let mut from = 0;
        for part in all.chunks(size) {
            opened
                .writer
                .apply(batch(part, from), &mut |_, _| {})
                .unwrap_or_else(|error| panic!("{error}"));
            from += part.len() as u64;
        }
        assert_clean(&opened);
        counts.push(opened.reader.status().unwrap_or_else(|error| panic!("{error}")).counts);
    }
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:#?}");
    assert_eq!(counts[0].read(), all.len() as u64);
}

#[test]
fn reopened_ledgers_go_on_where_they_were_and_a_second_delivery_changes_nothing() {
    let all = messages(hostile(200));
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let mut from = 0;
    for part in all.chunks(150) {
        let mut opened = open(dir.path()).unwrap_or_else(|error| panic!("{error}"));
        opened
            .writer
            .apply(batch(part, from), &mut |_, _| {})
            .unwrap_or_else(|error| panic!("{error}"));
        from += part.len() as u64;
        assert_eq!(
            opened
                .writer
                .positions()
                .iter()
                .map(|(_, next)| next)
                .collect::<Vec<_>>(),
            [from]
        );
    }
    let mut opened = open(dir.path()).unwrap_or_else(|error| panic!("{error}"));
    assert_clean(&opened);
    let before = opened.reader.status().unwrap_or_else(|error| panic!("{error}")).counts;
    opened
        .writer
        .apply(batch(&all, from), &mut |_, _| {})
        .unwrap_or_else(|error| panic!("{error}"));
    let after = opened.reader.status().unwrap_or_else(|error| panic!("{error}")).counts;
    assert_eq!(
        (before.applied, before.stale, before.conflict),
        (after.applied, after.stale, after.conflict)
    );
    assert_clean(&opened);
}

#[test]
fn a_lost_row_store_is_made_again() {
    let all = messages(hostile(100));
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let mut opened = open(dir.path()).unwrap_or_else(|error| panic!("{error}"));
    opened
        .writer
        .apply(batch(&all, 0), &mut |_, _| {})
        .unwrap_or_else(|error| panic!("{error}"));
    drop(opened);
    std::fs::remove_dir_all(dir.path().join("rows")).unwrap_or_else(|error| panic!("{error}"));
    let opened = open(dir.path()).unwrap_or_else(|error| panic!("{error}"));
    assert_clean(&opened);
}

#[test]
fn a_second_writer_is_refused() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let _first = open(dir.path()).unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(open(dir.path()).err(), Some(ledger::LedgerError::Locked(_))));
}
