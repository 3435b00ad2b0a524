//! What is known of the documents that were written last, so that an unchanged one is not written again.

use std::collections::HashMap;

use search::{Document, IndexWriter, Part, SearchError};

/// Documents remembered: 24 bytes each, some days of payments.
const REMEMBERED_MAX: usize = 1_000_000;

/// By key (see [`Part::key`]) what the index holds or is about to.
#[derive(Default)]
pub(super) struct Remembered(HashMap<u64, Held>);

/// What the index holds of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Nothing,
    Digest(u64),
    /// An old one has come back: see [`search::IndexSnapshot::digests_of`].
    Several,
}

impl Remembered {
    /// Writes a part of a payment's document, if it has one, in place of what the index holds. `created`: of that payment it can
    /// hold nothing that is not remembered. Returns whether anything had changed.
    pub(super) fn write(
        &mut self,
        writer: &mut IndexWriter,
        (seq, part): (u64, Part),
        document: Option<&Document>,
        created: bool,
    ) -> Result<bool, SearchError> {
        let key = part.key(seq);
        let digest = document.and_then(|document| document.digest(part));
        let wanted = digest.map_or(Held::Nothing, Held::Digest);
        let held = match self.0.get(&key) {
            Some(held) => *held,
            None if created => Held::Nothing,
            // The last commit knows, and nothing newer can exist without being remembered.
            None => match writer.reader().snapshot().digests_of(key)?[..] {
                [] => Held::Nothing,
                [digest] => Held::Digest(digest),
                _ => Held::Several,
            },
        };
        if held == wanted {
            return Ok(false);
        }
        if held != Held::Nothing {
            writer.remove_part(seq, part)?;
        }
        if let Some(document) = document {
            writer.add_part(document, part)?;
        }
        self.0.insert(key, wanted);
        Ok(true)
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// To be called when everything is committed: what is forgotten must be found in the index.
    pub(super) fn keep_within_bounds(&mut self) {
        if self.0.len() > REMEMBERED_MAX {
            self.forget();
        }
    }
}
