//! What the generator says of a stream equals what a slow recount of its bytes finds.

use generator::{Mix, Plan, Rate, Stream};

use crate::recount::recount;
use crate::{keep_all, small};

fn check(plan: Plan) {
    let zone = plan.zone;
    let mut stream = Stream::with_expect(plan.clone()).expect("a valid plan");
    let messages = keep_all(&mut stream);
    assert!(!messages.is_empty());
    let expect = stream.into_expect().expect("asked for");
    let expect = serde_json::to_value(&expect).expect("serialisable");
    eprintln!("{plan:?}: {}", expect["counts"]);
    recount(&messages, zone).assert_equals(&expect);
}

#[test]
fn of_a_clean_stream() {
    check(small(3_000));
    check(Plan {
        mix: Mix::Lean,
        ..small(3_000)
    });
}

#[test]
fn in_a_zone_with_summer_time() {
    check(Plan {
        zone: chrono_tz::America::New_York,
        ..small(2_000)
    });
}

#[test]
fn of_a_young_span_with_an_old_tail() {
    check(Plan {
        days: 90,
        tail_days: 700,
        tail: Rate::percent(10),
        ..small(3_000)
    });
}

#[test]
fn under_each_switch_alone() {
    let most = Rate::percent(30);
    check(Plan {
        duplicates: most,
        ..small(800)
    });
    check(Plan {
        disorder: most,
        disorder_window_s: 86_400,
        ..small(800)
    });
    check(Plan {
        conflicts: most,
        ..small(800)
    });
    check(Plan {
        orphans: most,
        ..small(800)
    });
    check(Plan {
        tombstones: most,
        ..small(800)
    });
    check(Plan {
        mismatches: most,
        ..small(800)
    });
    check(Plan {
        poison: most,
        ..small(800)
    });
}

#[test]
fn under_all_switches_at_once() {
    for seed in 1..=6 {
        check(Plan {
            seed,
            ..small(1_500).hostile()
        });
        let most = Rate::percent(20);
        let plan = Plan {
            seed,
            disorder: most,
            duplicates: most,
            conflicts: most,
            orphans: most,
            tombstones: most,
            mismatches: most,
            ..small(1_000)
        };
        check(Plan {
            disorder_window_s: 30 * 86_400,
            ..plan
        });
    }
}

#[test]
fn of_nothing() {
    let mut stream = Stream::with_expect(small(0)).expect("a valid plan");
    assert!(stream.next_message().is_none());
    assert_eq!(stream.into_expect().expect("asked for").counts().read, 0);
}
