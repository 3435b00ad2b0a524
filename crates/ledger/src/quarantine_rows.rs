//! Writing a batch's changes into the quarantine table.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::message::Digest;
use domain::position::PartitionId;
use domain::refusal::Refusal;
use duckdb::{Connection, Statement, params};

use crate::append::hash_of;
use crate::append::micros;
use crate::codec::kind_code;
use crate::error::LedgerError;
use crate::quarantine::{Aside, Contradiction, QuarantineChange};
use crate::refused::Refused;
use crate::replay::CONFLICT;

const INSERT: &str = include_str!("quarantine/insert.sql");
const REPEAT: &str = "update quarantine set seen = seen + ?, last_at = make_timestamp(?), last_source = ?,
    last_position = ? where n = ?";
const TAKE_OUT: &str = "delete from quarantine where seq = ? and kind = ? and entry_id = ? and code = ?";
const CLOSE: &str =
    "update quarantine set open = false, closed_at = make_timestamp(?), closed_how = ?, closed_reason = ?
    where n = ?";
const REFUSE_AGAIN: &str = "update quarantine set code = ?, pointer = ?, detail = ? where n = ?";

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
    next_n: u64,
    at: DateTime<Utc>,
    source_id: &dyn Fn(&PartitionId) -> i32,
) -> Result<u64, LedgerError> {
    let mut rows = Rows {
        connection,
        insert: connection.prepare(INSERT).map_err(failed())?,
        next_n,
        now: micros(at),
        source_id,
    };
    let mut repeated: Vec<Repeated> = Vec::new();
    let mut places: HashMap<Digest, usize> = HashMap::new();
    for change in changes {
        match change {
            QuarantineChange::Refused {
                refused,
                seq,
                source,
                position,
            } => {
                let here = (source, position);
                if let Some(place) = places.get(&refused.sha256) {
                    repeated[*place].seen += 1;
                    repeated[*place].last = here;
                    continue;
                }
                places.insert(refused.sha256, repeated.len());
                repeated.push(Repeated {
                    refused,
                    seq,
                    seen: 1,
                    first: here.clone(),
                    last: here,
                });
            }
            QuarantineChange::Conflict(contradiction) => rows.conflict(&contradiction)?,
            QuarantineChange::Aside {
                sign: -1, seq, aside, ..
            } => {
                let key = params![seq as i64, kind_code(aside.key.kind), aside.key.entry_id, aside.code];
                connection.execute(TAKE_OUT, key).map_err(failed())?;
            }
            QuarantineChange::Aside {
                payment_key,
                seq,
                aside,
                ..
            } => rows.aside(&payment_key, seq, &aside)?,
            QuarantineChange::Closed { n, how, reason } => {
                let values = params![rows.now, how, reason, n as i64];
                connection.execute(CLOSE, values).map_err(failed())?;
            }
            QuarantineChange::RefusedAgain { n, refusal } => refuse_again(connection, n, &refusal)?,
        }
    }
    for item in repeated {
        match known.get(&item.refused.sha256) {
            Some(n) => rows.repeat(&item, *n)?,
            None => rows.refused(&item)?,
        }
    }
    Ok(rows.next_n)
}

fn failed() -> impl FnOnce(duckdb::Error) -> LedgerError {
    LedgerError::engine("wrote quarantine")
}

fn refuse_again(connection: &Connection, n: u64, refusal: &Refusal) -> Result<(), LedgerError> {
    let values = params![refusal.code, refusal.pointer, refusal.detail, n as i64];
    connection.execute(REFUSE_AGAIN, values).map_err(failed())?;
    Ok(())
}

struct Rows<'c> {
    connection: &'c Connection,
    insert: Statement<'c>,
    next_n: u64,
    /// Microseconds.
    now: i64,
    source_id: &'c dyn Fn(&PartitionId) -> i32,
}

impl Rows<'_> {
    fn number(&mut self) -> i64 {
        let n = self.next_n as i64;
        self.next_n += 1;
        n
    }

    fn conflict(&mut self, found: &Contradiction) -> Result<(), LedgerError> {
        let detail = "this entry and version was received with more than one content; publish a higher version";
        let place = ((self.source_id)(&found.source), found.position as i64);
        let (kind, entry_id) = (kind_code(found.key.kind), &found.key.entry_id);
        let what = (CONFLICT, "/version", detail, &found.payment_key, found.seq);
        self.entry_row(what, (kind, entry_id, found.version), &found.digest, place)
    }

    fn aside(&mut self, payment_key: &String, seq: u64, aside: &Aside) -> Result<(), LedgerError> {
        let (pointer, detail) = match aside.code {
            "merchant_mismatch" => ("/merchant_id", "this entry names another merchant than its payment"),
            _ => ("/currency", "this entry names another currency than its payment"),
        };
        let (kind, entry_id) = (kind_code(aside.key.kind), &aside.key.entry_id);
        let what = (aside.code, pointer, detail, payment_key, seq);
        self.entry_row(what, (kind, entry_id, aside.version), &aside.digest, (0, 0))
    }

    /// A row about an entry, whose content is a version and not kept a second time.
    fn entry_row(
        &mut self,
        (code, pointer, detail, payment_key, seq): (&str, &str, &str, &String, u64),
        (kind, entry_id, version): (u8, &String, u64),
        digest: &Digest,
        (source, position): (i32, i64),
    ) -> Result<(), LedgerError> {
        let (n, now) = (self.number(), self.now);
        let values = params![
            n,
            code,
            pointer,
            detail,
            payment_key,
            seq as i64,
            kind,
            entry_id,
            version as i64,
            digest.0.as_slice(),
            hash_of(digest),
            None::<Vec<u8>>,
            0i64,
            false,
            1i64,
            now,
            now,
            source,
            position,
            source,
            position,
            None::<Vec<u8>>,
            false,
            None::<Vec<u8>>,
            false
        ];
        self.insert.execute(values).map_err(failed())?;
        Ok(())
    }

    fn repeat(&mut self, item: &Repeated, n: u64) -> Result<(), LedgerError> {
        let (source, position) = ((self.source_id)(&item.last.0), item.last.1 as i64);
        let values = params![item.seen, self.now, source, position, n as i64];
        self.connection.execute(REPEAT, values).map_err(failed())?;
        Ok(())
    }

    fn refused(&mut self, item: &Repeated) -> Result<(), LedgerError> {
        let (n, now) = (self.number(), self.now);
        let (refused, refusal) = (&item.refused, &item.refused.refusal);
        let attributes = match refused.binary_mode {
            true => Some(
                postcard::to_stdvec(&refused.attributes).map_err(|cause| LedgerError::Damaged(cause.to_string()))?,
            ),
            false => None,
        };
        let values = params![
            n,
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
            (self.source_id)(&item.first.0),
            item.first.1 as i64,
            (self.source_id)(&item.last.0),
            item.last.1 as i64,
            attributes,
            refused.raw_redacted,
            refused.data.map(|data| data.digest.0.to_vec()),
            refused.data.is_some_and(|data| data.redacted)
        ];
        self.insert.execute(values).map_err(failed())?;
        Ok(())
    }
}
