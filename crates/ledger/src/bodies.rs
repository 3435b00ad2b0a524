//! The bodies of versions, packed together.
//!
//! Messages are short and alike. Packed one by one a body of the full mix takes 194 bytes, in blocks of 64 KiB 72, at a
//! fifth of the processor time; blocks of 256 KiB save another 8, and cost four times as much whenever one body is read.
//! Blocks are numbered in the order in which they were written, so that the column store finds one by its number.

use duckdb::{Connection, Row};
use rayon::prelude::*;

use crate::codec::{compress, decompress};
use crate::error::LedgerError;

/// Bytes of the bodies of a block before packing; a longer body has a block of its own.
const BLOCK_BYTES: usize = 64 * 1024;

/// Blocks between two wanted ones that are read over rather than asked for anew: a question costs as much as they do.
const GAP_MAX: u64 = 8;

/// Blocks that one question reads, at most.
const RUN_MAX: u64 = 256;

/// Where a body lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) block: u64,
    /// The first byte in the block as it was before packing, and the length.
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// Reads a place from three columns of a row, the first of which is `column`.
pub(crate) fn place(row: &Row<'_>, column: usize) -> Result<Place, duckdb::Error> {
    Ok(Place {
        block: row.get::<_, i64>(column)?.unsigned_abs(),
        start: row.get::<_, i32>(column + 1)?.unsigned_abs(),
        length: row.get::<_, i32>(column + 2)?.unsigned_abs(),
    })
}

/// Bodies gathered for one batch.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    plain: Vec<Vec<u8>>,
}

impl Blocks {
    /// Takes a body; the place's block is counted from the batch's first.
    pub(crate) fn add(&mut self, body: &[u8]) -> Place {
        let is_full = |block: &Vec<u8>| !block.is_empty() && block.len() + body.len() > BLOCK_BYTES;
        if self.plain.last().is_none_or(is_full) {
            self.plain.push(Vec::new());
        }
        let block = self.plain.len() - 1;
        let bytes = &mut self.plain[block];
        // A message has at most 1 MiB, so both numbers are small.
        let (start, length) = (bytes.len() as u32, body.len() as u32);
        bytes.extend_from_slice(body);
        Place {
            block: block as u64,
            start,
            length,
        }
    }

    /// The blocks as they are kept.
    pub(crate) fn packed(&self) -> Result<Vec<Vec<u8>>, LedgerError> {
        self.plain.par_iter().map(|block| compress(block)).collect()
    }
}

/// Takes a body that was wanted.
pub(crate) type Take<'a, T> = dyn FnMut(T, &[u8]) -> Result<(), LedgerError> + 'a;

/// Reads bodies, block by block and not in the order of `wanted`, and gives each to `take`.
///
/// # Errors
/// [`LedgerError::Damaged`] where a body is not where it should be; and whatever `take` returns.
pub(crate) fn each<T>(
    connection: &Connection,
    mut wanted: Vec<(Place, T)>,
    take: &mut Take<'_, T>,
) -> Result<(), LedgerError> {
    let doing = "read the bodies of versions";
    wanted.sort_by_key(|(place, _)| *place);
    let blocks: Vec<u64> = wanted.iter().map(|(place, _)| place.block).collect();
    let mut wanted = wanted.into_iter().peekable();
    for (first, last) in runs(&blocks) {
        // The numbers stand in the text, because the engine passes over row groups by constants only.
        let sql = format!("select n, packed from bodies where n between {first} and {last}");
        let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
        let mut rows = statement.query([]).map_err(LedgerError::engine(doing))?;
        // Blocks lie in the order of their numbers, and the engine is set to give rows in the order in which they lie.
        while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
            let n = row.get::<_, i64>(0).map_err(LedgerError::engine(doing))?.unsigned_abs();
            if wanted.peek().is_none_or(|(place, _)| place.block != n) {
                continue;
            }
            let packed: Vec<u8> = row.get(1).map_err(LedgerError::engine(doing))?;
            let block = decompress(&packed)?;
            while let Some((place, item)) = wanted.next_if(|(place, _)| place.block == n) {
                let start = place.start as usize;
                let body = block
                    .get(start..start + place.length as usize)
                    .ok_or_else(|| damaged(n))?;
                take(item, body)?;
            }
        }
    }
    match wanted.peek() {
        Some((place, _)) => Err(damaged(place.block)),
        None => Ok(()),
    }
}

fn damaged(block: u64) -> LedgerError {
    LedgerError::Damaged(format!("block {block} of the bodies of versions is missing or cut"))
}

/// Which numbers to ask for, from the first to the last of each run.
fn runs(sorted: &[u64]) -> Vec<(u64, u64)> {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for &block in sorted {
        match found.last_mut() {
            Some((first, last)) if block - *last <= GAP_MAX && block - *first < RUN_MAX => *last = block,
            _ => found.push((block, block)),
        }
    }
    found
}

/// The number of the next block to be written.
pub(crate) fn next(connection: &Connection) -> Result<u64, LedgerError> {
    connection
        .query_row("select coalesce(max(n) + 1, 0) from bodies", [], |row| {
            row.get::<_, i64>(0)
        })
        .map(i64::unsigned_abs)
        .map_err(LedgerError::engine("counted the bodies of versions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::append;
    use crate::engine::{Engine, Options};

    #[test]
    fn near_blocks_are_read_with_one_question() {
        for (blocks, expected) in [
            (vec![], vec![]),
            (vec![7], vec![(7, 7)]),
            (vec![0, 0, 1, 9, 18], vec![(0, 9), (18, 18)]),
            (vec![5, 13, 22], vec![(5, 13), (22, 22)]),
        ] {
            assert_eq!(runs(&blocks), expected, "{blocks:?}");
        }
        let long: Vec<u64> = (0..1_000).collect();
        assert_eq!(runs(&long), [(0, 255), (256, 511), (512, 767), (768, 999)]);
    }

    #[test]
    fn every_body_comes_back_and_a_missing_one_is_noticed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (engine, _) = Engine::open(dir.path(), &Options::default()).expect("the ledger opens");
        let connection = engine.connection().expect("a connection");
        let body = |n: usize| format!("{n} ").repeat(n % 7 * 1_000).into_bytes();
        let mut places = Vec::new();
        for batch in 0..3 {
            let first = next(&connection).expect("a number");
            let mut blocks = Blocks::default();
            for n in batch * 100..(batch + 1) * 100 {
                let mut place = blocks.add(&body(n));
                place.block += first;
                places.push((place, n));
            }
            append::bodies(&connection, first, &blocks.packed().expect("packed")).expect("appended");
        }
        assert!(places.iter().any(|(place, _)| place.block > 30), "many blocks");
        for every in [1, 3, 250] {
            let wanted: Vec<(Place, usize)> = places.iter().copied().step_by(every).collect();
            let mut found = Vec::new();
            each(&connection, wanted.clone(), &mut |n, read| {
                assert_eq!(read, body(n), "{n}");
                found.push(n);
                Ok(())
            })
            .expect("all are there");
            assert_eq!(found.len(), wanted.len());
        }
        let missing = Place {
            block: 1_000,
            start: 0,
            length: 1,
        };
        let cut = Place {
            block: 0,
            start: 1 << 20,
            length: 1,
        };
        for place in [missing, cut] {
            let read = each(&connection, vec![(place, ())], &mut |(), _| Ok(()));
            assert!(matches!(read, Err(LedgerError::Damaged(_))), "{place:?}");
        }
    }
}
