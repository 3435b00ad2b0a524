//! Lines of bounded size: of one that is too long only the beginning, the length and the digest are kept.

use std::io::{self, BufRead, Read};

use domain::decode::HELD_BYTES_MAX;
use ledger::BEGINNING_BYTES;
use sha2::{Digest, Sha256};

use crate::source::Oversize;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is read at once: the largest message that is held, its line end and a mark before it. More of a line is only counted.
const LINE_BYTES_HELD_MAX: u64 = (HELD_BYTES_MAX + 2 + BYTE_ORDER_MARK.len()) as u64;

/// A line without its end (`\n` or `\r\n`).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// White space alone: no message.
    Blank,
    Whole(&'a [u8]),
    Oversize(Oversize),
}

pub(super) struct Lines<R> {
    reader: R,
    held: Vec<u8>,
    is_first: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Lines {
            reader,
            held: Vec::new(),
            is_first: true,
        }
    }

    /// The next line; `None` at the end. The last line needs no line end. After an error the rest of the line is lost.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.held.clear();
        let length = self
            .reader
            .by_ref()
            .take(LINE_BYTES_HELD_MAX)
            .read_until(b'\n', &mut self.held)?;
        if length == 0 {
            return Ok(None);
        }
        let is_cut = length as u64 == LINE_BYTES_HELD_MAX && self.held.last() != Some(&b'\n');
        if std::mem::take(&mut self.is_first) && self.held.starts_with(BYTE_ORDER_MARK) {
            self.held.drain(..BYTE_ORDER_MARK.len());
        }
        if is_cut {
            return self.rest_of_oversize().map(|oversize| Some(Line::Oversize(oversize)));
        }
        let line = without_line_end(&self.held);
        Ok(Some(if line.iter().all(u8::is_ascii_whitespace) {
            Line::Blank
        } else if line.len() > HELD_BYTES_MAX {
            let mut digest = LineDigest::default();
            digest.update(line);
            Line::Oversize(digest.finish(beginning(line)))
        } else {
            Line::Whole(line)
        }))
    }

    /// Reads on to the end of a line whose beginning is held.
    fn rest_of_oversize(&mut self) -> io::Result<Oversize> {
        let mut digest = LineDigest::default();
        digest.update(&self.held);
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            digest.update(part);
            let is_last = available.is_empty() || end.is_some();
            let consumed = part.len() + usize::from(end.is_some());
            self.reader.consume(consumed);
            if is_last {
                return Ok(digest.finish(beginning(&self.held)));
            }
        }
    }
}

fn beginning(line: &[u8]) -> Vec<u8> {
    line[..BEGINNING_BYTES.min(line.len())].to_vec()
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Length and digest of a line that comes in parts. A `\r` is held back until it is known not to be the line's last.
#[derive(Default)]
struct LineDigest {
    hasher: Sha256,
    length: u64,
    holds_return: bool,
}

impl LineDigest {
    fn update(&mut self, part: &[u8]) {
        if part.is_empty() {
            return;
        }
        if std::mem::take(&mut self.holds_return) {
            self.add(b"\r");
        }
        let sure = part.strip_suffix(b"\r").unwrap_or(part);
        self.holds_return = sure.len() < part.len();
        self.add(sure);
    }

    fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
    }

    fn finish(self, beginning: Vec<u8>) -> Oversize {
        Oversize {
            beginning,
            length: self.length,
            sha256: self.hasher.finalize().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Every line as text, `""` for a blank one and its length for one that is too long.
    fn lines_of(input: &[u8], buffer_bytes: usize) -> Vec<String> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer_bytes, input));
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(match line {
                Line::Blank => String::new(),
                Line::Whole(line) => String::from_utf8(line.to_vec()).unwrap(),
                Line::Oversize(oversize) => format!("{} bytes", oversize.length),
            });
        }
        found
    }

    #[test]
    fn lines_end_with_a_newline_a_return_and_newline_or_the_file() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("a", &["a"]),
            ("a\n", &["a"]),
            ("a\r\nb\n", &["a", "b"]),
            ("a\n\nb", &["a", "", "b"]),
            ("\n", &[""]),
            (" \t\r\na", &["", "a"]),
            ("a\rb\n", &["a\rb"]),
            ("\u{feff}a\n\u{feff}b", &["a", "\u{feff}b"]),
            ("\u{feff}", &[""]),
        ];
        for (input, expected) in cases {
            for buffer_bytes in [1, 2, 3, 4096] {
                assert_eq!(
                    lines_of(input.as_bytes(), buffer_bytes),
                    *expected,
                    "{input:?}, buffer {buffer_bytes}"
                );
            }
        }
    }

    #[test]
    fn around_the_limit_the_length_without_the_line_end_decides() {
        for end in ["", "\n", "\r\n"] {
            for over in 0..5 {
                let length = HELD_BYTES_MAX - 1 + over;
                let line = "x".repeat(length);
                let input = format!("a\n{line}{end}");
                let found = lines_of(input.as_bytes(), 1000);
                let expected = if length <= HELD_BYTES_MAX {
                    line
                } else {
                    format!("{length} bytes")
                };
                assert!(found == ["a".to_owned(), expected], "length {length}, end {end:?}");
            }
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_known_by_the_digest_of_all_of_it() {
        // Returns in the middle belong to the line, also where a buffer ends with one.
        let line = "abc\r".repeat(HELD_BYTES_MAX / 2) + "end";
        for buffer_bytes in [997, 4096, 1 << 20] {
            let input = format!("{line}\r\nnext\n");
            let mut lines = Lines::new(BufReader::with_capacity(buffer_bytes, input.as_bytes()));
            let Some(Line::Oversize(oversize)) = lines.next().unwrap() else {
                panic!("kept whole")
            };
            assert_eq!(oversize.beginning, &line.as_bytes()[..BEGINNING_BYTES]);
            assert_eq!(oversize.length, line.len() as u64);
            assert_eq!(oversize.sha256, <[u8; 32]>::from(Sha256::digest(line.as_bytes())));
            assert_eq!(lines.next().unwrap(), Some(Line::Whole(b"next")));
            assert_eq!(lines.next().unwrap(), None);
        }
    }
}
