//! Card numbers in the JSON text of a refused message.
//!
//! The text is changed in place, one asterisk for each digit, so that everything else in it stays as it came: a refused
//! message is looked at and applied again later. A digit may be written as an escape (`\u0034`), so each string is read
//! as a list of characters with the bytes that spell them.

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
        /// The value of a member is being read; else a name is expected.
        in_member: bool,
    },
}

/// The way from the root to the place that is being read. Names are kept as they come and go: collected anew for every string
/// they would make a deeply nested message take hours.
#[derive(Default)]
struct Way {
    open: Vec<Open>,
    names: Vec<String>,
}

impl Way {
    fn is_at_name(&self) -> bool {
        matches!(self.open.last(), Some(Open::Object { in_member: false }))
    }

    fn enter(&mut self, name: String) {
        if let Some(Open::Object { in_member }) = self.open.last_mut() {
            *in_member = true;
            self.names.push(name);
        }
    }

    fn leave_member(&mut self) {
        if let Some(Open::Object { in_member }) = self.open.last_mut()
            && std::mem::take(in_member)
        {
            self.names.pop();
        }
    }

    fn close(&mut self) {
        self.leave_member();
        self.open.pop();
    }

    /// The names that lead to the place, without the `data` of an event around it.
    fn in_data(&self) -> &[String] {
        match self.names.split_first() {
            Some((first, rest)) if first == "data" && !rest.is_empty() => rest,
            _ => &self.names,
        }
    }
}

/// Redacts every string of a text that is JSON, or the beginning of one; and what lies between them, where that is asked.
pub(super) fn redact_strings(bytes: &mut [u8], between: bool) {
    let mut way = Way::default();
    let (mut at, mut outside_from) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'{' => way.open.push(Open::Object { in_member: false }),
            b'[' => way.open.push(Open::Array),
            b'}' | b']' => way.close(),
            b',' => way.leave_member(),
            b'"' => {
                if between {
                    mask(&mut bytes[outside_from..at]);
                }
                at = redact_string(bytes, at + 1, &mut way);
                outside_from = at.saturating_add(1).min(bytes.len());
            }
            _ => {}
        }
        at += 1;
    }
    if between {
        mask(&mut bytes[outside_from..]);
    }
}

/// Redacts the string whose first character is at `start`; where it ends.
fn redact_string(bytes: &mut [u8], start: usize, way: &mut Way) -> usize {
    let Spelled { mut text, places } = Spelled::at(bytes, start);
    let end = places.last().copied().unwrap_or(start);
    let before = String::from_utf8_lossy(&text).into_owned();
    let is_name = way.is_at_name();
    let spared = !is_name && is_spared(way.in_data(), &before);
    if !spared {
        let old = text.clone();
        if mask(&mut text) {
            for (place, _) in old.iter().zip(&text).enumerate().filter(|(_, (old, new))| old != new) {
                put_asterisk(&mut bytes[places[place]..places[place + 1]]);
            }
        }
    }
    if is_name {
        way.enter(before);
    }
    end
}

/// Writes `*` where a digit was: as it is, or as an escape of the same length.
fn put_asterisk(place: &mut [u8]) {
    match place {
        [digit] => *digit = b'*',
        [.., high, low] => (*high, *low) = (b'2', b'a'),
        [] => {}
    }
}

/// A string as it is spelled.
struct Spelled {
    /// ASCII characters by their value, the bytes of others as they are.
    text: Vec<u8>,
    /// Where the spelling of each begins, and where that of the last one ends.
    places: Vec<usize>,
}

impl Spelled {
    /// The string that begins at `at`, up to its closing quote.
    fn at(bytes: &[u8], mut at: usize) -> Self {
        let (mut text, mut places) = (Vec::new(), vec![at]);
        while let Some(&byte) = bytes.get(at).filter(|byte| **byte != b'"') {
            let (character, length) = match (byte, bytes.get(at + 1)) {
                (b'\\', Some(b'u')) => (escaped(bytes, at + 2), 6),
                (b'\\', Some(&next @ (b'/' | b'"' | b'\\'))) => (next, 2),
                (b'\\', Some(_)) => (b'\n', 2),
                _ => (byte, 1),
            };
            at = (at + length).min(bytes.len());
            text.push(character);
            places.push(at);
        }
        Spelled { text, places }
    }
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
