//! Every version and content held of one payment.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::decode::decode_body;
use domain::dossier::{EntryKey, Verdict};
use domain::message::Digest;
use domain::position::PartitionId;
use domain::record::Record;
use duckdb::Connection;

use crate::append::{hash_of, of_micros};
use crate::bodies::{self, place};
use crate::codec::{kind_code, kind_of, zone_of};
use crate::error::LedgerError;

/// One version and content of an entry, as it was received first.
#[derive(Clone, Debug)]
pub struct HeldVersion {
    pub key: EntryKey,
    pub version: u64,
    pub digest: Digest,
    pub verdict: Verdict,
    pub partition: PartitionId,
    pub position: u64,
    pub applied_at: DateTime<Utc>,
    pub zone: Tz,
    pub record: Record,
    /// Canonical, redacted `data`.
    pub body: Vec<u8>,
    /// How often it came again.
    pub repeats: u64,
}

const VERSIONS: &str = include_str!("timeline/versions.sql");

pub(crate) fn versions(connection: &Connection, seq: u64) -> Result<Vec<HeldVersion>, LedgerError> {
    let doing = "read a timeline";
    let repeats = repeats(connection, seq)?;
    let mut statement = connection.prepare(VERSIONS).map_err(LedgerError::engine(doing))?;
    let mut rows = statement.query([seq as i64]).map_err(LedgerError::engine(doing))?;
    let mut wanted = Vec::new();
    while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
        let failed = || LedgerError::engine(doing);
        let kind = kind_of(row.get(0).map_err(failed())?)?;
        let digest: Vec<u8> = row.get(3).map_err(failed())?;
        let digest = Digest(<[u8; 32]>::try_from(digest).map_err(|_| LedgerError::Damaged("a digest".to_owned()))?);
        let version = row.get::<_, i64>(2).map_err(failed())?;
        let name: String = row.get(5).map_err(failed())?;
        let partition = PartitionId::parse(&name);
        let partition = partition.ok_or_else(|| LedgerError::Damaged(format!("the partition {name:?}")))?;
        let key = EntryKey {
            kind,
            entry_id: row.get(1).map_err(failed())?,
        };
        let same = (kind_code(kind), key.entry_id.clone(), version, hash_of(&digest));
        let repeats = repeats.get(&same).copied().unwrap_or(0);
        let verdict = verdict_of(row.get(4).map_err(failed())?)?;
        let position = row.get::<_, i64>(6).map_err(failed())?.unsigned_abs();
        let applied_at = of_micros(row.get(7).map_err(failed())?);
        let zone = zone_of(&row.get::<_, String>(8).map_err(failed())?)?;
        let held = move |record, body| HeldVersion {
            key,
            version: version.unsigned_abs(),
            digest,
            verdict,
            partition,
            position,
            applied_at,
            zone,
            record,
            body,
            repeats,
        };
        wanted.push((place(row, 9).map_err(failed())?, (kind, held)));
    }
    let mut found = Vec::with_capacity(wanted.len());
    bodies::each(connection, wanted, &mut |(kind, held), body| {
        let record = decode_body(kind, body)
            .map_err(|cause| LedgerError::Damaged(format!("a version of payment {seq}: {cause}")))?;
        found.push(held(record, body.to_vec()));
        Ok(())
    })?;
    found.sort_by(|a, b| (&a.key, a.version, a.digest.0).cmp(&(&b.key, b.version, b.digest.0)));
    Ok(found)
}

/// A version and content: kind, entry, version and beginning of the digest.
type Sent = (u8, String, i64, i64);

/// How often each version and content came again.
fn repeats(connection: &Connection, seq: u64) -> Result<HashMap<Sent, u64>, LedgerError> {
    let doing = "counted repeats";
    let sql = "select kind, entry_id, version, hash, count(*) from repeats where seq = ? group by all";
    let mut statement = connection.prepare(sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map([seq as i64], |row| {
            let of = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((of, row.get::<_, i64>(4)?.unsigned_abs()))
        })
        .map_err(LedgerError::engine(doing))?;
    rows.collect::<Result<_, _>>().map_err(LedgerError::engine(doing))
}

fn verdict_of(code: u8) -> Result<Verdict, LedgerError> {
    Verdict::ALL
        .into_iter()
        .find(|verdict| *verdict as u8 == code)
        .ok_or_else(|| LedgerError::Damaged(format!("the verdict {code}")))
}
