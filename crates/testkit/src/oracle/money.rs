//! Money as the contract writes it: decimal strings in major units, counted in minor units.

use rust_decimal::Decimal;
use std::cmp::Ordering;

/// ISO 4217 codes in use that have a minor unit, by their number of fraction digits.
const DIGITS_0: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const DIGITS_2: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF \
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF \
    IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR \
    MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC \
    SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VES VED WST XCD XCG YER ZAR ZMW ZWG";
const DIGITS_3: &str = "BHD IQD JOD KWD LYD OMR TND";
const DIGITS_4: &str = "CLF UYW";

/// The fraction digits of a currency; `None` for a code that is unknown or has no minor unit.
pub(crate) fn digits_of(currency: &str) -> Option<u32> {
    [(0, DIGITS_0), (2, DIGITS_2), (3, DIGITS_3), (4, DIGITS_4)]
        .into_iter()
        .find(|(_, codes)| codes.split_whitespace().any(|code| code == currency))
        .map(|(digits, _)| digits)
}

/// Reads `-?(0|[1-9][0-9]*)(\.[0-9]+)?` as minor units of `currency`; `None` when any rule of money is broken.
pub(crate) fn minor_units(text: &str, currency: &str) -> Option<i64> {
    let digits = digits_of(currency)? as usize;
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (unsigned, ""),
    };
    let only_digits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !only_digits || whole.is_empty() || leading_zero || fraction.len() > digits {
        return None;
    }
    // Longer than any i64; also keeps the i128 below from overflowing.
    if whole.len() > 19 {
        return None;
    }
    let minor: i128 = format!("{whole}{fraction:0<digits$}").parse().ok()?;
    i64::try_from(if negative { -minor } else { minor }).ok()
}

/// Writes minor units with exactly the currency's digits.
pub(crate) fn major_units(minor: i128, currency: &str) -> String {
    let digits = digits_of(currency).unwrap_or(0) as usize;
    let sign = if minor < 0 { "-" } else { "" };
    let all = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = all.split_at(all.len() - digits);
    if digits == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

/// Compares an amount in minor units with a number in major units.
pub(crate) fn compare(minor: i128, currency: &str, major: &Decimal) -> Ordering {
    let digits = digits_of(currency).unwrap_or(0);
    // Both sides are brought to the finer of the two scales; 10^28 times an i128 of money may not fit, then the sign
    // and size decide: money here is a sum of few i64, far below 10^25, and a Decimal holds at most 29 digits.
    let scale = major.scale().max(digits);
    let left = minor.checked_mul(10_i128.pow(scale - digits));
    let right = major.mantissa().checked_mul(10_i128.pow(scale - major.scale()));
    match (left, right) {
        (Some(l), Some(r)) => l.cmp(&r),
        (None, _) => minor.cmp(&0),
        (_, None) => 0.cmp(&major.mantissa()),
    }
}
