//! Folding a batch of messages into dossiers, in memory: what changes, and what the ledger will be told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::derive::LiveEntries;
use domain::dossier::{Dossier, EntryKey, Verdict};
use domain::message::{Digest, Fingerprint, Message};
use domain::position::{PartitionId, Positions};
use domain::rollup::{Cell, LedgerRow, Measures, contribution, ledger_rows};
use domain::time::Zones;
use fjall::UserValue;
use rayon::prelude::*;

use crate::bodies::{Packed, Place};
use crate::codec;
use crate::error::LedgerError;
use crate::events::{EventRow, Notes};
use crate::list_row::{ListRow, is_split};
use crate::quarantine::{Aside, Contradiction, QuarantineChange, aside_of};
use crate::refused::Refused;
use crate::rows::EncodedRow;
use crate::status::Counts;
use crate::version_rows::{VersionRow, pack_bodies};

/// One message of a batch.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub source: Arc<PartitionId>,
    pub position: u64,
    pub content: Result<Box<Message>, Box<Refused>>,
}

/// A bounded run of messages with the positions that it completes.
#[derive(Clone, Debug)]
pub struct Batch {
    pub items: Vec<Incoming>,
    /// The next position of every partition that the batch touched.
    pub positions: Positions,
    /// Messages without a value.
    pub nulls: u64,
    /// Broker time of the newest message, where a broker said one.
    pub appended_at: Option<DateTime<Utc>>,
    /// Now.
    pub applied_at: DateTime<Utc>,
}

/// A payment that a batch changed.
#[derive(Debug)]
pub struct Touched {
    pub seq: u64,
    /// Its key was never seen before this batch.
    pub created: bool,
    pub dossier: Dossier,
}

/// A message whose version and content were held already.
pub(crate) struct RepeatRow {
    pub(crate) seq: u64,
    pub(crate) key: EntryKey,
    pub(crate) version: u64,
    pub(crate) digest: Digest,
    pub(crate) source: Arc<PartitionId>,
    pub(crate) position: u64,
}

/// A row of the unified ledger to put in or to take out.
pub(crate) struct EntryChange {
    pub(crate) sign: i8,
    pub(crate) seq: u64,
    pub(crate) payment_key: Arc<str>,
    pub(crate) row: LedgerRow,
}

/// Rows to put in (+1) and to take out (-1).
pub(crate) type Signed<T> = Vec<(i8, u64, T)>;

/// Everything that one batch tells the ledger.
#[derive(Default)]
pub(crate) struct Prepared {
    pub(crate) counts: Counts,
    pub(crate) versions: Vec<VersionRow>,
    /// The bodies of `versions` as they are kept.
    pub(crate) packed: Packed,
    pub(crate) repeats: Vec<RepeatRow>,
    pub(crate) entries: Vec<EntryChange>,
    pub(crate) payments: Signed<ListRow>,
    pub(crate) cells: BTreeMap<Cell, Measures>,
    pub(crate) quarantine: Vec<QuarantineChange>,
    pub(crate) keys: Vec<(u64, u64)>,
    pub(crate) rows: Vec<EncodedRow>,
    pub(crate) touched: Vec<Touched>,
    pub(crate) split: Vec<u64>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) event_sources: Vec<(i64, String)>,
}

/// A payment while its messages are folded.
pub(crate) struct Work {
    pub(crate) seq: u64,
    pub(crate) hash: u64,
    pub(crate) created: bool,
    pub(crate) changed: bool,
    pub(crate) dossier: Dossier,
    /// A version of it was kept before this batch.
    pub(crate) is_told: bool,
    before: Before,
}

/// What a payment contributed before the batch.
struct Before {
    rows: Vec<LedgerRow>,
    list: Option<ListRow>,
    aside: Vec<Aside>,
}

impl Before {
    fn of(dossier: &Dossier) -> Self {
        Before {
            rows: sorted_rows(dossier),
            list: ListRow::of(dossier),
            aside: aside_of(&LiveEntries::of(dossier)),
        }
    }
}

fn sorted_rows(dossier: &Dossier) -> Vec<LedgerRow> {
    let mut rows = ledger_rows(dossier);
    rows.sort_unstable();
    rows
}

impl Work {
    pub(crate) fn new(seq: u64, hash: u64, created: bool, dossier: Dossier) -> Self {
        let before = Before::of(&dossier);
        Work {
            seq,
            hash,
            created,
            changed: created,
            is_told: !dossier.entries.is_empty(),
            dossier,
            before,
        }
    }
}

/// The payments that a batch works on, by key.
pub(crate) type Works = HashMap<String, Work>;

/// Takes the messages one by one, in order. `fresh` says of a refused content whether quarantine has not seen it yet.
pub(crate) fn fold(
    items: Vec<Incoming>,
    works: &mut Works,
    zones: &Zones,
    notes: &mut Notes<'_>,
    fresh: &mut dyn FnMut(&Refused) -> bool,
) -> Result<Prepared, LedgerError> {
    let mut out = Prepared::default();
    for item in items {
        match item.content {
            Ok(message) => {
                let (source, position, digest) = (item.source, item.position, message.digest);
                let name = notes.name(&message.envelope.id, &message.envelope.source);
                let (verdict, seq) = accept(*message, source.clone(), position, works, zones, &mut out)?;
                notes.note(name, (source, position), verdict, Some(seq), &digest);
            }
            Err(refused) => {
                out.counts.note(Verdict::Quarantined);
                let work = refused
                    .refusal
                    .payment_key
                    .as_deref()
                    .and_then(|key| works.get_mut(key));
                let is_fresh = fresh(&refused);
                let seq = work.map(|work| {
                    if is_fresh {
                        work.dossier.refused += 1;
                        work.changed = true;
                    }
                    work.seq
                });
                let (source, position) = (item.source, item.position);
                if let Some((id, publisher)) = &refused.event {
                    let name = notes.name(id, publisher);
                    let place = (source.clone(), position);
                    notes.note(name, place, Verdict::Quarantined, seq, &refused.sha256);
                }
                out.quarantine.push(QuarantineChange::Refused {
                    refused,
                    seq,
                    source,
                    position,
                });
            }
        }
    }
    Ok(out)
}

fn accept(
    mut message: Message,
    source: Arc<PartitionId>,
    position: u64,
    works: &mut Works,
    zones: &Zones,
    out: &mut Prepared,
) -> Result<(Verdict, u64), LedgerError> {
    let work = works
        .get_mut(message.record.payment_key())
        .ok_or_else(|| LedgerError::Damaged("a message's payment was not loaded".to_owned()))?;
    let zone = zones.of(message.record.merchant_id());
    let key = EntryKey {
        kind: message.record.kind(),
        entry_id: message.record.entry_id().to_owned(),
    };
    let (version, digest, redacted) = (message.record.version(), message.digest, message.redacted);
    let merchant_id = message.record.merchant_id().to_owned();
    let body = std::mem::take(&mut message.body);
    let verdict = work.dossier.apply(message, zone);
    out.counts.note(verdict);
    if verdict == Verdict::Duplicate {
        out.repeats.push(RepeatRow {
            seq: work.seq,
            key,
            version,
            digest,
            source,
            position,
        });
        return Ok((verdict, work.seq));
    }
    work.changed = true;
    if verdict == Verdict::Conflict
        && let Some(entry) = work.dossier.entries.get(&key)
    {
        let contents: Vec<Fingerprint> = entry
            .held
            .iter()
            .filter(|held| held.version == version)
            .map(|held| held.fingerprint)
            .collect();
        // With the second content the first one goes into quarantine too; a third one joins them.
        let latest = digest.fingerprint();
        let new = if contents.len() == 2 { contents } else { vec![latest] };
        out.quarantine.extend(new.into_iter().map(|content| {
            QuarantineChange::Conflict(Contradiction {
                payment_key: work.dossier.payment_key.clone(),
                seq: work.seq,
                key: key.clone(),
                version,
                fingerprint: content,
                place: (content == latest).then(|| (source.clone(), position)),
            })
        }));
    }
    let zone = zone.name();
    out.versions.push(VersionRow {
        seq: work.seq,
        kind: key.kind,
        merchant_id,
        verdict,
        source,
        position,
        zone,
        digest,
        redacted,
        body,
        place: Place::default(),
    });
    Ok((verdict, work.seq))
}

/// What one payment tells the ledger once all its messages are folded.
struct Change {
    entries: Vec<(i8, LedgerRow)>,
    payments: Vec<(i8, ListRow)>,
    aside: Vec<(i8, Aside)>,
    row: UserValue,
    split: bool,
}

impl Change {
    fn of(work: &Work) -> Result<Self, LedgerError> {
        let after = Before::of(&work.dossier);
        let mut payments = Vec::new();
        if work.before.list != after.list {
            payments.extend(work.before.list.clone().map(|row| (-1, row)));
            payments.extend(after.list.map(|row| (1, row)));
        }
        Ok(Change {
            entries: difference(&work.before.rows, after.rows),
            payments,
            aside: difference(&work.before.aside, after.aside),
            row: codec::encode(&work.dossier)?.into(),
            split: is_split(&work.dossier),
        })
    }
}

/// What leaves (-1) and what comes (+1) between two sorted lists without repeats.
fn difference<T: Ord + Clone>(before: &[T], after: Vec<T>) -> Vec<(i8, T)> {
    let mut changes: Vec<(i8, T)> = before
        .iter()
        .filter(|item| after.binary_search(item).is_err())
        .map(|item| (-1, item.clone()))
        .collect();
    changes.extend(
        after
            .into_iter()
            .filter(|item| before.binary_search(item).is_err())
            .map(|item| (1, item)),
    );
    changes
}

/// Works out what every touched payment changes, on all threads, and gathers it in seq order.
pub(crate) fn finish(works: Works, out: &mut Prepared) -> Result<(), LedgerError> {
    let mut changed: Vec<Work> = works.into_values().filter(|work| work.changed).collect();
    changed.sort_unstable_by_key(|work| work.seq);
    out.packed = pack_bodies(&mut out.versions, &changed)?;
    let changes: Vec<Change> = changed.par_iter().map(Change::of).collect::<Result<_, _>>()?;
    for (work, change) in changed.into_iter().zip(changes) {
        let seq = work.seq;
        let payment_key: Arc<str> = work.dossier.payment_key.as_str().into();
        for (sign, row) in change.entries {
            if let Some((cell, measures)) = contribution(&row) {
                out.cells.entry(cell).or_default().add(&measures, sign);
            }
            out.entries.push(EntryChange {
                sign,
                seq,
                payment_key: payment_key.clone(),
                row,
            });
        }
        out.payments
            .extend(change.payments.into_iter().map(|(sign, row)| (sign, seq, row)));
        out.quarantine
            .extend(change.aside.into_iter().map(|(sign, aside)| QuarantineChange::Aside {
                sign,
                payment_key: work.dossier.payment_key.clone(),
                seq,
                aside,
            }));
        if work.created {
            out.keys.push((seq, work.hash));
        }
        if change.split {
            out.split.push(seq);
        }
        out.rows.push((seq, change.row));
        out.touched.push(Touched {
            seq,
            created: work.created,
            dossier: work.dossier,
        });
    }
    out.cells.retain(|_, measures| !measures.is_zero());
    Ok(())
}
