//! When a payment occurred, as coarsely as candidates are told apart by it.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, Utc};
use query::Interval;

/// The minute of a payment, and the business day of its sale. A list by days of sale is so walked without joining the payments of the
/// hours around them, which are others in each time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    pub minute: u32,
    pub sale_day: SaleDay,
}

/// The day of sale, by what it is to the day of the minute in UTC: no time zone is a day or more away from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleDay {
    /// The payment has not arrived.
    None,
    Before,
    Same,
    After,
    /// The minute does not say.
    Any,
}

const SALE_DAYS: [SaleDay; 5] = [
    SaleDay::None,
    SaleDay::Before,
    SaleDay::Same,
    SaleDay::After,
    SaleDay::Any,
];

/// A minute is moved by so many bits to make room for the day.
const DAY_BITS: u32 = 3;

/// The minutes from 1970 to an instant. Earlier instants are minute 0: a minute is only a coarse place in time order, and
/// whoever walks candidates sorts the rows of each one exactly.
pub fn minute_of(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.timestamp().div_euclid(60).max(0)).unwrap_or(u32::MAX)
}

/// The hours from 1970 to a minute: documents are found by them.
pub(crate) fn hour_of(minute: u32) -> u32 {
    minute / 60
}

impl When {
    pub fn of(occurred_at: DateTime<Utc>, sale_day: Option<NaiveDate>) -> Self {
        let minute = minute_of(occurred_at);
        let sale_day = match (sale_day, utc_day(minute)) {
            (None, _) => SaleDay::None,
            (Some(sale_day), Some(day)) if day == occurred_at.date_naive() => {
                match sale_day.signed_duration_since(day).num_days() {
                    -1 => SaleDay::Before,
                    0 => SaleDay::Same,
                    1 => SaleDay::After,
                    _ => SaleDay::Any,
                }
            }
            _ => SaleDay::Any,
        };
        When { minute, sale_day }
    }

    /// As it is kept in a column.
    pub(crate) fn packed(self) -> u64 {
        let place = SALE_DAYS
            .iter()
            .position(|day| *day == self.sale_day)
            .unwrap_or_default();
        u64::from(self.minute) << DAY_BITS | place as u64
    }

    /// What [`packed`](Self::packed) gave. Of any other number something that no walk leaves out.
    pub(crate) fn unpacked(packed: u64) -> Self {
        let place = usize::try_from(packed & ((1 << DAY_BITS) - 1)).unwrap_or_default();
        When {
            minute: u32::try_from(packed >> DAY_BITS).unwrap_or(u32::MAX),
            sale_day: SALE_DAYS.get(place).copied().unwrap_or(SaleDay::Any),
        }
    }
}

fn utc_day(minute: u32) -> Option<NaiveDate> {
    Some(DateTime::from_timestamp(i64::from(minute) * 60, 0)?.date_naive())
}

/// The times that a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    pub minutes: RangeInclusive<u32>,
    /// Absent where payments without a day of sale are asked for as well.
    pub sale_days: Option<Interval<NaiveDate>>,
}

impl Within {
    /// Everything.
    pub fn ever() -> Self {
        Within {
            minutes: 0..=u32::MAX,
            sale_days: None,
        }
    }

    pub fn holds(&self, when: When) -> bool {
        self.minutes.contains(&when.minute) && self.sale_days.as_ref().is_none_or(|days| is_sold_in(days, when))
    }
}

fn is_sold_in(days: &Interval<NaiveDate>, when: When) -> bool {
    let day = utc_day(when.minute);
    let sold_on = match when.sale_day {
        SaleDay::None => return false,
        SaleDay::Any => None,
        SaleDay::Before => day.and_then(|day| day.pred_opt()),
        SaleDay::Same => day,
        SaleDay::After => day.and_then(|day| day.succ_opt()),
    };
    sold_on.is_none_or(|day| days.contains(&day))
}

#[cfg(test)]
mod tests {
    use std::ops::Bound;

    use super::*;

    #[test]
    fn minutes_keep_the_order_of_time() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        assert_eq!(minute_of(at(0)), 0);
        assert_eq!(minute_of(at(59)), 0);
        assert_eq!(minute_of(at(60)), 1);
        assert_eq!(minute_of(at(-1)), 0);
        assert_eq!(minute_of(DateTime::<Utc>::MIN_UTC), 0);
        assert_eq!(minute_of(at(253_402_300_799)), 4_223_371_679);
        assert_eq!((hour_of(59), hour_of(60), hour_of(4_223_371_679)), (0, 1, 70_389_527));
    }

    #[test]
    fn the_day_of_sale_is_the_one_given() {
        let march = Interval {
            lower: Bound::Included(day("2026-03-01")),
            upper: Bound::Excluded(day("2026-04-01")),
        };
        let is_in_march = |at: &str, sale_day: Option<&str>| {
            let at = at.parse().unwrap_or_else(|error| panic!("{at}: {error}"));
            let when = When::of(at, sale_day.map(day));
            assert_eq!(When::unpacked(when.packed()), when, "{at}");
            let within = Within {
                sale_days: Some(march.clone()),
                ..Within::ever()
            };
            assert!(Within::ever().holds(when));
            within.holds(when)
        };
        assert!(is_in_march("2026-02-28T15:00:00Z", Some("2026-03-01")));
        assert!(!is_in_march("2026-02-28T14:59:59Z", Some("2026-02-28")));
        assert!(is_in_march("2026-04-01T06:59:59Z", Some("2026-03-31")));
        assert!(!is_in_march("2026-03-31T15:00:00Z", Some("2026-04-01")));
        assert!(is_in_march("2026-03-10T12:00:00Z", Some("2026-03-10")));
        assert!(!is_in_march("2026-03-10T12:00:00Z", None));
        // What the minute does not tell is not left out.
        assert!(is_in_march("1969-03-10T12:00:00Z", Some("1969-03-10")));
        assert!(is_in_march("2026-05-10T12:00:00Z", Some("2026-03-10")));
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }
}
