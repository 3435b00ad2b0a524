//! Reading quarantine, newest first.

use chrono::{DateTime, Utc};
use domain::dossier::EntryKey;
use domain::message::Digest;
use domain::position::PartitionId;
use duckdb::Connection;

use crate::append::of_micros;
use crate::codec::kind_of;
use crate::error::LedgerError;

/// A row of the list of quarantine; the raw bytes are not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    pub n: u64,
    pub code: String,
    pub pointer: String,
    pub detail: String,
    pub payment_key: Option<String>,
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
}

/// What a list of quarantine may be narrowed to; empty fields do not narrow.
#[derive(Clone, Debug, Default)]
pub struct QuarantineFilter {
    pub codes: Vec<String>,
    pub payment_keys: Vec<String>,
    pub open: Option<bool>,
}

const LIST: &str = "select n, code, pointer, detail, payment_key, kind, entry_id, version, sha256, raw_bytes, seen,
    epoch_us(first_at), epoch_us(last_at), p.name, last_position, open
    from quarantine q left join positions p on p.source_id = q.last_source";

/// Rows with a number below `before`, newest first.
pub(crate) fn list(
    connection: &Connection,
    filter: &QuarantineFilter,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<QuarantineRow>, LedgerError> {
    let doing = "listed quarantine";
    let failed = LedgerError::engine;
    let mut conditions = vec!["true".to_owned()];
    let mut values: Vec<duckdb::types::Value> = Vec::new();
    for (column, wanted) in [("code", &filter.codes), ("payment_key", &filter.payment_keys)] {
        if !wanted.is_empty() {
            conditions.push(format!("{column} in ({})", vec!["?"; wanted.len()].join(",")));
            values.extend(wanted.iter().map(|text| duckdb::types::Value::Text(text.clone())));
        }
    }
    if let Some(open) = filter.open {
        conditions.push(format!("open = {open}"));
    }
    if let Some(before) = before {
        conditions.push(format!("n < {before}"));
    }
    let sql = format!(
        "{LIST} where {} order by n desc limit {limit}",
        conditions.join(" and ")
    );
    let mut statement = connection.prepare(&sql).map_err(failed(doing))?;
    let mut rows = statement
        .query(duckdb::params_from_iter(values))
        .map_err(failed(doing))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed(doing))? {
        found.push(read_row(row)?);
    }
    Ok(found)
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
        entry,
        version: row.get::<_, Option<i64>>(7).map_err(get())?.map(i64::unsigned_abs),
        sha256: Digest(<[u8; 32]>::try_from(sha256).map_err(|_| LedgerError::Damaged("a digest".to_owned()))?),
        raw_bytes: row.get::<_, i64>(9).map_err(get())?.unsigned_abs(),
        seen: row.get::<_, i64>(10).map_err(get())?.unsigned_abs(),
        first_at: of_micros(row.get(11).map_err(get())?),
        last_at: of_micros(row.get(12).map_err(get())?),
        last_position: source.and_then(|name| Some((PartitionId::parse(&name)?, position.unsigned_abs()))),
        open: row.get(15).map_err(get())?,
    })
}
