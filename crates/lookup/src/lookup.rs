//! The one thing that the API asks.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::dossier::Dossier;
use domain::scope::Scope;
use ledger::reports::{Report, ReportRequest, SumSource};
use ledger::{
    Awaited, EventFound, Head, QuarantineFilter, QuarantineRow, Reached, Reader, ReplaySummary, RowAndRaw, Status,
    traced,
};
use parking_lot::RwLock;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use search::{IndexReader, Recent, SearchError};
use tokio::sync::watch;

use crate::entries::{EntriesPage, EntriesRequest, entries};
use crate::error::LookupError;
use crate::explained::{Explained, Source, Stages};
use crate::many::{Matched, many};
use crate::page::{Page, PageRequest, page};
use crate::payout::{Payout, payout};
use crate::timeline::{Timeline, timeline};
use crate::token::{AsOf, TokenError, batch_of, token_of};

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
    /// Payments looked at for each row wanted before a page of a list that begins with the index is made from the ledger. Default 10: some
    /// milliseconds, less than a look into the ledger's table of tens of millions of payments takes.
    pub looks_a_row: usize,
    /// Threads that long questions are spread over. Not those of ingestion: a question would wait until a whole batch has
    /// been worked off.
    pub threads: Arc<ThreadPool>,
}

/// As many threads as the machine has processors, for [`Options::threads`].
///
/// # Errors
/// Where the operating system gives none.
pub fn threads() -> Result<Arc<ThreadPool>, ThreadPoolBuildError> {
    let pool = ThreadPoolBuilder::new().thread_name(|n| format!("answer-{n}"));
    pool.build().map(Arc::new)
}

/// An answer and the position it is of.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    pub value: T,
    pub head: Head,
}

impl<T> Answer<(T, Explained)> {
    /// The answer, and what it took.
    pub fn split(self) -> (Answer<T>, Option<Explained>) {
        let (value, explained) = self.value;
        let head = self.head;
        (Answer { value, head }, Some(explained))
    }
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

    /// Runs what spreads itself over several threads.
    pub(crate) fn spread<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.options.threads.install(work)
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

    /// The batch that a token of this store names; it may lie ahead of what readers see.
    pub fn batch_of_token(&self, token: &str) -> Result<u64, TokenError> {
        batch_of(token, self.reader.store_id())
    }

    pub fn token_of_batch(&self, batch_no: u64) -> String {
        token_of(self.reader.store_id(), batch_no)
    }

    /// Follows what readers see, without holding anything.
    pub fn follow(&self) -> watch::Receiver<Reached> {
        self.reader.follow()
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
        let Answer { value, head } = page(self, request)?;
        Ok(Answer { value: value.0, head })
    }

    /// The same, and what it took.
    pub fn explain_page(&self, request: &PageRequest) -> Result<Answer<(Page, Explained)>, LookupError> {
        let (answer, looks) = traced(|| page(self, request));
        let mut answer = answer?;
        answer.value.1.looks = looks;
        Ok(answer)
    }

    /// One page of entries that satisfy the request's filter.
    pub fn entries(&self, request: &EntriesRequest) -> Result<Answer<EntriesPage>, LookupError> {
        entries(self, request)
    }

    /// The same, and what it took.
    pub fn explain_entries(&self, request: &EntriesRequest) -> Result<Answer<(EntriesPage, Explained)>, LookupError> {
        explained(Source::Entries, || entries(self, request))
    }

    /// What each of these identifiers finds, in their order.
    pub fn many(&self, ids: &[String], scope: &Scope) -> Result<Answer<Vec<Matched>>, LookupError> {
        many(self, ids, scope)
    }

    /// What a payout is made of; `None` if `scope` sees no line of it.
    pub fn payout(&self, payout_id: &str, scope: &Scope) -> Result<Answer<Option<Payout>>, LookupError> {
        payout(self, payout_id, scope)
    }

    /// Every message of a payment that `scope` may see, in business-time order.
    pub fn timeline(&self, payment_key: &str, scope: &Scope) -> Result<Answer<Option<Timeline>>, LookupError> {
        timeline(self, payment_key, scope)
    }

    /// An index that cannot be read is asked no more: its keeper notices, and opens it again or makes it again.
    pub(crate) fn distrust_index(&self, error: &SearchError) {
        tracing::error!(%error, "the search index cannot be read; the ledger is asked until it is repaired");
        *self.index.write() = None;
    }

    pub fn report(&self, request: &ReportRequest, scope: &Scope) -> Result<Answer<Report>, LookupError> {
        let joint = self.reader.joint()?;
        Ok(Answer {
            value: joint.report(request, scope)?,
            head: joint.head().clone(),
        })
    }

    /// The same, and what it took.
    pub fn explain_report(
        &self,
        request: &ReportRequest,
        scope: &Scope,
    ) -> Result<Answer<(Report, Explained)>, LookupError> {
        let source = match request.source {
            SumSource::Rollup => Source::Rollups,
            SumSource::Ledger => Source::Entries,
        };
        explained(source, || self.report(request, scope))
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

    /// One row of quarantine, with what was kept of the message.
    pub fn quarantine_row(&self, n: u64) -> Result<Answer<Option<RowAndRaw>>, LookupError> {
        let (value, head) = self.reader.quarantine_row(n)?;
        Ok(Answer { value, head })
    }

    /// What the entry says that a row of quarantine is about.
    pub fn quarantined_entry(&self, row: &QuarantineRow) -> Result<Option<Vec<u8>>, LookupError> {
        Ok(self.reader.quarantined_entry(row)?)
    }

    /// What a replay of this filter, behind row `after`, would do now.
    pub fn try_replay(&self, filter: &QuarantineFilter, after: u64) -> Result<Answer<ReplaySummary>, LookupError> {
        let (value, joint) = self.reader.try_replay(filter, after)?;
        Ok(Answer {
            value,
            head: joint.head().clone(),
        })
    }

    /// What became of an event.
    pub fn event(&self, id: &str, source: Option<&str>) -> Result<Answer<EventFound>, LookupError> {
        let (value, head) = self.reader.event(id, source)?;
        Ok(Answer { value, head })
    }

    /// Whether any message of an event is in the ledger.
    pub fn has_event(&self, id: &str) -> Result<bool, LookupError> {
        Ok(self.reader.has_event(id)?)
    }

    /// Begins to watch for an event.
    pub fn await_event(&self, id: &str) -> Awaited {
        self.reader.await_event(id)
    }

    pub fn status(&self) -> Result<Status, LookupError> {
        Ok(self.reader.status()?)
    }

    /// The ledger batch that the search index has reached; `None` without an index.
    pub fn index_batch(&self) -> Option<u64> {
        self.index.read().as_ref().map(|index| index.position().batch_no)
    }
}

/// An answer that the ledger's tables alone give, and what it took.
fn explained<T>(
    source: Source,
    ask: impl FnOnce() -> Result<Answer<T>, LookupError>,
) -> Result<Answer<(T, Explained)>, LookupError> {
    let mut stages = Stages::default();
    let (answer, looks) = traced(|| stages.time("ledger", ask));
    let Answer { value, head } = answer?;
    let explained = Explained {
        source,
        candidates: None,
        documents_covered: None,
        rows: (0, 0),
        looks,
        stages: stages.list(),
    };
    Ok(Answer {
        value: (value, explained),
        head,
    })
}
