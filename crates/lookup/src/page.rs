//! One page of a list or a search.
//!
//! A plan brings candidates in chunks. A chunk covers a stretch of time completely, so once its payments are joined,
//! checked and sorted, nothing that comes later belongs before them. Two kinds of candidate stand outside that order
//! and are known beforehand: payments that the index has not reached yet, and payments whose instant depends on the
//! reader ([`ledger::Rows::split`]). They are joined when the chunks reach their time.

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::{DateTime, Utc};
use domain::derive::Payment;
use domain::dossier::Dossier;
use domain::scope::Scope;
use ledger::{Order, Rows};
use query::Filter;
use rayon::prelude::*;

use crate::error::LookupError;
use crate::explained::{Explained, Source, Stages};
use crate::lookup::{Answer, Lookup};
use crate::plan::{Pace, Plan, Position, Stretch};
use crate::recheck::satisfies;
use crate::sort_key::SortKey;
use crate::total::{Total, total};

/// What is asked.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub scope: Scope,
    pub filter: Filter,
    pub order: Order,
    /// The last row of the page before.
    pub after: Option<SortKey>,
    /// Rows wanted, 1 to 100.
    pub limit: usize,
    /// The total of all pages is wanted, and this is how long it may take.
    pub total_until: Option<Instant>,
}

/// A page, in list order.
#[derive(Clone, Debug)]
pub struct Page {
    pub rows: Vec<Dossier>,
    /// Where the next page begins, if there is more.
    pub next: Option<SortKey>,
    /// Of all pages, where it was asked for.
    pub total: Option<Total>,
}

/// Candidates from which joining is worth a second thread.
const PARALLEL_MIN: usize = 128;

/// The page, and what it took but for what the ledger's tables were asked.
pub(crate) fn page(lookup: &Lookup, request: &PageRequest) -> Result<Answer<(Page, Explained)>, LookupError> {
    let mut stages = Stages::default();
    let position = stages.time("position", || Position::of_page(lookup, request))?;
    let made = match page_of(lookup, request, &position, &mut stages) {
        Err(LookupError::Search(error)) => {
            lookup.distrust_index(&error);
            None
        }
        made => made?,
    };
    let mut answer = match made {
        Some(answer) => answer,
        None => {
            drop(position);
            let position = stages.time("position", || Position::without_index(lookup))?;
            page_of(lookup, request, &position, &mut stages)?
                .unwrap_or_else(|| unreachable!("a page of the ledger is never given up"))
        }
    };
    answer.value.1.stages = stages.list();
    Ok(answer)
}

/// `None` where the position's patience came to its end.
fn page_of(
    lookup: &Lookup,
    request: &PageRequest,
    position: &Position,
    stages: &mut Stages,
) -> Result<Option<Answer<(Page, Explained)>>, LookupError> {
    let rows = position.rows();
    let mut plan = position.plan(request, Pace::page(request.limit));
    let mut builder = stages.time("rows", || Builder::new(lookup, request, rows))?;
    let apart = builder.looked_at;
    let mut early = None;
    while let Some(stretch) = stages.time("candidates", || plan.next(request))? {
        // Before they are joined: a minute, or what the index has not reached of one, may be any number of payments.
        if position.is_given_up(builder.looked_at - apart + stretch.seqs.len()) {
            return Ok(None);
        }
        stages.time("rows", || builder.take(rows, &stretch))?;
        if builder.is_full(&stretch) {
            early = Some(None);
            break;
        }
        if !stretch.is_last() && builder.looked_at >= lookup.options.looked_at_max {
            early = Some(stretch.end_key());
            break;
        }
    }
    if early.is_none() {
        builder.take(rows, &Stretch::everything())?;
    }
    let candidates = builder.looked_at as u64;
    let mut page = builder.finish(early.flatten());
    if let Some(deadline) = request.total_until {
        page.total = Some(stages.time("total", || total(lookup, request, position, deadline))?);
    }
    let explained = Explained {
        source: match plan {
            Plan::Index(_) => Source::Index,
            Plan::Ledger(_) => Source::Payments,
        },
        candidates: Some(candidates),
        documents_covered: plan.documents_covered(),
        rows: rows.read(),
        looks: Vec::new(),
        stages: Vec::new(),
    };
    Ok(Some(Answer {
        value: (page, explained),
        head: rows.head().clone(),
    }))
}

/// A payment that satisfies the question.
pub(crate) struct Found {
    pub(crate) key: SortKey,
    pub(crate) seq: u64,
    pub(crate) dossier: Dossier,
}

/// What decides whether a candidate is in the answer.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) lookup: &'a Lookup,
    pub(crate) request: &'a PageRequest,
    pub(crate) now: DateTime<Utc>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(lookup: &'a Lookup, request: &'a PageRequest) -> Self {
        Judge {
            lookup,
            request,
            now: lookup.now(),
        }
    }

    /// Those of the candidates that satisfy the question, in no order.
    pub(crate) fn join(&self, rows: &Rows, seqs: &[u64]) -> Result<Vec<Found>, LookupError> {
        let one = |seq: &u64| self.check(rows, *seq);
        let checked: Vec<Option<Found>> = match seqs.len() {
            0..PARALLEL_MIN => seqs.iter().map(one).collect::<Result<_, LookupError>>()?,
            _ => self
                .lookup
                .spread(|| seqs.par_iter().map(one).collect::<Result<_, LookupError>>())?,
        };
        Ok(checked.into_iter().flatten().collect())
    }

    /// The whole question again, on the row.
    fn check(&self, rows: &Rows, seq: u64) -> Result<Option<Found>, LookupError> {
        let Some(dossier) = rows.get(seq)? else { return Ok(None) };
        let Some(payment) = Payment::derive(&dossier, &self.request.scope) else {
            return Ok(None);
        };
        let key = SortKey::of(&payment);
        let order = self.request.order;
        let behind = self
            .request
            .after
            .as_ref()
            .is_none_or(|after| after.compare(&key, order).is_lt());
        if !behind || !satisfies(&self.request.filter, &payment, self.now, self.lookup.overdue_days()) {
            return Ok(None);
        }
        Ok(Some(Found { key, seq, dossier }))
    }
}

/// Candidates joined at once: payments of one instant may be any number, and each is some kilobytes.
const JOINED_AT_ONCE: usize = 4_096;

struct Builder<'a> {
    judge: Judge<'a>,
    /// In order, and no more than show what is on the page and whether there is a next one.
    found: Vec<Found>,
    seen: BTreeSet<u64>,
    /// Payments that readers see differently: joined and placed by what this reader sees.
    split: BTreeSet<u64>,
    looked_at: usize,
}

impl<'a> Builder<'a> {
    fn new(lookup: &'a Lookup, request: &'a PageRequest, rows: &Rows) -> Result<Self, LookupError> {
        let split: BTreeSet<u64> = rows.split(&request.scope).into_iter().collect();
        let mut builder = Builder {
            judge: Judge::new(lookup, request),
            found: Vec::new(),
            seen: BTreeSet::new(),
            split: BTreeSet::new(),
            looked_at: 0,
        };
        let members: Vec<u64> = split.iter().copied().collect();
        builder.join(rows, &members)?;
        builder.split = split;
        Ok(builder)
    }

    fn take(&mut self, rows: &Rows, stretch: &Stretch) -> Result<(), LookupError> {
        let fresh: Vec<u64> = stretch
            .seqs
            .iter()
            .copied()
            .filter(|seq| !self.split.contains(seq) && self.seen.insert(*seq))
            .collect();
        self.join(rows, &fresh)
    }

    fn join(&mut self, rows: &Rows, seqs: &[u64]) -> Result<(), LookupError> {
        for part in seqs.chunks(JOINED_AT_ONCE) {
            self.looked_at += part.len();
            self.found.extend(self.judge.join(rows, part)?);
            self.sort();
            // The others can neither be on the page nor tell more than that there is a next one.
            self.found.truncate(self.judge.request.limit + 1);
        }
        Ok(())
    }

    fn sort(&mut self) {
        let order = self.judge.request.order;
        self.found
            .sort_unstable_by(|a, b| a.key.compare(&b.key, order).then(a.seq.cmp(&b.seq)));
    }

    /// Whether the page, and the knowledge that there is a next one, is settled: no later stretch can change it.
    fn is_full(&self, stretch: &Stretch) -> bool {
        self.found
            .iter()
            .filter(|found| stretch.covers(found.key.occurred_at))
            .count()
            > self.judge.request.limit
    }

    /// `early` is where looking was given up, if it was.
    fn finish(mut self, early: Option<SortKey>) -> Page {
        let order = self.judge.request.order;
        if let Some(end) = &early {
            self.found.retain(|found| found.key.compare(end, order).is_le());
        }
        let more = self.found.len() > self.judge.request.limit;
        self.found.truncate(self.judge.request.limit);
        let last = self.found.last().map(|found| found.key.clone());
        let next = if more { last } else { early };
        Page {
            rows: self.found.into_iter().map(|found| found.dossier).collect(),
            next,
            total: None,
        }
    }
}
