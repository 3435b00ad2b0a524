//! Payments touched since the search index's position, with their searchable terms.
//!
//! The index lags behind the ledger by up to one commit. A search adds to the index's candidates every payment in this
//! list whose terms match; the recheck on the row decides. The list is filled *before* a batch becomes visible and is
//! cut only after the index has made it searchable, so at every moment index and list together cover the ledger.
//! A reader must therefore take them in this order: rows, then the list, then the index.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::Document;
use parking_lot::RwLock;

/// A payment's newest searchable state, or that it has none any more.
#[derive(Clone, Debug)]
struct RecentPayment {
    /// The batch that touched it last.
    batch_no: u64,
    document: Option<Arc<Document>>,
}

/// The list; one for the process, shared by the projector (which fills and cuts it) and by readers.
#[derive(Debug, Default)]
pub struct Recent {
    payments: RwLock<BTreeMap<u64, RecentPayment>>,
}

impl Recent {
    /// Adds what a batch touches, before it becomes visible.
    pub fn announce(&self, batch_no: u64, touched: impl IntoIterator<Item = (u64, Option<Arc<Document>>)>) {
        let mut payments = self.payments.write();
        for (seq, document) in touched {
            payments.insert(seq, RecentPayment { batch_no, document });
        }
    }

    /// Forgets what the index has reached.
    pub fn cut(&self, batch_no: u64) {
        self.payments.write().retain(|_, recent| recent.batch_no > batch_no);
    }

    /// Payments in the list: bounded by the caller, which lets the index catch up before it adds more.
    pub fn len(&self) -> usize {
        self.payments.read().len()
    }

    pub fn is_empty(&self) -> bool {
        self.payments.read().is_empty()
    }

    /// The hour and seq of every payment in the list whose terms `wanted` accepts.
    pub fn select(&self, mut wanted: impl FnMut(&Document) -> bool) -> Vec<(u32, u64)> {
        let payments = self.payments.read();
        let documents = payments
            .iter()
            .filter_map(|(seq, recent)| Some((*seq, recent.document.as_ref()?)));
        documents
            .filter(|(_, document)| wanted(document))
            .map(|(seq, document)| (document.hour, seq))
            .collect()
    }
}
