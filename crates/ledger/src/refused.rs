//! A refused message as quarantine keeps it.

use domain::canonical;
use domain::decode::{DataAsSent, code, data_as_sent, event_of_refused};
use domain::message::{Digest, Encoding};
use domain::redact::redact_raw;
use domain::refusal::Refusal;

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
        let raw = redact_raw(bytes);
        let sent: &[(&str, &[u8])] = match encoding {
            Encoding::Structured => &[],
            Encoding::Binary(headers) => headers,
        };
        let attributes: Attributes = sent
            .iter()
            .map(|(name, value)| ((*name).to_owned(), redact_raw(value)))
            .collect();
        let same = attributes.iter().zip(sent).all(|(kept, sent)| kept.1 == sent.1);
        Refused {
            refusal,
            raw_redacted: raw != bytes || !same,
            raw,
            raw_bytes: bytes.len() as u64,
            sha256: canonical::digest(bytes),
            binary_mode: matches!(encoding, Encoding::Binary(_)),
            attributes,
            data: data_as_sent(bytes, encoding),
            event: event_of_refused(bytes, encoding),
        }
    }

    /// A message over the limit, of which only the first part was kept.
    pub fn oversize(head: &[u8], length: u64, sha256: Digest, binary_mode: bool) -> Self {
        let raw = redact_raw(head);
        Refused {
            refusal: Refusal {
                code: code::TOO_LARGE,
                pointer: String::new(),
                detail: "the message is larger than 1 MiB; publish a smaller one".to_owned(),
                payment_key: None,
            },
            raw_redacted: raw != head,
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
