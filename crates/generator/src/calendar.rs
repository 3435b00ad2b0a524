//! When payments arrive: a growing business with a weekly and a daily curve, and days as the field cuts them.
//!
//! Payments are numbered in the order of their arrival. A day owns a run of numbers in proportion to its weight, and
//! within the day the n-th of N payments falls into the n-th of N equally likely slices of the daily curve. So a
//! number alone gives its instant, instants rise with numbers, and nothing has to be sorted or stored.

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::plan::Plan;

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
/// Korea has had no summer time since 1988, so its wall clock is a constant shift.
const KOREA: i64 = 9 * HOUR;

/// Monday first; people shop at the end of the week.
const WEEK: [u64; 7] = [96, 97, 98, 101, 114, 120, 106];
/// Midnight first; a lunch hump and an evening peak.
const CLOCK: [u64; 24] = [
    30, 18, 11, 8, 7, 9, 16, 28, 44, 58, 70, 80, 92, 84, 74, 70, 70, 74, 84, 96, 104, 106, 92, 60,
];
/// A day's curve is cut into this many equally likely parts.
const PARTS: u64 = 1 << 32;

pub(crate) struct Calendar {
    /// First day of the tail, in days since 1970-01-01.
    first_day: i32,
    /// First payment number of each day, and the number of payments at the end.
    first_numbers: Vec<u64>,
    /// Where each hour begins on the scale of `PARTS`.
    hour_starts: [u64; 25],
    /// UTC instant at which each day of the ground truth's zone begins.
    midnights: Vec<i64>,
    dates: Vec<[u8; 10]>,
    end_ms: i64,
}

impl Calendar {
    pub(crate) fn new(plan: &Plan) -> Self {
        let start = plan.start - TimeDelta::days(i64::from(plan.tail_days));
        let first_day = start.to_epoch_days();
        let days = i64::from(plan.tail_days + plan.days);
        // Dates named in messages (a deposit's due date, a payout day) run a little past the span.
        let printed = (0..days + 400)
            .map(|day| date_text(start + TimeDelta::days(day)))
            .collect();
        // The zone's day may begin up to a day before or after Korea's.
        let midnights = (-1..days + 2)
            .map(|day| midnight(plan.zone, start + TimeDelta::days(day)))
            .collect();
        Self {
            first_day,
            first_numbers: first_numbers(plan),
            hour_starts: hour_starts(),
            midnights,
            dates: printed,
            end_ms: korean_ms(first_day + i32::try_from(days).unwrap_or(i32::MAX), 0),
        }
    }

    /// The instant at which the stream ends: midnight after the last day.
    pub(crate) fn end_ms(&self) -> i64 {
        self.end_ms
    }

    /// The instant of a payment; rises with `number` whatever `chance` is.
    pub(crate) fn arrival_ms(&self, number: u64, chance: u32) -> i64 {
        let day = self.first_numbers.partition_point(|first| *first <= number) - 1;
        let (first, next) = (self.first_numbers[day], self.first_numbers[day + 1]);
        let slice = (u128::from(number - first) << 32) | u128::from(chance);
        // Below PARTS, as the number is below `next`.
        let part = (slice / u128::from(next - first)) as u64;
        let hour = self.hour_starts.partition_point(|start| *start <= part) - 1;
        let (start, end) = (self.hour_starts[hour], self.hour_starts[hour + 1]);
        let within = i64::try_from((part - start) * 3_600_000 / (end - start)).unwrap_or(0);
        korean_ms(self.first_day + day as i32, hour as i64 * HOUR + within)
    }

    /// How many payments arrive at least `days` before the end.
    pub(crate) fn payments_older_than(&self, days: usize) -> u64 {
        let all = self.first_numbers.len() - 1;
        self.first_numbers[all.saturating_sub(days)]
    }

    /// The day of an instant in the ground truth's zone.
    pub(crate) fn zone_day(&self, at_ms: i64) -> i32 {
        let index = self.midnights.partition_point(|midnight| *midnight <= at_ms);
        self.first_day - 2 + i32::try_from(index).unwrap_or(i32::MAX / 2)
    }

    /// Months since January of the year 0.
    pub(crate) fn month(&self, day: i32) -> u32 {
        let [thousands, hundreds, tens, ones, _, ten_months, months, ..] =
            self.date(day).map(|digit| u32::from(digit.wrapping_sub(b'0')));
        (thousands * 1_000 + hundreds * 100 + tens * 10 + ones) * 12 + ten_months * 10 + months - 1
    }

    /// `YYYY-MM-DD` of a day since 1970.
    pub(crate) fn date(&self, day: i32) -> [u8; 10] {
        let index = usize::try_from(day - self.first_day).ok();
        match index.and_then(|index| self.dates.get(index)) {
            Some(text) => *text,
            None => date_text(NaiveDate::from_epoch_days(day).unwrap_or_default()),
        }
    }
}

/// The Korean day of an instant, in days since 1970-01-01.
pub(crate) fn korean_day(at_ms: i64) -> i32 {
    i32::try_from((at_ms + KOREA).div_euclid(DAY)).unwrap_or(i32::MAX)
}

/// Milliseconds since Korean midnight.
pub(crate) fn korean_clock_ms(at_ms: i64) -> i64 {
    (at_ms + KOREA).rem_euclid(DAY)
}

/// The instant at which a Korean wall clock shows `clock_ms` on `day`.
pub(crate) fn korean_ms(day: i32, clock_ms: i64) -> i64 {
    i64::from(day) * DAY - KOREA + clock_ms
}

/// The day itself, or the Monday after a weekend: banks pay out on working days.
pub(crate) fn banking_day(day: i32) -> i32 {
    // 1970-01-01 was a Thursday.
    match (day + 3).rem_euclid(7) {
        5 => day + 2,
        6 => day + 1,
        _ => day,
    }
}

fn first_numbers(plan: &Plan) -> Vec<u64> {
    let tail = if plan.tail_days == 0 {
        0
    } else {
        share(plan.payments, plan.tail.parts().into(), 10_000)
    };
    let tail_days = u64::from(plan.tail_days);
    let mut numbers: Vec<u64> = (0..tail_days).map(|day| share(tail, day, tail_days)).collect();
    let weights: Vec<u64> = (0..plan.days).map(|day| day_weight(plan, day)).collect();
    let all: u64 = weights.iter().sum();
    let mut before = 0;
    for weight in weights {
        numbers.push(tail + share(plan.payments - tail, before, all));
        before += weight;
    }
    numbers.push(plan.payments);
    numbers
}

/// Growth by half over the span, the week's rhythm, pay day, and the year's two great sales.
fn day_weight(plan: &Plan, day: u32) -> u64 {
    let date = plan.start + TimeDelta::days(day.into());
    let growth = 1_000 + 500 * u64::from(day) / u64::from(plan.days);
    let week = WEEK[date.weekday().num_days_from_monday() as usize];
    let special = match (date.month(), date.day()) {
        (11, 11) => 190,
        (12, 20..=24) | (5, 5..=8) => 125,
        (_, 25) => 112,
        (1, 1) => 70,
        _ => 100,
    };
    growth * week * special
}

fn hour_starts() -> [u64; 25] {
    let all: u64 = CLOCK.iter().sum();
    let mut starts = [PARTS; 25];
    let mut before = 0;
    for (start, weight) in starts.iter_mut().zip(CLOCK) {
        *start = PARTS * before / all;
        before += weight;
    }
    starts
}

fn share(whole: u64, part: u64, of: u64) -> u64 {
    (u128::from(whole) * u128::from(part) / u128::from(of)) as u64
}

fn midnight(zone: Tz, date: NaiveDate) -> i64 {
    let mut local = date.and_time(NaiveTime::MIN);
    // Where summer time skips midnight, the day begins at the first wall clock that exists.
    for _ in 0..48 {
        if let Some(instant) = zone.from_local_datetime(&local).earliest() {
            return instant.timestamp_millis();
        }
        local += TimeDelta::minutes(30);
    }
    local.and_utc().timestamp_millis()
}

fn date_text(date: NaiveDate) -> [u8; 10] {
    let text = date.format("%Y-%m-%d").to_string();
    text.as_bytes().try_into().unwrap_or(*b"9999-12-31")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_rise_with_numbers_and_stay_in_the_span() {
        let plan = Plan {
            payments: 20_000,
            days: 40,
            tail_days: 30,
            tail: crate::Rate::percent(5),
            ..Plan::default()
        };
        let calendar = Calendar::new(&plan);
        let mut before = korean_ms(calendar.first_day, 0);
        for number in 0..plan.payments {
            for chance in [0, u32::MAX] {
                let at = calendar.arrival_ms(number, chance);
                assert!(at >= before && at < calendar.end_ms(), "payment {number}");
                before = at;
            }
        }
        let tail = (0..plan.payments)
            .filter(|n| korean_day(calendar.arrival_ms(*n, 0)) < plan.start.to_epoch_days())
            .count();
        assert_eq!(tail, 1_000);
    }

    #[test]
    fn zone_days_agree_with_chrono() {
        for zone in [
            chrono_tz::Asia::Seoul,
            chrono_tz::America::New_York,
            chrono_tz::America::Santiago,
        ] {
            let plan = Plan {
                zone,
                days: 500,
                ..Plan::default()
            };
            let calendar = Calendar::new(&plan);
            let mut at = korean_ms(calendar.first_day, 0);
            while at < calendar.end_ms() {
                let expected = zone.timestamp_millis_opt(at).unwrap().date_naive().to_epoch_days();
                assert_eq!(calendar.zone_day(at), expected, "{zone} {at}");
                at += 47 * MINUTE;
            }
        }
    }

    #[test]
    fn payouts_avoid_weekends() {
        let saturday = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().to_epoch_days();
        assert_eq!(
            [-1, 0, 1, 2].map(|step| banking_day(saturday + step) - saturday),
            [-1, 2, 2, 2]
        );
    }
}
