//! A row of the list of quarantine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::time::format_time;
use ledger::{QuarantineRow, Raw};
use serde::Serialize;

use super::AsOfJson;
use super::position::PositionJson;

#[derive(Serialize)]
pub(crate) struct QuarantineJson {
    n: u64,
    code: String,
    pointer: String,
    detail: String,
    payment_key: Option<String>,
    /// Of conflicts and entries set aside.
    kind: Option<&'static str>,
    entry_id: Option<String>,
    version: Option<u64>,
    sha256: String,
    /// Length of the message as sent; null where the row is about an entry.
    bytes: Option<u64>,
    seen: u64,
    first_at: String,
    last_at: String,
    last_position: Option<PositionJson>,
    open: bool,
    closed: Option<ClosedJson>,
}

/// How a row came to be closed.
#[derive(Serialize)]
struct ClosedJson {
    at: String,
    /// `replayed` or `closed`.
    how: String,
    reason: Option<String>,
}

/// One row alone.
#[derive(Serialize)]
pub(crate) struct QuarantineRowJson {
    #[serde(flatten)]
    pub(crate) row: QuarantineJson,
    #[serde(flatten)]
    pub(crate) raw: RawJson,
    pub(crate) as_of: AsOfJson,
}

/// A row after an act.
#[derive(Serialize)]
pub(crate) struct QuarantineActJson {
    #[serde(flatten)]
    pub(crate) row: QuarantineJson,
    /// What a replay came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<&'static str>,
    pub(crate) as_of: AsOfJson,
}

/// What was kept of a refused message: card numbers redacted, of an oversized one the first 64 KiB.
#[derive(Default, Serialize)]
pub(crate) struct RawJson {
    raw: Option<String>,
    /// `text` where it is UTF-8, else `base64`.
    raw_encoding: Option<&'static str>,
    /// Of a message in binary mode the headers of its event, without `ce_`.
    attributes: Option<Vec<AttributeJson>>,
}

#[derive(Serialize)]
struct AttributeJson {
    name: String,
    value: String,
}

impl RawJson {
    pub(crate) fn of(raw: Option<Raw>) -> Self {
        let Some(raw) = raw else { return RawJson::default() };
        let attributes = raw.attributes.into_iter().map(|(name, value)| AttributeJson {
            name,
            value: String::from_utf8_lossy(&value).into_owned(),
        });
        let attributes: Vec<AttributeJson> = attributes.collect();
        let (text, encoding) = match String::from_utf8(raw.bytes) {
            Ok(text) => (text, "text"),
            Err(other) => (STANDARD.encode(other.as_bytes()), "base64"),
        };
        RawJson {
            raw: Some(text),
            raw_encoding: Some(encoding),
            attributes: (!attributes.is_empty()).then_some(attributes),
        }
    }
}

impl From<QuarantineRow> for QuarantineJson {
    fn from(row: QuarantineRow) -> Self {
        let is_entry = row.entry.is_some();
        let (kind, entry_id) = row.entry.map(|entry| (entry.kind.as_str(), entry.entry_id)).unzip();
        QuarantineJson {
            n: row.n,
            code: row.code,
            pointer: row.pointer,
            detail: row.detail,
            payment_key: row.payment_key,
            kind,
            entry_id,
            version: row.version,
            sha256: row.sha256.to_string(),
            bytes: (!is_entry).then_some(row.raw_bytes),
            seen: row.seen,
            first_at: format_time(row.first_at),
            last_at: format_time(row.last_at),
            last_position: row
                .last_position
                .map(|(partition, position)| PositionJson::of(partition, position)),
            open: row.open,
            closed: row.closed.map(|closed| ClosedJson {
                at: format_time(closed.at),
                how: closed.how,
                reason: closed.reason,
            }),
        }
    }
}
