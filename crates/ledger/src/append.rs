//! Appending a batch to DuckDB's tables, and the spelling of values there.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::message::Digest;
use domain::money::Currency;
use domain::position::PartitionId;
use domain::rollup::{Cell, CellKind, Measures};
use duckdb::types::{TimeUnit, Value};
use duckdb::{Appender, Connection, ToSql, params};

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
                kind_code(row.kind),
                row.verdict as u8,
                source_id(&row.source),
                row.position as i64,
                timestamp(at),
                row.zone,
                row.sent.as_ref().map(|digest| digest.0.as_slice()),
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

/// Changes of cells, by merchant and of all merchants together.
pub(crate) fn cells(
    connection: &Connection,
    batch_no: u64,
    cells: &BTreeMap<Cell, Measures>,
) -> Result<(), LedgerError> {
    let batch_no = batch_no as i64;
    let mut of_all: BTreeMap<(CellKind, Currency, &str), Measures> = BTreeMap::new();
    let mut sales = appender(connection, "sales_cells_new")?;
    let mut settlements = appender(connection, "settlement_cells_new")?;
    for (cell, sums) in cells {
        let dimensions = (cell.kind, cell.currency, cell.method.as_str());
        let appender = match cell.kind {
            CellKind::Sales { .. } => &mut sales,
            CellKind::Settlement { .. } => &mut settlements,
        };
        append_cell(appender, batch_no, Some(&cell.merchant_id), dimensions, sums)?;
        of_all.entry(dimensions).or_default().add(sums, 1);
    }
    flush(sales)?;
    flush(settlements)?;
    let mut sales = appender(connection, "sales_cells_of_all_new")?;
    let mut settlements = appender(connection, "settlement_cells_of_all_new")?;
    for (dimensions, sums) in of_all.into_iter().filter(|(_, sums)| !sums.is_zero()) {
        let appender = match dimensions.0 {
            CellKind::Sales { .. } => &mut sales,
            CellKind::Settlement { .. } => &mut settlements,
        };
        append_cell(appender, batch_no, None, dimensions, &sums)?;
    }
    flush(sales)?;
    flush(settlements)
}

fn append_cell(
    appender: &mut Appender<'_>,
    batch_no: i64,
    merchant_id: Option<&str>,
    (kind, currency, method): (CellKind, Currency, &str),
    sums: &Measures,
) -> Result<(), LedgerError> {
    let (first, second, status) = match kind {
        CellKind::Sales { event_day, sale_day } => (date(Some(event_day)), date(sale_day), None),
        CellKind::Settlement {
            sold_on,
            paid_out_on,
            status,
        } => (date(Some(sold_on)), date(paid_out_on), Some(status.as_str())),
    };
    let code = currency.code();
    let mut row: Vec<&dyn ToSql> = Vec::with_capacity(13);
    row.push(&batch_no);
    if let Some(merchant_id) = &merchant_id {
        row.push(merchant_id);
    }
    row.extend_from_slice(params![first, second, code, method]);
    match &status {
        None => row.extend_from_slice(params![
            sums.payment_count,
            sums.payment_amount,
            sums.cancellation_count,
            sums.cancellation_amount,
            sums.failed_count,
        ]),
        Some(status) => row.extend_from_slice(params![
            *status,
            sums.settlement_count,
            sums.gross,
            sums.fee,
            sums.vat,
            sums.payout,
            sums.cost,
        ]),
    }
    appender
        .append_row(row.as_slice())
        .map_err(LedgerError::engine("appended changes of cells"))
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
