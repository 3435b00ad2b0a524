//! Payments touched since the search index's position, with their searchable terms.
//!
//! The index lags behind the ledger by up to one commit. A search adds to the index's candidates every payment in this
//! list whose terms match; the recheck on the row decides. The list is filled *before* a batch becomes visible and is
//! cut only after the index has made it searchable.
//!
//! # Why nothing is missed
//!
//! A reader takes its snapshot of the rows, at batch `b`, then looks into the list, then takes the index, at batch `i`,
//! and begins again if `i > b`. A payment as of `b` was last touched by some batch `d <= b`. If `d <= i`, the index holds
//! that very document. If `d > i`, it was in the list when the reader looked: announced before `b` was visible, and not
//! cut, since a cut follows the index. Later batches may have announced other words for the same payment by then, so the
//! list keeps every document that the index has not reached, not only the newest.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::document::Document;
use crate::screen::{Screen, TermMask};

/// A payment's document as of one batch, with what tells quickly that it does not match.
#[derive(Clone, Debug)]
pub struct Announced {
    mask: TermMask,
    document: Arc<Document>,
}

impl Announced {
    pub fn of(document: Arc<Document>) -> Self {
        Announced {
            mask: TermMask::of(&document.terms),
            document,
        }
    }
}

/// The list; one for the process, shared by the projector (which fills and cuts it) and by readers.
#[derive(Debug, Default)]
pub struct Recent {
    /// In the order of their numbers. Replaced by each change: nobody looks at thousands of documents, or lets go of them, while another waits.
    batches: RwLock<Arc<[Batch]>>,
}

/// What one batch has touched.
type Batch = Arc<(u64, Vec<Announced>)>;

impl Recent {
    /// Adds what a batch touches, before it becomes visible. A payment that has nothing to be found by any more is not
    /// among it. Batches come in the order of their numbers; one may come again after a failed commit.
    pub fn announce(&self, batch_no: u64, touched: Vec<Announced>) {
        // What was announced for a commit that failed never became visible.
        self.change(|announced| announced < batch_no, Some((batch_no, touched)));
    }

    /// Forgets what the index has reached.
    pub fn cut(&self, batch_no: u64) {
        self.change(|announced| announced > batch_no, None);
    }

    fn change(&self, stays: impl Fn(u64) -> bool, new: Option<(u64, Vec<Announced>)>) {
        let new = new.map(Arc::new);
        let mut batches = self.batches.write();
        let staying = batches.iter().filter(|batch| stays(batch.0)).cloned();
        let next = staying.chain(new).collect();
        let former = std::mem::replace(&mut *batches, next);
        drop(batches);
        drop(former);
    }

    /// The list as it is now.
    fn now(&self) -> Arc<[Batch]> {
        self.batches.read().clone()
    }

    /// Documents in the list: bounded by the caller, which lets the index catch up before it adds more.
    pub fn len(&self) -> usize {
        self.now().iter().map(|batch| batch.1.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The minute and seq of every document in the list that `screen` lets through and `wanted` accepts; a payment can come
    /// more than once.
    pub fn select(&self, screen: &Screen, mut wanted: impl FnMut(&Document) -> bool) -> Vec<(u32, u64)> {
        let batches = self.now();
        let announced = batches.iter().flat_map(|batch| &batch.1);
        announced
            .filter(|one| screen.lets_through(&one.mask))
            .map(|one| &one.document)
            .filter(|document| wanted(document))
            .map(|document| (document.when.minute, document.seq))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::term_query::TermQuery;
    use crate::when::When;

    fn document(seq: u64, term: &str) -> Announced {
        Announced::of(Arc::new(Document {
            seq,
            when: When::of(DateTime::from_timestamp(7 * 60, 0).unwrap_or_default(), None),
            terms: [term].into_iter().collect(),
        }))
    }

    fn found(recent: &Recent, term: &str) -> Vec<(u32, u64)> {
        let query = TermQuery::Term(term.to_owned());
        recent.select(&Screen::of(&query), |document| query.matches(&document.terms))
    }

    #[test]
    fn words_of_an_earlier_batch_stay_until_the_index_has_them() {
        let recent = Recent::default();
        recent.announce(1, vec![document(5, "old")]);
        recent.announce(2, vec![document(5, "new")]);
        assert_eq!(
            (found(&recent, "old"), found(&recent, "new")),
            (vec![(7, 5)], vec![(7, 5)])
        );
        assert_eq!(recent.len(), 2);
        recent.cut(1);
        assert_eq!((found(&recent, "old"), found(&recent, "new")), (vec![], vec![(7, 5)]));
        recent.cut(2);
        assert!(recent.is_empty());
    }

    #[test]
    fn a_batch_that_comes_again_takes_the_place_of_the_one_that_failed() {
        let recent = Recent::default();
        recent.announce(1, vec![document(4, "kept")]);
        for _ in 0..3 {
            recent.announce(2, vec![document(5, "failed")]);
        }
        recent.announce(2, vec![document(6, "again")]);
        assert_eq!(recent.len(), 2);
        assert_eq!(
            (found(&recent, "kept"), found(&recent, "failed")),
            (vec![(7, 4)], vec![])
        );
    }
}
