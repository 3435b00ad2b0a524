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

use crate::append::{hash_of, micros};
use crate::codec::kind_code;
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
