//! What a file is written in, told by its first bytes and not by its name: a pipe has none, and names are often wrong.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

/// The longest of the marks below.
const MARK_BYTES: usize = 4;

/// Large enough that a read costs little, small enough that what lies ahead is nothing in memory.
const BUFFER_BYTES: usize = 256 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Plain,
    Gzip,
    Zstd,
}

impl Format {
    fn of(mark: &[u8]) -> Self {
        match mark {
            [0x1f, 0x8b, ..] => Format::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Format::Zstd,
            // A skippable frame, which some writers put in front.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Format::Zstd,
            _ => Format::Plain,
        }
    }
}

/// The text behind `reader`. A gzip file may have several members and a zstd file several frames, as files that were
/// joined with `cat` have.
pub(super) fn decode(mut reader: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut mark = Vec::with_capacity(MARK_BYTES);
    reader.by_ref().take(MARK_BYTES as u64).read_to_end(&mut mark)?;
    let format = Format::of(&mark);
    let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(mark).chain(reader));
    Ok(match format {
        Format::Plain => Box::new(whole),
        Format::Gzip => Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(whole))),
        Format::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
            Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_name_the_format() {
        let cases: &[(&[u8], Format)] = &[
            (b"", Format::Plain),
            (b"{", Format::Plain),
            (b"{\"sp", Format::Plain),
            (&[0x1f, 0x8b, 8, 0], Format::Gzip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Format::Zstd),
            (&[0x5a, 0x2a, 0x4d, 0x18], Format::Zstd),
            (&[0x60, 0x2a, 0x4d, 0x18], Format::Plain),
        ];
        for (mark, format) in cases {
            assert_eq!(Format::of(mark), *format, "{mark:x?}");
        }
    }
}
