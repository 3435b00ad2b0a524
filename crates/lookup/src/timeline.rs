//! Every message of one payment, in the order of business.
//!
//! What a message changed is told against the state before it in the order of versions, not of arrival: that is what its
//! producer meant, and it is the same for any order of arrival.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::derive::{LiveEntries, Payment};
use domain::dossier::{Dossier, EntryKey, Held};
use domain::record::{Kind, Record};
use domain::scope::Scope;
use domain::time::first_instant;
use ledger::{HeldVersion, LedgerError};
use serde_json::{Map, Value};

use crate::error::LookupError;
use crate::lookup::{Answer, Lookup};

/// One version and content.
#[derive(Clone, Debug)]
pub struct Moment {
    pub held: HeldVersion,
    /// When it happened; of a settlement line the end of its `sold_on`, so that a day's sales come before its lines.
    pub at: DateTime<Utc>,
    /// It is the entry's state.
    pub is_current: bool,
    /// The entry names another merchant or currency than its payment and is in no sum.
    pub is_set_aside: bool,
    /// JSON pointers into `data` to what differs from the version before, identifiers and `version` left out.
    pub changed: Vec<String>,
}

/// All of a payment's.
#[derive(Clone, Debug)]
pub struct Timeline {
    pub moments: Vec<Moment>,
}

pub(crate) fn timeline(
    lookup: &Lookup,
    payment_key: &str,
    scope: &Scope,
) -> Result<Answer<Option<Timeline>>, LookupError> {
    let joint = lookup.reader.joint()?;
    let head = joint.head().clone();
    let found = joint.rows().find(payment_key)?;
    let visible = found.filter(|(_, dossier)| Payment::derive(dossier, scope).is_some());
    let Some((seq, dossier)) = visible else {
        return Ok(Answer { value: None, head });
    };
    let mut by_entry: HashMap<EntryKey, Vec<HeldVersion>> = HashMap::new();
    for held in joint.versions(seq)? {
        // An entry of another merchant does not exist, and neither does what an own one said as another's.
        if scope.allows(held.record.merchant_id()) && exists(&dossier, &held.key, scope) {
            by_entry.entry(held.key.clone()).or_default().push(held);
        }
    }
    let mut moments = Vec::new();
    for (key, held) in by_entry {
        moments.extend(of_entry(&dossier, &key, held)?);
    }
    moments.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(Answer {
        value: Some(Timeline { moments }),
        head,
    })
}

fn exists(dossier: &Dossier, key: &EntryKey, scope: &Scope) -> bool {
    match scope {
        Scope::All => true,
        Scope::Merchants(_) => {
            let state = dossier.entries.get(key).map(|entry| &entry.current.record);
            state.is_some_and(|state| scope.allows(state.merchant_id())) && !set_aside(dossier, key)
        }
    }
}

fn set_aside(dossier: &Dossier, key: &EntryKey) -> bool {
    LiveEntries::of(dossier).set_aside.iter().any(|aside| {
        let record = &aside.entry.current.record;
        record.kind() == key.kind && record.entry_id() == key.entry_id
    })
}

/// The moments of one entry, whose versions ascend.
fn of_entry(dossier: &Dossier, key: &EntryKey, held: Vec<HeldVersion>) -> Result<Vec<Moment>, LookupError> {
    let head = dossier.entries.get(key).and_then(|entry| entry.head());
    let is_set_aside = set_aside(dossier, key);
    // The state before a version: of the next lower one the content with the greatest digest.
    let (mut before, mut own) = (Map::new(), (0, Map::new()));
    let mut moments = Vec::new();
    for held in held {
        let data: Map<String, Value> = serde_json::from_slice(&held.body)
            .map_err(|cause| LedgerError::Damaged(format!("a version's body: {cause}")))?;
        if held.version != own.0 {
            before = std::mem::take(&mut own.1);
        }
        let changed = changed(&before, &data, key.kind);
        own = (held.version, data);
        moments.push(Moment {
            at: instant(&held),
            is_current: head
                == Some(Held {
                    version: held.version,
                    fingerprint: held.digest.fingerprint(),
                }),
            is_set_aside,
            changed,
            held,
        });
    }
    Ok(moments)
}

impl Moment {
    fn order(&self) -> (DateTime<Utc>, u8, &str, u64, [u8; 32]) {
        let rank = match self.held.key.kind {
            Kind::Payment => 0,
            Kind::Cancellation => 1,
            Kind::Settlement => 2,
        };
        (
            self.at,
            rank,
            &self.held.key.entry_id,
            self.held.version,
            self.held.digest.0,
        )
    }
}

fn instant(held: &HeldVersion) -> DateTime<Utc> {
    match &held.record {
        Record::Payment(record) => record.instant(),
        Record::Cancellation(record) => record.instant(),
        Record::Settlement(record) => match record.sold_on.succ_opt() {
            Some(next) => first_instant(next, held.zone) - TimeDelta::microseconds(1),
            None => first_instant(record.sold_on, held.zone),
        },
    }
}

fn changed(before: &Map<String, Value>, data: &Map<String, Value>, kind: Kind) -> Vec<String> {
    let id = match kind {
        Kind::Payment => "payment_key",
        Kind::Cancellation => "cancellation_id",
        Kind::Settlement => "settlement_id",
    };
    let mut found = Vec::new();
    differences("", before, data, &mut found);
    let left_out = [id, "payment_key", "version"].map(|name| format!("/{name}"));
    found.retain(|pointer| !left_out.contains(pointer));
    found.sort_unstable();
    found
}

/// Objects are gone into, everything else differs as a whole. `null` is as good as absent.
fn differences(path: &str, before: &Map<String, Value>, after: &Map<String, Value>, found: &mut Vec<String>) {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let pointer = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        match (before.get(name), after.get(name)) {
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                differences(&pointer, before, after, found);
            }
            (a, b) if a.unwrap_or(&Value::Null) == b.unwrap_or(&Value::Null) => {}
            _ => found.push(pointer),
        }
    }
}
