//! Card numbers in the JSON text of a refused message.
//!
//! The text is changed in place, one asterisk for each digit, so that everything else in it stays as it came: a refused
//! message is looked at and applied again later. A digit may be written as an escape (`\u0034`), so each string is read
//! as a list of characters with the bytes that spell them.

use std::ops::Range;

use super::{is_spared, mask};

/// The value of an escape that stands for no ASCII character.
const OTHER: u8 = 0xFF;

/// Whether the text may spell digits as escapes; every ASCII digit is `\u003` and one more.
pub(super) fn may_hold_escaped_digits(bytes: &[u8]) -> bool {
    bytes.windows(5).any(|window| window == b"\\u003")
}

/// What is open around the place that is being read.
enum Open {
    Array,
    Object {
        /// The member whose value is being read; `None` while a name is expected.
        name: Option<String>,
    },
}

/// Redacts every string of a text that is JSON.
pub(super) fn redact_strings(bytes: &mut [u8]) {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => open.push(Open::Object { name: None }),
            b'[' => open.push(Open::Array),
            b'}' | b']' => {
                open.pop();
            }
            b',' => {
                if let Some(Open::Object { name }) = open.last_mut() {
                    *name = None;
                }
            }
            b'"' => {
                let spelled = string_at(bytes, at + 1);
                let end = spelled.last().map_or(at + 1, |(_, range)| range.end);
                redact_string(bytes, &spelled, &mut open);
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
}

fn redact_string(bytes: &mut [u8], spelled: &[(u8, Range<usize>)], open: &mut [Open]) {
    let mut text: Vec<u8> = spelled.iter().map(|(character, _)| *character).collect();
    let before = String::from_utf8_lossy(&text).into_owned();
    let is_name = matches!(open.last(), Some(Open::Object { name: None }));
    let spared = !is_name && is_spared(&path_in_data(open), &before);
    if !spared && mask(&mut text) {
        for ((old, range), new) in spelled.iter().zip(&text) {
            if old != new {
                put_asterisk(&mut bytes[range.clone()]);
            }
        }
    }
    if let Some(Open::Object { name: name @ None }) = open.last_mut() {
        *name = Some(before);
    }
}

/// The names that lead to the string, without the `data` of an event around it.
fn path_in_data(open: &[Open]) -> Vec<String> {
    let names = open.iter().filter_map(|level| match level {
        Open::Object { name } => name.clone(),
        Open::Array => None,
    });
    let path: Vec<String> = names.collect();
    match path.split_first() {
        Some((first, rest)) if first == "data" && !rest.is_empty() => rest.to_vec(),
        _ => path,
    }
}

/// Writes `*` where a digit was: as it is, or as an escape of the same length.
fn put_asterisk(place: &mut [u8]) {
    match place {
        [digit] => *digit = b'*',
        [.., high, low] => (*high, *low) = (b'2', b'a'),
        [] => {}
    }
}

/// The characters of the string that begins at `at`, up to its closing quote: ASCII ones by their value, the bytes of others as
/// they are, each with the bytes that spell it.
fn string_at(bytes: &[u8], mut at: usize) -> Vec<(u8, Range<usize>)> {
    let mut spelled = Vec::new();
    while let Some(&byte) = bytes.get(at).filter(|byte| **byte != b'"') {
        let (character, length) = match (byte, bytes.get(at + 1)) {
            (b'\\', Some(b'u')) => (escaped(bytes, at + 2), 6),
            (b'\\', Some(&next)) => (
                if matches!(next, b'/' | b'"' | b'\\') {
                    next
                } else {
                    b'\n'
                },
                2,
            ),
            _ => (byte, 1),
        };
        let end = (at + length).min(bytes.len());
        spelled.push((character, at..end));
        at = end;
    }
    spelled
}

/// The value of four hexadecimal digits where it is an ASCII character.
fn escaped(bytes: &[u8], at: usize) -> u8 {
    let digits = bytes
        .get(at..at + 4)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    value
        .and_then(|value| u8::try_from(value).ok())
        .filter(u8::is_ascii)
        .unwrap_or(OTHER)
}
