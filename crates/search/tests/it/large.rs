//! What only shows in a segment with many documents.

use search::{Order, TermQuery};

use crate::support::{Fixture, document, prefix, term, walked};

/// One segment of 80,000 documents: a prefix that nearly all have is dense, so every document is a candidate; a narrower
/// one stays exact; and next to another word a dense prefix leaves that word's documents alone.
#[test]
fn a_dense_prefix_proposes_everything_and_misses_nothing() {
    let mut fixture = Fixture::new();
    for seq in 0_u32..80_000 {
        let year = if seq % 8 == 0 { "2025" } else { "2026" };
        let rare = if seq % 1_000 == 8 { "grr" } else { "gxx" };
        fixture.upsert(document(
            u64::from(seq),
            490_000 + seq / 100,
            &[&format!("iord{year}{seq:06}"), rare],
        ));
    }
    fixture.commit();
    assert_eq!(
        fixture.reader().snapshot().segment_count(),
        1,
        "the memory is large enough for one segment"
    );
    let all = walked(&fixture.reader(), &prefix("iord2026"), Order::NewestFirst, None, 100);
    assert_eq!(all.len(), 80_000);
    fixture.check(&prefix("iord2025"), Order::NewestFirst, None, 100);
    fixture.check(&prefix("iord2026079"), Order::OldestFirst, None, 100);
    let rare = TermQuery::all_of([prefix("iord2026"), term("grr")]);
    assert_eq!(walked(&fixture.reader(), &rare, Order::NewestFirst, None, 10).len(), 80);
    let dense_twice = TermQuery::all_of([prefix("iord202"), prefix("iord2026")]);
    assert_eq!(
        walked(&fixture.reader(), &dense_twice, Order::OldestFirst, None, 100).len(),
        80_000
    );
    let snapshot = fixture.reader().snapshot();
    assert!(snapshot.estimate(&rare).is_ok_and(|estimate| estimate == 80));
    assert!(
        snapshot
            .estimate(&prefix("iord2026"))
            .is_ok_and(|estimate| estimate >= 70_000)
    );
}
