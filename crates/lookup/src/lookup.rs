//! The one thing that the API asks.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::dossier::Dossier;
use domain::scope::Scope;
use ledger::reports::{Report, ReportRequest};
use ledger::{Head, QuarantineFilter, QuarantineRow, Reader, Status};
use parking_lot::RwLock;
use search::{IndexReader, Recent};

use crate::error::LookupError;
use crate::page::{Page, PageRequest, page};
use crate::token::AsOf;

/// What answers depend on besides the stores.
#[derive(Clone)]
pub struct Options {
    /// A sale without a settlement line is overdue this many days after its sale day. Default 7.
    pub overdue_days: u32,
    /// The clock: flags look at it.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// The most payments that one page looks at, default 50,000: about a second of work. A page that has not filled by
    /// then ends early and says that there is more.
    pub looked_at_max: usize,
}

/// An answer and the position it is of.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    pub value: T,
    pub head: Head,
}

/// Answers questions; cheap to clone. Every call blocks: the API runs them on blocking threads.
#[derive(Clone)]
pub struct Lookup {
    pub(crate) reader: Reader,
    /// None while there is no index to ask.
    pub(crate) index: Arc<RwLock<Option<IndexReader>>>,
    pub(crate) recent: Arc<Recent>,
    pub(crate) options: Options,
}

impl Lookup {
    pub fn new(reader: Reader, index: Arc<RwLock<Option<IndexReader>>>, recent: Arc<Recent>, options: Options) -> Self {
        Lookup {
            reader,
            index,
            recent,
            options,
        }
    }

    /// The directory that the stores lie in.
    pub fn data_dir(&self) -> &std::path::Path {
        self.reader.data_dir()
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.options.now)()
    }

    pub fn overdue_days(&self) -> u32 {
        self.options.overdue_days
    }

    /// What `as_of` says of a position; `lag_ms` is the projector's to know.
    pub fn as_of(&self, head: &Head, lag_ms: u64) -> AsOf {
        AsOf::new(head, self.reader.store_id(), lag_ms)
    }

    /// The dossier of a payment that `scope` may see. The one path for a payment that is absent and for a foreign one.
    pub fn payment(&self, payment_key: &str, scope: &Scope) -> Result<Answer<Option<Dossier>>, LookupError> {
        let rows = self.reader.rows()?;
        let found = rows.find(payment_key)?.map(|(_, dossier)| dossier);
        let visible = found.filter(|dossier| domain::derive::Payment::derive(dossier, scope).is_some());
        Ok(Answer {
            value: visible,
            head: rows.head().clone(),
        })
    }

    /// One page of payments that satisfy the request's filter.
    pub fn page(&self, request: &PageRequest) -> Result<Answer<Page>, LookupError> {
        page(self, request)
    }

    pub fn report(&self, request: &ReportRequest, scope: &Scope) -> Result<Answer<Report>, LookupError> {
        let joint = self.reader.joint()?;
        Ok(Answer {
            value: joint.report(request, scope)?,
            head: joint.head().clone(),
        })
    }

    /// Rows of quarantine with a number below `before`, newest first.
    pub fn quarantine(
        &self,
        filter: &QuarantineFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Answer<Vec<QuarantineRow>>, LookupError> {
        let (value, head) = self.reader.quarantine(filter, before, limit)?;
        Ok(Answer { value, head })
    }

    pub fn status(&self) -> Result<Status, LookupError> {
        Ok(self.reader.status()?)
    }

    /// The ledger batch that the search index has reached; `None` without an index.
    pub fn index_batch(&self) -> Option<u64> {
        self.index.read().as_ref().map(|index| index.position().batch_no)
    }
}
