//! The thread that keeps the search index close behind the ledger.
//!
//! It takes what each batch touched, in order, writes the documents that changed and commits them with the number of
//! the last batch they cover. It may lag, it never leads. Whatever goes wrong with the index, it is opened again at its
//! last commit, or made again, and what it misses is read back from the ledger.

mod remembered;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ledger::{Generations, Reader};
use parking_lot::Mutex;
use search::{Document, IndexWriter, Part, SearchError};

use crate::index_place::IndexPlace;
use crate::pipeline::PipelineError;
use crate::rebuild::Built;
use crate::reconcile;
use remembered::Remembered;

/// When the index commits.
#[derive(Clone, Debug)]
pub struct IndexLimits {
    /// A commit comes this long after the first document that waits for it: until then searches look into memory.
    pub commit_interval: Duration,
    /// The same while a backlog is read: fewer and larger segments are merged less often, and what changes again and again
    /// is written once.
    pub backlog_interval: Duration,
    /// Or as soon as so many documents wait.
    pub documents_max: usize,
    /// Batches that may wait for the index before the ledger waits too.
    pub queue_max: usize,
    /// Touched payments that searches may have to look at in memory; at this bound ingestion waits for the index. At
    /// about 1 kB each it bounds the memory, and with it the time that a search spends in the list.
    pub recent_max: usize,
    /// How the index is written.
    pub writer: search::Options,
}

impl Default for IndexLimits {
    fn default() -> Self {
        IndexLimits {
            commit_interval: Duration::from_millis(1_000),
            backlog_interval: Duration::from_secs(10),
            documents_max: 100_000,
            queue_max: 8,
            recent_max: 200_000,
            writer: search::Options::default(),
        }
    }
}

/// What a batch changed of what can be searched.
pub(crate) struct IndexBatch {
    pub(crate) batch_no: u64,
    pub(crate) changes: Vec<IndexChange>,
    /// The batch was closed by its size.
    pub(crate) more_waits: bool,
}

pub(crate) struct IndexChange {
    pub(crate) seq: u64,
    /// No document of it can exist.
    pub(crate) created: bool,
    pub(crate) document: Option<Arc<Document>>,
}

/// What the thread is given to do.
enum Task {
    Batch(IndexBatch),
    /// Puts a new index in place of the one in use, and says how it went.
    Swap(Box<Built>, SyncSender<Result<u64, PipelineError>>),
}

/// Where an index that was made beside the one in use is handed in. Empty while no index is kept.
#[derive(Clone, Default)]
pub struct IndexDesk {
    sender: Arc<Mutex<Option<SyncSender<Task>>>>,
}

impl IndexDesk {
    /// Has the index put in place of the one in use, and waits until it is. Returns the batch it has reached.
    ///
    /// # Errors
    /// The index in use stays then.
    pub fn hand_in(&self, built: Built) -> Result<u64, PipelineError> {
        let sender = self.sender.lock().clone().ok_or(PipelineError::IndexEnded)?;
        let (answer, answered) = sync_channel(1);
        sender
            .send(Task::Swap(Box::new(built), answer))
            .map_err(|_| PipelineError::IndexEnded)?;
        drop(sender);
        answered.recv().map_err(|_| PipelineError::IndexEnded)?
    }
}

/// How often the thread looks whether a question has found the index unreadable.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The running thread. Dropping it commits what is there and waits for the end.
pub(crate) struct IndexKeeper {
    sender: Option<SyncSender<Task>>,
    desk: IndexDesk,
    is_ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl IndexKeeper {
    /// Brings the index up to the ledger, opens it to readers and keeps it there.
    pub(crate) fn start(
        ledger: Reader,
        place: IndexPlace,
        limits: IndexLimits,
        desk: &IndexDesk,
    ) -> Result<Self, PipelineError> {
        let writer = reconcile::open(&ledger, &place, &limits.writer)?;
        let (sender, receiver) = sync_channel(limits.queue_max.max(1));
        let is_ending = Arc::new(AtomicBool::new(false));
        let mut keeper = Keeping {
            reached: writer.reader().position().batch_no,
            is_ending: is_ending.clone(),
            ledger,
            place,
            limits,
            writer: Some(writer),
            remembered: Remembered::default(),
            waiting: BTreeMap::new(),
            pending: None,
        };
        let thread = thread::Builder::new()
            .name("index".to_owned())
            .spawn(move || keeper.run(&receiver))
            .map_err(PipelineError::Thread)?;
        *desk.sender.lock() = Some(sender.clone());
        Ok(IndexKeeper {
            sender: Some(sender),
            desk: desk.clone(),
            is_ending,
            thread: Some(thread),
        })
    }

    /// Hands a batch over; waits while too many wait already.
    pub(crate) fn send(&self, batch: IndexBatch) -> Result<(), PipelineError> {
        let sender = self.sender.as_ref().ok_or(PipelineError::IndexEnded)?;
        sender.send(Task::Batch(batch)).map_err(|_| PipelineError::IndexEnded)
    }
}

impl Drop for IndexKeeper {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::Release);
        *self.desk.sender.lock() = None;
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // It logs what goes wrong itself; there is nothing to add to a panic while ending.
            let _ = thread.join();
        }
    }
}

struct Keeping {
    ledger: Reader,
    place: IndexPlace,
    limits: IndexLimits,
    writer: Option<IndexWriter>,
    remembered: Remembered,
    /// What the next commit writes, by seq.
    waiting: BTreeMap<u64, Waiting>,
    pending: Option<Pending>,
    /// The index holds what this batch and those before it touched: older ones that still wait are not written over it.
    reached: u64,
    is_ending: Arc<AtomicBool>,
}

/// The newest document of a payment.
struct Waiting {
    created: bool,
    document: Option<Arc<Document>>,
}

/// What the next commit is about.
#[derive(Clone, Copy)]
struct Pending {
    /// When the first batch came.
    since: Instant,
    batch_no: u64,
    more_waits: bool,
}

impl Keeping {
    fn run(&mut self, tasks: &Receiver<Task>) {
        self.has_reached(self.reached);
        loop {
            let wait = self.pending.map_or(LOOK_INTERVAL, |pending| self.until_due(pending));
            let outcome = match tasks.recv_timeout(wait) {
                Ok(Task::Batch(batch)) => self.write(batch),
                Ok(Task::Swap(built, answer)) => {
                    // The old one is committed first, so that the new one, which is brought to a later batch, covers
                    // whatever the list of recent payments has been cut to.
                    let committed = self.commit();
                    let swapped = match &committed {
                        Ok(()) => self.swap(*built),
                        Err(_) => Err(PipelineError::IndexNotCommitted),
                    };
                    // Whoever handed it in may have gone; the index is in place all the same.
                    let _ = answer.send(swapped);
                    committed
                }
                Err(RecvTimeoutError::Timeout) => self.commit().and_then(|()| self.look()),
                Err(RecvTimeoutError::Disconnected) => {
                    if let Err(error) = self.commit() {
                        tracing::warn!(%error, "the index could not be committed at the end and is caught up at the next start");
                    }
                    self.writer = None;
                    return;
                }
            };
            if let Err(error) = outcome {
                tracing::error!(%error, "the search index failed and is opened again");
                self.recover();
            }
        }
    }

    /// A question that cannot read the index takes it away from all others.
    fn look(&self) -> Result<(), PipelineError> {
        match &*self.place.reader.read() {
            Some(_) => Ok(()),
            None => Err(PipelineError::IndexDistrusted),
        }
    }

    /// Puts a new index in place of the one in use, which is committed.
    fn swap(&mut self, built: Built) -> Result<u64, PipelineError> {
        let rows = self.ledger.rows()?;
        let writer = reconcile::catch_up(&self.ledger, &rows, built.writer)?;
        let generations = Generations::new(&self.place.dir);
        let old_dir = generations.current().map_err(SearchError::Io)?;
        generations.switch(&built.dir).map_err(SearchError::Io)?;
        self.has_reached(writer.reader().position().batch_no);
        *self.place.reader.write() = Some(writer.reader());
        self.place.recent.cut(self.reached);
        self.remembered.forget();
        let old = self.writer.replace(writer);
        // Its last merges may take minutes; questions that still look at it keep its files.
        let removal = move || {
            drop(old);
            if let Some(dir) = old_dir {
                let _ = std::fs::remove_dir_all(dir);
            }
        };
        if let Err(error) = thread::Builder::new().name("old-index".to_owned()).spawn(removal) {
            tracing::warn!(%error, "the old search index is removed at the next start");
        }
        Ok(self.reached)
    }

    fn write(&mut self, batch: IndexBatch) -> Result<(), PipelineError> {
        if batch.batch_no <= self.reached {
            return Ok(());
        }
        for IndexChange { seq, created, document } in batch.changes {
            let waiting = self.waiting.entry(seq).or_insert(Waiting {
                created,
                document: None,
            });
            waiting.document = document;
        }
        let pending = Pending {
            since: self.pending.map_or_else(Instant::now, |pending| pending.since),
            batch_no: batch.batch_no,
            more_waits: batch.more_waits,
        };
        self.pending = Some(pending);
        let full = self.waiting.len() >= self.limits.documents_max;
        // Half of what may wait in memory: so the next batches find room while this commit is under way.
        let crowded = self.place.recent.len() >= self.limits.recent_max.div_ceil(2);
        if full || crowded || self.until_due(pending).is_zero() {
            self.commit()?;
        }
        Ok(())
    }

    /// How long the next commit can wait.
    fn until_due(&self, pending: Pending) -> Duration {
        let IndexLimits {
            commit_interval,
            backlog_interval,
            ..
        } = self.limits;
        let interval = match pending.more_waits {
            true => commit_interval.max(backlog_interval),
            false => commit_interval,
        };
        interval.saturating_sub(pending.since.elapsed())
    }

    fn write_one(&mut self, seq: u64, waiting: &Waiting) -> Result<(), PipelineError> {
        let mut is_written = false;
        let writer = self.writer.as_mut().ok_or(PipelineError::IndexEnded)?;
        let document = waiting.document.as_deref();
        for part in Part::ALL {
            is_written |= self.remembered.write(writer, (seq, part), document, waiting.created)?;
        }
        let outcome = if is_written { "written" } else { "unchanged" };
        metrics::counter!("ledgerlens_index_documents_total", "outcome" => outcome).increment(1);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), PipelineError> {
        let Some(Pending { batch_no, .. }) = self.pending else {
            return Ok(());
        };
        for (seq, waiting) in std::mem::take(&mut self.waiting) {
            self.write_one(seq, &waiting)?;
        }
        let writer = self.writer.as_mut().ok_or(PipelineError::IndexEnded)?;
        let started = Instant::now();
        writer.commit(batch_no)?;
        metrics::histogram!("ledgerlens_index_commit_seconds").record(started.elapsed());
        self.pending = None;
        self.has_reached(batch_no);
        self.place.recent.cut(batch_no);
        // Everything is committed now, so what is forgotten is found in the index.
        self.remembered.keep_within_bounds();
        Ok(())
    }

    fn has_reached(&mut self, batch_no: u64) {
        self.reached = batch_no;
        metrics::gauge!("ledgerlens_index_batch").set(batch_no as f64);
    }

    /// Opens the index again, or makes it again, until it works. Ingestion waits meanwhile, because the list of recent
    /// payments only grows to its bound; answers stay right, because the ledger is asked where the index cannot be.
    fn recover(&mut self) {
        self.writer = None;
        self.remembered.forget();
        self.waiting.clear();
        self.pending = None;
        let mut pause = Duration::from_millis(200);
        while !self.is_ending.load(Ordering::Acquire) {
            match reconcile::open(&self.ledger, &self.place, &self.limits.writer) {
                Ok(writer) => {
                    self.has_reached(writer.reader().position().batch_no);
                    self.writer = Some(writer);
                    return;
                }
                Err(error) => tracing::error!(%error, "the search index cannot be opened; trying again"),
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(30));
        }
    }
}
