//! One commit of the index, for as long as a question needs it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::error::{SearchError, guarded};
use crate::position::IndexPosition;
use crate::segment::Segment;
use crate::term_query::TermQuery;
use crate::walk::{Order, Walk};

/// The index as one commit left it. Cheap to clone; later commits do not show.
#[derive(Clone)]
pub struct IndexSnapshot {
    position: IndexPosition,
    segments: Arc<[Arc<Segment>]>,
}

impl IndexSnapshot {
    pub(crate) fn new(position: IndexPosition, segments: Vec<Arc<Segment>>) -> Self {
        IndexSnapshot {
            position,
            segments: segments.into(),
        }
    }

    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The position that the very commit carries whose documents are read here.
    pub fn position(&self) -> &IndexPosition {
        &self.position
    }

    /// No more payments than these satisfy the question: a cheap upper bound from the lengths of lists.
    pub fn estimate(&self, query: &TermQuery) -> Result<u64, SearchError> {
        guarded(|| {
            self.segments
                .iter()
                .map(|segment| segment.estimate(query, u64::MAX))
                .sum()
        })
    }

    /// The payments that may satisfy the question, in whole hours, of these hours.
    pub fn walk(&self, query: &TermQuery, order: Order, within: &RangeInclusive<u32>) -> Walk {
        Walk::new(self.clone(), query.clone(), order, within)
    }

    /// The seq and digest of every payment in the index, in no order.
    pub fn digests(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.segments.iter().flat_map(|segment| segment.digests())
    }

    /// The digests of one payment's documents: of the last one written, and at times of an older one too. The engine
    /// can lose a removal to a merge that runs beside the commit, so old documents may come back; they propose a payment
    /// in vain, which the check on the row finds out.
    pub fn digests_of(&self, seq: u64) -> Result<Vec<u64>, SearchError> {
        guarded(|| {
            let mut digests = Vec::new();
            for segment in self.segments.iter() {
                segment.add_digests_of(seq, &mut digests)?;
            }
            Ok(digests)
        })
    }

    /// Documents in the index that are not deleted, one a payment but for old ones that came back.
    pub fn document_count(&self) -> u64 {
        self.segments
            .iter()
            .map(|segment| u64::from(segment.live_documents()))
            .sum()
    }

    /// Each segment costs every question a few lookups. Merges run in the background without holding up commits, so a
    /// number that keeps growing says that they fall behind.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Documents, deleted ones included.
    pub(crate) fn documents(&self) -> u64 {
        self.segments.iter().map(|segment| u64::from(segment.max_doc())).sum()
    }

    /// No document has a greater seq.
    pub(crate) fn seq_max(&self) -> Option<u64> {
        self.segments.iter().map(|segment| segment.seq_max()).max()
    }
}

impl std::fmt::Debug for IndexSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexSnapshot")
            .field("position", &self.position)
            .field("segments", &self.segments.len())
            .finish_non_exhaustive()
    }
}
