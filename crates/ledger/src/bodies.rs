//! The bodies of versions, packed together in a file beside the engine's.
//!
//! Messages are short and alike. Packed one by one a body of the full mix takes 194 bytes, in blocks of 64 KiB 70, of 256 KiB
//! 64, at a sixth of the processor time. A body is read with its block, which takes a fifth of a millisecond. In a block each body is a
//! line: canonical JSON has no line feed in it. So where a body lies is its block and its line, which for the versions of a batch count up.
//!
//! The file is only appended to: blocks one after the other, each with its length and a checksum before it. A batch's
//! blocks are on disk before the engine commits the batch, whose head says where they end ([`BodyFile::cut`]). So what lies
//! behind the end of the last batch was never committed, and the next batch writes over it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use duckdb::Row;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::{compress_block, decompress};
use crate::error::LedgerError;

/// The name of the file in the ledger's directory, and in a backup's.
pub(crate) const FILE: &str = "bodies";

/// Bytes of the bodies of a block before packing; a longer body has a block of its own.
const BLOCK_BYTES: usize = 256 * 1024;

/// Before each block: its length in 4 bytes and the lower 4 bytes of its XXH3-64, both little endian.
const HEADER: usize = 8;

/// What is read at once of a block whose length is not known yet: nearly every block whole.
const FIRST_READ: usize = 64 * 1024;

/// Where a body lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The first byte of its block's header in the file.
    pub(crate) block: u64,
    /// Its line in the block, from 0 on.
    pub(crate) line: u32,
}

/// Ends every body.
const LINE_FEED: u8 = b'\n';

/// Reads a place from two columns of a row, the first of which is `column`.
pub(crate) fn place(row: &Row<'_>, column: usize) -> Result<Place, duckdb::Error> {
    Ok(Place {
        block: row.get::<_, i64>(column)?.unsigned_abs(),
        line: row.get::<_, i32>(column + 1)?.unsigned_abs(),
    })
}

/// Bodies gathered for one batch.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    plain: Vec<Block>,
}

#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    lines: u32,
}

impl Blocks {
    /// Takes a body; the place's block is its number among the batch's until [`Packed::settle`].
    pub(crate) fn add(&mut self, body: &[u8]) -> Place {
        let is_full = |block: &Block| block.lines > 0 && block.bytes.len() + body.len() > BLOCK_BYTES;
        if self.plain.last().is_none_or(is_full) {
            self.plain.push(Block::default());
        }
        let number = self.plain.len() - 1;
        let block = &mut self.plain[number];
        let place = Place {
            block: number as u64,
            line: block.lines,
        };
        block.bytes.extend_from_slice(body);
        block.bytes.push(LINE_FEED);
        block.lines += 1;
        place
    }

    /// The blocks as they are kept.
    pub(crate) fn packed(&self) -> Result<Packed, LedgerError> {
        let blocks: Vec<Vec<u8>> = self
            .plain
            .par_iter()
            .map(
                |block| match block.bytes.iter().filter(|byte| **byte == LINE_FEED).count() {
                    lines if lines == block.lines as usize => compress_block(&block.bytes),
                    _ => Err(LedgerError::Damaged("a body has a line feed in it".to_owned())),
                },
            )
            .collect::<Result<_, _>>()?;
        let mut packed = Packed::default();
        for block in &blocks {
            packed.firsts.push(packed.bytes.len() as u64);
            // A block holds at most one message more than its bytes.
            packed.bytes.extend_from_slice(&(block.len() as u32).to_le_bytes());
            packed.bytes.extend_from_slice(&checksum(block));
            packed.bytes.extend_from_slice(block);
        }
        Ok(packed)
    }
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> LedgerError {
    move |source| LedgerError::Bodies { doing, source }
}

fn checksum(block: &[u8]) -> [u8; 4] {
    (xxh3_64(block) as u32).to_le_bytes()
}

/// A batch's blocks as they lie in the file.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    bytes: Vec<u8>,
    /// Where each begins.
    firsts: Vec<u64>,
}

impl Packed {
    /// Where a body lies once these blocks are written at `end`.
    pub(crate) fn settle(&self, place: Place, end: u64) -> Place {
        let first = self.firsts.get(place.block as usize).copied().unwrap_or_default();
        Place {
            block: end + first,
            ..place
        }
    }
}

/// Takes a body that was wanted.
pub(crate) type Take<'a, T> = dyn FnMut(T, &[u8]) -> Result<(), LedgerError> + 'a;

/// The file. Written by the one writer, read by all.
pub(crate) struct BodyFile {
    file: File,
    path: PathBuf,
}

impl BodyFile {
    /// Opens or makes it.
    pub(crate) fn open(ledger_dir: &Path) -> Result<Self, LedgerError> {
        let path = ledger_dir.join(FILE);
        let opened = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path);
        match opened {
            Ok(file) => Ok(BodyFile { file, path }),
            Err(source) => Err(LedgerError::Directory { path, source }),
        }
    }

    /// Lets go of what lies behind `end`, which no batch covers.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where not even so much is there.
    pub(crate) fn cut(&self, end: u64) -> Result<(), LedgerError> {
        let length = self.bytes();
        if length < end {
            return Err(LedgerError::Damaged(format!(
                "{} has {length} bytes, the ledger has written {end}",
                self.path.display()
            )));
        }
        if length > end {
            self.file.set_len(end).map_err(failed("cut"))?;
        }
        Ok(())
    }

    /// Writes a batch's blocks from `end` on and returns where they end. They are durable after [`BodyFile::sync`].
    pub(crate) fn append(&self, end: u64, packed: &Packed) -> Result<u64, LedgerError> {
        self.file.write_all_at(&packed.bytes, end).map_err(failed("appended"))?;
        Ok(end + packed.bytes.len() as u64)
    }

    pub(crate) fn sync(&self) -> Result<(), LedgerError> {
        self.file.sync_data().map_err(failed("synced to disk"))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |meta| meta.len())
    }

    /// Copies the bytes up to `end`, which never change again.
    pub(crate) fn copy(&self, end: u64, to: &Path) -> Result<(), LedgerError> {
        let copied = || {
            // A handle of its own, with a place of its own in the file.
            let mut from = io::Read::take(File::open(&self.path)?, end);
            let mut file = File::create(to)?;
            let bytes = io::copy(&mut from, &mut file)?;
            file.sync_all()?;
            Ok(bytes)
        };
        match copied().map_err(failed("copied"))? {
            bytes if bytes == end => Ok(()),
            bytes => Err(self.damaged(bytes)),
        }
    }

    /// Reads bodies, block by block and not in the order of `wanted`, and gives each to `take`.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where a body is not where it should be; and whatever `take` returns.
    pub(crate) fn each<T>(&self, mut wanted: Vec<(Place, T)>, take: &mut Take<'_, T>) -> Result<(), LedgerError> {
        wanted.sort_by_key(|(place, _)| *place);
        let mut wanted = wanted.into_iter().peekable();
        while let Some((Place { block: at, .. }, _)) = wanted.peek() {
            let at = *at;
            let block = self.block(at)?;
            let mut lines = block.split_inclusive(|byte| *byte == LINE_FEED);
            // The line that was read last, and its number.
            let mut read: Option<(u32, &[u8])> = None;
            while let Some((place, item)) = wanted.next_if(|(place, _)| place.block == at) {
                while read.is_none_or(|(line, _)| line < place.line) {
                    let line = lines.next().and_then(|line| line.strip_suffix(&[LINE_FEED]));
                    let number = read.map_or(0, |(line, _)| line + 1);
                    read = Some((number, line.ok_or_else(|| self.damaged(at))?));
                }
                if let Some((_, body)) = read {
                    take(item, body)?;
                }
            }
        }
        Ok(())
    }

    /// A block before packing.
    fn block(&self, at: u64) -> Result<Vec<u8>, LedgerError> {
        let behind = self.bytes().saturating_sub(at);
        if behind == 0 {
            return Err(self.damaged(at));
        }
        let mut bytes = vec![0; FIRST_READ];
        let mut held = self.read_up_to(&mut bytes, at)?;
        let Some((header, _)) = bytes[..held].split_first_chunk::<HEADER>() else {
            return Err(self.damaged(at));
        };
        let [l0, l1, l2, l3, sum @ ..] = *header;
        let wanted = HEADER + u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if wanted as u64 > behind {
            return Err(self.damaged(at));
        }
        if wanted > held {
            bytes.resize(wanted, 0);
            held += self.read_up_to(&mut bytes[held..], at + held as u64)?;
        }
        let packed = bytes[..held].get(HEADER..wanted).ok_or_else(|| self.damaged(at))?;
        if checksum(packed) != sum {
            return Err(self.damaged(at));
        }
        decompress(packed)
    }

    /// Fills the buffer as far as the file goes.
    fn read_up_to(&self, buffer: &mut [u8], at: u64) -> Result<usize, LedgerError> {
        let mut held = 0;
        while held < buffer.len() {
            match self.file.read_at(&mut buffer[held..], at + held as u64) {
                Ok(0) => break,
                Ok(more) => held += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("read")(error)),
            }
        }
        Ok(held)
    }

    fn damaged(&self, at: u64) -> LedgerError {
        LedgerError::Damaged(format!(
            "{} is missing a block at byte {at}, or it is not what was written",
            self.path.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(n: usize) -> Vec<u8> {
        format!("{n} ").repeat(n % 7 * 1_000).into_bytes()
    }

    /// Three batches of a hundred bodies.
    fn filled(dir: &Path) -> (BodyFile, Vec<(Place, usize)>, u64) {
        let file = BodyFile::open(dir).expect("opened");
        let (mut places, mut end) = (Vec::new(), 0);
        for batch in 0..3 {
            let mut blocks = Blocks::default();
            let numbers = batch * 100..(batch + 1) * 100;
            let gathered: Vec<Place> = numbers.clone().map(|n| blocks.add(&body(n))).collect();
            let packed = blocks.packed().expect("packed");
            places.extend(gathered.into_iter().map(|place| packed.settle(place, end)).zip(numbers));
            end = file.append(end, &packed).expect("appended");
            file.sync().expect("synced");
        }
        (file, places, end)
    }

    #[test]
    fn every_body_comes_back_and_a_missing_one_is_noticed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, places, end) = filled(dir.path());
        let distinct: std::collections::BTreeSet<u64> = places.iter().map(|(place, _)| place.block).collect();
        assert!(distinct.len() > 8, "many blocks");
        for every in [1, 3, 250] {
            let wanted: Vec<(Place, usize)> = places.iter().copied().step_by(every).collect();
            let mut found = Vec::new();
            file.each(wanted.clone(), &mut |n, read| {
                assert_eq!(read, body(n), "{n}");
                found.push(n);
                Ok(())
            })
            .expect("all are there");
            assert_eq!(found.len(), wanted.len());
        }
        let (first, _) = places[0];
        for (block, line) in [
            (end, 0),
            (end - 3, 0),
            (u64::MAX >> 1, 0),
            (first.block + 1, 0),
            (first.block, 1 << 20),
        ] {
            let place = Place { block, line };
            let read = file.each(vec![(place, ())], &mut |(), _| Ok(()));
            assert!(matches!(read, Err(LedgerError::Damaged(_))), "{place:?}");
        }
    }

    #[test]
    fn a_body_of_two_lines_is_refused_and_an_empty_one_is_a_line() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = BodyFile::open(dir.path()).expect("opened");
        let mut blocks = Blocks::default();
        let places = [&b"a"[..], b"", b"c"].map(|body| blocks.add(body));
        let end = file.append(0, &blocks.packed().expect("packed")).expect("appended");
        let mut read = Vec::new();
        let wanted = places
            .into_iter()
            .chain(places)
            .map(|place| (place, place.line))
            .collect();
        file.each(wanted, &mut |line, body| {
            read.push((line, body.to_vec()));
            Ok(())
        })
        .expect("read");
        assert_eq!(read.len(), 6, "each twice");
        assert!(read.contains(&(1, Vec::new())) && read.contains(&(2, b"c".to_vec())));
        assert_eq!(end, file.bytes());
        blocks.add(b"d\ne");
        assert!(matches!(blocks.packed(), Err(LedgerError::Damaged(_))));
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, places, _) = filled(dir.path());
        let &(place, _) = places.last().expect("places");
        let middle = place.block + 20;
        let mut byte = [0];
        file.file.read_exact_at(&mut byte, middle).expect("read");
        file.file.write_all_at(&[byte[0] ^ 1], middle).expect("written");
        let read = file.each(vec![(place, ())], &mut |(), _| Ok(()));
        assert!(matches!(read, Err(LedgerError::Damaged(_))), "{read:?}");
    }

    #[test]
    fn what_no_batch_covers_goes_and_what_one_covers_must_be_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, places, end) = filled(dir.path());
        let last = places.last().expect("places").0.block;
        file.cut(last).expect("cut");
        assert_eq!(file.bytes(), last);
        assert!(matches!(file.cut(end), Err(LedgerError::Damaged(_))));
        let copy = dir.path().join("copy");
        file.copy(last - 1, &copy).expect("copied");
        assert_eq!(copy.metadata().expect("there").len(), last - 1);
        assert!(matches!(file.copy(end, &copy), Err(LedgerError::Damaged(_))));
    }
}
