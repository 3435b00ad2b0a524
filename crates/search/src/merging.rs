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

#[cfg(test)]
mod tests {
    use tantivy::indexer::NoMergePolicy;
    use tantivy::schema::{INDEXED, Schema, Term};
    use tantivy::{Index, TantivyDocument, doc};

    use super::*;

    const NONE: Vec<usize> = Vec::new();

    /// How many segments each merge takes, where there are segments of so many documents, the second number of them deleted.
    fn merges(sizes: &[(u64, u64)]) -> Vec<usize> {
        let mut schema = Schema::builder();
        let key = schema.add_u64_field("key", INDEXED);
        let index = Index::create_in_ram(schema.build());
        let mut writer = index
            .writer_with_num_threads::<TantivyDocument>(1, 16 << 20)
            .expect("a writer");
        writer.set_merge_policy(Box::new(NoMergePolicy));
        for (n, &(documents, _)) in (0..).zip(sizes) {
            for document in 0..documents {
                writer.add_document(doc!(key => n * 1_000 + document)).expect("added");
            }
            writer.commit().expect("committed");
        }
        for (n, &(_, deleted)) in (0..).zip(sizes) {
            for document in 0..deleted {
                writer.delete_term(Term::from_field_u64(key, n * 1_000 + document));
            }
        }
        writer.commit().expect("committed");
        let segments = index.searchable_segment_metas().expect("segments");
        assert_eq!(segments.len(), sizes.len());
        let candidates = Merging::until(20).compute_merge_candidates(&segments);
        candidates.iter().map(|candidate| candidate.0.len()).collect()
    }

    #[test]
    fn small_segments_become_one_and_complete_ones_stay() {
        assert_eq!(merges(&[(5, 0); 7]), NONE);
        assert_eq!(merges(&[(5, 0); 8]), [8]);
        assert_eq!(merges(&[(30, 0); 9]), NONE);
    }

    #[test]
    fn a_complete_segment_is_rewritten_once_a_quarter_is_deleted() {
        assert_eq!(merges(&[(40, 10), (5, 0)]), NONE);
        assert_eq!(merges(&[(40, 11), (5, 0), (30, 0)]), [1]);
        assert_eq!(merges(&[(40, 25), (5, 0)]), [2], "what is left of it is small");
    }
}
