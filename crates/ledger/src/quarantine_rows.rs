//! Writing a batch's changes into the quarantine table.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::dossier::EntryKey;
use domain::message::{Digest, Fingerprint};
use domain::position::PartitionId;
use domain::record::Kind;
use domain::refusal::Refusal;
use duckdb::{Connection, Statement, params};

use crate::append::hash_of;
use crate::append::micros;
use crate::bodies::BodyFile;
use crate::codec::kind_code;
use crate::error::LedgerError;
use crate::quarantine::{Aside, Contradiction, QuarantineChange};
use crate::refused::Refused;
use crate::replay::CONFLICT;
use crate::timeline;
use crate::version_rows::VersionRow;

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

/// Where what is held of a payment stands, also of the batch itself.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) bodies: &'a BodyFile,
    /// Of the batch.
    pub(crate) versions: &'a [VersionRow],
}

/// Writes a batch's changes inside the open transaction. Returns the next free row number.
pub(crate) fn write(
    stored: Stored<'_>,
    changes: Vec<QuarantineChange>,
    known: &HashMap<Digest, u64>,
    next_n: u64,
    at: DateTime<Utc>,
    source_id: &dyn Fn(&PartitionId) -> i32,
) -> Result<u64, LedgerError> {
    let connection = stored.connection;
    let mut rows = Rows {
        connection,
        contents: Contents::of(stored, &changes)?,
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

/// When and from where a content came.
struct Came {
    /// Microseconds.
    at: i64,
    source: i32,
    position: i64,
}

/// A content of an entry: the payment's seq, the entry, its version and the content's fingerprint.
type Content = (u64, EntryKey, u64, Fingerprint);

/// A content as it was received first.
struct Received {
    digest: Digest,
    partition: PartitionId,
    position: u64,
    applied_at: DateTime<Utc>,
}

/// Contents that rows of quarantine are about.
#[derive(Default)]
struct Contents {
    /// Of the batch itself.
    new: HashMap<(u64, Kind, Fingerprint), Digest>,
    /// Of payments of which the batch does not say all.
    held: HashMap<Content, Received>,
}

/// Payments whose versions are looked for at once. Each look reads the whole table where they are old.
const LOOKED_FOR_AT_ONCE: usize = 1_000;

impl Contents {
    fn of(stored: Stored<'_>, changes: &[QuarantineChange]) -> Result<Self, LedgerError> {
        let mut out = Contents::default();
        let about_entries = |change: &QuarantineChange| {
            matches!(
                change,
                QuarantineChange::Conflict(_) | QuarantineChange::Aside { sign: 1, .. }
            )
        };
        if !changes.iter().any(about_entries) {
            return Ok(out);
        }
        let new = stored.versions.iter();
        out.new = new
            .map(|row| ((row.seq, row.kind, row.digest.fingerprint()), row.digest))
            .collect();
        let seqs: BTreeSet<u64> = changes.iter().filter_map(|change| out.lacks(change)).collect();
        let seqs: Vec<u64> = seqs.into_iter().collect();
        for seqs in seqs.chunks(LOOKED_FOR_AT_ONCE) {
            timeline::each_held(stored.connection, stored.bodies, seqs, &mut |seq, held| {
                let content = (seq, held.key, held.version, held.digest.fingerprint());
                let received = Received {
                    digest: held.digest,
                    partition: held.partition,
                    position: held.position,
                    applied_at: held.applied_at,
                };
                out.held.insert(content, received);
            })?;
        }
        Ok(out)
    }

    /// The payment whose versions have to be looked for.
    fn lacks(&self, change: &QuarantineChange) -> Option<u64> {
        let (seq, is_known) = match change {
            QuarantineChange::Conflict(found) => {
                let new = (found.seq, found.key.kind, found.fingerprint);
                (found.seq, found.place.is_some() && self.new.contains_key(&new))
            }
            QuarantineChange::Aside {
                sign: 1, seq, aside, ..
            } => {
                let new = (*seq, aside.key.kind, aside.fingerprint);
                (*seq, self.new.contains_key(&new))
            }
            _ => return None,
        };
        (!is_known).then_some(seq)
    }

    /// The whole digest of a content, of which a payment's state keeps the fingerprint.
    fn digest(&self, content: &Content) -> Result<Digest, LedgerError> {
        let (seq, key, _, fingerprint) = content;
        match self.new.get(&(*seq, key.kind, *fingerprint)) {
            Some(digest) => Ok(*digest),
            None => self.held(content).map(|held| held.digest),
        }
    }

    fn held(&self, content: &Content) -> Result<&Received, LedgerError> {
        let missing = || LedgerError::Damaged(format!("a version of payment {} is missing", content.0));
        self.held.get(content).ok_or_else(missing)
    }
}

struct Rows<'c> {
    connection: &'c Connection,
    contents: Contents,
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
        let content = (found.seq, found.key.clone(), found.version, found.fingerprint);
        let (digest, place) = match &found.place {
            Some((source, position)) => (self.contents.digest(&content)?, self.now_from(source, *position)),
            None => {
                let held = self.contents.held(&content)?;
                let from = self.now_from(&held.partition, held.position);
                let at = micros(held.applied_at);
                (held.digest, Came { at, ..from })
            }
        };
        let (kind, entry_id) = (kind_code(found.key.kind), &found.key.entry_id);
        let what = (CONFLICT, "/version", detail, &found.payment_key, found.seq);
        self.entry_row(what, (kind, entry_id, found.version), &digest, place)
    }

    fn aside(&mut self, payment_key: &String, seq: u64, aside: &Aside) -> Result<(), LedgerError> {
        let (pointer, detail) = match aside.code {
            "merchant_mismatch" => ("/merchant_id", "this entry names another merchant than its payment"),
            _ => ("/currency", "this entry names another currency than its payment"),
        };
        let (kind, entry_id) = (kind_code(aside.key.kind), &aside.key.entry_id);
        let what = (aside.code, pointer, detail, payment_key, seq);
        let nowhere = Came {
            at: self.now,
            source: 0,
            position: 0,
        };
        let content = (seq, aside.key.clone(), aside.version, aside.fingerprint);
        let digest = self.contents.digest(&content)?;
        self.entry_row(what, (kind, entry_id, aside.version), &digest, nowhere)
    }

    fn now_from(&self, source: &PartitionId, position: u64) -> Came {
        Came {
            at: self.now,
            source: (self.source_id)(source),
            position: position as i64,
        }
    }

    /// A row about an entry, whose content is a version and not kept a second time.
    fn entry_row(
        &mut self,
        (code, pointer, detail, payment_key, seq): (&str, &str, &str, &String, u64),
        (kind, entry_id, version): (u8, &String, u64),
        digest: &Digest,
        Came { at, source, position }: Came,
    ) -> Result<(), LedgerError> {
        let n = self.number();
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
            at,
            at,
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
