//! How many documents of a segment lie in which hour, read from the dictionary of their hours. With it a walk knows
//! what a window of hours will cost before it opens any list.

use std::ops::Range;

use tantivy::SegmentReader;
use tantivy::schema::Field;

use crate::error::SearchError;

#[derive(Debug, Default)]
pub(crate) struct SegmentHours {
    /// Ascending.
    hours: Vec<u32>,
    /// Documents per hour, deleted ones included.
    documents: Vec<u32>,
    /// Of all hours.
    total: u64,
}

impl SegmentHours {
    pub(crate) fn of(segment: &SegmentReader, hour: Field) -> Result<SegmentHours, SearchError> {
        let index = segment.inverted_index(hour)?;
        let mut stream = index.terms().stream()?;
        let mut found = SegmentHours::default();
        while let Some((key, info)) = stream.next() {
            // The engine writes numbers big-endian, so that their order is that of their bytes.
            let key: [u8; 8] = key
                .try_into()
                .map_err(|_| SearchError::corrupt("an hour is no number"))?;
            let hour =
                u32::try_from(u64::from_be_bytes(key)).map_err(|_| SearchError::corrupt("an hour is too large"))?;
            found.hours.push(hour);
            found.documents.push(info.doc_freq);
            found.total += u64::from(info.doc_freq);
        }
        Ok(found)
    }

    pub(crate) fn len(&self) -> usize {
        self.hours.len()
    }

    pub(crate) fn hour(&self, at: usize) -> Option<u32> {
        self.hours.get(at).copied()
    }

    pub(crate) fn documents(&self, at: usize) -> u64 {
        self.documents.get(at).copied().map_or(0, u64::from)
    }

    /// Of all hours: a walk asks for it before anything else, and a segment has thousands of hours.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn hours(&self, range: Range<usize>) -> &[u32] {
        self.hours.get(range).unwrap_or_default()
    }

    /// How many hours lie before `hour`.
    pub(crate) fn before(&self, hour: u32) -> usize {
        self.hours.partition_point(|other| *other < hour)
    }
}
