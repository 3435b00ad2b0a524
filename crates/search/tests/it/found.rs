//! The index finds exactly what matching in memory finds.

use proptest::prelude::*;
use search::{Document, Order, Part, TermQuery};

use crate::support::{Fixture, document, prefix, term};

#[derive(Debug, Clone)]
enum Act {
    Upsert(Document),
    Remove(u64),
    Commit,
    Restart,
}

/// Few seqs, so that documents are replaced; most are new ones in growing order, as payments are.
fn act() -> impl Strategy<Value = Act> {
    let terms = prop::collection::vec(any_term(), 0..6);
    let upsert = (
        0_u64..60,
        prop_oneof![0_u32..400, 29_400_000_u32..29_406_000, Just(u32::MAX)],
        terms,
    )
        .prop_map(|(seq, minute, terms)| {
            let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
            Act::Upsert(document(seq, minute, &terms))
        });
    prop_oneof![20 => upsert, 3 => (0_u64..60).prop_map(Act::Remove), 2 => Just(Act::Commit), 1 => Just(Act::Restart)]
}

fn any_term() -> impl Strategy<Value = String> {
    prop_oneof![
        "i[ab]{1,3}",
        "[so][ab]{1,2}",
        "g(가나|나다|マウ|𠮷野)",
        "m[12]",
        Just("i\u{10FFFF}\u{10FFFF}".to_owned())
    ]
}

fn any_query() -> impl Strategy<Value = TermQuery> {
    let leaf = prop_oneof![
        6 => any_term().prop_map(TermQuery::Term),
        3 => prop_oneof!["i[ab]{0,2}", "[so][ab]{0,1}", Just("i\u{10FFFF}".to_owned()), Just("g".to_owned())].prop_map(TermQuery::Prefix),
        1 => Just(TermQuery::All),
        1 => Just(TermQuery::None),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(TermQuery::all_of),
            prop::collection::vec(inner, 0..4).prop_map(TermQuery::any_of),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_memory_finds_and_nothing_else(
        acts in prop::collection::vec(act(), 1..120),
        queries in prop::collection::vec((any_query(), any::<bool>(), prop::option::of(prop_oneof![0_u32..500, 29_399_990_u32..29_406_100]), 1_usize..9), 12),
    ) {
        let mut fixture = Fixture::new();
        for act in acts {
            match act {
                Act::Upsert(document) => fixture.upsert(document),
                Act::Remove(seq) => fixture.remove(seq),
                Act::Commit => fixture.commit(),
                Act::Restart => {
                    // What was not committed is gone after a restart and is indexed again.
                    fixture.commit();
                    fixture = fixture.restart();
                }
            }
        }
        fixture.commit();
        for (query, newest_first, from, min_hits) in queries {
            let order = if newest_first { Order::NewestFirst } else { Order::OldestFirst };
            fixture.check(&query, order, from, min_hits);
        }
        let snapshot = fixture.reader().snapshot();
        let digests: Vec<(u64, u64)> = snapshot.digests().collect();
        let digests_of = |document: &Document| -> Vec<(u64, u64)> {
            let of_part = |part: Part| document.digest(part).map(|digest| (part.key(document.seq), digest));
            Part::ALL.into_iter().filter_map(of_part).collect()
        };
        let written: Vec<(u64, u64)> = fixture.written.iter().flat_map(digests_of).collect();
        let expected: Vec<(u64, u64)> = fixture.held.values().flat_map(digests_of).collect();
        prop_assert!(digests.iter().all(|found| written.contains(found)));
        for held in &expected {
            prop_assert!(digests.contains(held), "{held:?} is missing");
        }
        // Old documents come back by a race that is seldom lost.
        prop_assert!(digests.len() <= expected.len() + 3, "{} for {}", digests.len(), expected.len());
    }
}

#[test]
fn text_of_any_script_is_found_by_its_bigrams() {
    let mut fixture = Fixture::new();
    fixture.upsert(document(1, 10, &["g아메", "g메리", "g리카", "g카노"]));
    fixture.upsert(document(2, 11, &["gマウ", "gウス"]));
    fixture.upsert(document(3, 12, &["g𠮷野", "g野家", "g메리"]));
    fixture.commit();
    for (query, seqs) in [
        (TermQuery::all_of([term("g아메"), term("g메리")]), vec![1]),
        (TermQuery::all_of([term("gマウ"), term("gウス")]), vec![2]),
        (term("g𠮷野"), vec![3]),
        (term("g메리"), vec![3, 1]),
        (TermQuery::all_of([term("g메리"), term("gマウ")]), vec![]),
    ] {
        let hits = crate::support::walked(&fixture.reader(), &query, Order::NewestFirst, None, 10);
        assert_eq!(hits.iter().map(|hit| hit.seq).collect::<Vec<_>>(), seqs, "{query:?}");
    }
}

#[test]
fn a_prefix_finds_all_of_thousands_of_terms() {
    let mut fixture = Fixture::new();
    for seq in 0..6_000 {
        let year = if seq % 2 == 0 { "2025" } else { "2026" };
        fixture.upsert(document(
            seq,
            490_000 + u32::try_from(seq / 50).unwrap_or(0),
            &[&format!("iord{year}{seq:05}")],
        ));
    }
    fixture.commit();
    for query in [
        prefix("iord2026"),
        prefix("iord20260001"),
        prefix("iord20260000"),
        prefix("iord2026x"),
        prefix("iord"),
    ] {
        fixture.check(&query, Order::NewestFirst, None, 50);
        fixture.check(&query, Order::OldestFirst, Some(490_060), 20_000);
    }
    assert_eq!(
        fixture.expect(&prefix("iord2026"), Order::NewestFirst, None).len(),
        3_000
    );
}

#[test]
fn a_wide_or_finds_each_of_its_members() {
    let mut fixture = Fixture::new();
    for seq in 0..3_000 {
        fixture.upsert(document(
            seq,
            490_000 + u32::try_from(seq % 500).unwrap_or(0),
            &[&format!("mm{}", seq % 1_500), "gab"],
        ));
    }
    fixture.commit();
    let merchants = TermQuery::any_of((0..1_200).map(|merchant| TermQuery::Term(format!("mm{merchant}"))));
    fixture.check(&merchants, Order::NewestFirst, None, 20);
    fixture.check(
        &TermQuery::all_of([merchants, term("gab")]),
        Order::OldestFirst,
        None,
        100,
    );
}
