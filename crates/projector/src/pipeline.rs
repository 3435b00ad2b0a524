//! From a batch of raw messages to both stores.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use ledger::{Applied, Batch, LedgerError, Reader, Writer};
use rayon::prelude::*;
use search::{Document, SearchError};
use thiserror::Error;

use crate::batch;
use crate::error::SourceError;
use crate::incoming::decode_all;
use crate::index_keeper::{IndexBatch, IndexChange, IndexDesk, IndexKeeper, IndexLimits, IndexPlace};

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
    /// Gone only between an error and the recovery from it.
    keeper: Option<IndexKeeper>,
    limits: IndexLimits,
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
        let desk = IndexDesk::default();
        let keeper = Some(IndexKeeper::start(
            ledger.clone(),
            place.clone(),
            limits.clone(),
            &desk,
        )?);
        Ok(Pipeline {
            writer,
            ledger,
            place,
            keeper,
            limits,
            desk,
        })
    }

    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Where a new index is handed in.
    pub fn desk(&self) -> IndexDesk {
        self.desk.clone()
    }

    /// # Errors
    /// [`PipelineError::RowsDamaged`] after a reader has met a row that cannot be read.
    pub fn check_rows(&self) -> Result<(), PipelineError> {
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
        let appended_at = batch.messages.iter().filter_map(|message| message.appended_at).max();
        let (items, nulls) = decode_all(batch.messages);
        let batch = Batch {
            items,
            positions: batch.positions,
            nulls,
            appended_at,
            applied_at: now,
        };
        self.wait_for_index();
        let mut handed = None;
        let recent = &self.place.recent;
        let applied = self.writer.apply(batch, &mut |head, touched| {
            let changes: Vec<IndexChange> = touched
                .into_par_iter()
                .map(|touched| IndexChange {
                    seq: touched.seq,
                    created: touched.created,
                    document: Document::of(touched.seq, &touched.dossier).map(Arc::new),
                })
                .collect();
            recent.announce(
                head.batch_no,
                changes.iter().map(|change| (change.seq, change.document.clone())),
            );
            handed = Some(IndexBatch {
                batch_no: head.batch_no,
                changes,
            });
        })?;
        let keeper = self.keeper.as_ref().ok_or(PipelineError::IndexEnded)?;
        if let Some(batch) = handed {
            keeper.send(batch)?;
        }
        Ok(applied)
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
        self.keeper = Some(IndexKeeper::start(
            self.ledger.clone(),
            self.place.clone(),
            self.limits.clone(),
            &self.desk,
        )?);
        Ok(())
    }
}
