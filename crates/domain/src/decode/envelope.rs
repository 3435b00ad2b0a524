//! The event around `data`: its attributes stand in the value (structured mode) or in headers (binary mode).

use crate::decode::code;
use crate::decode::fields::{Fields, check_identifier, check_not_empty};
use crate::decode::pointer::Place;
use crate::json::{Json, Object};
use crate::message::Envelope;
use crate::record::Kind;
use crate::refusal::Refusal;
use crate::time::parse_time;

const PAYMENT_TYPE: &str = "payment.recorded.v1";
const CANCELLATION_TYPE: &str = "cancellation.recorded.v1";
const SETTLEMENT_TYPE: &str = "settlement.recorded.v1";
const PAYOUT_TYPE: &str = "payout.recorded.v1";

/// Takes a structured event apart.
pub(super) fn from_event(mut event: Object<'_>) -> Result<(Kind, Envelope, Object<'_>), Refusal> {
    let fields = Fields::new(&event, Place::Root);
    let read = |name| Ok((fields.text(name)?, fields.pointer(name)));
    let (kind, envelope) = attributes(read)?;
    fields.optional_text("datacontenttype")?;
    let data = match fields.optional("data") {
        Some(Json::Object(_)) => event.take("data"),
        Some(_) => return Err(fields.wrong_type("data", "an object")),
        None if fields.optional("data_base64").is_some() => {
            let detail = "`data_base64` is not read: send the content as a JSON object in `data`";
            return Err(Refusal::new(code::BINARY_DATA, fields.pointer("data_base64"), detail));
        }
        None => return Err(fields.missing("data")),
    };
    match data {
        Some(Json::Object(data)) => Ok((kind, envelope, data)),
        _ => Err(Refusal::new(code::MISSING_FIELD, "/data", "`data` is required")),
    }
}

/// Reads the attributes of a binary-mode event. A header has no place in the value, so refusals point at the whole message and
/// name the header.
pub(super) fn from_headers(headers: &[(&str, &[u8])]) -> Result<(Kind, Envelope), Refusal> {
    attributes(|name| {
        let mut values = headers
            .iter()
            .filter(|(header, _)| *header == name)
            .map(|(_, value)| *value);
        let Some(value) = values.next() else {
            let detail = format!("the header `ce_{name}` is required in binary mode");
            return Err(Refusal::new(code::MISSING_FIELD, "", detail));
        };
        if values.next().is_some() {
            let detail = format!("the header `ce_{name}` stands twice: send it once");
            return Err(Refusal::new(code::DUPLICATE_NAME, "", detail));
        }
        match std::str::from_utf8(value) {
            Ok(text) => Ok((text, String::new())),
            Err(_) => {
                let detail = format!("the header `ce_{name}` is not UTF-8");
                Err(Refusal::new(code::BAD_HEADER, "", detail))
            }
        }
    })
}

/// Reads and judges the required attributes, each with the pointer to report it at.
fn attributes<'t>(
    read: impl Fn(&'static str) -> Result<(&'t str, String), Refusal>,
) -> Result<(Kind, Envelope), Refusal> {
    let (specversion, pointer) = read("specversion")?;
    if specversion != "1.0" {
        return Err(Refusal::new(code::BAD_VALUE, pointer, "`specversion` must be \"1.0\""));
    }
    let (id, pointer) = read("id")?;
    check_identifier(id, "id", 200, || pointer)?;
    let (source, pointer) = read("source")?;
    check_not_empty(source, "source", || pointer)?;
    let (event_type, pointer) = read("type")?;
    let kind = kind_of(event_type, pointer)?;
    let (time, pointer) = read("time")?;
    let Some(time) = parse_time(time) else {
        let detail = "`time` must be an RFC 3339 time with an offset, such as 2026-03-01T10:00:00+09:00";
        return Err(Refusal::new(code::BAD_TIME, pointer, detail));
    };
    Ok((
        kind,
        Envelope {
            id: id.to_owned(),
            source: source.to_owned(),
            time,
        },
    ))
}

fn kind_of(event_type: &str, pointer: String) -> Result<Kind, Refusal> {
    match event_type {
        PAYMENT_TYPE => Ok(Kind::Payment),
        CANCELLATION_TYPE => Ok(Kind::Cancellation),
        SETTLEMENT_TYPE => Ok(Kind::Settlement),
        PAYOUT_TYPE => {
            let detail = format!("`{PAYOUT_TYPE}` is reserved and not specified yet");
            Err(Refusal::new(code::RESERVED, pointer, detail))
        }
        _ => {
            let detail = format!("`type` must be {PAYMENT_TYPE}, {CANCELLATION_TYPE} or {SETTLEMENT_TYPE}");
            Err(Refusal::new(code::UNKNOWN_TYPE, pointer, detail))
        }
    }
}
