//! Appending a batch to DuckDB's tables, and the spelling of values there.

use chrono::{DateTime, NaiveDate, Utc};
use domain::message::Digest;
use domain::position::PartitionId;
use domain::rollup::{Basis, Cell, Measures};
use duckdb::types::{TimeUnit, Value};
use duckdb::{Appender, Connection, params};

use crate::codec::kind_code;
use crate::error::LedgerError;
use crate::events::EventRow;
use crate::fold::{EntryChange, RepeatRow, Signed, VersionRow};
use crate::late::Lateness;
use crate::list_row::ListRow;

pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

pub(crate) fn of_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The first eight bytes of a digest, to find it by.
pub(crate) fn hash_of(digest: &Digest) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest.0[..8]);
    i64::from_be_bytes(first)
}

fn timestamp(at: DateTime<Utc>) -> Value {
    Value::Timestamp(TimeUnit::Microsecond, micros(at))
}

fn date(day: Option<NaiveDate>) -> Value {
    // Days since 1970-01-01; every date that the decoder admits fits.
    day.map_or(Value::Null, |day| Value::Date32(day.to_epoch_days()))
}

pub(crate) const fn basis_code(basis: Basis) -> i8 {
    match basis {
        Basis::EventDay => 0,
        Basis::SaleDay => 1,
        Basis::SoldOn => 2,
        Basis::PaidOutOn => 3,
        Basis::Orphaned => 4,
    }
}

fn appender<'a>(connection: &'a Connection, table: &str) -> Result<Appender<'a>, LedgerError> {
    connection
        .appender_to_catalog_and_db(table, "ledger", "main")
        .map_err(LedgerError::engine("appended a batch"))
}

fn flush(mut appender: Appender<'_>) -> Result<(), LedgerError> {
    // Dropping an appender swallows its errors.
    appender.flush().map_err(LedgerError::engine("appended a batch"))
}

/// The two tables of a view: see [`crate::late`].
struct Tables<'a> {
    near: Appender<'a>,
    late: Appender<'a>,
}

impl<'a> Tables<'a> {
    fn of(connection: &'a Connection, view: &str) -> Result<Self, LedgerError> {
        Ok(Tables {
            near: appender(connection, &format!("{view}_near"))?,
            late: appender(connection, &format!("{view}_late"))?,
        })
    }

    fn choose(&mut self, is_late: bool) -> &mut Appender<'a> {
        match is_late {
            true => &mut self.late,
            false => &mut self.near,
        }
    }

    fn flush(self) -> Result<(), LedgerError> {
        flush(self.near)?;
        flush(self.late)
    }
}

pub(crate) fn versions(
    connection: &Connection,
    batch_no: u64,
    at: DateTime<Utc>,
    first_block: u64,
    rows: &[VersionRow],
    source_id: &dyn Fn(&PartitionId) -> i32,
) -> Result<(), LedgerError> {
    let mut appender = appender(connection, "versions")?;
    for row in rows {
        appender
            .append_row(params![
                batch_no as i64,
                row.seq as i64,
                kind_code(row.key.kind),
                row.key.entry_id,
                row.version as i64,
                row.digest.0.as_slice(),
                row.verdict as u8,
                source_id(&row.source),
                row.position as i64,
                timestamp(at),
                row.zone,
                row.redacted,
                (first_block + row.place.block) as i64,
                row.place.start as i32,
                row.place.length as i32,
            ])
            .map_err(LedgerError::engine("appended versions"))?;
    }
    flush(appender)
}

pub(crate) fn bodies(connection: &Connection, first_block: u64, packed: &[Vec<u8>]) -> Result<(), LedgerError> {
    let mut appender = appender(connection, "bodies")?;
    for (n, block) in (first_block..).zip(packed) {
        appender
            .append_row(params![n as i64, block.as_slice()])
            .map_err(LedgerError::engine("appended the bodies of versions"))?;
    }
    flush(appender)
}

pub(crate) fn repeats(
    connection: &Connection,
    batch_no: u64,
    rows: &[RepeatRow],
    source_id: &dyn Fn(&PartitionId) -> i32,
) -> Result<(), LedgerError> {
    let mut appender = appender(connection, "repeats")?;
    for row in rows {
        appender
            .append_row(params![
                batch_no as i64,
                row.seq as i64,
                kind_code(row.key.kind),
                row.key.entry_id,
                row.version as i64,
                hash_of(&row.digest),
                source_id(&row.source),
                row.position as i64,
            ])
            .map_err(LedgerError::engine("appended repeats"))?;
    }
    flush(appender)
}

pub(crate) fn entries(connection: &Connection, rows: &[EntryChange], late: &Lateness) -> Result<(), LedgerError> {
    let mut tables = Tables::of(connection, "entries")?;
    for EntryChange {
        sign,
        seq,
        payment_key,
        row,
    } in rows
    {
        let is_late = late.is_late([row.event_day, row.sale_day, row.sold_on, row.paid_out_on]);
        tables
            .choose(is_late)
            .append_row(params![
                sign,
                *seq as i64,
                &**payment_key,
                kind_code(row.kind),
                row.entry_id,
                row.merchant_id,
                row.currency.code(),
                row.currency.digits() as i8,
                row.method,
                row.status,
                date(row.event_day),
                date(row.sale_day),
                date(row.sold_on),
                date(row.paid_out_on),
                row.payout_id,
                row.amount,
                row.fee,
                row.vat,
                row.payout,
                row.cost,
            ])
            .map_err(LedgerError::engine("appended entries"))?;
    }
    tables.flush()
}

pub(crate) fn payments(connection: &Connection, rows: &Signed<ListRow>, late: &Lateness) -> Result<(), LedgerError> {
    let mut tables = Tables::of(connection, "payments")?;
    for (sign, seq, row) in rows {
        let is_late = late.is_late([Some(row.occurred_at.date_naive()), row.sale_day]);
        tables
            .choose(is_late)
            .append_row(params![
                sign,
                *seq as i64,
                row.merchant_id,
                row.currency.map(|currency| currency.code()),
                row.currency.map(|currency| currency.digits() as i8),
                row.method,
                row.status,
                row.settlement_status,
                row.total,
                row.balance,
                timestamp(row.occurred_at),
                date(row.sale_day),
                row.approved_at.map_or(Value::Null, timestamp),
                row.flags,
            ])
            .map_err(LedgerError::engine("appended payments"))?;
    }
    tables.flush()
}

pub(crate) fn rollups<'a>(
    connection: &Connection,
    cells: impl IntoIterator<Item = (&'a Cell, &'a Measures)>,
    late: &Lateness,
) -> Result<(), LedgerError> {
    let mut tables = Tables::of(connection, "rollups")?;
    for (cell, sums) in cells {
        tables
            .choose(late.is_late([cell.day]))
            .append_row(params![
                basis_code(cell.basis),
                date(cell.day),
                cell.merchant_id,
                cell.currency.code(),
                cell.method,
                cell.status.map(|status| status.as_str()),
                sums.payment_count,
                sums.payment_amount,
                sums.cancellation_count,
                sums.cancellation_amount,
                sums.failed_count,
                sums.settlement_count,
                sums.gross,
                sums.fee,
                sums.vat,
                sums.payout,
                sums.cost,
            ])
            .map_err(LedgerError::engine("appended rollups"))?;
    }
    tables.flush()
}

pub(crate) fn keys(connection: &Connection, keys: &[(u64, u64)]) -> Result<(), LedgerError> {
    let mut appender = appender(connection, "keys")?;
    for (seq, hash) in keys {
        appender
            .append_row(params![*seq as i64, hash.cast_signed()])
            .map_err(LedgerError::engine("appended keys"))?;
    }
    flush(appender)
}

pub(crate) fn events(
    connection: &Connection,
    batch_no: u64,
    at: DateTime<Utc>,
    rows: &[EventRow],
    source_id: &dyn Fn(&PartitionId) -> i32,
) -> Result<(), LedgerError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut appender = appender(connection, "events")?;
    let (batch_no, at) = (batch_no as i64, timestamp(at));
    // Messages of one partition come in runs.
    let mut partition: Option<(&PartitionId, i32)> = None;
    for row in rows {
        let source = match partition {
            Some((known, id)) if *known == *row.source => id,
            _ => {
                let id = source_id(&row.source);
                partition = Some((&row.source, id));
                id
            }
        };
        appender
            .append_row(params![
                batch_no,
                row.id_hash,
                row.source_hash,
                source,
                row.position as i64,
                row.verdict as u8,
                row.seq.map(|seq| seq as i64),
                row.content,
                at,
            ])
            .map_err(LedgerError::engine("appended events"))?;
    }
    flush(appender)
}

pub(crate) fn event_sources(connection: &Connection, sources: &[(i64, String)]) -> Result<(), LedgerError> {
    if sources.is_empty() {
        return Ok(());
    }
    let mut appender = appender(connection, "event_sources")?;
    for (hash, source) in sources {
        appender
            .append_row(params![hash, source])
            .map_err(LedgerError::engine("appended the sources of events"))?;
    }
    flush(appender)
}
