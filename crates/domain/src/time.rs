//! Instants, dates and business days.
//!
//! Messages carry RFC 3339 times with an offset; inside, an instant is UTC with microseconds. A business day is a
//! calendar day in the time zone of a merchant. All days and instants lie in the years 0000 to 9999, because no other
//! year can be printed as RFC 3339.

use std::collections::BTreeMap;

use chrono::{
    DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;

/// The time zone of each merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zones {
    pub default: Tz,
    pub merchants: BTreeMap<String, Tz>,
}

impl Default for Zones {
    fn default() -> Self {
        Self {
            default: Tz::Asia__Seoul,
            merchants: BTreeMap::new(),
        }
    }
}

impl Zones {
    /// The zone of `merchant`: its own where one is set, else the default.
    pub fn of(&self, merchant: &str) -> Tz {
        self.merchants.get(merchant).copied().unwrap_or(self.default)
    }
}

/// Reads an RFC 3339 time (section 5.6 of the RFC, to the letter: `T` between date and time, offset present). Digits
/// past microseconds are cut. A leap second, which only the last minute of a UTC day can have, is the instant after it.
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let bytes = text.as_bytes();
    // An offset starts at the 20th byte at the earliest, so a shorter text can be no time.
    if bytes.len() < 20 || !matches!(bytes[10], b'T' | b't') || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let date = date_of(bytes.first_chunk()?)?;
    let second = two(bytes, 17)?;
    let time = NaiveTime::from_hms_opt(two(bytes, 11)?, two(bytes, 14)?, second.min(59))?;
    let (micros, zone) = fraction(&bytes[19..])?;
    let instant = NaiveDateTime::new(date, time)
        .checked_sub_signed(TimeDelta::minutes(offset_minutes(zone)?))?
        .checked_add_signed(TimeDelta::microseconds(micros))?
        .and_utc();
    let instant = match second {
        0..=59 => instant,
        60 if instant.hour() == 23 && instant.minute() == 59 => instant.checked_add_signed(TimeDelta::seconds(1))?,
        _ => return None,
    };
    (0..=9999).contains(&instant.year()).then_some(instant)
}

/// Reads `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    date_of(text.as_bytes().try_into().ok()?)
}

/// Prints an instant as RFC 3339 UTC with six fraction digits.
pub fn format_time(instant: DateTime<Utc>) -> String {
    let (date, time) = (instant.date_naive(), instant.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        date.year(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.nanosecond() % 1_000_000_000 / 1000
    )
}

/// The calendar day of an instant in a time zone, kept within the years 0000 to 9999.
pub fn business_day(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
    // A day of slack at both ends keeps the local time representable whatever the offset.
    let slack = TimeDelta::days(2);
    let (first, last) = (day(0, 1, 1), day(9999, 12, 31));
    let instant = instant.clamp(midnight_utc(first) - slack, midnight_utc(last) + slack);
    instant.with_timezone(&zone).date_naive().clamp(first, last)
}

/// The first instant of a calendar day in a time zone. Where the clock jumps over midnight it is the first one after the jump;
/// where a whole day was skipped it is the first one after that day; where midnight comes twice it is the earlier.
pub fn first_instant(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let date = date.clamp(day(0, 1, 1), day(9999, 12, 31));
    match zone.from_local_datetime(&date.and_time(NaiveTime::MIN)) {
        LocalResult::Single(midnight) | LocalResult::Ambiguous(midnight, _) => midnight.to_utc(),
        LocalResult::None => after_the_jump(date, zone),
    }
}

/// Halves the two days around a jump until the first second is found whose local date is `date` or later.
fn after_the_jump(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = midnight_utc(date);
    // Offsets lie within a day of UTC, and no jump is longer than a day.
    let (mut before, mut after) = (midnight - TimeDelta::days(2), midnight + TimeDelta::days(3));
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if middle.with_timezone(&zone).date_naive() < date {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn midnight_utc(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}

fn date_of(bytes: &[u8; 10]) -> Option<NaiveDate> {
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = two(bytes, 0)? * 100 + two(bytes, 2)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, two(bytes, 5)?, two(bytes, 8)?)
}

/// Two ASCII digits at `at` as a number.
fn two(bytes: &[u8], at: usize) -> Option<u32> {
    let digit = |at: usize| {
        bytes
            .get(at)
            .filter(|byte| byte.is_ascii_digit())
            .map(|byte| u32::from(byte - b'0'))
    };
    Some(digit(at)? * 10 + digit(at + 1)?)
}

/// Splits an optional fraction of a second, in microseconds, from the offset that follows it.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = bytes.strip_prefix(b".") else {
        return Some((0, bytes));
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let (digits, zone) = digits.split_at(count);
    let micros = (0..6).fold(0, |micros, place| {
        micros * 10 + digits.get(place).map_or(0, |byte| i64::from(byte - b'0'))
    });
    Some((micros, zone))
}

/// `Z` or `+hh:mm` or `-hh:mm`, in minutes east of UTC.
fn offset_minutes(zone: &[u8]) -> Option<i64> {
    let sign = match zone {
        [b'Z' | b'z'] => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (two(zone, 1)?, two(zone, 4)?);
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(parse_time(text).map(format_time).as_deref(), expect, "{text}");
    }

    #[test]
    fn times_are_read_to_the_microsecond() {
        check("2026-03-01T10:00:00+09:00", Some("2026-03-01T01:00:00.000000Z"));
        check("2026-03-01t10:00:00.5z", Some("2026-03-01T10:00:00.500000Z"));
        check("2026-03-01T10:00:00.1234569Z", Some("2026-03-01T10:00:00.123456Z"));
        check("1969-12-31T23:59:59.9999999Z", Some("1969-12-31T23:59:59.999999Z"));
        check("2026-03-01T00:00:00-23:59", Some("2026-03-01T23:59:00.000000Z"));
        check("2024-02-29T00:00:00-00:00", Some("2024-02-29T00:00:00.000000Z"));
        check("2016-12-31T23:59:60Z", Some("2017-01-01T00:00:00.000000Z"));
        check("2017-01-01T08:59:60.25+09:00", Some("2017-01-01T00:00:00.250000Z"));
        check("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59.000000Z"));
        check("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00.000000Z"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-03-01",
            "2026-03-01T10:00:00",
            "2026-03-01 10:00:00+09:00",
            "2026-03-01T10:00+09:00",
            "2026-03-01T10:00:00+0900",
            "2026-03-01T10:00:00+09",
            "2026-03-01T10:00:00.+09:00",
            "2026-03-01T10:00:00,5Z",
            "2026-02-29T10:00:00Z",
            "2026-13-01T10:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T10:60:00Z",
            "2026-03-01T10:00:61Z",
            "2026-03-01T10:00:60Z",
            "2026-03-01T10:00:00+24:00",
            "2026-03-01T10:00:00\u{2212}09:00",
            "2026-03-01T10:00:00Z ",
            " 2026-03-01T10:00:00Z",
            "+026-03-01T10:00:00Z",
            "0000-01-01T00:00:00+09:00",
            "9999-12-31T23:59:59-00:01",
            "1772323200",
            "가나다라마바사아자차",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn dates_are_years_months_and_days() {
        assert_eq!(parse_date("2026-03-01"), Some(day(2026, 3, 1)));
        for text in [
            "2026-3-1",
            "20260301",
            "2026-02-30",
            "2026-03-01T",
            "",
            "2026/03/01",
            "26-03-01",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    fn instant(text: &str) -> DateTime<Utc> {
        parse_time(text).unwrap_or_else(|| panic!("{text} is a time"))
    }

    #[test]
    fn a_business_day_is_the_merchants_own() {
        let midnight = instant("2026-03-01T15:00:00Z");
        assert_eq!(business_day(midnight, Tz::Asia__Seoul), day(2026, 3, 2));
        assert_eq!(
            business_day(midnight - TimeDelta::microseconds(1), Tz::Asia__Seoul),
            day(2026, 3, 1)
        );
        assert_eq!(business_day(midnight, Tz::America__New_York), day(2026, 3, 1));
        assert_eq!(
            business_day(instant("9999-12-31T23:59:59Z"), Tz::Asia__Seoul),
            day(9999, 12, 31)
        );
        assert_eq!(
            business_day(instant("0000-01-01T00:00:00Z"), Tz::America__New_York),
            day(0, 1, 1)
        );
        for extreme in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            business_day(extreme, Tz::Pacific__Apia);
        }
    }

    #[test]
    fn a_day_begins_where_the_clock_says() {
        for (date, zone, expect) in [
            (day(2026, 3, 1), Tz::Asia__Seoul, "2026-02-28T15:00:00.000000Z"),
            // The clock went from 23:59:59 to 01:00.
            (day(2018, 11, 4), Tz::America__Sao_Paulo, "2018-11-04T03:00:00.000000Z"),
            // Midnight came twice.
            (day(2021, 11, 7), Tz::America__Havana, "2021-11-07T04:00:00.000000Z"),
            // Samoa skipped this day altogether.
            (day(2011, 12, 30), Tz::Pacific__Apia, "2011-12-30T10:00:00.000000Z"),
            (day(2011, 12, 31), Tz::Pacific__Apia, "2011-12-30T10:00:00.000000Z"),
        ] {
            assert_eq!(format_time(first_instant(date, zone)), expect, "{date} {zone}");
        }
        for extreme in [NaiveDate::MIN, NaiveDate::MAX] {
            first_instant(extreme, Tz::Asia__Seoul);
        }
    }

    #[test]
    fn zones_fall_back_to_the_default() {
        let mut zones = Zones::default();
        zones.merchants.insert("m_ny".to_owned(), Tz::America__New_York);
        assert_eq!(zones.of("m_ny"), Tz::America__New_York);
        assert_eq!(zones.of("m1"), Tz::Asia__Seoul);
    }
}
