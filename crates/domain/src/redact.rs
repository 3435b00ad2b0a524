//! Card numbers leave every string before anything is kept.
//!
//! A card number is a maximal run of 13 to 19 ASCII digits, with at most one space or hyphen between two of them, that
//! begins with 2 to 6 or 9 and passes the Luhn check. Every digit but the last four becomes `*`. Four kinds of string
//! are spared, because a number in them is something else, and answers would be wrong without it:
//!
//! * identifiers: members named `*_id`, `*_key`, `*_no` or `account_number`, at any depth;
//! * money: the amounts of the contract (`amount`, the members of `amount`, `vat`, `payout_amount`, the `amount` of a fee or
//!   cost), as long as they hold a decimal number and nothing else;
//! * times: a string that is an RFC 3339 time as a whole;
//! * URLs: a string that is one as a whole, that is a scheme, `://` and no white space; but for `http` and `https` only in
//!   members named `url` or `*_url`.
//!
//! The strings of an array count as those of the member that holds the array.

use std::borrow::Cow;

use crate::json::{self, Json, Object};
use crate::time::parse_time;

mod raw;

const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;
const DIGITS_KEPT: usize = 4;

/// The text without its card numbers, if it had one.
pub fn redact_text(text: &str) -> Option<String> {
    if !may_hold_card(text.as_bytes()) {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    // Digits became asterisks and nothing else changed, so the bytes are still UTF-8.
    if mask(&mut bytes) {
        String::from_utf8(bytes).ok()
    } else {
        None
    }
}

/// The bytes of a refused message without card numbers: by each JSON string, names included, where the bytes are JSON, else as
/// one text. What is spared in `data` is spared here. Redact before cutting a message short: half a number cannot be told from
/// any other digits.
pub fn redact_raw(bytes: &[u8]) -> Vec<u8> {
    let form = match (json::is_json(bytes), bytes.trim_ascii_start().first()) {
        (true, Some(b'{' | b'[')) => Form::Json,
        // A string; or a number alone, which is a text of digits.
        (true, _) => Form::Beginning,
        (false, _) => Form::Text,
    };
    redact_as(bytes, form)
}

/// The same of the beginning of a message, which may be one of JSON if it begins as an object does: nobody knows how it ends, so
/// what lies outside strings is no less suspect than they are.
pub fn redact_beginning(bytes: &[u8]) -> Vec<u8> {
    let form = match bytes.trim_ascii_start().first() {
        Some(b'{') => Form::Beginning,
        _ => Form::Text,
    };
    redact_as(bytes, form)
}

/// The same of what is one text whatever it looks like.
pub fn redact_plain(bytes: &[u8]) -> Vec<u8> {
    redact_as(bytes, Form::Text)
}

/// How the bytes of a message are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// By each string; numbers are no card numbers.
    Json,
    /// By each string, and what lies between two of them as a text.
    Beginning,
    Text,
}

fn redact_as(bytes: &[u8], form: Form) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if !may_hold_card(&bytes) && !raw::may_hold_escaped_digits(&bytes) {
        return bytes;
    }
    match form {
        Form::Json | Form::Beginning => raw::redact_strings(&mut bytes, form == Form::Beginning),
        Form::Text => {
            mask(&mut bytes);
        }
    }
    bytes
}

/// Takes the card numbers out of `data`; says whether there was one.
pub(crate) fn redact_data(data: &mut Object<'_>) -> bool {
    redact_members(data, &mut Vec::new())
}

/// `names` lead from `data` to the object.
fn redact_members(object: &mut Object<'_>, names: &mut Vec<String>) -> bool {
    let mut found = false;
    for (name, value) in object.members_mut() {
        found |= match value {
            // Only a string that holds a number pays for its path.
            Json::String(text) => match redact_text(text) {
                Some(redacted) if !with_name(names, name, |names| is_spared(names, text)) => {
                    *text = Cow::Owned(redacted);
                    true
                }
                _ => false,
            },
            Json::Array(_) | Json::Object(_) => with_name(names, name, |names| redact_inside(value, names)),
            Json::Null | Json::Bool(_) | Json::Number(_) => false,
        };
    }
    found
}

fn redact_inside(value: &mut Json<'_>, names: &mut Vec<String>) -> bool {
    match value {
        Json::Object(object) => redact_members(object, names),
        Json::Array(items) => {
            let mut found = false;
            for item in items {
                found |= redact_inside(item, names);
            }
            found
        }
        Json::String(text) => match redact_text(text) {
            Some(redacted) if !is_spared(names, text) => {
                *text = Cow::Owned(redacted);
                true
            }
            _ => false,
        },
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

fn with_name<T>(names: &mut Vec<String>, name: &str, act: impl FnOnce(&mut Vec<String>) -> T) -> T {
    names.push(name.to_owned());
    let result = act(names);
    names.pop();
    result
}

/// Whether a string at the end of a path of names, counted from `data`, is left as it is.
fn is_spared(names: &[String], text: &str) -> bool {
    let name = names.last().map_or("", String::as_str);
    is_identifier(name) || (is_amount(names) && is_decimal(text)) || parse_time(text).is_some() || is_url(name, text)
}

fn is_identifier(name: &str) -> bool {
    name == "account_number" || ["_id", "_key", "_no"].iter().any(|suffix| name.ends_with(suffix))
}

/// The places of the contract that hold money, whatever the kind of entry.
fn is_amount(names: &[String]) -> bool {
    let mut path = names.iter().map(String::as_str);
    matches!(
        (path.next(), path.next(), path.next()),
        (Some("amount" | "vat" | "payout_amount"), None, None)
            | (
                Some("amount"),
                Some("total" | "supplied" | "vat" | "tax_free" | "discount"),
                None
            )
            | (Some("fees" | "costs"), Some("amount"), None)
    )
}

fn is_decimal(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
        && text.rfind('-').is_none_or(|at| at == 0)
}

/// Of the web anywhere, of any scheme where the name says so: `pan://4111...` in a text is no address.
fn is_url(name: &str, text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        let is_of_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        (is_of_web || (is_scheme && (name == "url" || name.ends_with("_url"))))
            && !rest.is_empty()
            && !rest.contains(char::is_whitespace)
    })
}

/// A cheap test that most strings fail.
fn may_hold_card(bytes: &[u8]) -> bool {
    bytes.len() >= DIGITS_MIN && bytes.iter().filter(|byte| byte.is_ascii_digit()).count() >= DIGITS_MIN
}

/// Masks every card number in a text; says whether there was one.
fn mask(bytes: &mut [u8]) -> bool {
    let mut found = false;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = run_end(bytes, at);
        found |= mask_run(&mut bytes[at..end]);
        at = end;
    }
    found
}

/// One past the last digit of the run that begins at `start`.
fn run_end(bytes: &[u8], start: usize) -> usize {
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = start;
    loop {
        if is_digit(end) {
            end += 1;
        } else if matches!(bytes.get(end), Some(b' ' | b'-')) && is_digit(end + 1) {
            end += 2;
        } else {
            return end;
        }
    }
}

fn mask_run(run: &mut [u8]) -> bool {
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    if !(DIGITS_MIN..=DIGITS_MAX).contains(&digits) || !matches!(run[0], b'2'..=b'6' | b'9') || !passes_luhn(run) {
        return false;
    }
    run.iter_mut()
        .filter(|byte| byte.is_ascii_digit())
        .take(digits - DIGITS_KEPT)
        .for_each(|byte| *byte = b'*');
    true
}

fn passes_luhn(run: &[u8]) -> bool {
    let digits = run
        .iter()
        .rev()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled @ 0..=9) => doubled,
            (_, doubled) => doubled - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests;
