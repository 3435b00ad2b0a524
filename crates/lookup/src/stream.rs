//! Every payment that satisfies a question, in list order, as of one position of the ledger.
//!
//! A page builds on a limit; a stream has none, so nothing in it may grow with the number of rows. The snapshot that its
//! plan took at the beginning is held to the end, so all rows are of one position however long reading takes. Stretches
//! are joined one after the other, and what a stretch covers goes out before the next is read. Held beside it are:
//!
//! - payments whose place comes later (the index has them in another minute, or their instant depends on the reader), by
//!   key and seq alone beyond the first few thousand: they are read again when it is their turn;
//! - one instant of the list table or one minute of the index, which is sorted as a whole, in the same way: about 100
//!   bytes a payment.

use std::collections::{BTreeSet, HashSet};

use domain::dossier::Dossier;
use ledger::{Head, Order};
use query::Filter;

use crate::error::LookupError;
use crate::lookup::Lookup;
use crate::page::{Found, Judge, PageRequest};
use crate::plan::{Pace, Plan, Position, Stretch};
use crate::sort_key::SortKey;

/// What is asked.
#[derive(Clone, Debug)]
pub struct StreamRequest {
    pub scope: domain::scope::Scope,
    pub filter: Filter,
    pub order: Order,
}

/// Dossiers (a few kilobytes each) that are kept while they wait for their turn; of others the seq is enough.
const DOSSIERS_HELD_MAX: usize = 4_096;

/// The most payments handed out at once.
const HANDED_OUT_MAX: usize = 1_000;

/// Payments in list order; see [`Lookup::stream`].
pub struct PaymentStream {
    request: PageRequest,
    lookup: Lookup,
    now: chrono::DateTime<chrono::Utc>,
    position: Position,
    plan: Plan,
    /// Payments that readers see differently: placed by what this reader sees.
    split: BTreeSet<u64>,
    /// Of those that may come more than once, the ones that have.
    seen: HashSet<u64>,
    /// Satisfy the question, but belong behind what is covered so far.
    held: Vec<Held>,
    /// What the last stretch covered: of that nothing comes any more but what has come.
    covered: Option<Stretch>,
    /// The next rows, the first of them last.
    ready: Vec<Held>,
    ended: bool,
}

struct Held {
    key: SortKey,
    seq: u64,
    dossier: Option<Box<Dossier>>,
}

impl PaymentStream {
    pub(crate) fn open(lookup: &Lookup, request: &StreamRequest) -> Result<Self, LookupError> {
        let request = PageRequest {
            scope: request.scope.clone(),
            filter: request.filter.clone(),
            order: request.order,
            after: None,
            limit: HANDED_OUT_MAX,
            total_until: None,
        };
        let position = Position::take(lookup, &request)?;
        let plan = position.plan(&request, Pace::stream());
        let split: Vec<u64> = position.rows().split(&request.scope);
        let mut stream = PaymentStream {
            request,
            lookup: lookup.clone(),
            now: lookup.now(),
            position,
            plan,
            split: BTreeSet::new(),
            seen: HashSet::new(),
            held: Vec::new(),
            covered: None,
            ready: Vec::new(),
            ended: false,
        };
        for members in split.chunks(HANDED_OUT_MAX) {
            stream.join(members)?;
        }
        stream.split = split.into_iter().collect();
        Ok(stream)
    }

    /// The position that every row is of.
    pub fn head(&self) -> &Head {
        self.position.rows().head()
    }

    /// The next payments, at most a thousand; none at all where a stretch of candidates held none, so that a caller can
    /// look around between two steps. `None` at the end.
    pub fn next_payments(&mut self) -> Result<Option<Vec<Dossier>>, LookupError> {
        if self.ready.is_empty() {
            if self.ended {
                return Ok(None);
            }
            let stretch = self.plan.next(&self.request).inspect_err(|error| {
                if let LookupError::Search(error) = error {
                    self.lookup.distrust_index(error);
                }
            })?;
            self.ended = stretch.is_none();
            self.cover(stretch.unwrap_or_else(Stretch::everything))?;
        }
        let from = self.ready.len().saturating_sub(HANDED_OUT_MAX);
        let next = self.ready.split_off(from);
        let mut payments = Vec::with_capacity(next.len());
        for held in next.into_iter().rev() {
            match held.dossier {
                Some(dossier) => payments.push(*dossier),
                // It is of the same snapshot, so it is still there and the same.
                None => payments.extend(self.position.rows().get(held.seq)?),
            }
        }
        Ok(Some(payments))
    }

    /// Joins the stretch; what it covers becomes ready. A document that the index has lost the removal of proposes its payment once more:
    /// beside the other one, or behind the place where the payment has come.
    fn cover(&mut self, mut stretch: Stretch) -> Result<(), LookupError> {
        let mut fresh = std::mem::take(&mut stretch.seqs);
        fresh.retain(|seq| !self.split.contains(seq) && (!self.plan.may_repeat(*seq) || self.seen.insert(*seq)));
        for seqs in fresh.chunks(DOSSIERS_HELD_MAX) {
            self.join(seqs)?;
        }
        let covered = self.held.extract_if(.., |held| stretch.covers(held.key.occurred_at));
        self.ready = covered.collect();
        let order = self.request.order;
        self.ready
            .sort_unstable_by(|a, b| b.key.compare(&a.key, order).then(b.seq.cmp(&a.seq)));
        self.ready.dedup_by_key(|held| held.seq);
        self.covered = Some(stretch);
        Ok(())
    }

    fn join(&mut self, seqs: &[u64]) -> Result<(), LookupError> {
        let judge = Judge {
            lookup: &self.lookup,
            request: &self.request,
            now: self.now,
        };
        let has_come = |key: &SortKey| {
            self.covered
                .as_ref()
                .is_some_and(|covered| covered.covers(key.occurred_at))
        };
        for Found { key, seq, dossier } in judge.join(self.position.rows(), seqs)? {
            if has_come(&key) {
                continue;
            }
            let room = self.held.len() < DOSSIERS_HELD_MAX;
            self.held.push(Held {
                key,
                seq,
                dossier: room.then(|| Box::new(dossier)),
            });
        }
        Ok(())
    }
}

impl Lookup {
    /// All payments that satisfy the request's filter, without a limit. The stream holds a snapshot of the stores (and,
    /// where no index is asked, a read connection) for as long as it lives.
    pub fn stream(&self, request: &StreamRequest) -> Result<PaymentStream, LookupError> {
        PaymentStream::open(self, request)
    }
}
