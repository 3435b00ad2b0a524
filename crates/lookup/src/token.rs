//! The position that an answer is of, as its reader is told.

use chrono::{DateTime, Utc};
use ledger::Head;
use thiserror::Error;

/// Hex digits of the store's id in a token: enough to tell a token of another store.
const STORE_DIGITS: usize = 8;

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
        let watermark_time = head.appended_at.or(head.applied_at).unwrap_or(DateTime::UNIX_EPOCH);
        AsOf {
            token: token_of(store_id, head.batch_no),
            watermark_time,
            lag_ms,
        }
    }
}

/// Why a token says nothing about this ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    #[error("it is no token of an answer")]
    Malformed,
    #[error("it is a token of another store")]
    Foreign,
}

/// The token of a batch.
pub(crate) fn token_of(store_id: &str, batch_no: u64) -> String {
    format!("{}-{batch_no}", prefix(store_id))
}

/// The batch that a token names.
pub(crate) fn batch_of(token: &str, store_id: &str) -> Result<u64, TokenError> {
    let (store, batch) = token.split_once('-').ok_or(TokenError::Malformed)?;
    let is_store = store.len() == STORE_DIGITS && store.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = !batch.is_empty() && batch.bytes().all(|byte| byte.is_ascii_digit());
    if !is_store || !is_number {
        return Err(TokenError::Malformed);
    }
    if store != prefix(store_id) {
        return Err(TokenError::Foreign);
    }
    batch.parse().map_err(|_| TokenError::Malformed)
}

fn prefix(store_id: &str) -> &str {
    store_id.get(..STORE_DIGITS).unwrap_or(store_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_back_and_others_told_apart() {
        let store = "0123456789abcdef";
        assert_eq!(batch_of(&token_of(store, 42), store), Ok(42));
        assert_eq!(batch_of("01234568-42", store), Err(TokenError::Foreign));
        for wrong in [
            "",
            "01234567",
            "01234567-",
            "01234567-x",
            "01234567--1",
            "0123456-1",
            "zzzzzzzz-1",
            "01234567-99999999999999999999",
        ] {
            assert_eq!(batch_of(wrong, store), Err(TokenError::Malformed), "{wrong}");
        }
    }
}
