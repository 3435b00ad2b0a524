//! Finding what became of an event, and waiting for one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use domain::dossier::{EntryKey, Verdict};
use domain::position::PartitionId;
use parking_lot::Mutex;

use crate::append::hash_of_fingerprint;
use crate::append::of_micros;
use crate::error::LedgerError;
use crate::events::Filter;
use crate::joint::Joint;
use crate::quarantine_list::{self, QuarantineRow};
use crate::reader::{Head, Reader};

/// Redeliveries of one event that are told of.
const DELIVERIES_MAX: usize = 20;

/// What is known of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventFound {
    /// Its deliveries, the newest first.
    Deliveries(Vec<Delivery>),
    /// Several services used the id; those whose names are known.
    Ambiguous(Vec<String>),
    /// It came, before the messages that are kept.
    NotKept,
    NotSeen,
}

/// One message that carried the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The publishing service.
    pub source: Option<String>,
    pub place: Option<(PartitionId, u64)>,
    pub verdict: Verdict,
    pub applied_at: DateTime<Utc>,
    pub payment_key: Option<String>,
    /// Of an accepted message.
    pub entry: Option<EntryKey>,
    pub version: Option<u64>,
    /// Of a refused one.
    pub quarantine: Option<QuarantineRow>,
}

/// A row of [`FIND`].
struct Row {
    source: Option<String>,
    partition: Option<String>,
    position: u64,
    verdict: Verdict,
    seq: Option<u64>,
    content: i64,
    applied_at: DateTime<Utc>,
}

const FIND: &str = include_str!("events/find.sql");
const SOURCES: &str = include_str!("events/sources.sql");

fn failed() -> impl FnOnce(duckdb::Error) -> LedgerError {
    LedgerError::engine("looked for an event")
}

impl Reader {
    /// What became of the event with this id, of `source` if one is named.
    pub fn event(&self, id: &str, source: Option<&str>) -> Result<(EventFound, Head), LedgerError> {
        let joint = self.joint()?;
        let id_hash = self.events().hash(id);
        let source_hash = source.map(|source| self.events().hash(source));
        let found = find(&joint, id_hash, source_hash)?;
        let head = joint.head().clone();
        Ok((found, head))
    }

    /// Whether any message of this event is in the ledger.
    pub fn has_event(&self, id: &str) -> Result<bool, LedgerError> {
        let joint = self.joint()?;
        let mut statement = joint
            .connection()
            .prepare(&format!(
                "select 1 from events where id_hash = {} limit 1",
                self.events().hash(id)
            ))
            .map_err(failed())?;
        let mut rows = statement.query([]).map_err(failed())?;
        Ok(rows.next().map_err(failed())?.is_some())
    }

    /// Begins to watch for an event; it is to be looked for whenever [`Awaited::may_be_there`].
    pub fn await_event(&self, id: &str) -> Awaited {
        let (id_hash, watch) = (self.events().hash(id), self.watch().clone());
        let flag = Arc::new(AtomicBool::new(true));
        watch.0.lock().entry(id_hash).or_default().push(flag.clone());
        Awaited { id_hash, flag, watch }
    }
}

fn find(joint: &Joint, id_hash: i64, source_hash: Option<i64>) -> Result<EventFound, LedgerError> {
    let mut condition = format!("e.id_hash = {id_hash}");
    if source_hash.is_none() {
        let sql = SOURCES.replace("/* CONDITION */", &condition);
        let mut statement = joint.connection().prepare(&sql).map_err(failed())?;
        let sources = statement
            .query_map([], |row| row.get::<_, Option<String>>(1))
            .map_err(failed())?;
        let sources: Vec<Option<String>> = sources.collect::<Result<_, _>>().map_err(failed())?;
        if sources.len() > 1 {
            return Ok(EventFound::Ambiguous(sources.into_iter().flatten().collect()));
        }
    }
    if let Some(source_hash) = source_hash {
        condition.push_str(&format!(" and e.source_hash = {source_hash}"));
    }
    let sql = FIND
        .replace("/* CONDITION */", &condition)
        .replace("/* LIMIT */", &DELIVERIES_MAX.to_string());
    let mut statement = joint.connection().prepare(&sql).map_err(failed())?;
    let mut found = statement.query([]).map_err(failed())?;
    let mut deliveries = Vec::new();
    while let Some(row) = found.next().map_err(failed())? {
        deliveries.push(delivery(joint, read(row)?)?);
    }
    if !deliveries.is_empty() {
        return Ok(EventFound::Deliveries(deliveries));
    }
    let mut statement = joint
        .connection()
        .prepare("select ids from events_gone")
        .map_err(failed())?;
    let mut gone = statement.query([]).map_err(failed())?;
    while let Some(row) = gone.next().map_err(failed())? {
        if Filter(row.get(0).map_err(failed())?).may_hold(id_hash) {
            return Ok(EventFound::NotKept);
        }
    }
    Ok(EventFound::NotSeen)
}

fn read(row: &duckdb::Row<'_>) -> Result<Row, LedgerError> {
    let verdict: u8 = row.get(4).map_err(failed())?;
    Ok(Row {
        source: row.get(1).map_err(failed())?,
        partition: row.get(2).map_err(failed())?,
        position: row.get::<_, i64>(3).map_err(failed())?.unsigned_abs(),
        verdict: *Verdict::ALL
            .get(usize::from(verdict))
            .ok_or_else(|| LedgerError::Damaged("the verdict of an event".to_owned()))?,
        seq: row.get::<_, Option<i64>>(5).map_err(failed())?.map(i64::unsigned_abs),
        content: row.get(6).map_err(failed())?,
        applied_at: of_micros(row.get(7).map_err(failed())?),
    })
}

/// Adds what the row leaves to others: the entry stands in the payment's dossier, the reason in quarantine.
fn delivery(joint: &Joint, row: Row) -> Result<Delivery, LedgerError> {
    let dossier = match row.seq {
        Some(seq) => joint.rows().get(seq)?,
        None => None,
    };
    let held = dossier.as_ref().and_then(|dossier| {
        dossier.entries.iter().find_map(|(key, entry)| {
            let held = entry
                .held
                .iter()
                .find(|held| hash_of_fingerprint(&held.fingerprint) == row.content)?;
            Some((key.clone(), held.version))
        })
    });
    let is_refused = row.verdict == Verdict::Quarantined;
    let (entry, version) = held.filter(|_| !is_refused).unzip();
    Ok(Delivery {
        source: row.source,
        place: row
            .partition
            .and_then(|name| Some((PartitionId::parse(&name)?, row.position))),
        verdict: row.verdict,
        applied_at: row.applied_at,
        payment_key: dossier.map(|dossier| dossier.payment_key),
        entry,
        version,
        quarantine: match is_refused {
            true => quarantine_list::of_content(joint.connection(), row.content)?,
            false => None,
        },
    })
}

/// Who waits for which event: for each waiting request a flag that says "look again".
#[derive(Clone, Default)]
pub(crate) struct EventWatch(Arc<Mutex<HashMap<i64, Vec<Arc<AtomicBool>>>>>);

impl EventWatch {
    /// Tells those who wait for one of these, once the rows can be read.
    pub(crate) fn came(&self, ids: &[i64]) {
        let waiting = self.0.lock();
        if waiting.is_empty() {
            return;
        }
        for flag in ids.iter().filter_map(|id| waiting.get(id)).flatten() {
            flag.store(true, Ordering::Release);
        }
    }

    /// Whether anybody waits: else nothing has to be noted.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// After an error nobody knows what came.
    pub(crate) fn anything_may_have_come(&self) {
        let waiting = self.0.lock();
        waiting
            .values()
            .flatten()
            .for_each(|flag| flag.store(true, Ordering::Release));
    }
}

/// A request that waits for an event.
pub struct Awaited {
    id_hash: i64,
    flag: Arc<AtomicBool>,
    watch: EventWatch,
}

impl Awaited {
    /// Whether the event may have come since the last call; true the first time.
    pub fn may_be_there(&self) -> bool {
        self.flag.swap(false, Ordering::AcqRel)
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut waiting = self.watch.0.lock();
        if let Some(flags) = waiting.get_mut(&self.id_hash) {
            flags.retain(|flag| !Arc::ptr_eq(flag, &self.flag));
            if flags.is_empty() {
                waiting.remove(&self.id_hash);
            }
        }
    }
}
