//! Questions block, so they run on threads of their own, a bounded number at a time for each class of cost.
//!
//! A question that was begun is not interrupted: when its client is sent away, it keeps its turn until it is done. So the
//! bound holds whatever clients do.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::app::{App, Limits};
use crate::problem::{Problem, kinds};

/// What a question costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cost {
    /// A point read.
    Lookup,
    /// A page of a list or a search.
    Page,
    /// Sums over many rows.
    Report,
    /// All rows there are.
    Export,
}

/// The turns of each class.
#[derive(Debug)]
pub(crate) struct Permits {
    lookups: Arc<Semaphore>,
    pages: Arc<Semaphore>,
    reports: Arc<Semaphore>,
    exports: Arc<Semaphore>,
    waits: Arc<Semaphore>,
}

impl Permits {
    pub(crate) fn new(limits: &Limits) -> Self {
        Permits {
            lookups: Arc::new(Semaphore::new(limits.lookups_max)),
            pages: Arc::new(Semaphore::new(limits.pages_max)),
            reports: Arc::new(Semaphore::new(limits.reports_max)),
            exports: Arc::new(Semaphore::new(limits.exports_max)),
            waits: Arc::new(Semaphore::new(limits.waits_max)),
        }
    }

    /// A place among those who wait for the ledger; 503 where there is none.
    pub(crate) fn wait(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.waits.clone().try_acquire_owned().map_err(|_| {
            let detail = "too many requests are waiting for the ledger; ask again without waiting";
            Problem::new(&kinds::OVERLOADED, detail).retry_after(1)
        })
    }

    pub(crate) fn waits_left(&self) -> usize {
        self.waits.available_permits()
    }

    fn of(&self, cost: Cost) -> Arc<Semaphore> {
        match cost {
            Cost::Lookup => self.lookups.clone(),
            Cost::Page => self.pages.clone(),
            Cost::Report => self.reports.clone(),
            Cost::Export => self.exports.clone(),
        }
    }
}

/// Waits for a turn.
///
/// # Errors
/// 503 when it does not come in time.
pub(crate) async fn turn(app: &App, cost: Cost) -> Result<OwnedSemaphorePermit, Problem> {
    match timeout(app.limits.queue_wait, app.permits.of(cost).acquire_owned()).await {
        Ok(Ok(turn)) => Ok(turn),
        // Semaphores are never closed, so this is the time that has run out.
        Ok(Err(_)) | Err(_) => {
            let detail = "too many requests of this kind are being answered; try again in a moment";
            Err(Problem::new(&kinds::OVERLOADED, detail).retry_after(1))
        }
    }
}

/// Runs `question` when it is its turn.
///
/// # Errors
/// 503 when its turn does not come in time, 500 when it panics, or its own.
pub(crate) async fn ask<T: Send + 'static>(
    app: &Arc<App>,
    cost: Cost,
    question: impl FnOnce(&App) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let turn = turn(app, cost).await?;
    let shared = app.clone();
    let span = tracing::Span::current();
    let answered = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        span.in_scope(|| question(&shared))
    });
    match answered.await {
        Ok(answer) => answer,
        Err(failure) => {
            tracing::error!(error = %failure, "a question ended without an answer");
            Err(Problem::internal())
        }
    }
}
