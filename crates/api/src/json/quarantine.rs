//! A row of the list of quarantine.

use domain::time::format_time;
use ledger::QuarantineRow;
use serde::Serialize;

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
        }
    }
}
