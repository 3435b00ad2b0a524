//! From a batch of raw messages to both stores.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ledger::acts::ActQueue;
use ledger::{Applied, Head, LedgerError, Reader, Touched, Writer};
use rayon::prelude::*;
use search::{Announced, Document, SearchError};
use thiserror::Error;

use crate::batch;
use crate::error::SourceError;
use crate::incoming::Decoded;
use crate::index_keeper::{IndexBatch, IndexChange, IndexDesk, IndexKeeper, IndexLimits};
use crate::index_place::IndexPlace;

/// Why the projector stopped or had to begin again.
#[derive(Debug, Error)]
pub enum PipelineError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the index thread has ended")]
    IndexEnded,
    /// Nothing was put in place of the index in use, which is opened again.
    #[error("the search index in use could not be committed; the log says why, try again")]
    IndexNotCommitted,
    /// Nothing was put in place of the index in use.
    #[error("the search index that was made again differs from the ledger at payment {seq}")]
    IndexDiffers { seq: u64 },
    /// A reader took the index away because it could not be read.
    #[error("the search index could not be read by a question")]
    IndexDistrusted,
    /// Noticed by a reader; recovery makes them again.
    #[error("ready-made rows could not be read and are made again from the ledger")]
    RowsDamaged,
    #[error("a thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// The one way into the stores.
pub struct Pipeline {
    writer: Writer,
    ledger: Reader,
    place: IndexPlace,
    /// Gone until the index is open, and between an error and the recovery from it.
    keeper: Option<IndexKeeper>,
    limits: IndexLimits,
    acts: Option<ActQueue>,
    desk: IndexDesk,
}

impl Pipeline {
    /// Brings the index up to the ledger and begins to take batches.
    pub fn start(
        writer: Writer,
        ledger: Reader,
        place: IndexPlace,
        limits: IndexLimits,
    ) -> Result<Self, PipelineError> {
        let mut pipeline = Pipeline::without_index(writer, ledger, place, limits);
        pipeline.open_index()?;
        Ok(pipeline)
    }

    /// Takes nothing until [`Pipeline::open_index`] has succeeded.
    pub fn without_index(writer: Writer, ledger: Reader, place: IndexPlace, limits: IndexLimits) -> Self {
        has_reached(&writer);
        Pipeline {
            writer,
            ledger,
            place,
            keeper: None,
            limits,
            acts: None,
            desk: IndexDesk::default(),
        }
    }

    /// Brings the index up to the ledger; after an error it can be tried again.
    pub fn open_index(&mut self) -> Result<(), PipelineError> {
        let (ledger, place) = (self.ledger.clone(), self.place.clone());
        self.keeper = Some(IndexKeeper::start(ledger, place, self.limits.clone(), &self.desk)?);
        Ok(())
    }

    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Where a new index is handed in.
    pub fn desk(&self) -> IndexDesk {
        self.desk.clone()
    }

    /// # Errors
    /// [`PipelineError::RowsDamaged`] after a reader has met a row that cannot be read, and what went wrong beside the
    /// batches.
    pub fn check_stores(&mut self) -> Result<(), PipelineError> {
        self.writer.check()?;
        if self.ledger.rows_are_damaged() {
            return Err(PipelineError::RowsDamaged);
        }
        Ok(())
    }

    /// Ends: the index commits what it has, and the ledger's writer can be used elsewhere.
    pub fn into_writer(self) -> Writer {
        drop(self.keeper);
        self.writer
    }

    /// Applies one batch to the ledger and hands what it touched to the index.
    ///
    /// # Errors
    /// After an error [`Pipeline::recover`] must be called, and reading go on from the ledger's positions.
    pub fn apply(&mut self, batch: batch::Batch, now: DateTime<Utc>) -> Result<Applied, PipelineError> {
        self.apply_decoded(Decoded::of(batch), now)
    }

    /// As [`Pipeline::apply`].
    pub(crate) fn apply_decoded(&mut self, batch: Decoded, now: DateTime<Utc>) -> Result<Applied, PipelineError> {
        let is_full = batch.is_full();
        let batch = batch.at(now);
        self.wait_for_index();
        self.hand_to_index(is_full, |writer, announce| writer.apply(batch, announce))
    }

    /// Takes acts of operators from here on; they are done between two batches.
    pub fn set_acts(&mut self, acts: ActQueue) {
        self.acts = Some(acts);
    }

    /// Does the acts that wait, after waiting up to `within` for a first one.
    ///
    /// # Errors
    /// As [`Pipeline::apply`].
    pub fn serve_acts(&mut self, within: Duration, now: &dyn Fn() -> DateTime<Utc>) -> Result<(), PipelineError> {
        let Some(acts) = self.acts.take() else {
            std::thread::sleep(within);
            return Ok(());
        };
        let served = acts.serve_within(within, &mut |act| {
            self.wait_for_index();
            self.hand_to_index(false, |writer, announce| writer.act(act, now(), announce))
        });
        // Nobody is left to hand anything over, so there is nothing to wait for either.
        if matches!(served, Ok(false)) {
            std::thread::sleep(within);
        }
        self.acts = Some(acts);
        served.map(|_| ())
    }

    /// Lets `write` change the ledger, and hands what it touched to the list of recent payments (before anything is
    /// visible) and to the index (after), together with whether more of the same is waiting. An act may write several
    /// batches.
    fn hand_to_index<T>(
        &mut self,
        more_waits: bool,
        write: impl FnOnce(&mut Writer, &mut dyn FnMut(&Head, Vec<Touched>)) -> Result<T, LedgerError>,
    ) -> Result<T, PipelineError> {
        let mut handed = Vec::new();
        let recent = &self.place.recent;
        let outcome = write(&mut self.writer, &mut |head, touched| {
            let changes: Vec<IndexChange> = touched
                .into_par_iter()
                .map(|touched| IndexChange {
                    seq: touched.seq,
                    created: touched.created,
                    document: Document::of(touched.seq, &touched.dossier).map(Arc::new),
                })
                .collect();
            let documents = changes.par_iter().filter_map(|change| change.document.clone());
            recent.announce(head.batch_no, documents.map(Announced::of).collect());
            handed.push(IndexBatch {
                batch_no: head.batch_no,
                changes,
                more_waits,
            });
        })?;
        has_reached(&self.writer);
        let keeper = self.keeper.as_ref().ok_or(PipelineError::IndexEnded)?;
        handed.into_iter().try_for_each(|batch| keeper.send(batch))?;
        Ok(outcome)
    }

    /// Ingestion waits while searches would have to look at too much in memory.
    fn wait_for_index(&self) {
        while self.place.recent.len() > self.limits.recent_max {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// After an error of a store: everything in memory is read from the stores again.
    ///
    /// The index begins again too. A batch whose commit failed may be durable all the same, and the index was not told
    /// of it; opened anew it finds itself behind the ledger and is caught up.
    pub fn recover(&mut self) -> Result<(), PipelineError> {
        self.keeper = None;
        self.writer.reload()?;
        has_reached(&self.writer);
        self.open_index()
    }
}

fn has_reached(writer: &Writer) {
    metrics::gauge!("ledgerlens_ledger_batch").set(writer.head().batch_no as f64);
}
