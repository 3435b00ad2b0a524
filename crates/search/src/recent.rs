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

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::document::Document;

/// A payment's document as of one batch.
#[derive(Clone, Debug)]
struct Announced {
    batch_no: u64,
    /// None: it has nothing to be found by any more.
    document: Option<Arc<Document>>,
}

/// The list; one for the process, shared by the projector (which fills and cuts it) and by readers.
#[derive(Debug, Default)]
pub struct Recent {
    payments: RwLock<BTreeMap<u64, Vec<Announced>>>,
}

impl Recent {
    /// Adds what a batch touches, before it becomes visible.
    pub fn announce(&self, batch_no: u64, touched: impl IntoIterator<Item = (u64, Option<Arc<Document>>)>) {
        let mut payments = self.payments.write();
        for (seq, document) in touched {
            payments.entry(seq).or_default().push(Announced { batch_no, document });
        }
    }

    /// Forgets what the index has reached.
    pub fn cut(&self, batch_no: u64) {
        self.payments.write().retain(|_, announced| {
            announced.retain(|one| one.batch_no > batch_no);
            !announced.is_empty()
        });
    }

    /// Payments in the list: bounded by the caller, which lets the index catch up before it adds more.
    pub fn len(&self) -> usize {
        self.payments.read().len()
    }

    pub fn is_empty(&self) -> bool {
        self.payments.read().is_empty()
    }

    /// The hour and seq of every document in the list that `wanted` accepts; a payment can come more than once.
    pub fn select(&self, mut wanted: impl FnMut(&Document) -> bool) -> Vec<(u32, u64)> {
        let payments = self.payments.read();
        let announced = payments
            .iter()
            .flat_map(|(seq, all)| all.iter().map(move |one| (*seq, one)));
        announced
            .filter_map(|(seq, one)| Some((seq, one.document.as_ref()?)))
            .filter(|(_, document)| wanted(document))
            .map(|(seq, document)| (document.hour, seq))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(seq: u64, term: &str) -> Option<Arc<Document>> {
        Some(Arc::new(Document {
            seq,
            hour: 7,
            terms: vec![term.to_owned()],
        }))
    }

    fn found(recent: &Recent, term: &str) -> Vec<(u32, u64)> {
        recent.select(|document| document.terms.iter().any(|held| held == term))
    }

    #[test]
    fn words_of_an_earlier_batch_stay_until_the_index_has_them() {
        let recent = Recent::default();
        recent.announce(1, [(5, document(5, "old"))]);
        recent.announce(2, [(5, document(5, "new")), (6, None)]);
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
}
