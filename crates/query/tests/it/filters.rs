//! Filters and intervals as values.

use std::ops::Bound;

use query::{Filter, Interval, KeywordField, compile};

use crate::notation::notation;

fn keyword(value: &str) -> Filter {
    Filter::Keyword {
        field: KeywordField::MerchantId,
        value: value.to_owned(),
    }
}

#[test]
fn all_is_neutral_and_groups_stay_flat() {
    let (a, b, c) = (keyword("a"), keyword("b"), keyword("c"));
    assert!(Filter::All.and(Filter::All).is_all());
    assert_eq!(Filter::All.and(a.clone()), a);
    assert_eq!(a.clone().and(Filter::All), a);
    assert_eq!(
        a.clone().and(b.clone()).and(c.clone()),
        Filter::And(vec![a.clone(), b.clone(), c.clone()])
    );
    assert_eq!(
        Filter::any_of([a.clone(), Filter::Or(vec![b.clone(), c.clone()])]),
        Filter::Or(vec![a.clone(), b, c])
    );
    assert_eq!(Filter::any_of([a.clone()]), a);
    assert!(Filter::any_of([]).is_all());
    assert!(Filter::any_of([a.clone(), Filter::All]).is_all());
    assert_eq!(!a.clone(), Filter::Not(Box::new(a)));
}

#[test]
fn leaves_come_in_the_order_of_the_text() {
    let filter = compile("aa (status:DONE OR -last4:4242) -(bb amount:5)").expect("a good text");
    let leaves: Vec<String> = filter.leaves().into_iter().map(notation).collect();
    assert_eq!(
        leaves,
        [
            "word(aa aa)",
            "Status=DONE",
            "Last4=4242",
            "word(bb bb)",
            "Amount[5..5]"
        ]
    );
    assert_eq!(filter.conjuncts().len(), 3);
    assert_eq!(Filter::All.conjuncts().len(), 0);
    assert_eq!(keyword("a").conjuncts(), [keyword("a")]);
    let mut seen = 0;
    filter.visit(&mut |_| seen += 1);
    assert_eq!(seen, 10);
}

#[test]
fn intervals_contain_what_their_ends_say() {
    let bounds = |end: i32| [Bound::Included(end), Bound::Excluded(end), Bound::Unbounded];
    let intervals: Vec<Interval<i32>> = (0..4)
        .flat_map(bounds)
        .flat_map(|lower| (0..4).flat_map(bounds).map(move |upper| Interval { lower, upper }))
        .collect();
    let members = |interval: &Interval<i32>| -> Vec<i32> { (-1..6).filter(|n| interval.contains(n)).collect() };
    for a in &intervals {
        assert_eq!(
            members(a),
            (-1..6).filter(|n| (a.lower, a.upper).contains_(n)).collect::<Vec<_>>()
        );
        if a.is_empty() {
            assert_eq!(members(a), [0; 0], "{a:?}");
        }
        for b in &intervals {
            let both: Vec<i32> = members(a).into_iter().filter(|n| b.contains(n)).collect();
            assert_eq!(members(&a.clone().intersection(b.clone())), both, "{a:?} and {b:?}");
        }
    }
    assert!(
        Interval {
            lower: Bound::Included(5),
            upper: Bound::Included(3)
        }
        .is_empty()
    );
    assert!(
        Interval {
            lower: Bound::Excluded(5),
            upper: Bound::Included(5)
        }
        .is_empty()
    );
    assert!(!Interval::exactly(5).is_empty());
    assert_eq!(Interval::exactly(5).single(), Some(&5));
    assert_eq!(Interval::<i32>::all().single(), None);
}

/// The standard library's own reading of a pair of bounds.
trait Contains {
    fn contains_(&self, n: &i32) -> bool;
}

impl Contains for (Bound<i32>, Bound<i32>) {
    fn contains_(&self, n: &i32) -> bool {
        std::ops::RangeBounds::contains(self, n)
    }
}
