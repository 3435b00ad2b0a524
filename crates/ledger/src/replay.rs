//! Reading a refused message again, with today's decoder.
//!
//! What quarantine keeps is redacted, so the digest is never taken from it: it is that of the message as sent, kept when the
//! message was refused. Without one nobody could tell the content from another, and the message must be published again.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use domain::decode::decode;
use domain::dossier::{Dossier, Verdict};
use domain::message::{Digest, Encoding, Message};
use domain::position::PartitionId;
use domain::refusal::Refusal;
use duckdb::Connection;

use crate::error::LedgerError;
use crate::joint::Joint;
use crate::quarantine_list::QuarantineFilter;
use crate::reader::Reader;
use crate::refused::Attributes;
use crate::status::Counts;

/// Rows of one replay by filter: some seconds of the writer's time, for which ingestion stands still.
pub const REPLAY_ROWS_MAX: usize = 10_000;

/// Rows read at once, and their bytes: bound the memory and the length of one transaction.
const CHUNK_ROWS: usize = 1_000;
const CHUNK_BYTES: u64 = 32 << 20;

/// The code of rows that keep one of two contents under one version.
pub(crate) const CONFLICT: &str = "conflict";

const KEPT: &str = include_str!("quarantine/kept.sql");

/// A refused message as quarantine keeps it.
pub(crate) struct Kept {
    pub(crate) n: u64,
    pub(crate) open: bool,
    code: String,
    pub(crate) seq: Option<u64>,
    pub(crate) payment_key: Option<String>,
    /// Absent of rows about entries.
    raw: Option<Vec<u8>>,
    raw_bytes: u64,
    binary_mode: bool,
    attributes: Attributes,
    raw_redacted: bool,
    data_digest: Option<Digest>,
    data_redacted: bool,
    pub(crate) source: Option<Arc<PartitionId>>,
    pub(crate) position: u64,
}

/// What today's decoder says of a kept message.
pub(crate) enum Judged {
    Accepted(Box<Message>),
    Refused(Box<Refusal>),
    /// Nothing can be said, and why.
    Impossible(&'static str),
}

/// What a replay by filter did, or in a dry run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplaySummary {
    /// Open rows of the filter that were looked at.
    pub matched: u64,
    /// By what became of them; `quarantined` are those still refused, each with its reason of today.
    pub counts: Counts,
    /// Rows of which too little was kept: too large, or redacted where no digest could be taken.
    pub not_replayable: u64,
    /// Where the next replay of the same filter goes on, if rows are left.
    pub next_after: Option<u64>,
}

impl Kept {
    pub(crate) fn read(connection: &Connection, n: u64) -> Result<Option<Self>, LedgerError> {
        let doing = "read quarantine";
        let failed = LedgerError::engine;
        let mut statement = connection.prepare(KEPT).map_err(failed(doing))?;
        let mut rows = statement.query([n as i64]).map_err(failed(doing))?;
        let Some(row) = rows.next().map_err(failed(doing))? else {
            return Ok(None);
        };
        let attributes: Option<Vec<u8>> = row.get(7).map_err(failed(doing))?;
        let digest: Option<Vec<u8>> = row.get(9).map_err(failed(doing))?;
        let source: Option<String> = row.get(11).map_err(failed(doing))?;
        let damaged = |what: &str| LedgerError::Damaged(format!("{what} of quarantine row {n}"));
        Ok(Some(Kept {
            n,
            open: row.get(1).map_err(failed(doing))?,
            seq: row
                .get::<_, Option<i64>>(2)
                .map_err(failed(doing))?
                .map(i64::unsigned_abs),
            payment_key: row.get(3).map_err(failed(doing))?,
            raw: row.get(4).map_err(failed(doing))?,
            raw_bytes: row.get::<_, i64>(5).map_err(failed(doing))?.unsigned_abs(),
            binary_mode: row.get(6).map_err(failed(doing))?,
            attributes: match attributes {
                Some(bytes) => postcard::from_bytes(&bytes).map_err(|_| damaged("the attributes"))?,
                None => Vec::new(),
            },
            raw_redacted: row.get(8).map_err(failed(doing))?,
            data_digest: match digest {
                Some(bytes) => Some(Digest(bytes.try_into().map_err(|_| damaged("the digest"))?)),
                None => None,
            },
            data_redacted: row.get(10).map_err(failed(doing))?,
            source: source.and_then(|name| PartitionId::parse(&name)).map(Arc::new),
            code: row.get(13).map_err(failed(doing))?,
            position: row.get::<_, i64>(12).map_err(failed(doing))?.unsigned_abs(),
        }))
    }

    /// Whether the row is about a refused message at all.
    pub(crate) fn is_message(&self) -> bool {
        self.raw.is_some()
    }

    /// Whether the row keeps one of two contents under one version. It is a record: a higher version settles the matter
    /// and takes the flag away, whoever looked into it closes the row.
    pub(crate) fn is_conflict(&self) -> bool {
        self.code == CONFLICT
    }

    pub(crate) fn judge(&self) -> Judged {
        let Some(raw) = &self.raw else {
            return Judged::Impossible("the row is about entries that are in the ledger, not about a refused message");
        };
        if raw.len() as u64 != self.raw_bytes {
            return Judged::Impossible("the message was larger than 1 MiB and only its beginning was kept");
        }
        if self.raw_redacted && self.data_digest.is_none() {
            return Judged::Impossible(
                "a card number was redacted from a message whose data could not be read, so its content cannot be told from another",
            );
        }
        let attributes: Vec<(&str, &[u8])> = self
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        let encoding = match self.binary_mode {
            true => Encoding::Binary(&attributes),
            false => Encoding::Structured,
        };
        match decode(raw, encoding) {
            Err(refusal) => Judged::Refused(Box::new(refusal)),
            Ok(mut message) => {
                message.redacted |= self.data_redacted;
                if let Some(digest) = self.data_digest {
                    // What was kept is redacted by other rules than what is read: digest and body then belong together no more.
                    message.redacted |= digest != message.digest;
                    message.digest = digest;
                }
                Judged::Accepted(Box::new(message))
            }
        }
    }
}

/// The numbers of open refused messages that a filter selects, in order, in chunks to be read at once; and where to go
/// on if there are more.
pub(crate) fn selected(
    connection: &Connection,
    filter: &QuarantineFilter,
    after: u64,
) -> Result<(Vec<Vec<u64>>, Option<u64>), LedgerError> {
    let doing = "listed quarantine";
    let (condition, values) = filter.condition();
    let sql = format!(
        "select n, least(raw_bytes, {CHUNK_BYTES}) from quarantine q
         where {condition} and open and raw is not null and n > {after} order by n limit {}",
        REPLAY_ROWS_MAX + 1
    );
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map(duckdb::params_from_iter(values), |row| {
            Ok((
                row.get::<_, i64>(0)?.unsigned_abs(),
                row.get::<_, i64>(1)?.unsigned_abs(),
            ))
        })
        .map_err(LedgerError::engine(doing))?;
    let mut found: Vec<(u64, u64)> = rows.collect::<Result<_, _>>().map_err(LedgerError::engine(doing))?;
    let more = found.len() > REPLAY_ROWS_MAX;
    found.truncate(REPLAY_ROWS_MAX);
    let next_after = found.last().map(|(n, _)| *n).filter(|_| more);
    let (mut chunks, mut bytes) = (Vec::<Vec<u64>>::new(), 0);
    for (n, size) in found {
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK_ROWS && bytes + size <= CHUNK_BYTES => {
                chunk.push(n);
                bytes += size;
            }
            _ => {
                chunks.push(vec![n]);
                bytes = size;
            }
        }
    }
    Ok((chunks, next_after))
}

impl Reader {
    /// What a replay of this filter would do now; changes nothing.
    pub fn try_replay(&self, filter: &QuarantineFilter, after: u64) -> Result<(ReplaySummary, Joint), LedgerError> {
        let joint = self.joint()?;
        let (chunks, next_after) = selected(joint.connection(), filter, after)?;
        let mut summary = ReplaySummary {
            next_after,
            ..ReplaySummary::default()
        };
        // Messages of one payment are tried one after the other, as a replay would apply them.
        let mut dossiers: HashMap<String, Dossier> = HashMap::new();
        for n in chunks.into_iter().flatten() {
            let Some(kept) = Kept::read(joint.connection(), n)? else {
                continue;
            };
            summary.matched += 1;
            match kept.judge() {
                Judged::Impossible(_) => summary.not_replayable += 1,
                Judged::Refused(_) => summary.counts.note(Verdict::Quarantined),
                Judged::Accepted(message) => {
                    let key = message.record.payment_key();
                    if !dossiers.contains_key(key) {
                        let held = joint.rows().find(key)?.map(|(_, dossier)| dossier);
                        dossiers.insert(key.to_owned(), held.unwrap_or_else(|| Dossier::new(key)));
                    }
                    // No verdict depends on the zone.
                    if let Some(dossier) = dossiers.get_mut(message.record.payment_key()) {
                        summary.counts.note(dossier.apply(*message, Tz::UTC));
                    }
                }
            }
        }
        Ok((summary, joint))
    }
}
