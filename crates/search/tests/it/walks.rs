//! Walks read what they need and no more.

use search::{Order, Part, TermQuery, Within};

use crate::support::{Fixture, document, term};

/// A minute with which an hour begins.
const FIRST: u32 = 490_000 * 60;

/// 400 hours of 50 payments each; every one has a broad word, one in a hundred a rare one.
fn broad() -> Fixture {
    let mut fixture = Fixture::new();
    for seq in 0_u32..20_000 {
        let rare = if seq % 100 == 7 { "grr" } else { "gxx" };
        fixture.upsert(document(
            u64::from(seq),
            FIRST + seq / 50 * 60 + seq % 50,
            &["gbr", rare],
        ));
        if seq % 6_000 == 5_999 {
            fixture.commit();
        }
    }
    fixture.commit();
    fixture
}

#[test]
fn a_broad_word_costs_a_page_and_not_its_hit_list() {
    let fixture = broad();
    for (order, first) in [(Order::NewestFirst, FIRST + 399 * 60), (Order::OldestFirst, FIRST)] {
        for query in [term("gbr"), TermQuery::All] {
            let mut walk = fixture.reader().snapshot().walk(&query, order, &Within::ever());
            let chunk = walk
                .next_hours(21)
                .unwrap_or_else(|error| panic!("{error}"))
                .unwrap_or_default();
            assert_eq!(chunk.len(), 50, "one hour is enough");
            assert!(chunk.iter().all(|hit| hit.minute / 60 == first / 60));
            assert_eq!(walk.documents_covered(), 50);
        }
    }
}

#[test]
fn every_chunk_holds_whole_hours_and_all_chunks_everything() {
    let fixture = broad();
    for order in [Order::NewestFirst, Order::OldestFirst] {
        for query in [
            term("gbr"),
            term("grr"),
            TermQuery::all_of([term("gbr"), term("grr")]),
            TermQuery::All,
        ] {
            for min_hits in [1, 21, 101, 50_000] {
                fixture.check(&query, order, None, min_hits);
            }
            for from in [
                0,
                FIRST - 1,
                FIRST,
                FIRST + 123 * 60 + 17,
                FIRST + 399 * 60 + 49,
                FIRST + 400 * 60,
                u32::MAX,
            ] {
                fixture.check(&query, order, Some(from), 60);
            }
        }
    }
}

#[test]
fn a_payment_far_in_the_future_does_not_widen_the_windows() {
    let mut fixture = broad();
    fixture.upsert(document(20_000, 4_223_371_679, &["gbr"]));
    fixture.commit();
    let mut walk = fixture
        .reader()
        .snapshot()
        .walk(&term("gbr"), Order::NewestFirst, &Within::ever());
    let chunk = walk
        .next_hours(21)
        .unwrap_or_else(|error| panic!("{error}"))
        .unwrap_or_default();
    assert!(chunk.len() < 200, "{}", chunk.len());
    fixture.check(&term("gbr"), Order::NewestFirst, None, 21);
}

#[test]
fn words_that_never_meet_end_the_walk() {
    let mut fixture = Fixture::new();
    for seq in 0_u32..5_000 {
        fixture.upsert(document(
            u64::from(seq),
            seq * 6,
            &[if seq % 2 == 0 { "gab" } else { "gcd" }],
        ));
    }
    fixture.commit();
    let never = TermQuery::all_of([term("gab"), term("gcd")]);
    let mut walk = fixture
        .reader()
        .snapshot()
        .walk(&never, Order::NewestFirst, &Within::ever());
    assert!(walk.next_hours(20).is_ok_and(|end| end.is_none()));
}

#[test]
fn a_snapshot_keeps_its_commit() {
    let mut fixture = Fixture::new();
    fixture.upsert(document(1, 5, &["ia"]));
    fixture.commit();
    let before = fixture.reader().snapshot();
    let mut walk = before.walk(&term("ia"), Order::NewestFirst, &Within::ever());
    fixture.upsert(document(1, 6, &["ib"]));
    fixture.upsert(document(2, 6, &["ia"]));
    assert_eq!(fixture.reader().position().batch_no, 1, "not committed yet");
    fixture.commit();
    assert_eq!((before.position().batch_no, before.payment_count()), (1, 1));
    assert_eq!(walk.next_hours(9).ok().flatten().unwrap_or_default().len(), 1);
    let after = fixture.reader().snapshot();
    assert_eq!((after.position().batch_no, after.payment_count()), (2, 2));
    let digest = document(1, 6, &["ib"]).digest(Part::Payment);
    assert_eq!(
        after.digests_of(Part::Payment.key(1)).ok(),
        Some(digest.into_iter().collect())
    );
    assert_eq!(after.digests_of(Part::Payment.key(3)).ok(), Some(Vec::new()));
}
