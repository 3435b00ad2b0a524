//! A refused message as quarantine keeps it.

use domain::canonical;
use domain::decode::{DataAsSent, MESSAGE_BYTES_MAX, data_as_sent, event_of_refused, too_large};
use domain::message::{Digest, Encoding};
use domain::redact::{redact_beginning, redact_plain, redact_raw};
use domain::refusal::Refusal;

/// What is kept of a message over [`MESSAGE_BYTES_MAX`]: enough to recognise it.
const HEAD_BYTES: usize = 64 * 1024;

/// What a source holds of a message that it does not hold as a whole: more than is kept of it, so that no card number is cut.
pub const BEGINNING_BYTES: usize = 2 * HEAD_BYTES;

/// Attributes of a binary-mode event: names without `ce_`, and values.
pub type Attributes = Vec<(String, Vec<u8>)>;

/// A message that was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    pub refusal: Refusal,
    /// The bytes kept: redacted, and of an oversized message only the first part.
    pub raw: Vec<u8>,
    /// Length as sent.
    pub raw_bytes: u64,
    /// SHA-256 of the value as sent.
    pub sha256: Digest,
    /// It came in binary mode.
    pub binary_mode: bool,
    /// Redacted; empty in structured mode.
    pub attributes: Attributes,
    /// `raw` or the attributes are not what was sent.
    pub raw_redacted: bool,
    /// What a replay needs to know of `data`, where it could be read.
    pub data: Option<DataAsSent>,
    /// `id` and `source` of the event, where the id could be read.
    pub event: Option<(String, String)>,
}

impl Refused {
    /// A message that was read as a whole.
    pub fn of(refusal: Refusal, bytes: &[u8], encoding: Encoding<'_>) -> Self {
        let mut raw = redact_raw(bytes);
        if bytes.len() > MESSAGE_BYTES_MAX {
            raw.truncate(HEAD_BYTES);
        }
        let sent: &[(&str, &[u8])] = match encoding {
            Encoding::Structured => &[],
            Encoding::Binary(headers) => headers,
        };
        let attributes: Attributes = sent
            .iter()
            .map(|(name, value)| ((*name).to_owned(), redact_plain(value)))
            .collect();
        let same = attributes.iter().zip(sent).all(|(kept, sent)| kept.1 == sent.1);
        Refused {
            refusal,
            raw_redacted: raw != bytes[..raw.len()] || !same,
            raw,
            raw_bytes: bytes.len() as u64,
            sha256: canonical::digest(bytes),
            binary_mode: matches!(encoding, Encoding::Binary(_)),
            attributes,
            data: data_as_sent(bytes, encoding),
            event: event_of_refused(bytes, encoding),
        }
    }

    /// A message of which a source holds no more than the first [`BEGINNING_BYTES`].
    pub fn oversize(beginning: &[u8], length: u64, sha256: Digest, binary_mode: bool) -> Self {
        let mut raw = redact_beginning(beginning);
        raw.truncate(HEAD_BYTES);
        Refused {
            refusal: too_large(),
            raw_redacted: raw != beginning[..raw.len()],
            raw,
            raw_bytes: length,
            sha256,
            binary_mode,
            attributes: Vec::new(),
            data: None,
            event: None,
        }
    }
}
