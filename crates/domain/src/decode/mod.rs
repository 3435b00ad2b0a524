//! From the bytes of a message to an entry's state, or to the one reason why not.
//!
//! A message is judged in a fixed order, and the first broken rule is the one that is reported:
//!
//! 1. size: at most 1 MiB;
//! 2. one JSON text in UTF-8;
//! 3. while it is read from front to back: nesting, lone surrogates and numbers that no double holds where they stand,
//!    duplicate names where their object closes;
//! 4. the envelope, in the order specversion, id, source, type, time, datacontenttype, data;
//! 5. `data`, field by field in the order of the contract, and of one field first its presence, then its type, then its value;
//! 6. what concerns several fields: the arithmetic of a settlement line.
//!
//! Between 4 and 5 the digest is taken of `data` as sent, and then card numbers are redacted: a full card
//! number must not cost a payment its place in the sums, so the fields are judged without it.

mod cancellation;
pub mod code;
mod envelope;
mod fields;
mod payment;
pub(crate) mod pointer;
mod readable;
mod settlement;
#[cfg(test)]
mod tests;

use crate::canonical;
use crate::decode::fields::Fields;
use crate::decode::pointer::Place;
use crate::json::{self, Json, Object};
use crate::message::{Digest, Encoding, Message};
use crate::record::{Kind, Record};
use crate::redact::redact_data;
use crate::refusal::Refusal;

/// The largest message that is taken.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// The largest message that is held as a whole: one beyond [`MESSAGE_BYTES_MAX`] is refused, and the payment that it speaks of
/// is flagged. It bounds the memory of one message, some ten times as much while card numbers are looked for; of larger ones a
/// source keeps the beginning alone.
pub const HELD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Reads one message. Never panics, whatever the bytes.
pub fn decode(bytes: &[u8], encoding: Encoding<'_>) -> Result<Message, Refusal> {
    decode_checked(bytes, encoding).map_err(|mut refusal| {
        refusal.payment_key = readable::payment_key(bytes, encoding);
        refusal
    })
}

/// What can be said of the `data` of a message that is refused: its digest, and whether a card number is in it.
///
/// Quarantine keeps redacted bytes, of which no digest may be taken later: it would be that of another content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataAsSent {
    /// As [`Message::digest`](crate::message::Message).
    pub digest: Digest,
    pub redacted: bool,
}

/// The refusal of a message over [`MESSAGE_BYTES_MAX`].
pub fn too_large() -> Refusal {
    let detail = format!("the message is larger than {MESSAGE_BYTES_MAX} bytes: send less in one message");
    Refusal::new(code::TOO_LARGE, "", detail)
}

/// `None` where `data` is not readable as an object, so that no decoder could ever accept the message.
pub fn data_as_sent(bytes: &[u8], encoding: Encoding<'_>) -> Option<DataAsSent> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    let mut root = object(json::parse(bytes).ok()?).ok()?;
    let mut data = match encoding {
        Encoding::Structured => object(root.take("data")?).ok()?,
        Encoding::Binary(_) => root,
    };
    let mut body = Vec::with_capacity(bytes.len());
    canonical::write_object(&data, &mut body);
    Some(DataAsSent {
        digest: canonical::digest(&body),
        redacted: redact_data(&mut data),
    })
}

/// `id` and `source` of the event that a refused message carries, where the id can be read. A source that cannot is empty.
pub fn event_of_refused(bytes: &[u8], encoding: Encoding<'_>) -> Option<(String, String)> {
    readable::event(bytes, encoding)
}

/// Reads a stored body (canonical, redacted `data`) back into its record.
pub fn decode_body(kind: Kind, body: &[u8]) -> Result<Record, Refusal> {
    let data = object(json::parse(body)?)?;
    record(kind, &data, Place::Root)
}

fn decode_checked(bytes: &[u8], encoding: Encoding<'_>) -> Result<Message, Refusal> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(too_large());
    }
    let root = object(json::parse(bytes)?)?;
    let (kind, envelope, mut data, place) = match encoding {
        Encoding::Structured => {
            let (kind, envelope, data) = envelope::from_event(root)?;
            (kind, envelope, data, Place::Name(&Place::Root, "data"))
        }
        Encoding::Binary(headers) => {
            let (kind, envelope) = envelope::from_headers(headers)?;
            (kind, envelope, root, Place::Root)
        }
    };
    let mut body = Vec::with_capacity(bytes.len());
    canonical::write_object(&data, &mut body);
    let digest = canonical::digest(&body);
    let redacted = redact_data(&mut data);
    if redacted {
        body.clear();
        canonical::write_object(&data, &mut body);
    }
    let record = record(kind, &data, place)?;
    Ok(Message {
        envelope,
        record,
        digest,
        body,
        redacted,
    })
}

fn record(kind: Kind, data: &Object<'_>, place: Place<'_>) -> Result<Record, Refusal> {
    let fields = Fields::new(data, place);
    Ok(match kind {
        Kind::Payment => Record::Payment(Box::new(payment::decode(&fields)?)),
        Kind::Cancellation => Record::Cancellation(Box::new(cancellation::decode(&fields)?)),
        Kind::Settlement => Record::Settlement(Box::new(settlement::decode(&fields)?)),
    })
}

fn object(value: Json<'_>) -> Result<Object<'_>, Refusal> {
    match value {
        Json::Object(object) => Ok(object),
        _ => Err(Refusal::new(
            code::WRONG_TYPE,
            "",
            "the message is not a JSON object: send one event per message",
        )),
    }
}
