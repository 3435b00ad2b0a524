//! From what a source delivered to what the ledger takes.

use domain::decode::{code, decode};
use domain::message::Digest;
use domain::redact::redact_raw;
use domain::refusal::Refusal;
use ledger::{Incoming, Refused};
use rayon::prelude::*;
use sha2::Digest as _;

use crate::source::{Content, MessageEncoding, RawMessage};

/// Decodes messages on all threads, in order; those without a value are only counted.
pub(crate) fn decode_all(messages: Vec<RawMessage>) -> (Vec<Incoming>, u64) {
    let read = messages.len();
    let items: Vec<Incoming> = messages.into_par_iter().filter_map(decode_one).collect();
    let nulls = read - items.len();
    (items, nulls as u64)
}

fn decode_one(message: RawMessage) -> Option<Incoming> {
    let encoding = message.encoding();
    let binary_mode = matches!(encoding, MessageEncoding::Binary(_));
    let content = match &message.content {
        Content::Null => return None,
        Content::Value { bytes, .. } => match decode(bytes, encoding.as_encoding()) {
            Ok(accepted) => Ok(Box::new(accepted)),
            Err(refusal) => Err(Box::new(Refused {
                refusal,
                raw: redact_raw(bytes),
                raw_bytes: bytes.len() as u64,
                sha256: Digest(sha2::Sha256::digest(bytes).into()),
                binary_mode,
            })),
        },
        Content::Oversize(oversize) => Err(Box::new(Refused {
            refusal: Refusal {
                code: code::TOO_LARGE,
                pointer: String::new(),
                detail: "the message is larger than 1 MiB; publish a smaller one".to_owned(),
                payment_key: None,
            },
            raw: redact_raw(&oversize.head),
            raw_bytes: oversize.length,
            sha256: Digest(oversize.sha256),
            binary_mode,
        })),
    };
    drop(encoding);
    Some(Incoming {
        source: message.partition,
        position: message.position,
        content,
    })
}
