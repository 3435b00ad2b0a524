//! Whether a table holds the rows that it should.

use std::ops::Range;

use duckdb::arrow::array::AsArray;
use duckdb::arrow::datatypes::{Int8Type, Int64Type};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::row::{RowConverter, SortField};
use xxhash_rust::xxh3::xxh3_128;

use crate::columns::Column;
use crate::error::LedgerError;

/// For each payment of a range the sum of its rows' hashes, each times how often it is in. Rows that are put in and as often taken off
/// leave nothing, in whatever order they come: a multiset hash by addition (Clarke et al. 2003). Different rows leave nothing once in 2^128.
pub(super) struct Balance {
    from: u64,
    sums: Vec<u128>,
}

impl Balance {
    pub(super) fn of(seqs: &Range<u64>) -> Self {
        Balance {
            from: seqs.start,
            sums: vec![0; (seqs.end - seqs.start) as usize],
        }
    }

    /// Adds rows column by column. The first column, tinyints, says how often each is in; the second, bigints, whose it is.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] for other columns, or a payment that is not in the range.
    pub(super) fn add(&mut self, columns: &[Column]) -> Result<(), LedgerError> {
        let damaged = |what: &str| LedgerError::Damaged(format!("rows to compare: {what}"));
        let [times, row @ ..] = columns else {
            return Err(damaged("no column"));
        };
        let (Some(times), Some(seqs)) = (
            times.as_primitive_opt::<Int8Type>(),
            row.first().and_then(|seqs| seqs.as_primitive_opt::<Int64Type>()),
        ) else {
            return Err(damaged("the first columns are others"));
        };
        let fields = row.iter().map(|column| SortField::new(column.data_type().clone()));
        let rows = RowConverter::new(fields.collect())
            .and_then(|converter| converter.convert_columns(row))
            .map_err(|cause: ArrowError| damaged(&cause.to_string()))?;
        for ((row, times), seq) in rows.iter().zip(times.values()).zip(seqs.values()) {
            let place = seq.unsigned_abs().checked_sub(self.from);
            let sum = place.and_then(|place| self.sums.get_mut(place as usize));
            let sum = sum.ok_or_else(|| damaged("a payment that was not asked for"))?;
            let hash = xxh3_128(row.as_ref());
            *sum = sum.wrapping_add(hash.wrapping_mul(i128::from(*times).cast_unsigned()));
        }
        Ok(())
    }

    /// Whether the rows of a payment of the range took each other off.
    pub(super) fn is_even(&self, seq: u64) -> bool {
        self.sums[(seq - self.from) as usize] == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::{longs, texts, tinyints};

    fn rows(rows: &[(i8, i64, Option<&str>)]) -> [Column; 3] {
        [
            tinyints(rows.iter().map(|row| row.0)),
            longs(rows.iter().map(|row| row.1)),
            texts(rows.iter().map(|row| row.2)),
        ]
    }

    #[test]
    fn rows_in_any_order_leave_nothing_and_others_do() {
        let mut balance = Balance::of(&(10..15));
        balance
            .add(&rows(&[
                (1, 10, Some("a")),
                (1, 10, Some("b")),
                (1, 11, Some("a")),
                (1, 12, None),
                (2, 13, Some("c")),
            ]))
            .expect("rows");
        balance
            .add(&rows(&[
                (-1, 13, Some("c")),
                (-1, 12, Some("")),
                (-1, 10, Some("b")),
                (-1, 10, Some("a")),
            ]))
            .expect("rows");
        let even: Vec<bool> = (10..15).map(|seq| balance.is_even(seq)).collect();
        assert_eq!(even, [true, false, false, false, true]);
        balance
            .add(&rows(&[(-1, 11, Some("a")), (-1, 13, Some("c"))]))
            .expect("rows");
        assert!(balance.is_even(11) && balance.is_even(13));
        assert!(balance.add(&rows(&[(1, 15, None)])).is_err());
    }
}
