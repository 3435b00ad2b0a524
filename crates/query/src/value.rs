//! Written values become typed ones. Both the search language and the parameters come here, so `amount:>=10` and
//! `amount[gte]=10` cannot drift apart.

use std::ops::Bound;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::ast::Comparison;
use crate::catalogue::{Target, Vocabulary};
use crate::error::code;
use crate::filter::{Filter, KeywordField};
use crate::interval::Interval;
use crate::limits::WORD_CHARS_MIN;
use crate::nearest::nearest;
use crate::normalize::{fold, ident};

/// Why a value cannot be used; the caller knows where it stood.
#[derive(Debug)]
pub(crate) struct ValueError {
    pub(crate) code: &'static str,
    pub(crate) expected: String,
    pub(crate) detail: String,
    pub(crate) suggestion: Option<String>,
}

impl ValueError {
    fn bad(expected: &str, detail: String) -> ValueError {
        ValueError {
            code: code::BAD_VALUE,
            expected: expected.to_owned(),
            detail,
            suggestion: None,
        }
    }

    fn suggesting(mut self, suggestion: Option<String>) -> ValueError {
        self.suggestion = suggestion;
        self
    }
}

/// The condition "the field has this value" (of a text: contains it).
pub(crate) fn equals(target: Target, key: Option<&str>, written: &str) -> Result<Filter, ValueError> {
    match target {
        Target::Ident(field) => {
            let value = ident(written);
            if value.is_empty() {
                return Err(ValueError::bad(
                    "an identifier",
                    format!("{} holds no character of an identifier", shown(written)),
                ));
            }
            Ok(Filter::Ident {
                field,
                value,
                prefix: false,
            })
        }
        Target::Text(field) => Ok(Filter::Text {
            field,
            needle: needle(written)?,
        }),
        Target::Keyword(field, vocabulary) => keyword(field, vocabulary, written),
        Target::Metadata => {
            let value = fold(written);
            if value.is_empty() {
                return Err(ValueError::bad("a value", "the metadata value is empty".to_owned()));
            }
            Ok(Filter::Metadata {
                key: key.unwrap_or_default().to_owned(),
                value,
            })
        }
        Target::Amount(field) => Ok(Filter::Amount {
            field,
            interval: Interval::exactly(amount(written)?),
        }),
        Target::Day(field) => Ok(Filter::Day {
            field,
            interval: Interval::exactly(day(written)?),
        }),
        Target::Time(field) => Ok(Filter::Time {
            field,
            interval: Interval::exactly(time(written)?),
        }),
    }
}

/// The condition "the field's value lies between these ends", of a target with an order.
pub(crate) fn between(target: Target, lower: Bound<&str>, upper: Bound<&str>) -> Result<Filter, (End, ValueError)> {
    match target {
        Target::Amount(field) => Ok(Filter::Amount {
            field,
            interval: ends(lower, upper, amount)?,
        }),
        Target::Day(field) => Ok(Filter::Day {
            field,
            interval: ends(lower, upper, day)?,
        }),
        Target::Time(field) => Ok(Filter::Time {
            field,
            interval: ends(lower, upper, time)?,
        }),
        Target::Ident(_) | Target::Text(_) | Target::Keyword(..) | Target::Metadata => Err((End::Lower, no_order())),
    }
}

/// The condition "the field's value compares so with this one".
pub(crate) fn compares(target: Target, comparison: Comparison, written: &str) -> Result<Filter, ValueError> {
    let (lower, upper) = match comparison {
        Comparison::Greater => (Bound::Excluded(written), Bound::Unbounded),
        Comparison::GreaterOrEqual => (Bound::Included(written), Bound::Unbounded),
        Comparison::Less => (Bound::Unbounded, Bound::Excluded(written)),
        Comparison::LessOrEqual => (Bound::Unbounded, Bound::Included(written)),
    };
    between(target, lower, upper).map_err(|(_, error)| error)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Lower,
    Upper,
}

pub(crate) fn no_order() -> ValueError {
    ValueError {
        code: code::OPERATOR_NOT_ALLOWED,
        expected: "a value without a comparison or range".to_owned(),
        detail: "only amounts, days and times can be compared".to_owned(),
        suggestion: None,
    }
}

fn ends<T: Ord + Clone>(
    lower: Bound<&str>,
    upper: Bound<&str>,
    read: fn(&str) -> Result<T, ValueError>,
) -> Result<Interval<T>, (End, ValueError)> {
    let one = |end: End, bound: Bound<&str>| match bound {
        Bound::Included(written) => read(written).map(Bound::Included).map_err(|error| (end, error)),
        Bound::Excluded(written) => read(written).map(Bound::Excluded).map_err(|error| (end, error)),
        Bound::Unbounded => Ok(Bound::Unbounded),
    };
    Ok(Interval {
        lower: one(End::Lower, lower)?,
        upper: one(End::Upper, upper)?,
    })
}

fn needle(written: &str) -> Result<String, ValueError> {
    let needle = fold(written);
    if needle.chars().count() < WORD_CHARS_MIN {
        return Err(ValueError {
            code: code::WORD_TOO_SHORT,
            expected: format!("{WORD_CHARS_MIN} or more characters"),
            detail: format!("a text is searched by {WORD_CHARS_MIN} or more of its characters"),
            suggestion: None,
        });
    }
    Ok(needle)
}

fn keyword(field: KeywordField, vocabulary: Vocabulary, written: &str) -> Result<Filter, ValueError> {
    // White space is a value: merchants and methods are opaque, and a report that names one leads to its rows.
    if written.is_empty() {
        return Err(ValueError::bad("a value", "the value is empty".to_owned()));
    }
    let value = match vocabulary {
        Vocabulary::Open | Vocabulary::Usual(_) => written.to_owned(),
        Vocabulary::Closed(values) if values.contains(&written) => written.to_owned(),
        Vocabulary::Closed(values) => {
            return Err(ValueError {
                code: code::UNKNOWN_VALUE,
                expected: format!("one of {}", values.join(", ")),
                detail: format!("there is no value {}", shown(written)),
                suggestion: nearest(written, values.iter().copied()).map(str::to_owned),
            });
        }
        Vocabulary::Currency => currency(written)?,
        Vocabulary::FourDigits => last4(written)?,
    };
    Ok(Filter::Keyword { field, value })
}

/// Currencies to suggest from; every ISO 4217 code is accepted.
const COMMON_CURRENCIES: [&str; 12] = [
    "KRW", "USD", "JPY", "EUR", "CNY", "GBP", "HKD", "TWD", "SGD", "THB", "VND", "BHD",
];

fn currency(written: &str) -> Result<String, ValueError> {
    if iso_currency::Currency::from_code(written).is_some() {
        return Ok(written.to_owned());
    }
    let upper: String = written.chars().take(8).collect::<String>().to_uppercase();
    let suggestion = match iso_currency::Currency::from_code(&upper) {
        Some(_) => Some(upper),
        None => nearest(&upper, COMMON_CURRENCIES).map(str::to_owned),
    };
    Err(ValueError {
        code: code::UNKNOWN_VALUE,
        expected: "an ISO 4217 code in upper case, such as KRW".to_owned(),
        detail: format!("there is no currency {}", shown(written)),
        suggestion,
    })
}

/// The last four digits of a card, in ASCII whatever the keyboard.
pub(crate) fn four_digits(written: &str) -> Option<String> {
    let folded = fold(written);
    (folded.len() == 4 && folded.bytes().all(|b| b.is_ascii_digit())).then_some(folded)
}

fn last4(written: &str) -> Result<String, ValueError> {
    four_digits(written).ok_or_else(|| {
        ValueError::bad(
            "four digits",
            format!("{} is not the last four digits of a card", shown(written)),
        )
    })
}

/// Amounts are written as in messages: no sign but `-`, no leading zero, digits on both sides of the point.
fn amount(written: &str) -> Result<Decimal, ValueError> {
    const EXPECTED: &str = "an amount such as 15000, 10.50 or -29100";
    let (whole, fraction) = written.split_once('.').unwrap_or((written, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(digits) || !plain(fraction) || (digits.len() > 1 && digits.starts_with('0')) {
        let error = ValueError::bad(EXPECTED, format!("{} is not an amount", shown(written)));
        return Err(error.suggesting(amount_meant(written)));
    }
    // Zeros at the end say nothing and would use up the digits a decimal can hold.
    let fraction = fraction.trim_end_matches('0');
    let canonical = if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    };
    Decimal::from_str_exact(&canonical).map_err(|_| {
        ValueError::bad(
            "an amount of at most 28 digits",
            format!("{} has more digits than any amount", shown(written)),
        )
    })
}

/// `15,000`, `+5` and `007` are understood well enough to say how they are written here.
fn amount_meant(written: &str) -> Option<String> {
    if written.len() > 40 {
        return None;
    }
    let plain: String = written
        .trim()
        .trim_start_matches('+')
        .chars()
        .filter(|c| *c != ',' && *c != '_')
        .collect();
    let (sign, digits) = plain
        .strip_prefix('-')
        .map_or(("", plain.as_str()), |digits| ("-", digits));
    let trimmed = digits.trim_start_matches('0');
    let digits = if trimmed.is_empty() || trimmed.starts_with('.') {
        format!("0{trimmed}")
    } else {
        trimmed.to_owned()
    };
    let meant = format!("{sign}{}", digits.trim_end_matches('.'));
    (plain.bytes().any(|b| b.is_ascii_digit()) && meant != written && amount(&meant).is_ok()).then_some(meant)
}

fn day(written: &str) -> Result<NaiveDate, ValueError> {
    calendar_day(written).ok_or_else(|| {
        let start = written
            .get(..10)
            .and_then(|start| calendar_day(start).map(|_| start.to_owned()));
        ValueError::bad("a date such as 2026-11-01", format!("{} is not a date", shown(written))).suggesting(start)
    })
}

fn calendar_day(written: &str) -> Option<NaiveDate> {
    let bytes = written.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| {
            if i == 4 || i == 7 {
                *b == b'-'
            } else {
                b.is_ascii_digit()
            }
        });
    if !shaped {
        return None;
    }
    NaiveDate::from_ymd_opt(
        written[..4].parse().ok()?,
        written[5..7].parse().ok()?,
        written[8..].parse().ok()?,
    )
}

/// A time is an instant, so it needs its offset; a bare date would be a different instant for every reader. Digits past
/// microseconds are cut as they are in messages, and the second 60 becomes the next second, so that every store can
/// represent what it is asked for.
fn time(written: &str) -> Result<DateTime<Utc>, ValueError> {
    if let Some(instant) = instant(written) {
        return Ok(instant);
    }
    let (detail, suggestion) = if calendar_day(written).is_some() {
        (
            format!("{written} is a date, and a time is needed"),
            Some(format!("{written}T00:00:00Z")),
        )
    } else if let Some(repaired) = with_plus(written) {
        (
            "the + of the offset arrived as a space: in a URL it is written %2B".to_owned(),
            Some(repaired),
        )
    } else if instant(&format!("{written}Z")).is_some() {
        (
            format!("{written} has no offset from UTC (in a URL, + is written %2B)"),
            Some(format!("{written}Z")),
        )
    } else {
        (format!("{} is not a time", shown(written)), None)
    };
    Err(ValueError::bad(
        "an RFC 3339 time with offset, such as 2026-11-01T00:00:00+09:00",
        detail,
    )
    .suggesting(suggestion))
}

fn instant(written: &str) -> Option<DateTime<Utc>> {
    // chrono takes a space for the T; the contract does not.
    if !written.is_ascii() || !matches!(written.as_bytes().get(10), Some(b'T' | b't')) {
        return None;
    }
    let time = DateTime::parse_from_rfc3339(written).ok()?;
    DateTime::from_timestamp_micros(time.timestamp_micros())
}

/// The time that was sent, if a space stands where its offset begins.
fn with_plus(written: &str) -> Option<String> {
    let (time, offset) = written.rsplit_once(' ')?;
    let repaired = format!("{time}+{offset}");
    instant(&repaired).map(|_| repaired)
}

/// A written value in a message, cut where it would flood it.
pub(crate) fn shown(written: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut chars = written.chars();
    let start: String = chars.by_ref().take(CHARS_MAX).collect();
    if chars.next().is_some() {
        format!("`{start}…`")
    } else {
        format!("`{start}`")
    }
}
