//! Keys: who may ask, and whose payments they see.
//!
//! A key is 256 random bits, printed once. The file keeps its SHA-256 alone, so who reads the file cannot ask anything.
//! A presented key is found by its digest: what an attacker could learn from the time a look-up takes is about digests,
//! which tell nothing about keys. So no comparison of secrets takes place at all.
//!
//! The file lies beside the stores and belongs to no engine. It is replaced as a whole, under a lock, so a command can
//! change it while a server runs; the server looks at the file's stamp at most twice a second.

mod file;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::scope::Scope;
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use file::KeyRecord;
use file::{Loaded, Stamp};

/// How often the file is looked at for changes. A revoked key is refused within a second.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(500);

/// What a printed key begins with, so that leaked ones can be searched for.
const PREFIX: &str = "llk_";

/// Characters of a merchant's id, as messages may have it.
const MERCHANT_CHARS_MAX: usize = 64;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Payments and reports of its merchants, without the provider's own figures.
    Merchant,
    /// Payments and reports of all merchants.
    Finance,
    /// What finance reads, and ingestion and quarantine.
    Operator,
    /// What operators read, and the administration of keys.
    Admin,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Merchant, Role::Finance, Role::Operator, Role::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Merchant => "merchant",
            Role::Finance => "finance",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let found = Role::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| KeyError::UnknownRole(text.to_owned()))
    }
}

/// Why keys cannot be read or changed.
#[derive(Debug, Error)]
pub enum KeyError {
    #[error("there is no role {0:?}; it is merchant, finance, operator or admin")]
    UnknownRole(String),
    #[error("a key of role merchant names at least one merchant")]
    MerchantMissing,
    #[error("a key of role {0} sees every merchant, so it names none")]
    MerchantNotAllowed(Role),
    #[error("{0:?} is no merchant id: it has 1 to {MERCHANT_CHARS_MAX} characters")]
    BadMerchant(String),
    #[error("there is no key {0:?}")]
    UnknownKey(String),
    #[error("the key {0:?} is revoked already")]
    Revoked(String),
    #[error("cannot use the key file {path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the key file {path} cannot be understood: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("the operating system gave no random bytes: {0}")]
    NoRandomness(String),
}

/// A key that was just made. Its text cannot be had a second time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Names the key in lists and logs.
    pub key_id: String,
    /// What the client sends.
    pub key: String,
}

/// Who asks: the only way for a handler to come by a [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) key_id: String,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
}

impl Principal {
    fn of(record: &KeyRecord) -> Self {
        let scope = match record.role {
            Role::Merchant => Scope::Merchants(record.merchants.clone()),
            Role::Finance | Role::Operator | Role::Admin => Scope::All,
        };
        Principal {
            key_id: record.id.clone(),
            role: record.role,
            scope,
        }
    }

    /// Cost, costs and net profit are the provider's own figures.
    pub(crate) fn sees_provider_figures(&self) -> bool {
        self.role != Role::Merchant
    }
}

/// The keys of one data directory.
#[derive(Debug)]
pub struct KeyStore {
    path: PathBuf,
    loaded: RwLock<Loaded>,
    looked_at: Mutex<Instant>,
}

impl KeyStore {
    /// Reads the keys in the file `path`; a file that does not exist holds none.
    ///
    /// # Errors
    /// Where the file cannot be read or holds something else.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeyError> {
        let path = path.into();
        let loaded = Loaded::read(&path)?;
        Ok(KeyStore {
            path,
            loaded: RwLock::new(loaded),
            looked_at: Mutex::new(Instant::now()),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a key. `now` is kept with it.
    ///
    /// # Errors
    /// Where role and merchants do not go together, or the file cannot be written.
    pub fn create(&self, role: Role, merchants: &[String], now: DateTime<Utc>) -> Result<NewKey, KeyError> {
        let merchants = checked(role, merchants)?;
        self.change(|keys| {
            let (record, new) = minted(role, merchants, now)?;
            keys.push(record);
            Ok(new)
        })
    }

    /// Every key, revoked ones too, the oldest first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn list(&self) -> Result<Vec<KeyRecord>, KeyError> {
        Ok(Loaded::read(&self.path)?.records().to_vec())
    }

    /// Ends a key for good.
    ///
    /// # Errors
    /// Where there is no such key that still works, or the file cannot be written.
    pub fn revoke(&self, key_id: &str, now: DateTime<Utc>) -> Result<(), KeyError> {
        self.change(|keys| end(keys, key_id, now, TimeDelta::zero()).map(|_| ()))
    }

    /// Makes another key with the same role and merchants; the old one works for `grace` longer.
    ///
    /// # Errors
    /// As [`KeyStore::revoke`].
    pub fn rotate(&self, key_id: &str, now: DateTime<Utc>, grace: TimeDelta) -> Result<NewKey, KeyError> {
        self.change(|keys| {
            let ended = end(keys, key_id, now, grace)?;
            let (record, new) = minted(ended.role, ended.merchants, now)?;
            keys.push(record);
            Ok(new)
        })
    }

    /// Who presents `key`, if it is a key that works `now`.
    pub(crate) fn authenticate(&self, key: &str, now: DateTime<Utc>) -> Option<Principal> {
        self.refresh(LOOKED_AT_EVERY);
        let digest = digest_of(key);
        let known = || {
            let loaded = self.loaded.read();
            let record = loaded.find(&digest).filter(|record| record.works_at(now));
            record.map(Principal::of)
        };
        known().or_else(|| {
            // It may have been made this moment: looking whether the file has changed costs microseconds.
            self.refresh(Duration::ZERO);
            known()
        })
    }

    /// Takes up what another process wrote, if the last look was so long ago.
    fn refresh(&self, older_than: Duration) {
        let mut looked_at = self.looked_at.lock();
        if looked_at.elapsed() < older_than {
            return;
        }
        *looked_at = Instant::now();
        if Stamp::of(&self.path).is_ok_and(|stamp| stamp == self.loaded.read().stamp()) {
            return;
        }
        match Loaded::read(&self.path) {
            Ok(loaded) => *self.loaded.write() = loaded,
            // A file is replaced as a whole, so this is no half-written one. The keys read last go on working.
            Err(error) => tracing::error!(error = %error, "the key file could not be read again"),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<KeyRecord>) -> Result<T, KeyError>) -> Result<T, KeyError> {
        let (loaded, value) = file::replace(&self.path, change)?;
        *self.loaded.write() = loaded;
        Ok(value)
    }
}

fn checked(role: Role, merchants: &[String]) -> Result<BTreeSet<String>, KeyError> {
    match (role, merchants.is_empty()) {
        (Role::Merchant, true) => return Err(KeyError::MerchantMissing),
        (Role::Finance | Role::Operator | Role::Admin, false) => return Err(KeyError::MerchantNotAllowed(role)),
        _ => {}
    }
    for merchant in merchants {
        if !(1..=MERCHANT_CHARS_MAX).contains(&merchant.chars().count()) {
            return Err(KeyError::BadMerchant(merchant.clone()));
        }
    }
    Ok(merchants.iter().cloned().collect())
}

fn minted(role: Role, merchants: BTreeSet<String>, now: DateTime<Utc>) -> Result<(KeyRecord, NewKey), KeyError> {
    let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    let id: String = random::<6>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let record = KeyRecord {
        id: format!("key_{id}"),
        role,
        merchants,
        sha256: hex(&digest_of(&key)),
        created_at: now,
        revoked_at: None,
    };
    let new = NewKey {
        key_id: record.id.clone(),
        key,
    };
    Ok((record, new))
}

fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|cause| KeyError::NoRandomness(cause.to_string()))?;
    Ok(bytes)
}

fn end(keys: &mut [KeyRecord], key_id: &str, now: DateTime<Utc>, grace: TimeDelta) -> Result<KeyRecord, KeyError> {
    let Some(record) = keys.iter_mut().find(|record| record.id == key_id) else {
        return Err(KeyError::UnknownKey(key_id.to_owned()));
    };
    if !record.works_at(now) {
        return Err(KeyError::Revoked(key_id.to_owned()));
    }
    // A key in its grace never gets a longer one.
    let ends = now.checked_add_signed(grace).unwrap_or(now);
    record.revoked_at = Some(record.revoked_at.map_or(ends, |already| already.min(ends)));
    Ok(record.clone())
}

fn digest_of(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
