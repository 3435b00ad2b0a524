//! What readers see: one view of the engine's keyspaces, with the batch that it is of.
//!
//! It is taken by those who write, once for each batch and each packing, and shared. Were the head read from the store by each reader, each
//! would wait whenever the engine puts a table of packs in place, which takes some syncs of the disk.

use std::sync::Arc;

use fjall::{Database, Snapshot};
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::loose::{Loose, Moment};
use crate::reader::Head;

/// The store as of one batch.
pub(super) struct Seen {
    pub(super) snapshot: Snapshot,
    pub(super) moment: Moment,
    /// `None` before the first batch.
    pub(super) head: Option<Head>,
}

impl Seen {
    /// As of now, while nobody writes.
    fn of(database: &Database, loose: &Loose, head: Option<Head>) -> Arc<Self> {
        // In this order: what is packed in between is looked for among the loose rows first.
        let moment = loose.now();
        Arc::new(Seen {
            snapshot: database.snapshot(),
            moment,
            head,
        })
    }
}

/// Shows each change once it is complete.
pub(super) struct Showing {
    seen: RwLock<Arc<Seen>>,
    changing: Mutex<()>,
}

impl Showing {
    pub(super) fn new(database: &Database, loose: &Loose, head: Option<Head>) -> Self {
        Showing {
            seen: RwLock::new(Seen::of(database, loose, head)),
            changing: Mutex::new(()),
        }
    }

    pub(super) fn seen(&self) -> Arc<Seen> {
        self.seen.read().clone()
    }

    /// To be held from before a change until it is shown: batches and packings come from two threads, and a view with the rows of one batch
    /// and the head of another would be of neither.
    pub(super) fn begin(&self) -> Change<'_> {
        Change {
            showing: self,
            _alone: self.changing.lock(),
        }
    }
}

/// A change under way.
pub(super) struct Change<'a> {
    showing: &'a Showing,
    _alone: MutexGuard<'a, ()>,
}

impl Change<'_> {
    /// Shows the store as it is now: with a new head, or, where there is none, with the one that it has.
    pub(super) fn show(self, database: &Database, loose: &Loose, head: Option<Head>) {
        let head = head.or_else(|| self.showing.seen.read().head.clone());
        let seen = Seen::of(database, loose, head);
        let former = std::mem::replace(&mut *self.showing.seen.write(), seen);
        // Not under the lock: the engine looks through its open views.
        drop(former);
    }
}
