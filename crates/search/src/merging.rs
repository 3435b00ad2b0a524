//! Which segments are merged.

use tantivy::index::SegmentMeta;
use tantivy::indexer::{LogMergePolicy, MergeCandidate, MergePolicy};

/// A segment is rewritten once a quarter of its documents are deleted: old ones cost every question a little, a rewrite
/// costs a merge.
const DELETED_SHARE_MAX: f32 = 0.25;
/// The same.
const DELETED_ONE_IN: u64 = 4;

/// A segment of more documents is complete. The next level would rewrite 16 million at once, while no small ones are merged. Instead a
/// question looks into one more segment for some two million payments.
const COMPLETE_DOCUMENTS: usize = 2_000_000;

/// Eight segments of like size become one, until they are complete; those are rewritten only once too much of them is deleted.
#[derive(Debug)]
pub(crate) struct Merging {
    levels: LogMergePolicy,
    complete_documents: usize,
}

impl Default for Merging {
    fn default() -> Self {
        Merging::until(COMPLETE_DOCUMENTS)
    }
}

impl Merging {
    fn until(complete_documents: usize) -> Self {
        let mut levels = LogMergePolicy::default();
        levels.set_del_docs_ratio_before_merge(DELETED_SHARE_MAX);
        levels.set_max_docs_before_merge(complete_documents);
        Merging {
            levels,
            complete_documents,
        }
    }

    /// Whether it is complete, and too much of it is deleted.
    fn is_worn(&self, segment: &SegmentMeta) -> bool {
        let deleted = u64::from(segment.num_deleted_docs());
        segment.num_docs() as usize > self.complete_documents && deleted * DELETED_ONE_IN > u64::from(segment.max_doc())
    }
}

impl MergePolicy for Merging {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let mut candidates = self.levels.compute_merge_candidates(segments);
        let worn = segments.iter().filter(|segment| self.is_worn(segment));
        candidates.extend(worn.map(|segment| MergeCandidate(vec![segment.id()])));
        candidates
    }
}
