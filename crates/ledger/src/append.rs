//! Appending a batch to DuckDB's tables, and the spelling of values there.
//!
//! A table's rows are appended column by column ([`crate::columns`]).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::message::{Digest, Fingerprint};
use domain::money::Currency;
use domain::position::PartitionId;
use domain::rollup::{Cell, CellKind, Measures};
use duckdb::Connection;

use crate::bodies::Place;
use crate::cells::split;
use crate::codec::kind_code;
use crate::columns::{Column, append, blobs, dates, integers, longs, repeated, smallints, texts, timestamps, tinyints};
use crate::error::LedgerError;
use crate::events::EventRow;
use crate::fold::{EntryChange, RepeatRow, Signed};
use crate::late::Lateness;
use crate::list_row::ListRow;
use crate::version_rows::VersionRow;

pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

pub(crate) fn of_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The first eight bytes of a digest, to find it by.
pub(crate) fn hash_of(digest: &Digest) -> i64 {
    hash_of_fingerprint(&digest.fingerprint())
}

/// See [`hash_of`].
pub(crate) fn hash_of_fingerprint(fingerprint: &Fingerprint) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&fingerprint.0[..8]);
    i64::from_be_bytes(first)
}

pub(crate) fn versions(
    connection: &Connection,
    batch_no: u64,
    at: DateTime<Utc>,
    place_of: &dyn Fn(&VersionRow) -> Place,
    rows: &[VersionRow],
    source_id: &dyn Fn(&PartitionId) -> i32,
) -> Result<(), LedgerError> {
    append(
        connection,
        "versions_new",
        [
            longs(repeated(batch_no as i64, rows)),
            longs(rows.iter().map(|row| row.seq as i64)),
            tinyints(rows.iter().map(|row| kind_code(row.kind) as i8)),
            tinyints(rows.iter().map(|row| row.verdict as i8)),
            integers(rows.iter().map(|row| source_id(&row.source))),
            longs(rows.iter().map(|row| row.position as i64)),
            timestamps(repeated(Some(at), rows)),
            texts(rows.iter().map(|row| Some(row.zone))),
            blobs(rows.iter().map(|row| row.redacted.then_some(row.digest.0.as_slice()))),
            longs(rows.iter().map(|row| place_of(row).block as i64)),
            integers(rows.iter().map(|row| place_of(row).line as i32)),
        ],
    )
}

pub(crate) fn repeats(
    connection: &Connection,
    batch_no: u64,
    rows: &[RepeatRow],
    source_id: &dyn Fn(&PartitionId) -> i32,
) -> Result<(), LedgerError> {
    append(
        connection,
        "repeats_new",
        [
            longs(repeated(batch_no as i64, rows)),
            longs(rows.iter().map(|row| row.seq as i64)),
            tinyints(rows.iter().map(|row| kind_code(row.key.kind) as i8)),
            texts(rows.iter().map(|row| Some(&*row.key.entry_id))),
            longs(rows.iter().map(|row| row.version as i64)),
            longs(rows.iter().map(|row| hash_of(&row.digest))),
            integers(rows.iter().map(|row| source_id(&row.source))),
            longs(rows.iter().map(|row| row.position as i64)),
        ],
    )
}

/// Rows for the two tables of a view: see [`crate::late`].
fn apart<T>(rows: &[T], is_late: impl Fn(&T) -> bool) -> [(Vec<&T>, &'static str); 2] {
    let (late, near) = rows.iter().partition(|row| is_late(row));
    [(near, "near"), (late, "late")]
}

pub(crate) fn entries(connection: &Connection, rows: &[EntryChange], late: &Lateness) -> Result<(), LedgerError> {
    let is_late = |EntryChange { row, .. }: &EntryChange| {
        late.is_late([row.event_day, row.sale_day, row.sold_on, row.paid_out_on])
    };
    for (changes, which) in apart(rows, is_late) {
        append(connection, &format!("entries_{which}"), entry_columns(&changes)?)?;
    }
    Ok(())
}

/// A sum in each row, in two columns: see [`split`].
fn sums(sums: impl Iterator<Item = Option<i128>>) -> Result<[Column; 2], LedgerError> {
    let halves = sums.map(|sum| sum.map(split).transpose());
    let halves = halves.collect::<Result<Vec<_>, _>>()?;
    Ok([
        longs(halves.iter().map(|halves| halves.map(|(low, _)| low))),
        longs(halves.iter().map(|halves| halves.map(|(_, over)| over))),
    ])
}

/// The columns of a table of entries, for these rows.
pub(crate) fn entry_columns(changes: &[&EntryChange]) -> Result<Vec<Column>, LedgerError> {
    let rows = || changes.iter().map(|change| &change.row);
    let [fee, fee_over] = sums(rows().map(|row| Some(row.fee)))?;
    let [cost, cost_over] = sums(rows().map(|row| Some(row.cost)))?;
    Ok(vec![
        tinyints(changes.iter().map(|change| change.sign)),
        longs(changes.iter().map(|change| change.seq as i64)),
        texts(changes.iter().map(|change| Some(&*change.payment_key))),
        tinyints(rows().map(|row| kind_code(row.kind) as i8)),
        texts(changes.iter().map(|change| {
            let entry_id = &*change.row.entry_id;
            (*entry_id != *change.payment_key).then_some(entry_id)
        })),
        texts(rows().map(|row| Some(&*row.merchant_id))),
        texts(rows().map(|row| Some(row.currency.code()))),
        tinyints(rows().map(|row| row.currency.digits() as i8)),
        texts(rows().map(|row| Some(&*row.method))),
        texts(rows().map(|row| Some(row.status))),
        dates(rows().map(|row| row.event_day)),
        dates(rows().map(|row| row.sale_day)),
        dates(rows().map(|row| row.sold_on)),
        dates(rows().map(|row| row.paid_out_on)),
        texts(rows().map(|row| row.payout_id.as_deref())),
        longs(rows().map(|row| row.amount)),
        fee,
        fee_over,
        longs(rows().map(|row| row.vat)),
        longs(rows().map(|row| row.payout)),
        cost,
        cost_over,
    ])
}

pub(crate) fn payments(connection: &Connection, rows: &Signed<ListRow>, late: &Lateness) -> Result<(), LedgerError> {
    let is_late = |(_, _, row): &(i8, u64, ListRow)| late.is_late([Some(row.occurred_at.date_naive()), row.sale_day]);
    for (changes, which) in apart(rows, is_late) {
        append(connection, &format!("payments_{which}"), payment_columns(&changes)?)?;
    }
    Ok(())
}

/// The columns of a table of list rows, for these.
pub(crate) fn payment_columns(changes: &[&(i8, u64, ListRow)]) -> Result<Vec<Column>, LedgerError> {
    let rows = || changes.iter().map(|(_, _, row)| row);
    let [balance, balance_over] = sums(rows().map(|row| row.balance))?;
    Ok(vec![
        tinyints(changes.iter().map(|(sign, _, _)| *sign)),
        longs(changes.iter().map(|(_, seq, _)| *seq as i64)),
        texts(rows().map(|row| row.merchant_id.as_deref())),
        texts(rows().map(|row| row.currency.map(|currency| currency.code()))),
        tinyints(rows().map(|row| row.currency.map(|currency| currency.digits() as i8))),
        texts(rows().map(|row| Some(&*row.method))),
        texts(rows().map(|row| Some(row.status))),
        texts(rows().map(|row| Some(row.settlement_status))),
        longs(rows().map(|row| row.total)),
        balance,
        balance_over,
        timestamps(rows().map(|row| Some(row.occurred_at))),
        dates(rows().map(|row| row.sale_day)),
        timestamps(rows().map(|row| row.approved_at)),
        smallints(rows().map(|row| row.flags)),
    ])
}

/// Changes of cells, by merchant and of all merchants together.
pub(crate) fn cells(
    connection: &Connection,
    batch_no: u64,
    cells: &BTreeMap<Cell, Measures>,
) -> Result<(), LedgerError> {
    let mut of_all: BTreeMap<(CellKind, Currency, &str), Measures> = BTreeMap::new();
    let mut by_merchant = Vec::with_capacity(cells.len());
    for (cell, sums) in cells {
        let dimensions = (cell.kind, cell.currency, cell.method.as_str());
        by_merchant.push((Some(&*cell.merchant_id), dimensions, sums));
        of_all.entry(dimensions).or_default().add(sums, 1);
    }
    append_cells(connection, batch_no, "cells_new", &by_merchant)?;
    let of_all = of_all.iter().filter(|(_, sums)| !sums.is_zero());
    let of_all: Vec<CellRow<'_>> = of_all.map(|(dimensions, sums)| (None, *dimensions, sums)).collect();
    append_cells(connection, batch_no, "cells_of_all_new", &of_all)
}

/// Merchant, where it has one, the other dimensions and the sums of a change.
type CellRow<'a> = (Option<&'a str>, (CellKind, Currency, &'a str), &'a Measures);

fn append_cells(connection: &Connection, batch_no: u64, tables: &str, rows: &[CellRow<'_>]) -> Result<(), LedgerError> {
    let is_sale = |(_, (kind, ..), _): &CellRow<'_>| matches!(kind, CellKind::Sales { .. });
    let (sales, settlements): (Vec<CellRow<'_>>, Vec<CellRow<'_>>) = rows.iter().partition(|row| is_sale(row));
    for (rows, family) in [(sales, "sales"), (settlements, "settlement")] {
        let kinds = || rows.iter().map(|(_, (kind, ..), _)| *kind);
        let mut columns = vec![longs(repeated(batch_no as i64, &rows))];
        if rows.iter().any(|(merchant_id, ..)| merchant_id.is_some()) {
            columns.push(texts(rows.iter().map(|(merchant_id, ..)| *merchant_id)));
        }
        columns.extend([
            dates(kinds().map(|kind| match kind {
                CellKind::Sales { event_day, .. } => Some(event_day),
                CellKind::Settlement { sold_on, .. } => Some(sold_on),
            })),
            dates(kinds().map(|kind| match kind {
                CellKind::Sales { sale_day, .. } => sale_day,
                CellKind::Settlement { paid_out_on, .. } => paid_out_on,
            })),
            texts(rows.iter().map(|(_, (_, currency, _), _)| Some(currency.code()))),
            texts(rows.iter().map(|(_, (.., method), _)| Some(*method))),
        ]);
        let count = |of: fn(&Measures) -> i64| longs(rows.iter().map(|(.., sums)| of(sums)));
        let mut amounts: Vec<fn(&Measures) -> i128> = Vec::new();
        match family {
            "sales" => {
                columns.extend([
                    count(|sums| sums.payment_count),
                    count(|sums| sums.cancellation_count),
                    count(|sums| sums.failed_count),
                ]);
                amounts.extend([(|sums| sums.payment_amount) as fn(&Measures) -> i128, |sums| {
                    sums.cancellation_amount
                }]);
            }
            _ => {
                columns.extend([
                    texts(kinds().map(|kind| match kind {
                        CellKind::Sales { .. } => None,
                        CellKind::Settlement { status, .. } => Some(status.as_str()),
                    })),
                    count(|sums| sums.settlement_count),
                ]);
                amounts.extend([
                    (|sums| sums.gross) as fn(&Measures) -> i128,
                    |sums| sums.fee,
                    |sums| sums.vat,
                    |sums| sums.payout,
                    |sums| sums.cost,
                ]);
            }
        }
        for of in amounts {
            columns.extend(sums(rows.iter().map(|(.., measures)| Some(of(measures))))?);
        }
        append(connection, &format!("{family}_{tables}"), columns)?;
    }
    Ok(())
}

pub(crate) fn keys(connection: &Connection, keys: &[(u64, u64)]) -> Result<(), LedgerError> {
    let seqs = longs(keys.iter().map(|(seq, _)| *seq as i64));
    let hashes = longs(keys.iter().map(|(_, hash)| hash.cast_signed()));
    append(connection, "keys_new", [seqs, hashes])
}

pub(crate) fn events(
    connection: &Connection,
    batch_no: u64,
    at: DateTime<Utc>,
    rows: &[EventRow],
    source_id: &dyn Fn(&PartitionId) -> i32,
) -> Result<(), LedgerError> {
    // Messages of one partition come in runs.
    let mut partition: Option<(&PartitionId, i32)> = None;
    let sources = rows.iter().map(|row| match partition {
        Some((known, id)) if *known == *row.source => id,
        _ => {
            let id = source_id(&row.source);
            partition = Some((&row.source, id));
            id
        }
    });
    append(
        connection,
        "events",
        [
            longs(repeated(batch_no as i64, rows)),
            longs(rows.iter().map(|row| row.id_hash)),
            longs(rows.iter().map(|row| row.source_hash)),
            integers(sources),
            longs(rows.iter().map(|row| row.position as i64)),
            tinyints(rows.iter().map(|row| row.verdict as i8)),
            longs(rows.iter().map(|row| row.seq.map(|seq| seq as i64))),
            longs(rows.iter().map(|row| row.content)),
            timestamps(repeated(Some(at), rows)),
        ],
    )
}

pub(crate) fn event_sources(connection: &Connection, sources: &[(i64, String)]) -> Result<(), LedgerError> {
    let hashes = longs(sources.iter().map(|(hash, _)| *hash));
    let names = texts(sources.iter().map(|(_, name)| Some(name.as_str())));
    append(connection, "event_sources", [hashes, names])
}
