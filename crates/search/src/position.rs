//! How far an index has come, as its commits say.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::error::SearchError;

/// The form of the documents and of the engine's fields. An index of another form is rebuilt, so raise it with every
/// change to the terms of a document, to a normal form of `query` or to the fields.
pub(crate) const FORMAT: u32 = 3;

/// The ledger's position that a commit covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPosition {
    /// Which ledger the documents come from.
    pub store_id: String,
    /// Every batch up to this one is in the index; 0 before the first.
    pub batch_no: u64,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    format: u32,
    store_id: String,
    batch_no: u64,
    checksum: String,
}

impl IndexPosition {
    pub fn new(store_id: impl Into<String>, batch_no: u64) -> Self {
        IndexPosition {
            store_id: store_id.into(),
            batch_no,
        }
    }

    pub(crate) fn payload(&self) -> Result<String, SearchError> {
        let payload = Payload {
            format: FORMAT,
            store_id: self.store_id.clone(),
            batch_no: self.batch_no,
            checksum: self.checksum(FORMAT),
        };
        serde_json::to_string(&payload).map_err(|error| SearchError::corrupt(error.to_string()))
    }

    pub(crate) fn from_payload(text: Option<&str>) -> Result<Self, SearchError> {
        let text = text.ok_or_else(|| SearchError::corrupt("its last commit carries no position"))?;
        let payload: Payload = serde_json::from_str(text)
            .map_err(|error| SearchError::corrupt(format!("the position of its last commit is unreadable: {error}")))?;
        let position = IndexPosition {
            store_id: payload.store_id,
            batch_no: payload.batch_no,
        };
        if payload.checksum != position.checksum(payload.format) {
            return Err(SearchError::corrupt(
                "the position of its last commit does not fit its checksum",
            ));
        }
        if payload.format != FORMAT {
            return Err(SearchError::Format {
                found: payload.format,
                expected: FORMAT,
            });
        }
        Ok(position)
    }

    fn checksum(&self, format: u32) -> String {
        let mut hash = Xxh3::new();
        hash.update(&format.to_le_bytes());
        hash.update(&self.batch_no.to_le_bytes());
        hash.update(self.store_id.as_bytes());
        format!("{:016x}", hash.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back_from_its_payload() {
        for position in [
            IndexPosition::new("store-1", 0),
            IndexPosition::new("가 \"x\"", u64::MAX),
        ] {
            let payload = position.payload().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(IndexPosition::from_payload(Some(&payload)).ok(), Some(position));
        }
    }

    #[test]
    fn a_payload_that_was_changed_is_refused() {
        let payload = IndexPosition::new("store-1", 41).payload().unwrap_or_default();
        for other in [
            payload.replace("41", "42"),
            payload.replace("store-1", "store-2"),
            payload.replace(&format!("\"format\":{FORMAT}"), "\"format\":1"),
            payload.replace('}', ""),
            String::new(),
        ] {
            let refused = IndexPosition::from_payload(Some(&other));
            assert!(
                matches!(refused, Err(SearchError::Corrupt { .. })),
                "{other}: {refused:?}"
            );
        }
        assert!(matches!(
            IndexPosition::from_payload(None),
            Err(SearchError::Corrupt { .. })
        ));
    }

    #[test]
    fn an_older_format_is_told_apart_from_damage() {
        let position = IndexPosition::new("s", 7);
        let payload = Payload {
            format: 99,
            store_id: "s".to_owned(),
            batch_no: 7,
            checksum: position.checksum(99),
        };
        let text = serde_json::to_string(&payload).unwrap_or_default();
        let refused = IndexPosition::from_payload(Some(&text));
        assert!(
            matches!(refused, Err(SearchError::Format { found: 99, .. })),
            "{refused:?}"
        );
    }
}
