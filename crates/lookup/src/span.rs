//! When a payment that satisfies a filter can have occurred.
//!
//! Lists lie in the order of `occurred_at`, so a question about one month needs to look at that month only. An arrived
//! payment occurs when it was approved, or requested where it was not; its sale day is the business day of that instant.
//! One that has not arrived has neither and satisfies no condition on them.

use std::ops::{Bound, RangeInclusive};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use ledger::Order;
use query::{DayField, Filter, Interval, TimeField};
use search::minute_of;

/// Both ends included; an absent one does not bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
}

/// A business day lies within a day of the UTC day of the same date, in any time zone.
const ZONES: Days = Days::new(1);

impl Span {
    pub(crate) fn of(filter: &Filter) -> Self {
        match filter {
            Filter::And(members) => members.iter().map(Span::of).fold(Span::default(), Span::and),
            Filter::Or(members) => {
                let mut spans = members.iter().map(Span::of);
                let first = spans.next().unwrap_or_default();
                spans.fold(first, Span::or)
            }
            Filter::Day {
                field: DayField::SaleDay,
                interval,
            } => Span {
                from: bound(&interval.lower).and_then(|day| start(day.checked_sub_days(ZONES)?)),
                to: bound(&interval.upper).and_then(|day| start(day.checked_add_days(ZONES)?.succ_opt()?)),
            },
            Filter::Time {
                field: TimeField::ApprovedAt,
                interval,
            } => Span {
                from: bound(&interval.lower),
                to: bound(&interval.upper),
            },
            _ => Span::default(),
        }
    }

    fn and(self, other: Span) -> Span {
        Span {
            from: self.from.max(other.from),
            to: match (self.to, other.to) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            },
        }
    }

    fn or(self, other: Span) -> Span {
        Span {
            from: self.from.zip(other.from).map(|(one, other)| one.min(other)),
            to: self.to.zip(other.to).map(|(one, other)| one.max(other)),
        }
    }

    /// What is left of it behind `after`, the last row of a page.
    pub(crate) fn behind(self, after: Option<DateTime<Utc>>, order: Order) -> Span {
        let rest = match order {
            Order::NewestFirst => Span { from: None, to: after },
            Order::OldestFirst => Span { from: after, to: None },
        };
        self.and(rest)
    }

    /// The index's minutes that it touches.
    pub(crate) fn minutes(self) -> RangeInclusive<u32> {
        self.from.map_or(0, minute_of)..=self.to.map_or(u32::MAX, minute_of)
    }
}

/// The days of sale of everything that satisfies a filter, where it says so.
pub(crate) fn sale_days(filter: &Filter) -> Option<Interval<NaiveDate>> {
    match filter {
        Filter::And(members) => members.iter().filter_map(sale_days).reduce(Interval::intersection),
        Filter::Day {
            field: DayField::SaleDay,
            interval,
        } => Some(interval.clone()),
        _ => None,
    }
}

fn bound<T: Copy>(bound: &Bound<T>) -> Option<T> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(*value),
        Bound::Unbounded => None,
    }
}

fn start(day: NaiveDate) -> Option<DateTime<Utc>> {
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, from: Option<&str>, to: Option<&str>) {
        let filter = query::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let at = |text: &str| {
            text.parse::<DateTime<Utc>>()
                .unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        let expect = Span {
            from: from.map(at),
            to: to.map(at),
        };
        assert_eq!(Span::of(&filter), expect, "{text}");
    }

    #[test]
    fn conditions_on_the_sale_bound_it_and_others_do_not() {
        check(
            "sale_day:2026-03-10",
            Some("2026-03-09T00:00:00Z"),
            Some("2026-03-12T00:00:00Z"),
        );
        check(
            "coffee sale_day:[2026-03-01 TO 2026-03-31] status:DONE",
            Some("2026-02-28T00:00:00Z"),
            Some("2026-04-02T00:00:00Z"),
        );
        check("sale_day:>=2026-03-01", Some("2026-02-28T00:00:00Z"), None);
        check(
            "sale_day:>=2026-03-01 approved_at:<2026-03-05T01:02:03Z",
            Some("2026-02-28T00:00:00Z"),
            Some("2026-03-05T01:02:03Z"),
        );
        check(
            "sale_day:2026-03-10 OR sale_day:2026-03-20",
            Some("2026-03-09T00:00:00Z"),
            Some("2026-03-22T00:00:00Z"),
        );
        for unbounded in [
            "coffee",
            "event_day:2026-03-10",
            "-sale_day:2026-03-10",
            "sale_day:2026-03-10 OR coffee",
            "canceled_at:<2026-03-05T01:02:03Z",
        ] {
            check(unbounded, None, None);
        }
    }
}
