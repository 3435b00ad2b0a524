//! Quarantine: what could not be applied, kept with the reason.
//!
//! Three things stand there, one row for each distinct one: refused messages (by the SHA-256 of their bytes), contents
//! that contradict another of the same version (by digest), and entries that are set aside because they name another
//! merchant or currency than their payment (by entry and code, while that is so).

use std::collections::HashMap;
use std::sync::Arc;

use domain::derive::LiveEntries;
use domain::dossier::EntryKey;
use domain::message::{Digest, Fingerprint};
use domain::position::PartitionId;
use domain::refusal::Refusal;
use duckdb::Connection;

use crate::append::hash_of;
use crate::error::LedgerError;
use crate::refused::Refused;

/// An entry set aside, by one of the two reasons.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Aside {
    pub(crate) key: EntryKey,
    pub(crate) code: &'static str,
    pub(crate) version: u64,
    pub(crate) fingerprint: Fingerprint,
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
                    fingerprint: head.fingerprint,
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
    Conflict(Contradiction),
    /// +1 puts it in, -1 takes it out.
    Aside {
        sign: i8,
        payment_key: String,
        seq: u64,
        aside: Aside,
    },
    /// A replay applied it, or an operator closed it.
    Closed {
        n: u64,
        how: &'static str,
        reason: Option<String>,
    },
    /// A replay met today's reason.
    RefusedAgain {
        n: u64,
        refusal: Box<Refusal>,
    },
}

/// One of several contents of an entry and version.
pub(crate) struct Contradiction {
    pub(crate) payment_key: String,
    pub(crate) seq: u64,
    pub(crate) key: EntryKey,
    pub(crate) version: u64,
    pub(crate) fingerprint: Fingerprint,
    /// Where the content has just come from; the one that was held before came from where its version did.
    pub(crate) place: Option<(Arc<PartitionId>, u64)>,
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
