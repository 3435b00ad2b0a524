//! Money: exact minor units of one ISO 4217 currency.
//!
//! A message prints an amount as a decimal string in major units (`"10.50"`). Inside, an amount is an `i64` count of
//! the currency's smallest unit (1050), sums are `i128`, and nothing ever passes through a binary fraction. The number
//! of fraction digits comes from the ISO table alone, so an amount means the same to everyone who reads it.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// An ISO 4217 currency that has a minor unit. Gold, test codes and "no currency" are none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The currency of an upper-case three-letter code.
    pub fn parse(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
    }

    /// Every currency there is, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes = letters().flat_map(move |a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
        codes.filter_map(|code| Self::parse(&String::from_iter(code)))
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many fraction digits an amount has: KRW 0, USD 2, BHD 3.
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <&str>::deserialize(deserializer)?;
        Currency::parse(code).ok_or_else(|| D::Error::custom("no currency with a minor unit"))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a text is no amount of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    #[error("is not a decimal number in major units such as 15000, 10.50 or -29100")]
    Shape,
    #[error("has more fraction digits than the currency, which has {digits}")]
    TooManyDigits { digits: u32 },
    #[error("does not fit into 64-bit minor units")]
    OutOfRange,
}

/// Reads `-?(0|[1-9][0-9]*)(\.[0-9]+)?` as minor units. `10`, `10.5` and `10.50` are one USD amount; `-0` is 0.
pub fn parse_minor(text: &str, currency: Currency) -> Result<i64, MoneyError> {
    let digits = currency.digits();
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) || !fraction.is_none_or(all_digits) {
        return Err(MoneyError::Shape);
    }
    let fraction = fraction.unwrap_or("");
    if fraction.len() > digits as usize {
        return Err(MoneyError::TooManyDigits { digits });
    }
    let padding = std::iter::repeat_n(b'0', digits as usize - fraction.len());
    let mut minor: i64 = 0;
    // Counting down from zero reaches i64::MIN, which has no positive counterpart.
    for byte in whole.bytes().chain(fraction.bytes()).chain(padding) {
        minor = minor
            .checked_mul(10)
            .and_then(|shifted| shifted.checked_sub(i64::from(byte - b'0')))
            .ok_or(MoneyError::OutOfRange)?;
    }
    if negative {
        Ok(minor)
    } else {
        minor.checked_neg().ok_or(MoneyError::OutOfRange)
    }
}

/// Prints minor units in major units with exactly the currency's fraction digits.
pub fn format_minor(minor: i128, currency: Currency) -> String {
    let digits = currency.digits() as usize;
    let sign = if minor < 0 { "-" } else { "" };
    let padded = format!("{:0width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = padded.split_at(padded.len() - digits);
    if digits == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

/// Compares an amount with a number in major units, exactly: 1050 minor units of USD equal 10.5.
pub fn cmp_major(minor: i128, currency: Currency, major: &Decimal) -> Ordering {
    let (digits, scale) = (currency.digits(), major.scale());
    let mantissa = major.mantissa();
    if scale <= digits {
        // At most 96 bits times 10^4: cannot overflow.
        return minor.cmp(&(mantissa * 10_i128.pow(digits - scale)));
    }
    match minor.checked_mul(10_i128.pow(scale - digits)) {
        Some(scaled) => scaled.cmp(&mantissa),
        // Beyond 127 bits it is beyond every 96-bit mantissa, so its sign alone decides.
        None => minor.cmp(&0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap_or_else(|| panic!("{code} is in the ISO table"))
    }

    fn check(text: &str, code: &str, expect: Result<i64, MoneyError>) {
        assert_eq!(parse_minor(text, currency(code)), expect, "{text} {code}");
    }

    #[test]
    fn the_iso_table_decides_the_digits() {
        for (code, digits) in [
            ("KRW", 0),
            ("JPY", 0),
            ("USD", 2),
            ("EUR", 2),
            ("BHD", 3),
            ("CLF", 4),
            ("VND", 0),
        ] {
            assert_eq!(currency(code).digits(), digits, "{code}");
            assert_eq!(currency(code).code(), code);
        }
        for code in ["XXX", "XAU", "XTS", "krw", "KR", "KRWX", "", "ABC", "원"] {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
    }

    #[test]
    fn amounts_are_read_exactly() {
        check("15000", "KRW", Ok(15000));
        check("10", "USD", Ok(1000));
        check("10.5", "USD", Ok(1050));
        check("10.50", "USD", Ok(1050));
        check("-29100", "KRW", Ok(-29100));
        check("-0", "KRW", Ok(0));
        check("-0.00", "USD", Ok(0));
        check("0.001", "BHD", Ok(1));
        check("9223372036854775807", "KRW", Ok(i64::MAX));
        check("-9223372036854775808", "KRW", Ok(i64::MIN));
        check("-92233720368547758.08", "USD", Ok(i64::MIN));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "", "-", "+5", "007", "00", "-01", ".5", "1.", "1e3", " 1", "1 ", "1,000", "0x1", "--1", "1.2.3", "١",
            "-.5", "1.-5",
        ] {
            check(text, "USD", Err(MoneyError::Shape));
        }
        check("10.0", "KRW", Err(MoneyError::TooManyDigits { digits: 0 }));
        check("10.500", "USD", Err(MoneyError::TooManyDigits { digits: 2 }));
        check("9223372036854775808", "KRW", Err(MoneyError::OutOfRange));
        check("-9223372036854775809", "KRW", Err(MoneyError::OutOfRange));
        check("92233720368547758.08", "USD", Err(MoneyError::OutOfRange));
        check(&"9".repeat(1000), "KRW", Err(MoneyError::OutOfRange));
    }

    #[test]
    fn printing_uses_exactly_the_digits_of_the_currency() {
        for (minor, code, text) in [
            (15000, "KRW", "15000"),
            (1050, "USD", "10.50"),
            (-5, "USD", "-0.05"),
            (0, "BHD", "0.000"),
            (-29100, "KRW", "-29100"),
            (i128::MIN, "KRW", "-170141183460469231731687303715884105728"),
            (i128::MIN, "USD", "-1701411834604692317316873037158841057.28"),
        ] {
            assert_eq!(format_minor(minor, currency(code)), text);
        }
    }

    #[test]
    fn comparison_with_major_units_is_exact_at_every_scale() {
        let compare = |minor, code, text: &str| {
            let major = Decimal::from_str_exact(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            cmp_major(minor, currency(code), &major)
        };
        assert_eq!(compare(1050, "USD", "10.5"), Ordering::Equal);
        assert_eq!(compare(1050, "USD", "10.500000"), Ordering::Equal);
        assert_eq!(compare(1050, "USD", "10.500001"), Ordering::Less);
        assert_eq!(compare(10, "KRW", "9.999999999999999999999999999"), Ordering::Greater);
        assert_eq!(
            compare(i128::MAX, "KRW", "7.0000000000000000000000000001"),
            Ordering::Greater
        );
        assert_eq!(
            compare(i128::MIN, "CLF", "-7.0000000000000000000000000001"),
            Ordering::Less
        );
        assert_eq!(
            compare(i128::MIN, "CLF", "-79228162514264337593543950335"),
            Ordering::Less
        );
    }
}
