//! Every version and content held of one payment.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::canonical;
use domain::decode::decode_body;
use domain::dossier::{EntryKey, Verdict};
use domain::message::Digest;
use domain::position::PartitionId;
use domain::record::{Kind, Record};
use domain::refusal::Refusal;
use duckdb::Connection;

use crate::append::{hash_of, of_micros};
use crate::bodies::{BodyFile, Wanted, place};
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

pub(crate) fn versions(connection: &Connection, bodies: &BodyFile, seq: u64) -> Result<Vec<HeldVersion>, LedgerError> {
    let repeats = repeats(connection, seq)?;
    let mut found = Vec::new();
    each_held(connection, bodies, &[seq], &mut |_, mut held| {
        let version = i64::try_from(held.version).unwrap_or(i64::MAX);
        let sent = (
            kind_code(held.key.kind),
            held.key.entry_id.clone(),
            version,
            hash_of(&held.digest),
        );
        held.repeats = repeats.get(&sent).copied().unwrap_or(0);
        found.push(held);
    })?;
    found.sort_by(|a, b| (&a.key, a.version, a.digest.0).cmp(&(&b.key, b.version, b.digest.0)));
    Ok(found)
}

/// Gives every version and content held of some payments to `take`, with the payment's seq, in no order. How often they came
/// again is not counted.
pub(crate) fn each_held(
    connection: &Connection,
    bodies: &BodyFile,
    seqs: &[u64],
    take: &mut dyn FnMut(u64, HeldVersion),
) -> Result<(), LedgerError> {
    let doing = "read a timeline";
    let seqs: Vec<String> = seqs.iter().map(u64::to_string).collect();
    let sql = format!("{VERSIONS} where v.seq in ({})", seqs.join(", "));
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let mut rows = statement.query([]).map_err(LedgerError::engine(doing))?;
    let mut wanted = Vec::new();
    while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
        let failed = || LedgerError::engine(doing);
        let name: String = row.get(3).map_err(failed())?;
        let partition = PartitionId::parse(&name);
        let received = Received {
            kind: kind_of(row.get(0).map_err(failed())?)?,
            sent: sent_of(row.get(1).map_err(failed())?)?,
            verdict: verdict_of(row.get(2).map_err(failed())?)?,
            partition: partition.ok_or_else(|| LedgerError::Damaged(format!("the partition {name:?}")))?,
            position: row.get::<_, i64>(4).map_err(failed())?.unsigned_abs(),
            applied_at: of_micros(row.get(5).map_err(failed())?),
            zone: zone_of(&row.get::<_, String>(6).map_err(failed())?)?,
        };
        let place = place(row, 7).map_err(failed())?;
        let seq = row.get::<_, i64>(9).map_err(failed())?.unsigned_abs();
        let item = (seq, received);
        wanted.push(Wanted { place, seq, item });
    }
    bodies.each(wanted, &mut |(seq, received), body| {
        let held = received
            .held(body)
            .map_err(|cause| LedgerError::Damaged(format!("a version of payment {seq}: {cause}")))?;
        take(seq, held);
        Ok(())
    })
}

/// A version without what it says.
struct Received {
    kind: Kind,
    /// As the column of this name.
    sent: Option<Digest>,
    verdict: Verdict,
    partition: PartitionId,
    position: u64,
    applied_at: DateTime<Utc>,
    zone: Tz,
}

impl Received {
    /// With no repeats yet.
    fn held(self, body: &[u8]) -> Result<HeldVersion, Refusal> {
        let record = decode_body(self.kind, body)?;
        Ok(HeldVersion {
            key: EntryKey {
                kind: self.kind,
                entry_id: record.entry_id().to_owned(),
            },
            version: record.version(),
            digest: self.sent.unwrap_or_else(|| canonical::digest(body)),
            verdict: self.verdict,
            partition: self.partition,
            position: self.position,
            applied_at: self.applied_at,
            zone: self.zone,
            record,
            body: body.to_vec(),
            repeats: 0,
        })
    }
}

/// The digest of data as sent, from the column `sent`: absent where it is that of the body.
pub(crate) fn sent_of(bytes: Option<Vec<u8>>) -> Result<Option<Digest>, LedgerError> {
    let digest = |bytes: Vec<u8>| <[u8; 32]>::try_from(bytes).map(Digest);
    let digest = bytes.map(digest).transpose();
    digest.map_err(|_| LedgerError::Damaged("a digest".to_owned()))
}

/// A version and content: kind, entry, version and beginning of the digest.
type Sent = (u8, String, i64, i64);

/// How often each version and content came again.
fn repeats(connection: &Connection, seq: u64) -> Result<HashMap<Sent, u64>, LedgerError> {
    let doing = "counted repeats";
    let sql = format!("select kind, entry_id, version, hash, count(*) from repeats where seq = {seq} group by all");
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map([], |row| {
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
