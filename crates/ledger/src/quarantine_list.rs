//! Reading quarantine, newest first.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::dossier::EntryKey;
use domain::message::Digest;
use domain::position::PartitionId;
use duckdb::Connection;

use crate::append::{hash_of, of_micros};
use crate::bodies::BodyFile;
use crate::codec::{kind_code, kind_of};
use crate::error::LedgerError;
use crate::refused::Attributes;
use crate::replay::CONFLICT;
use crate::timeline::each_held;

/// A version and content: kind, entry, version and beginning of the digest.
type Sent = (u8, String, u64, i64);

/// A row of the list of quarantine; the raw bytes are not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    pub n: u64,
    pub code: String,
    pub pointer: String,
    pub detail: String,
    pub payment_key: Option<String>,
    /// The number of the payment that it names, if the ledger has it.
    pub seq: Option<u64>,
    /// Of conflicts and entries set aside.
    pub entry: Option<EntryKey>,
    pub version: Option<u64>,
    pub sha256: Digest,
    pub raw_bytes: u64,
    pub seen: u64,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    /// Where it came last; absent for entries set aside, which came at the position of their version.
    pub last_position: Option<(PartitionId, u64)>,
    pub open: bool,
    /// How it was closed, if it was.
    pub closed: Option<Closed>,
}

/// How a row of quarantine came to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub at: DateTime<Utc>,
    /// `replayed` or `closed`.
    pub how: String,
    /// The operator's, of a row that was closed by hand.
    pub reason: Option<String>,
}

/// A row with what was kept of its message, if it is about one.
pub type RowAndRaw = (QuarantineRow, Option<Raw>);

/// A refused message as it was kept: redacted, of one that was too large the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    pub bytes: Vec<u8>,
    /// Headers of the event in binary mode.
    pub attributes: Attributes,
}

/// What a list of quarantine may be narrowed to; empty fields do not narrow.
#[derive(Clone, Debug, Default)]
pub struct QuarantineFilter {
    pub codes: Vec<String>,
    pub payment_keys: Vec<String>,
    pub open: Option<bool>,
}

impl QuarantineFilter {
    /// As SQL over `quarantine q`, with the values to bind.
    pub(crate) fn condition(&self) -> (String, Vec<duckdb::types::Value>) {
        let mut conditions = vec!["true".to_owned()];
        let mut values: Vec<duckdb::types::Value> = Vec::new();
        for (column, wanted) in [("code", &self.codes), ("payment_key", &self.payment_keys)] {
            if !wanted.is_empty() {
                conditions.push(format!("{column} in ({})", vec!["?"; wanted.len()].join(",")));
                values.extend(wanted.iter().map(|text| duckdb::types::Value::Text(text.clone())));
            }
        }
        if let Some(open) = self.open {
            conditions.push(format!("open = {open}"));
        }
        (conditions.join(" and "), values)
    }
}

const LIST: &str = include_str!("quarantine/list.sql");

/// Rows with a number below `before`, newest first.
pub(crate) fn list(
    connection: &Connection,
    filter: &QuarantineFilter,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<QuarantineRow>, LedgerError> {
    let doing = "listed quarantine";
    let failed = LedgerError::engine;
    let (mut condition, values) = filter.condition();
    if let Some(before) = before {
        condition.push_str(&format!(" and n < {before}"));
    }
    let sql = format!("{LIST} where {condition} order by n desc limit {limit}");
    let mut statement = connection.prepare(&sql).map_err(failed(doing))?;
    let mut rows = statement
        .query(duckdb::params_from_iter(values))
        .map_err(failed(doing))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed(doing))? {
        found.push(read_row(row)?);
    }
    count_repeats(connection, &mut found)?;
    Ok(found)
}

/// How often the contents of conflicts came: their repeats are counted as those of every version, and not in their rows.
fn count_repeats(connection: &Connection, rows: &mut [QuarantineRow]) -> Result<(), LedgerError> {
    let doing = "counted repeats";
    let sent = |row: &QuarantineRow| {
        let (seq, entry, version) = (row.seq?, row.entry.as_ref()?, row.version?);
        let of = (
            kind_code(entry.kind),
            entry.entry_id.clone(),
            version,
            hash_of(&row.sha256),
        );
        (row.code == CONFLICT).then_some((seq, of))
    };
    let conflicts = rows.iter_mut().filter_map(|row| Some((sent(row)?, row)));
    let mut conflicts: BTreeMap<(u64, Sent), &mut QuarantineRow> = conflicts.collect();
    if conflicts.is_empty() {
        return Ok(());
    }
    // By payment first, in whose order repeats of one time lie.
    let seqs: BTreeSet<String> = conflicts.keys().map(|(seq, _)| seq.to_string()).collect();
    let seqs: Vec<String> = seqs.into_iter().collect();
    let sql = format!(
        "select seq, kind, entry_id, version, hash, count(*) from repeats where seq in ({}) group by all",
        seqs.join(", ")
    );
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let counted = statement
        .query_map([], |row| {
            let unsigned = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
            let of = (row.get(1)?, row.get(2)?, unsigned(3)?, row.get(4)?);
            Ok(((unsigned(0)?, of), unsigned(5)?))
        })
        .map_err(LedgerError::engine(doing))?;
    for one in counted {
        let (of, count) = one.map_err(LedgerError::engine(doing))?;
        if let Some(row) = conflicts.get_mut(&of) {
            row.seen += count;
        }
    }
    Ok(())
}

/// What the entry says that a row is about: it is a version of the ledger and not kept a second time.
pub(crate) fn entry_data(
    connection: &Connection,
    bodies: &BodyFile,
    row: &QuarantineRow,
) -> Result<Option<Vec<u8>>, LedgerError> {
    let (Some(seq), Some(key)) = (row.seq, &row.entry) else {
        return Ok(None);
    };
    let mut found = None;
    each_held(connection, bodies, &[seq], &mut |_, held| {
        if held.key == *key && Some(held.version) == row.version && held.digest == row.sha256 {
            found = Some(held.body);
        }
    })?;
    Ok(found)
}

/// One row, with what was kept of the message if it is about one.
pub(crate) fn one(connection: &Connection, n: u64) -> Result<Option<RowAndRaw>, LedgerError> {
    let doing = "read quarantine";
    let failed = LedgerError::engine;
    let mut statement = connection
        .prepare(&format!("{LIST} where n = ?"))
        .map_err(failed(doing))?;
    let mut rows = statement.query([n as i64]).map_err(failed(doing))?;
    let Some(row) = rows.next().map_err(failed(doing))? else {
        return Ok(None);
    };
    let mut row = read_row(row)?;
    count_repeats(connection, std::slice::from_mut(&mut row))?;
    let (bytes, attributes): (Option<Vec<u8>>, Option<Vec<u8>>) = connection
        .query_row(
            "select raw, attributes from quarantine where n = ?",
            [n as i64],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(failed(doing))?;
    let attributes = match attributes {
        Some(bytes) => postcard::from_bytes(&bytes).map_err(|_| LedgerError::Damaged("attributes".to_owned()))?,
        None => Vec::new(),
    };
    Ok(Some((row, bytes.map(|bytes| Raw { bytes, attributes }))))
}

/// The row of a refused message with these first eight bytes of its SHA-256.
pub(crate) fn of_content(connection: &Connection, hash: i64) -> Result<Option<QuarantineRow>, LedgerError> {
    let doing = "read quarantine";
    let sql = format!("{LIST} where hash = ? and raw is not null limit 1");
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let mut rows = statement.query([hash]).map_err(LedgerError::engine(doing))?;
    let row = rows.next().map_err(LedgerError::engine(doing))?;
    row.map(read_row).transpose()
}

fn read_row(row: &duckdb::Row<'_>) -> Result<QuarantineRow, LedgerError> {
    let get = || LedgerError::engine("listed quarantine");
    let kind: Option<u8> = row.get(5).map_err(get())?;
    let entry_id: Option<String> = row.get(6).map_err(get())?;
    let entry = match (kind, entry_id) {
        (Some(kind), Some(entry_id)) => Some(EntryKey {
            kind: kind_of(kind)?,
            entry_id,
        }),
        _ => None,
    };
    let sha256: Vec<u8> = row.get(8).map_err(get())?;
    let source: Option<String> = row.get(13).map_err(get())?;
    let position: i64 = row.get(14).map_err(get())?;
    Ok(QuarantineRow {
        n: row.get::<_, i64>(0).map_err(get())?.unsigned_abs(),
        code: row.get(1).map_err(get())?,
        pointer: row.get(2).map_err(get())?,
        detail: row.get(3).map_err(get())?,
        payment_key: row.get(4).map_err(get())?,
        seq: row.get::<_, Option<i64>>(19).map_err(get())?.map(i64::unsigned_abs),
        entry,
        version: row.get::<_, Option<i64>>(7).map_err(get())?.map(i64::unsigned_abs),
        sha256: Digest(<[u8; 32]>::try_from(sha256).map_err(|_| LedgerError::Damaged("a digest".to_owned()))?),
        raw_bytes: row.get::<_, i64>(9).map_err(get())?.unsigned_abs(),
        seen: row.get::<_, i64>(10).map_err(get())?.unsigned_abs(),
        first_at: of_micros(row.get(11).map_err(get())?),
        last_at: of_micros(row.get(12).map_err(get())?),
        last_position: source.and_then(|name| Some((PartitionId::parse(&name)?, position.unsigned_abs()))),
        open: row.get(15).map_err(get())?,
        closed: match (
            row.get::<_, Option<i64>>(16).map_err(get())?,
            row.get::<_, Option<String>>(17).map_err(get())?,
        ) {
            (Some(at), Some(how)) => Some(Closed {
                at: of_micros(at),
                how,
                reason: row.get(18).map_err(get())?,
            }),
            _ => None,
        },
    })
}
