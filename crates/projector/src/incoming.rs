//! From what a source delivered to what the ledger takes.

use domain::decode::decode;
use domain::message::Digest;
use ledger::{Incoming, Refused};
use rayon::prelude::*;

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
            Err(refusal) => Err(Box::new(Refused::of(refusal, bytes, encoding.as_encoding()))),
        },
        Content::Oversize(oversize) => Err(Box::new(Refused::oversize(
            &oversize.head,
            oversize.length,
            Digest(oversize.sha256),
            binary_mode,
        ))),
    };
    drop(encoding);
    Some(Incoming {
        source: message.partition,
        position: message.position,
        content,
    })
}
