//! What readers see: one view of the engine's keyspaces, with the batch that it is of.
//!
//! It is taken by those who write, once for each batch and each packing, and shared. Were the head read from the store by each reader, each
//! would wait whenever the engine puts a table of packs in place, which takes some syncs of the disk.

use std::sync::Arc;

use fjall::{Database, Snapshot};
use parking_lot::RwLock;

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

/// Shows each change once it is complete. One thread changes the store.
pub(super) struct Showing(RwLock<Arc<Seen>>);

impl Showing {
    pub(super) fn new(database: &Database, loose: &Loose, head: Option<Head>) -> Self {
        Showing(RwLock::new(Seen::of(database, loose, head)))
    }

    pub(super) fn seen(&self) -> Arc<Seen> {
        self.0.read().clone()
    }

    /// Shows the store as it is now: with a new head, or, where there is none, with the one that it has.
    pub(super) fn show(&self, database: &Database, loose: &Loose, head: Option<Head>) {
        let head = head.or_else(|| self.seen().head.clone());
        let seen = Seen::of(database, loose, head);
        let former = std::mem::replace(&mut *self.0.write(), seen);
        // Not under the lock: the engine looks through its open views.
        drop(former);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use domain::dossier::Dossier;

    use crate::codec;
    use crate::reader::Head;
    use crate::rows::files::RowFiles;
    use crate::rows::{RowSettings, RowSnapshot};

    #[test]
    fn rows_and_head_are_of_one_batch() {
        let dir = tempfile::tempdir().expect("a directory");
        let settings = RowSettings {
            cache_bytes: 1 << 20,
            rest: 0,
        };
        let files = RowFiles::open(dir.path(), settings).expect("opened");
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let reading = scope.spawn(|| {
                while !is_over.load(Ordering::Acquire) {
                    let rows = RowSnapshot::new(files.clone());
                    let batch_no = rows.head().map_or(0, |head| head.batch_no);
                    for seq in 0..8 {
                        let key = rows.get(seq).expect("read").map(|dossier| dossier.payment_key);
                        assert_eq!(key, (batch_no > 0).then(|| format!("p{batch_no}")), "seq {seq}");
                    }
                }
            });
            let mut packed = 0;
            for batch_no in 1..=300 {
                let row = codec::encode(&Dossier::new(format!("p{batch_no}"))).expect("encoded");
                let rows = (0..8).map(|seq| (seq, row.clone().into())).collect();
                let head = Head {
                    batch_no,
                    ..Head::default()
                };
                files.commit(&head, rows).expect("committed");
                packed += u32::from(files.pack_idle().expect("packed"));
            }
            is_over.store(true, Ordering::Release);
            reading.join().expect("read to the end");
            assert!(packed > 3, "{packed}");
        });
    }
}
