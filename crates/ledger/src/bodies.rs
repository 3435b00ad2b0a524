//! The bodies of versions, packed together in a file beside the engine's.
//!
//! Messages are short and alike. Packed one by one a body of the full mix takes 194 bytes, in blocks of 64 KiB 70, of 256 KiB
//! 64, beside those most like them 46, at a sixth of the processor time. A body is read with its block, which takes a fifth of a millisecond. In a block each body is a
//! line: canonical JSON has no line feed in it. So where a body lies is its block and its line, which for the versions of a batch count up.
//! Bodies of one kind and merchant lie side by side in a batch, and all of a payment's but the first do without its key ([`unkeyed`]).
//!
//! The file is only appended to: blocks one after the other, each with its length and a checksum before it. A batch's
//! blocks are on disk before the engine commits the batch, whose head says where they end ([`BodyFile::cut`]). So what lies
//! behind the end of the last batch was never committed, and the next batch writes over it.

mod unkeyed;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use duckdb::Row;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use self::unkeyed::Keys;
pub(crate) use self::unkeyed::without_key;
use crate::codec::{compress_many, decompress};
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

/// A body that is to be read, for `item`.
pub(crate) struct Wanted<T> {
    pub(crate) place: Place,
    pub(crate) seq: u64,
    pub(crate) item: T,
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
                    lines if lines == block.lines as usize => compress_many(&block.bytes),
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

    /// Reads bodies, block by block and not in the order of `wanted`, and gives each to `take`. Of a payment all bodies must be
    /// wanted, because only the first of them spells its key.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where a body is not where it should be; and whatever `take` returns.
    pub(crate) fn each<T>(&self, mut wanted: Vec<Wanted<T>>, take: &mut Take<'_, T>) -> Result<(), LedgerError> {
        wanted.sort_by_key(|wanted| wanted.place);
        let mut keys = Keys::default();
        let mut wanted = wanted.into_iter().peekable();
        while let Some(Wanted { place, .. }) = wanted.peek() {
            let at = place.block;
            let block = self.block(at)?;
            let mut lines = block.split_inclusive(|byte| *byte == LINE_FEED);
            // The line that was read last, and its number.
            let mut read: Option<(u32, &[u8])> = None;
            while let Some(Wanted { place, seq, item }) = wanted.next_if(|wanted| wanted.place.block == at) {
                while read.is_none_or(|(line, _)| line < place.line) {
                    let line = lines.next().and_then(|line| line.strip_suffix(&[LINE_FEED]));
                    let number = read.map_or(0, |(line, _)| line + 1);
                    read = Some((number, line.ok_or_else(|| self.damaged(at))?));
                }
                if let Some((_, kept)) = read {
                    let body = keys.whole(seq, kept).ok_or_else(|| self.damaged(at))?;
                    take(item, &body)?;
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
mod tests;
