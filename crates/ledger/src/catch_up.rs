//! Making derived state again from the ledger: the key map, the rows, the split payments.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use domain::canonical;
use domain::decode::decode_body;
use domain::dossier::Dossier;
use domain::message::{Digest, Envelope, Message};
use domain::record::Kind;
use duckdb::Connection;
use duckdb::arrow::array::AsArray;
use duckdb::arrow::datatypes::Int64Type;

use crate::bodies::{BodyFile, Wanted, place};
use crate::codec::{encode, kind_of, zone_of};
use crate::error::LedgerError;
use crate::keymap::KeyMap;
use crate::list_row::SPLIT;
use crate::pack::GROUP;
use crate::reader::{Head, Shared};
use crate::rows::EncodedRow;
use crate::timeline::sent_of;

/// Payments whose versions are read at once while rows are made again: bounds the memory of a rebuild. Whole groups of
/// packed rows.
pub(crate) const REBUILD_PAYMENTS: u64 = 625 * GROUP;

/// Adds to the key map what the table `keys` has more. Seqs are given without a gap and keys never go, so what the map
/// holds is a beginning of the table; and readers who look into it meanwhile find everything that they found before.
pub(crate) fn load_keys(connection: &Connection, keymap: &KeyMap) -> Result<(), LedgerError> {
    let failed = LedgerError::engine;
    let doing = "read its payment keys";
    loop {
        let from = keymap.len();
        let to = from + KEYS_AT_ONCE;
        let sql = format!("select hash, seq from keys where seq >= {from} and seq < {to}");
        let mut statement = connection.prepare(&sql).map_err(failed(doing))?;
        let mut keys = Vec::new();
        for batch in statement.query_arrow([]).map_err(failed(doing))? {
            let [hashes, seqs] = [0, 1].map(|column| batch.column(column).as_primitive::<Int64Type>().values());
            let hashes = hashes.iter().map(|hash| hash.cast_unsigned());
            keys.extend(hashes.zip(seqs.iter().map(|seq| seq.unsigned_abs())));
        }
        if keys.is_empty() {
            return Ok(());
        }
        keymap.extend(&keys);
    }
}

/// Keys that are put into the map together: 64 MiB, and some thousands for each of its shards.
const KEYS_AT_ONCE: u64 = 4 << 20;

/// Which payments to read.
pub(crate) enum Seqs<'a> {
    /// From the first to before the second.
    Range(u64, u64),
    These(&'a [u64]),
}

impl Seqs<'_> {
    /// A SQL relation `wanted(seq)` joined to `table`.
    fn joined(&self, table: &str, columns: &str, condition: &str) -> String {
        match self {
            Seqs::Range(from, to) => {
                format!("select {columns} from {table} t where t.seq >= {from} and t.seq < {to} {condition}")
            }
            Seqs::These(seqs) => {
                let values: Vec<String> = seqs.iter().map(|seq| format!("({seq}::bigint)")).collect();
                let values = if values.is_empty() {
                    "(-1::bigint)".to_owned()
                } else {
                    values.join(",")
                };
                format!(
                    "select {columns} from (values {values}) wanted(seq) join {table} t on t.seq = wanted.seq
                     where true {condition}"
                )
            }
        }
    }
}

/// A version, without its body.
struct Version {
    seq: u64,
    kind: Kind,
    /// The digest of the data as sent, where the body is not what was sent.
    sent: Option<Digest>,
    zone: Tz,
}

impl Version {
    /// The message that it was, but for the envelope and the body, which a dossier does not keep.
    fn message(self, body: &[u8]) -> Result<Message, LedgerError> {
        let seq = self.seq;
        let record = decode_body(self.kind, body)
            .map_err(|cause| LedgerError::Damaged(format!("a version of payment {seq}: {cause}")))?;
        Ok(Message {
            envelope: Envelope {
                id: String::new(),
                source: String::new(),
                time: chrono::DateTime::UNIX_EPOCH,
            },
            redacted: self.sent.is_some(),
            digest: self.sent.unwrap_or_else(|| canonical::digest(body)),
            record,
            body: Vec::new(),
        })
    }
}

/// What the tables keep of some payments: all that their dossiers are made of, but the bodies.
pub(crate) struct Kept {
    versions: Vec<Wanted<Version>>,
    /// Payments that refused messages name, with their keys and whether each is open.
    refused: Vec<(u64, String, bool)>,
}

impl Kept {
    pub(crate) fn read(connection: &Connection, seqs: &Seqs<'_>) -> Result<Self, LedgerError> {
        let doing = "read its versions";
        let columns = "t.seq, t.kind, t.sent, t.zone, t.block, t.line";
        let sql = seqs.joined("versions", columns, "");
        let mut versions = Vec::new();
        let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
        let mut rows = statement.query([]).map_err(LedgerError::engine(doing))?;
        while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
            let item = Version {
                seq: row.get::<_, i64>(0).map_err(LedgerError::engine(doing))?.unsigned_abs(),
                kind: kind_of(row.get(1).map_err(LedgerError::engine(doing))?)?,
                sent: sent_of(row.get(2).map_err(LedgerError::engine(doing))?)?,
                zone: zone_of(&row.get::<_, String>(3).map_err(LedgerError::engine(doing))?)?,
            };
            versions.push(Wanted {
                place: place(row, 4).map_err(LedgerError::engine(doing))?,
                seq: item.seq,
                item,
            });
        }
        let sql = seqs.joined("quarantine", "t.seq, t.payment_key, t.open", "and t.raw is not null");
        let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
        let refused = statement
            .query_map([], |row| {
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?, row.get(2)?))
            })
            .map_err(LedgerError::engine(doing))?;
        let refused = refused.collect::<Result<_, _>>().map_err(LedgerError::engine(doing))?;
        Ok(Kept { versions, refused })
    }

    /// The dossiers that it makes, by seq.
    pub(crate) fn folded(self, bodies: &BodyFile) -> Result<BTreeMap<u64, Dossier>, LedgerError> {
        let mut found: BTreeMap<u64, Dossier> = BTreeMap::new();
        bodies.each(self.versions, &mut |version, body| {
            let (seq, zone) = (version.seq, version.zone);
            let message = version.message(body)?;
            let key = message.record.payment_key().to_owned();
            found
                .entry(seq)
                .or_insert_with(|| Dossier::new(key))
                .apply(message, zone);
            Ok(())
        })?;
        for (seq, key, is_open) in self.refused {
            let dossier = found.entry(seq).or_insert_with(|| Dossier::new(key));
            dossier.refused += u32::from(is_open);
        }
        Ok(found)
    }
}

/// The dossiers that the ledger's versions and quarantine make, by seq.
pub(crate) fn dossiers(
    connection: &Connection,
    bodies: &BodyFile,
    seqs: &Seqs<'_>,
) -> Result<BTreeMap<u64, Dossier>, LedgerError> {
    Kept::read(connection, seqs)?.folded(bodies)
}

/// Payments that are caught up in one act, so that no reader sees some of them and not others.
const CAUGHT_UP_AT_ONCE: usize = 50_000;

/// Brings the rows up to `head`: those of the batches they missed, or all of them where they are damaged, ahead of the
/// ledger (a restored backup), of another store or not there.
pub(crate) fn rows(connection: &Connection, shared: &Shared, head: &Head) -> Result<(), LedgerError> {
    let store = &shared.rows;
    store.resume()?;
    let Some(files) = store.sound() else {
        if head.batch_no > 0 {
            tracing::warn!("the row store is missing or damaged and is made again from the ledger");
        }
        return rows_again(connection, shared, head);
    };
    match files.reached(&shared.store_id)? {
        Some(reached) if reached == head.batch_no => Ok(()),
        Some(reached) if reached < head.batch_no => {
            tracing::info!(
                from = reached,
                to = head.batch_no,
                "the row store is behind the ledger and is caught up"
            );
            let mut missed = touched_since(connection, reached)?;
            let rest = missed.split_off(missed.len().min(CAUGHT_UP_AT_ONCE));
            for part in rest.chunks(2_000) {
                files.put(encoded(&dossiers(connection, &shared.bodies, &Seqs::These(part))?)?)?;
            }
            let mut last = Vec::with_capacity(missed.len());
            for part in missed.chunks(2_000) {
                last.extend(encoded(&dossiers(connection, &shared.bodies, &Seqs::These(part))?)?);
            }
            files.commit(head, last)
        }
        reached => {
            tracing::warn!(
                rows = reached,
                ledger = head.batch_no,
                "the row store is not this ledger's or ahead of it and is made again from the ledger"
            );
            rows_again(connection, shared, head)
        }
    }
}

/// Makes all rows again beside those in use, and then takes them in their place.
fn rows_again(connection: &Connection, shared: &Shared, head: &Head) -> Result<(), LedgerError> {
    let (files, path) = shared.rows.begin()?;
    files.set_store_id(&shared.store_id)?;
    let total = shared.keymap.len();
    let mut from = 0;
    let mut told_at = Instant::now();
    while from < total {
        let range = Seqs::Range(from, from + REBUILD_PAYMENTS);
        files.put_packed(&dossiers(connection, &shared.bodies, &range)?)?;
        from += REBUILD_PAYMENTS;
        if told_at.elapsed() > Duration::from_secs(5) {
            told_at = Instant::now();
            tracing::info!("rows made again: {} of {total}", from.min(total));
        }
    }
    files.commit(head, Vec::new())?;
    shared.rows.publish(files, &path)
}

fn encoded(dossiers: &BTreeMap<u64, Dossier>) -> Result<Vec<EncodedRow>, LedgerError> {
    dossiers
        .iter()
        .map(|(seq, dossier)| Ok((*seq, encode(dossier)?.into())))
        .collect()
}

/// Every payment that a batch after `batch_no` may have changed, first those that it has. Refusals carry no batch number, so
/// all payments that quarantine names follow.
pub(crate) fn touched_since(connection: &Connection, batch_no: u64) -> Result<Vec<u64>, LedgerError> {
    let doing = "looked for what changed";
    let sql = format!(
        "select seq from (
             select seq, 0 as named from versions where batch_no > {batch_no}
             union all select seq, 1 from quarantine where raw is not null and seq is not null)
         group by seq order by min(named), seq"
    );
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map([], |row| row.get::<_, i64>(0))
        .map_err(LedgerError::engine(doing))?;
    rows.map(|seq| seq.map(i64::unsigned_abs))
        .collect::<Result<_, _>>()
        .map_err(LedgerError::engine(doing))
}

/// The payments that readers of different merchants see differently.
pub(crate) fn split(connection: &Connection) -> Result<BTreeSet<u64>, LedgerError> {
    let doing = "looked for split payments";
    let sql = format!("select seq from payments where flags & {SPLIT} <> 0 group by seq having sum(sign) > 0");
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map([], |row| row.get::<_, i64>(0))
        .map_err(LedgerError::engine(doing))?;
    rows.map(|seq| seq.map(i64::unsigned_abs))
        .collect::<Result<_, _>>()
        .map_err(LedgerError::engine(doing))
}
