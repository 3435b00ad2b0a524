//! Times, dates and business days.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// The time zone of each merchant.
#[derive(Debug, Clone)]
pub struct Zones {
    /// For every merchant not named below.
    pub default: Tz,
    /// By `merchant_id`.
    pub merchants: BTreeMap<String, Tz>,
}

impl Zones {
    /// The zone of one merchant.
    pub fn of(&self, merchant: &str) -> Tz {
        self.merchants.get(merchant).copied().unwrap_or(self.default)
    }
}

impl Default for Zones {
    fn default() -> Self {
        Self {
            default: chrono_tz::Asia::Seoul,
            merchants: BTreeMap::new(),
        }
    }
}

fn number(text: &str, length: usize) -> Option<u32> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `YYYY-MM-DD`, nothing else.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let (year, month_day) = text.split_once('-')?;
    let (month, day) = month_day.split_once('-')?;
    NaiveDate::from_ymd_opt(number(year, 4)? as i32, number(month, 2)?, number(day, 2)?)
}

/// RFC 3339 with an offset; digits past microseconds are cut. A leap second and an instant whose UTC year has not
/// four digits are refused.
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    if !text.is_ascii() || text.len() < 20 {
        return None;
    }
    let day = date(&text[..10])?;
    if !matches!(&text[10..11], "T" | "t") {
        return None;
    }
    let clock = &text[11..19];
    if &clock[2..3] != ":" || &clock[5..6] != ":" {
        return None;
    }
    let (hour, minute, second) = (
        number(&clock[..2], 2)?,
        number(&clock[3..5], 2)?,
        number(&clock[6..], 2)?,
    );
    let (micros, zone) = fraction(&text[19..])?;
    let local = NaiveDateTime::new(day, NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?);
    let utc = (local - Duration::minutes(offset_minutes(zone)?)).and_utc();
    let year = utc.format("%Y").to_string();
    (year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit())).then_some(utc)
}

/// `.123456789+09:00` is 123456 microseconds and the offset.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(after) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let count = after.bytes().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let six: String = after[..count].chars().chain("000000".chars()).take(6).collect();
    Some((number(&six, 6)?, &after[count..]))
}

fn offset_minutes(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then(|| sign * i64::from(hours * 60 + minutes))
}

/// UTC with exactly six fraction digits.
pub(crate) fn print(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The calendar day of an instant in a zone.
pub(crate) fn day_in(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The first instant of a day in a zone; where the zone skips midnight, or the whole day, the first instant after it.
pub(crate) fn first_instant(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    match zone.from_local_datetime(&midnight) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.with_timezone(&Utc),
        LocalResult::None => {
            let mut at = midnight.and_utc() - Duration::hours(30);
            while day_in(at, zone) < day {
                at += Duration::seconds(1);
            }
            at
        }
    }
}
