//! The position that an answer is of, as its reader is told.

use chrono::{DateTime, Utc};
use ledger::Head;

/// What `as_of` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// Opaque to clients: the store's first eight hex digits and the batch number.
    pub token: String,
    /// Up to when the broker's messages are in: the newest broker time applied, else the time of the last batch.
    pub watermark_time: DateTime<Utc>,
    /// How long the newest message that was read but not applied has been waiting; 0 when caught up.
    pub lag_ms: u64,
}

impl AsOf {
    pub fn new(head: &Head, store_id: &str, lag_ms: u64) -> Self {
        let store: String = store_id.chars().take(8).collect();
        let watermark_time = head.appended_at.or(head.applied_at).unwrap_or(DateTime::UNIX_EPOCH);
        AsOf {
            token: format!("{store}-{}", head.batch_no),
            watermark_time,
            lag_ms,
        }
    }
}
