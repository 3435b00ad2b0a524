//! A payment's dossier: every entry that messages named for one payment key, with every version and content held.
//!
//! The dossier is the state that order must not matter for. It is a join-semilattice in disguise: what is *held* is a
//! set of `(version, fingerprint)` pairs that only grows, and the current state of an entry is the greatest pair of that
//! set. So any order, repetition and batching of the same messages ends in the same dossier. The verdict on one
//! message, in contrast, depends on what came before it; no answer is built from verdicts.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use crate::message::{Fingerprint, Message};
use crate::money::Currency;
use crate::record::{Kind, Record};

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It is the entry's current state now (or was, until a later message).
    Applied,
    /// That version and content was held already.
    Duplicate,
    /// A higher version was held; this one is history.
    Stale,
    /// That version was held with other content; the greater digest is the state, both are in quarantine.
    Conflict,
    /// It broke a rule of the contract and was set apart with the reason.
    Quarantined,
}

impl Verdict {
    pub const ALL: [Verdict; 5] = [
        Verdict::Applied,
        Verdict::Duplicate,
        Verdict::Stale,
        Verdict::Conflict,
        Verdict::Quarantined,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Applied => "applied",
            Verdict::Duplicate => "duplicate",
            Verdict::Stale => "stale",
            Verdict::Conflict => "conflict",
            Verdict::Quarantined => "quarantined",
        }
    }
}

/// One version and content of an entry that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    pub version: u64,
    pub fingerprint: Fingerprint,
}

/// The content that is an entry's current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    pub record: Record,
    /// The time zone of the merchant that the entry itself names, as configured when this content was applied.
    pub zone: Tz,
    /// A full card number was found in it and redacted.
    pub redacted: bool,
}

/// An entry: what is held of it and its current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Sorted; never empty; the last one is the current state.
    pub held: Vec<Held>,
    pub current: Current,
    /// Of a payment entry: every merchant and currency that a held content names, sorted, distinct. Empty otherwise.
    pub identities: Vec<(String, Currency)>,
}

/// Names an entry within its payment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey {
    pub kind: Kind,
    pub entry_id: String,
}

/// Everything that is held of one payment key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    pub payment_key: String,
    /// Distinct refused contents that name this payment and are still open in quarantine.
    pub refused: u32,
    pub entries: BTreeMap<EntryKey, Entry>,
}

impl Entry {
    /// The current state's `(version, fingerprint)`.
    pub fn head(&self) -> Option<Held> {
        self.held.last().copied()
    }

    /// Two contents of the greatest version are held.
    pub fn in_conflict(&self) -> bool {
        matches!(self.held.as_slice(), [.., a, b] if a.version == b.version)
    }

    fn take(&mut self, held: Held, message: Message, zone: Tz) -> Verdict {
        let place = match self.held.binary_search(&held) {
            Ok(_) => return Verdict::Duplicate,
            Err(place) => place,
        };
        let same_version = self.held.iter().any(|other| other.version == held.version);
        let newest = place == self.held.len();
        let below = self.held.last().is_some_and(|head| held.version < head.version);
        self.held.insert(place, held);
        self.note_identity(&message.record);
        if newest {
            self.current = Current {
                record: message.record,
                zone,
                redacted: message.redacted,
            };
        }
        match (same_version, below) {
            (true, _) => Verdict::Conflict,
            (false, true) => Verdict::Stale,
            (false, false) => Verdict::Applied,
        }
    }

    fn note_identity(&mut self, record: &Record) {
        if let Record::Payment(payment) = record {
            let identity = (payment.merchant_id.clone(), payment.currency);
            if let Err(place) = self.identities.binary_search(&identity) {
                self.identities.insert(place, identity);
            }
        }
    }
}

impl Dossier {
    pub fn new(payment_key: impl Into<String>) -> Self {
        Dossier {
            payment_key: payment_key.into(),
            refused: 0,
            entries: BTreeMap::new(),
        }
    }

    /// Takes one accepted message of this payment. `zone` is that of the merchant the message names.
    pub fn apply(&mut self, message: Message, zone: Tz) -> Verdict {
        let held = Held {
            version: message.record.version(),
            fingerprint: message.digest.fingerprint(),
        };
        let key = EntryKey {
            kind: message.record.kind(),
            entry_id: message.record.entry_id().to_owned(),
        };
        if let Some(entry) = self.entries.get_mut(&key) {
            return entry.take(held, message, zone);
        }
        let current = Current {
            record: message.record,
            zone,
            redacted: message.redacted,
        };
        let mut entry = Entry {
            held: vec![held],
            current,
            identities: Vec::new(),
        };
        let record = entry.current.record.clone();
        entry.note_identity(&record);
        self.entries.insert(key, entry);
        Verdict::Applied
    }

    /// The payment's own entry, deleted or not.
    pub fn payment_entry(&self) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|(key, _)| key.kind == Kind::Payment)
            .map(|(_, entry)| entry)
    }
}
