//! A message as it came, and a message as it was understood.

use chrono::{DateTime, Utc};

use crate::record::Record;

/// SHA-256 of the canonical form (RFC 8785) of a message's `data`, as sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Digest {
    /// Its first half, by which contents of an entry are told apart and ordered.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut first = [0; 16];
        first.copy_from_slice(&self.0[..16]);
        Fingerprint(first)
    }
}

/// The first 16 bytes of a [`Digest`]: what a payment's state keeps of every content that was ever received. Contents that
/// share them cannot be found (2^64 trials, NIST SP 800-107), so the order of digests is that of fingerprints; and the other half
/// would be a fifth of the room that a payment takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// How a message carries its CloudEvent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding<'a> {
    /// The value is the whole CloudEvent as JSON.
    Structured,
    /// The value is `data`; the attributes came as `ce_*` headers, given here without the prefix.
    Binary(&'a [(&'a str, &'a [u8])]),
}

/// The attributes of the CloudEvent that carried a message. Nothing that an answer holds depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub id: String,
    pub source: String,
    pub time: DateTime<Utc>,
}

/// An accepted message: one version of one entry.
#[derive(Clone, Debug)]
pub struct Message {
    pub envelope: Envelope,
    pub record: Record,
    /// Of `data` as sent, before any redaction.
    pub digest: Digest,
    /// `data` in canonical form after redaction, unknown fields included: what is kept.
    pub body: Vec<u8>,
    /// A full card number was found and redacted.
    pub redacted: bool,
}
