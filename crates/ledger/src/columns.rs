//! Rows for the column store, column by column: a chunk of 2,048 values at once costs a fraction of what each value costs alone.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use duckdb::Connection;
use duckdb::arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Int8Array, Int16Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use duckdb::arrow::record_batch::RecordBatch;

use crate::error::LedgerError;

/// The values of one column, one a row.
pub(crate) type Column = ArrayRef;

/// Appends rows to a table of the ledger, whose columns these are, all of the same length.
pub(crate) fn append(
    connection: &Connection,
    table: &str,
    columns: impl IntoIterator<Item = Column>,
) -> Result<(), LedgerError> {
    // Columns go by their place; the names are nobody's.
    let named = columns
        .into_iter()
        .enumerate()
        .map(|(n, column)| (n.to_string(), column));
    let rows = RecordBatch::try_from_iter(named)
        .map_err(|cause| LedgerError::Damaged(format!("rows for the table {table}: {cause}")))?;
    if rows.num_rows() == 0 {
        return Ok(());
    }
    let appended = || {
        let mut appender = connection.appender_to_catalog_and_db(table, "ledger", "main")?;
        appender.append_record_batch(rows)?;
        // Dropping an appender swallows its errors.
        appender.flush()
    };
    appended().map_err(LedgerError::engine("appended a batch"))
}

/// One value for each of `rows`.
pub(crate) fn repeated<T: Clone, R>(value: T, rows: &[R]) -> impl Iterator<Item = T> {
    std::iter::repeat_n(value, rows.len())
}

pub(crate) fn tinyints<T: Into<Option<i8>>>(values: impl Iterator<Item = T>) -> Column {
    Arc::new(values.map(Into::into).collect::<Int8Array>())
}

pub(crate) fn smallints(values: impl Iterator<Item = i16>) -> Column {
    Arc::new(Int16Array::from_iter_values(values))
}

pub(crate) fn integers(values: impl Iterator<Item = i32>) -> Column {
    Arc::new(Int32Array::from_iter_values(values))
}

pub(crate) fn longs<T: Into<Option<i64>>>(values: impl Iterator<Item = T>) -> Column {
    Arc::new(values.map(Into::into).collect::<Int64Array>())
}

pub(crate) fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Column {
    Arc::new(values.collect::<StringArray>())
}

pub(crate) fn blobs<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> Column {
    Arc::new(values.collect::<BinaryArray>())
}

/// Days since 1970-01-01; every date that the decoder admits fits.
pub(crate) fn dates(values: impl Iterator<Item = Option<NaiveDate>>) -> Column {
    let days = values.map(|day| day.map(|day| day.to_epoch_days()));
    Arc::new(days.collect::<Date32Array>())
}

pub(crate) fn timestamps(values: impl Iterator<Item = Option<DateTime<Utc>>>) -> Column {
    let micros = values.map(|at| at.map(|at| at.timestamp_micros()));
    Arc::new(micros.collect::<TimestampMicrosecondArray>())
}
