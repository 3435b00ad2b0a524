//! A connected set of ordered values, each end closed, left out or open.

use std::ops::Bound;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Interval<T> {
    pub lower: Bound<T>,
    pub upper: Bound<T>,
}

impl<T: Ord + Clone> Interval<T> {
    /// Every value. As a filter it still asks for a value to be there.
    pub fn all() -> Self {
        Interval {
            lower: Bound::Unbounded,
            upper: Bound::Unbounded,
        }
    }

    pub fn exactly(value: T) -> Self {
        Interval {
            lower: Bound::Included(value.clone()),
            upper: Bound::Included(value),
        }
    }

    pub fn contains(&self, value: &T) -> bool {
        let above = match &self.lower {
            Bound::Included(lower) => value >= lower,
            Bound::Excluded(lower) => value > lower,
            Bound::Unbounded => true,
        };
        let below = match &self.upper {
            Bound::Included(upper) => value <= upper,
            Bound::Excluded(upper) => value < upper,
            Bound::Unbounded => true,
        };
        above && below
    }

    /// The values that both intervals contain.
    pub fn intersection(self, other: Self) -> Self {
        Interval {
            lower: later(self.lower, other.lower),
            upper: earlier(self.upper, other.upper),
        }
    }

    /// True when the ends alone rule every value out: `[5 TO 3]`, `{5 TO 5]`. Such an interval is a question with an empty
    /// answer, not a mistake: programs compute ends, and a month without days is what they then ask for.
    pub fn is_empty(&self) -> bool {
        match (&self.lower, &self.upper) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
            (Bound::Included(lower) | Bound::Excluded(lower), Bound::Included(upper) | Bound::Excluded(upper)) => {
                lower >= upper
            }
        }
    }

    /// The one value that the interval contains, if its ends say so.
    pub fn single(&self) -> Option<&T> {
        match (&self.lower, &self.upper) {
            (Bound::Included(lower), Bound::Included(upper)) if lower == upper => Some(lower),
            _ => None,
        }
    }
}

/// The lower end that leaves less.
fn later<T: Ord>(a: Bound<T>, b: Bound<T>) -> Bound<T> {
    match (a, b) {
        (Bound::Unbounded, other) | (other, Bound::Unbounded) => other,
        (Bound::Included(a), Bound::Included(b)) => Bound::Included(a.max(b)),
        (Bound::Excluded(a), Bound::Excluded(b)) => Bound::Excluded(a.max(b)),
        (Bound::Included(closed), Bound::Excluded(open)) | (Bound::Excluded(open), Bound::Included(closed)) => {
            if open >= closed {
                Bound::Excluded(open)
            } else {
                Bound::Included(closed)
            }
        }
    }
}

/// The upper end that leaves less.
fn earlier<T: Ord>(a: Bound<T>, b: Bound<T>) -> Bound<T> {
    match (a, b) {
        (Bound::Unbounded, other) | (other, Bound::Unbounded) => other,
        (Bound::Included(a), Bound::Included(b)) => Bound::Included(a.min(b)),
        (Bound::Excluded(a), Bound::Excluded(b)) => Bound::Excluded(a.min(b)),
        (Bound::Included(closed), Bound::Excluded(open)) | (Bound::Excluded(open), Bound::Included(closed)) => {
            if open <= closed {
                Bound::Excluded(open)
            } else {
                Bound::Included(closed)
            }
        }
    }
}
