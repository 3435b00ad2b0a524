//! How dossiers and bodies lie on disk: postcard, then zstd with a dictionary of the contract's own wording.
//!
//! Messages are short and alike; without the dictionary zstd hardly gains on one of them. The dictionary is part of the
//! store's format: changing it changes [`FORMAT`].

use std::borrow::Cow;
use std::cell::RefCell;

use chrono_tz::Tz;
use domain::dossier::{Current, Dossier, Entry, EntryKey, Held};
use domain::message::Digest;
use domain::money::Currency;
use domain::record::{Kind, Record};
use serde::{Deserialize, Serialize};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::error::LedgerError;

/// The store's format: changes when anything written earlier could not be read any more.
pub(crate) const FORMAT: &str = "7";

/// `dictionary.json` with the statistics of short texts: see scripts/dictionary/make.py.
const DICTIONARY: &[u8] = include_bytes!("dossier/dictionary.zst");

/// Fast enough to stand in the path of every message; higher levels gain under 5 % on texts this short.
const LEVEL: i32 = 1;

/// A body is at most 1 MiB as sent; a dossier may hold many.
const DECODED_MAX: usize = 1 << 30;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn damaged(what: &str, cause: impl std::fmt::Display) -> LedgerError {
    LedgerError::Damaged(format!("{what}: {cause}"))
}

fn compressor() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_dictionary(LEVEL, DICTIONARY)?;
    // There is one dictionary: naming it would take four bytes a value.
    compressor.set_parameter(CParameter::DictIdFlag(false))?;
    Ok(compressor)
}

/// Compresses with the dictionary; the first four bytes are the length before.
pub(crate) fn compress(bytes: &[u8]) -> Result<Vec<u8>, LedgerError> {
    let length = u32::try_from(bytes.len()).map_err(|cause| damaged("a value is too long to be kept", cause))?;
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(compressor().map_err(|cause| damaged("no compressor", cause))?),
        };
        let packed = compressor
            .compress(bytes)
            .map_err(|cause| damaged("a value could not be packed", cause))?;
        let mut out = Vec::with_capacity(packed.len() + 4);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&packed);
        Ok(out)
    })
}

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

#[derive(Serialize, Deserialize)]
struct StoredEntry<'a> {
    kind: u8,
    entry_id: &'a str,
    zone: &'a str,
    redacted: bool,
    record: Cow<'a, Record>,
    identities: Vec<(&'a str, &'a str)>,
    held: Vec<(u64, [u8; 32])>,
}

#[derive(Serialize, Deserialize)]
struct StoredDossier<'a> {
    payment_key: &'a str,
    refused: u32,
    #[serde(borrow)]
    entries: Vec<StoredEntry<'a>>,
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

/// A dossier as bytes, not compressed.
pub(crate) fn plain(dossier: &Dossier) -> Result<Vec<u8>, LedgerError> {
    let entries = dossier.entries.iter().map(|(key, entry)| StoredEntry {
        kind: kind_code(key.kind),
        entry_id: &key.entry_id,
        zone: entry.current.zone.name(),
        redacted: entry.current.redacted,
        record: Cow::Borrowed(&entry.current.record),
        identities: entry
            .identities
            .iter()
            .map(|(merchant, currency)| (merchant.as_str(), currency.code()))
            .collect(),
        held: entry.held.iter().map(|held| (held.version, held.digest.0)).collect(),
    });
    let stored = StoredDossier {
        payment_key: &dossier.payment_key,
        refused: dossier.refused,
        entries: entries.collect(),
    };
    postcard::to_stdvec(&stored).map_err(|cause| damaged("a dossier could not be encoded", cause))
}

/// A dossier as it lies in the row store on its own.
pub(crate) fn encode(dossier: &Dossier) -> Result<Vec<u8>, LedgerError> {
    compress(&plain(dossier)?)
}

/// Undoes [`plain`].
pub(crate) fn decode(plain: &[u8]) -> Result<Dossier, LedgerError> {
    let stored: StoredDossier<'_> =
        postcard::from_bytes(plain).map_err(|cause| damaged("a dossier does not decode", cause))?;
    let mut dossier = Dossier::new(stored.payment_key);
    dossier.refused = stored.refused;
    for entry in stored.entries {
        let kind = kind_of(entry.kind)?;
        let identities = entry.identities.iter().map(|(merchant, code)| {
            let currency = Currency::parse(code).ok_or_else(|| damaged("an entry", "has an unknown currency"))?;
            Ok(((*merchant).to_owned(), currency))
        });
        let current = Current {
            record: entry.record.into_owned(),
            zone: zone_of(entry.zone)?,
            redacted: entry.redacted,
        };
        let held = entry.held.iter().map(|(version, digest)| Held {
            version: *version,
            digest: Digest(*digest),
        });
        dossier.entries.insert(
            EntryKey {
                kind,
                entry_id: entry.entry_id.to_owned(),
            },
            Entry {
                held: held.collect(),
                current,
                identities: identities.collect::<Result<_, LedgerError>>()?,
            },
        );
    }
    Ok(dossier)
}
