//! Quarantine: what could not be applied, kept with the reason.
//!
//! Three things stand there, one row for each distinct one: refused messages (by the SHA-256 of their bytes), contents
//! that contradict another of the same version (by digest), and entries that are set aside because they name another
//! merchant or currency than their payment (by entry and code, while that is so).

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::derive::LiveEntries;
use domain::dossier::EntryKey;
use domain::message::Digest;
use domain::position::PartitionId;
use duckdb::{Connection, params};

use crate::append::{micros, of_micros};
use crate::codec::{kind_code, kind_of};
use crate::error::LedgerError;
use crate::fold::Refused;

/// An entry set aside, by one of the two reasons.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Aside {
    pub(crate) key: EntryKey,
    pub(crate) code: &'static str,
    pub(crate) version: u64,
    pub(crate) digest: Digest,
}

/// The entries of a payment that are set aside now, sorted.
pub(crate) fn aside_of(live: &LiveEntries<'_>) -> Vec<Aside> {
    let mut found = Vec::new();
    for aside in &live.set_aside {
        let record = &aside.entry.current.record;
        let Some(head) = aside.entry.head() else { continue };
        let codes = [
            (aside.merchant_differs, "merchant_mismatch"),
            (aside.currency_differs, "currency_mismatch"),
        ];
        found.extend(
            codes
                .into_iter()
                .filter(|(differs, _)| *differs)
                .map(|(_, code)| Aside {
                    key: EntryKey {
                        kind: record.kind(),
                        entry_id: record.entry_id().to_owned(),
                    },
                    code,
                    version: head.version,
                    digest: head.digest,
                }),
        );
    }
    found.sort_unstable();
    found
}

/// One change of the quarantine table.
pub(crate) enum QuarantineChange {
    Refused {
        refused: Box<Refused>,
        seq: Option<u64>,
        source: Arc<PartitionId>,
        position: u64,
    },
    Conflict {
        payment_key: String,
        seq: u64,
        key: EntryKey,
        version: u64,
        digest: Digest,
        source: Arc<PartitionId>,
        position: u64,
    },
    /// +1 puts it in, -1 takes it out.
    Aside {
        sign: i8,
        payment_key: String,
        seq: u64,
        aside: Aside,
    },
}

fn hash_of(digest: &Digest) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest.0[..8]);
    i64::from_be_bytes(first)
}

/// The refused contents among `digests` that quarantine holds already, with their row numbers.
pub(crate) fn known_refused(connection: &Connection, digests: &[Digest]) -> Result<HashMap<Digest, u64>, LedgerError> {
    let failed = LedgerError::engine;
    if digests.is_empty() {
        return Ok(HashMap::new());
    }
    let values: Vec<String> = digests
        .iter()
        .map(|digest| format!("({}::bigint)", hash_of(digest)))
        .collect();
    let sql = format!(
        "select q.n, q.sha256 from (values {}) wanted(hash) join quarantine q on q.hash = wanted.hash
         where q.raw is not null",
        values.join(",")
    );
    let mut statement = connection.prepare(&sql).map_err(failed("looked up quarantine"))?;
    let mut rows = statement.query([]).map_err(failed("looked up quarantine"))?;
    let mut known = HashMap::new();
    while let Some(row) = rows.next().map_err(failed("looked up quarantine"))? {
        let n: i64 = row.get(0).map_err(failed("looked up quarantine"))?;
        let sha256: Vec<u8> = row.get(1).map_err(failed("looked up quarantine"))?;
        let sha256 =
            <[u8; 32]>::try_from(sha256).map_err(|_| LedgerError::Damaged("a quarantine digest".to_owned()))?;
        known.insert(Digest(sha256), n.unsigned_abs());
    }
    Ok(known)
}

/// A batch's refusals of one content.
struct Repeated {
    refused: Box<Refused>,
    seq: Option<u64>,
    seen: i64,
    first: (Arc<PartitionId>, u64),
    last: (Arc<PartitionId>, u64),
}

/// Writes a batch's changes inside the open transaction. Returns the next free row number.
pub(crate) fn write(
    connection: &Connection,
    changes: Vec<QuarantineChange>,
    known: &HashMap<Digest, u64>,
    mut next_n: u64,
    at: DateTime<Utc>,
    source_id: &dyn Fn(&PartitionId) -> i32,
) -> Result<u64, LedgerError> {
    let failed = LedgerError::engine;
    let doing = "wrote quarantine";
    let now = micros(at);
    let mut repeated: Vec<Repeated> = Vec::new();
    let mut places: HashMap<Digest, usize> = HashMap::new();
    let mut insert = connection
        .prepare("insert into quarantine values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,make_timestamp(?),make_timestamp(?),?,?,?,?,true)")
        .map_err(failed(doing))?;
    for change in changes {
        match change {
            QuarantineChange::Refused {
                refused,
                seq,
                source,
                position,
            } => {
                let digest = refused.sha256;
                if let Some(place) = places.get(&digest) {
                    repeated[*place].seen += 1;
                    repeated[*place].last = (source, position);
                } else {
                    places.insert(digest, repeated.len());
                    let here = (source, position);
                    repeated.push(Repeated {
                        refused,
                        seq,
                        seen: 1,
                        first: here.clone(),
                        last: here,
                    });
                }
            }
            QuarantineChange::Conflict {
                payment_key,
                seq,
                key,
                version,
                digest,
                source,
                position,
            } => {
                let detail = "this entry and version was received with more than one content; publish a higher version";
                let (kind, source, position) = (kind_code(key.kind), source_id(&source), position as i64);
                insert
                    .execute(params![
                        next_n as i64,
                        "conflict",
                        "/version",
                        detail,
                        payment_key,
                        seq as i64,
                        kind,
                        key.entry_id,
                        version as i64,
                        digest.0.as_slice(),
                        hash_of(&digest),
                        None::<Vec<u8>>,
                        0i64,
                        false,
                        1i64,
                        now,
                        now,
                        source,
                        position,
                        source,
                        position
                    ])
                    .map_err(failed(doing))?;
                next_n += 1;
            }
            QuarantineChange::Aside {
                sign: -1, seq, aside, ..
            } => {
                connection
                    .execute(
                        "delete from quarantine where seq = ? and kind = ? and entry_id = ? and code = ?",
                        params![seq as i64, kind_code(aside.key.kind), aside.key.entry_id, aside.code],
                    )
                    .map_err(failed(doing))?;
            }
            QuarantineChange::Aside {
                payment_key,
                seq,
                aside,
                ..
            } => {
                let (pointer, detail) = match aside.code {
                    "merchant_mismatch" => ("/merchant_id", "this entry names another merchant than its payment"),
                    _ => ("/currency", "this entry names another currency than its payment"),
                };
                insert
                    .execute(params![
                        next_n as i64,
                        aside.code,
                        pointer,
                        detail,
                        payment_key,
                        seq as i64,
                        kind_code(aside.key.kind),
                        aside.key.entry_id,
                        aside.version as i64,
                        aside.digest.0.as_slice(),
                        hash_of(&aside.digest),
                        None::<Vec<u8>>,
                        0i64,
                        false,
                        1i64,
                        now,
                        now,
                        0i32,
                        0i64,
                        0i32,
                        0i64
                    ])
                    .map_err(failed(doing))?;
                next_n += 1;
            }
        }
    }
    for item in repeated {
        let (last_source, last_position) = (source_id(&item.last.0), item.last.1 as i64);
        if let Some(n) = known.get(&item.refused.sha256) {
            connection
                .execute(
                    "update quarantine set seen = seen + ?, last_at = make_timestamp(?), last_source = ?,
                     last_position = ? where n = ?",
                    params![item.seen, now, last_source, last_position, *n as i64],
                )
                .map_err(failed(doing))?;
            continue;
        }
        let refused = item.refused;
        let refusal = &refused.refusal;
        insert
            .execute(params![
                next_n as i64,
                refusal.code,
                refusal.pointer,
                refusal.detail,
                refusal.payment_key,
                item.seq.map(|seq| seq as i64),
                None::<u8>,
                None::<String>,
                None::<i64>,
                refused.sha256.0.as_slice(),
                hash_of(&refused.sha256),
                refused.raw,
                refused.raw_bytes as i64,
                refused.binary_mode,
                item.seen,
                now,
                now,
                source_id(&item.first.0),
                item.first.1 as i64,
                last_source,
                last_position
            ])
            .map_err(failed(doing))?;
        next_n += 1;
    }
    Ok(next_n)
}

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
