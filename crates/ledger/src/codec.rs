//! How dossiers and bodies lie on disk: postcard, then zstd with a dictionary of the contract's own wording.
//!
//! Messages are short and alike; without the dictionary zstd hardly gains on one of them. The dictionary is part of the
//! store's format: changing it changes [`FORMAT`].

use std::borrow::Cow;
use std::cell::RefCell;

use chrono_tz::Tz;
use domain::dossier::{Current, Dossier, Entry, EntryKey, Held};
use domain::message::Fingerprint;
use domain::money::Currency;
use domain::record::{Kind, Record};
use serde::{Deserialize, Serialize};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::error::LedgerError;

/// The store's format: changes when anything written earlier could not be read any more.
pub(crate) const FORMAT: &str = "11";

/// `dictionary.json` with the statistics of short texts: see scripts/dictionary/make.py.
const DICTIONARY: &[u8] = include_bytes!("dossier/dictionary.zst");

/// For rows: fast enough to stand in the path of every message; higher levels gain under 5 % on texts this short.
const LEVEL: i32 = 1;

/// For packs of rows and blocks of bodies, in which like lies beside like: a tenth smaller than at level 3, at no cost that a whole
/// path of 5 million messages showed (64.3 and 64.6 µs an event).
const PACKED_LEVEL: i32 = 6;

/// A body is at most 1 MiB as sent; a dossier may hold many.
const DECODED_MAX: usize = 1 << 30;

/// Made when it is first needed: it takes up some 100 KiB and a millisecond.
type Slot<T> = RefCell<Option<T>>;

thread_local! {
    static COMPRESSOR: Slot<Compressor<'static>> = const { RefCell::new(None) };
    static PACKED_COMPRESSOR: Slot<Compressor<'static>> = const { RefCell::new(None) };
    static DECOMPRESSOR: Slot<Decompressor<'static>> = const { RefCell::new(None) };
}

fn damaged(what: &str, cause: impl std::fmt::Display) -> LedgerError {
    LedgerError::Damaged(format!("{what}: {cause}"))
}

fn compressor(level: i32) -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_dictionary(level, DICTIONARY)?;
    // There is one dictionary: naming it would take four bytes a value.
    compressor.set_parameter(CParameter::DictIdFlag(false))?;
    Ok(compressor)
}

/// Compresses with the dictionary; the first four bytes are the length before.
pub(crate) fn compress(bytes: &[u8]) -> Result<Vec<u8>, LedgerError> {
    COMPRESSOR.with_borrow_mut(|slot| compress_by(slot, LEVEL, bytes))
}

/// As [`compress`], for many rows or bodies at once.
pub(crate) fn compress_many(bytes: &[u8]) -> Result<Vec<u8>, LedgerError> {
    PACKED_COMPRESSOR.with_borrow_mut(|slot| compress_by(slot, PACKED_LEVEL, bytes))
}

fn compress_by(slot: &mut Option<Compressor<'static>>, level: i32, bytes: &[u8]) -> Result<Vec<u8>, LedgerError> {
    let length = u32::try_from(bytes.len()).map_err(|cause| damaged("a value is too long to be kept", cause))?;
    let compressor = match slot {
        Some(compressor) => compressor,
        None => slot.insert(compressor(level).map_err(|cause| damaged("no compressor", cause))?),
    };
    let packed = compressor
        .compress(bytes)
        .map_err(|cause| damaged("a value could not be packed", cause))?;
    let mut out = Vec::with_capacity(packed.len() + 4);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&packed);
    Ok(out)
}

/// [`compress`] or [`compress_many`].
type Compress = fn(&[u8]) -> Result<Vec<u8>, LedgerError>;

/// Undoes [`compress`].
pub(crate) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, LedgerError> {
    let (length, packed) = bytes
        .split_first_chunk::<4>()
        .ok_or_else(|| damaged("a stored value", "is shorter than its header"))?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > DECODED_MAX {
        return Err(damaged("a stored value", "claims an impossible length"));
    }
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot
                .insert(Decompressor::with_dictionary(DICTIONARY).map_err(|cause| damaged("no decompressor", cause))?),
        };
        decompressor
            .decompress(packed, length)
            .map_err(|cause| damaged("a stored value does not unpack", cause))
    })
}

/// Kind and id of the entry stand in the record.
#[derive(Serialize, Deserialize)]
struct StoredEntry<'a> {
    zone: &'a str,
    redacted: bool,
    record: Cow<'a, Record>,
    /// Empty for the usual one, which is the record's.
    identities: Vec<(&'a str, &'a str)>,
    /// Versions; each has a fingerprint.
    held: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct StoredDossier<'a> {
    payment_key: &'a str,
    refused: u32,
    #[serde(borrow)]
    entries: Vec<StoredEntry<'a>>,
}

/// Bytes of a [`Fingerprint`].
const FINGERPRINT: usize = 16;

/// A dossier as bytes, not compressed. Fingerprints are as good as random: between texts they would take more room than
/// they have, and make what stands around them hard to compress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) text: Vec<u8>,
    /// Of everything held, in the order of the text.
    pub(crate) fingerprints: Vec<u8>,
}

impl Plain {
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.fingerprints.len()
    }

    /// As it lies in the row store: the length of the fingerprints in 4 bytes (little endian), they, and the text compressed.
    pub(crate) fn sealed(&self, compress: Compress) -> Result<Vec<u8>, LedgerError> {
        let length = u32::try_from(self.fingerprints.len());
        let length = length.map_err(|cause| damaged("a value is too long to be kept", cause))?;
        let text = compress(&self.text)?;
        let mut out = Vec::with_capacity(4 + self.fingerprints.len() + text.len());
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&self.fingerprints);
        out.extend_from_slice(&text);
        Ok(out)
    }

    /// Undoes [`sealed`](Self::sealed).
    pub(crate) fn opened(bytes: &[u8]) -> Result<Self, LedgerError> {
        let (fingerprints, text) = bytes
            .split_first_chunk::<4>()
            .and_then(|(length, rest)| rest.split_at_checked(u32::from_le_bytes(*length) as usize))
            .ok_or_else(|| damaged("a stored value", "is shorter than its header"))?;
        Ok(Plain {
            text: decompress(text)?,
            fingerprints: fingerprints.to_vec(),
        })
    }
}

pub(crate) const fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::Cancellation => 0,
        Kind::Payment => 1,
        Kind::Settlement => 2,
    }
}

pub(crate) fn kind_of(code: u8) -> Result<Kind, LedgerError> {
    match code {
        0 => Ok(Kind::Cancellation),
        1 => Ok(Kind::Payment),
        2 => Ok(Kind::Settlement),
        _ => Err(damaged("an entry", format!("has the unknown kind {code}"))),
    }
}

pub(crate) fn zone_of(name: &str) -> Result<Tz, LedgerError> {
    name.parse()
        .map_err(|_| damaged("an entry", format!("has the unknown time zone {name:?}")))
}

/// A dossier as bytes.
pub(crate) fn plain(dossier: &Dossier) -> Result<Plain, LedgerError> {
    let mut fingerprints = Vec::new();
    let entries = dossier.entries.values().map(|entry| {
        let held = entry.held.iter();
        StoredEntry {
            zone: entry.current.zone.name(),
            redacted: entry.current.redacted,
            record: Cow::Borrowed(&entry.current.record),
            identities: match entry.identities == identities_of(&entry.current.record) {
                true => Vec::new(),
                false => entry
                    .identities
                    .iter()
                    .map(|(merchant, currency)| (merchant.as_str(), currency.code()))
                    .collect(),
            },
            held: held
                .map(|held| {
                    fingerprints.extend_from_slice(&held.fingerprint.0);
                    held.version
                })
                .collect(),
        }
    });
    let stored = StoredDossier {
        payment_key: &dossier.payment_key,
        refused: dossier.refused,
        entries: entries.collect(),
    };
    let text = postcard::to_stdvec(&stored).map_err(|cause| damaged("a dossier could not be encoded", cause))?;
    Ok(Plain { text, fingerprints })
}

/// Those of an entry of which one content is held.
fn identities_of(record: &Record) -> Vec<(String, Currency)> {
    match record {
        Record::Payment(payment) => vec![(payment.merchant_id.clone(), payment.currency)],
        _ => Vec::new(),
    }
}

/// A dossier as it lies in the row store on its own.
pub(crate) fn encode(dossier: &Dossier) -> Result<Vec<u8>, LedgerError> {
    plain(dossier)?.sealed(compress)
}

/// Undoes [`plain`].
pub(crate) fn decode(text: &[u8], fingerprints: &[u8]) -> Result<Dossier, LedgerError> {
    let stored: StoredDossier<'_> =
        postcard::from_bytes(text).map_err(|cause| damaged("a dossier does not decode", cause))?;
    let (fingerprints, _) = fingerprints.as_chunks::<FINGERPRINT>();
    let mut fingerprints = fingerprints.iter();
    let mut dossier = Dossier::new(stored.payment_key);
    dossier.refused = stored.refused;
    for entry in stored.entries {
        let record = entry.record.into_owned();
        let identities = entry.identities.iter().map(|(merchant, code)| {
            let currency = Currency::parse(code).ok_or_else(|| damaged("an entry", "has an unknown currency"))?;
            Ok(((*merchant).to_owned(), currency))
        });
        let identities = match entry.identities.is_empty() {
            true => identities_of(&record),
            false => identities.collect::<Result<_, LedgerError>>()?,
        };
        let held = entry.held.into_iter().map(|version| {
            let fingerprint = fingerprints
                .next()
                .ok_or_else(|| damaged("an entry", "has too few fingerprints"))?;
            let fingerprint = Fingerprint(*fingerprint);
            Ok(Held { version, fingerprint })
        });
        dossier.entries.insert(
            EntryKey {
                kind: record.kind(),
                entry_id: record.entry_id().to_owned(),
            },
            Entry {
                held: held.collect::<Result<_, LedgerError>>()?,
                current: Current {
                    zone: zone_of(entry.zone)?,
                    redacted: entry.redacted,
                    record,
                },
                identities,
            },
        );
    }
    Ok(dossier)
}
