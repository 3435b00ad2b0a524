//! Where candidates come from.
//!
//! **Index first** when the question has words, identifiers or other things that the index holds: whole minutes of
//! candidates, and beside them the payments that the index has not reached yet. **Ledger first** otherwise, and while
//! there is no index: the list table, narrowed by what it can decide. Either way the row decides in the end.
//!
//! **The index with little patience** for a page of a list: the index finds the payments of a merchant or a minute in a fraction of the time
//! that a look into the table takes, but knows neither status nor method. Mostly a page is full after a few more rows than it shows; if it
//! is not, the ledger is asked after all.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};
use ledger::{Asked, Candidate, Joint, Order, Rows};
use search::{Document, Hit, IndexSnapshot, Screen, TermQuery, Walk, term_query};

use crate::error::LookupError;
use crate::lookup::Lookup;
use crate::page::PageRequest;
use crate::question::{asks_more_than_merchants, is_choosy, span_of, within};
use crate::recently::Recently;
use crate::sort_key::SortKey;
use crate::span::Span;

/// Candidates that cover a stretch of time completely.
pub(crate) struct Stretch {
    pub(crate) seqs: Vec<u64>,
    end: End,
}

/// Up to where, in list order, everything is known.
enum End {
    /// Newest first: down to this instant, included.
    DownTo(DateTime<Utc>),
    /// Oldest first: up to this instant, included.
    UpTo(DateTime<Utc>),
    Everything,
}

impl Stretch {
    pub(crate) fn everything() -> Self {
        Stretch {
            seqs: Vec::new(),
            end: End::Everything,
        }
    }

    pub(crate) fn covers(&self, at: DateTime<Utc>) -> bool {
        match self.end {
            End::DownTo(end) => at >= end,
            End::UpTo(end) => at <= end,
            End::Everything => true,
        }
    }

    pub(crate) fn is_last(&self) -> bool {
        matches!(self.end, End::Everything)
    }

    /// A place in the list behind everything covered.
    pub(crate) fn end_key(&self) -> Option<SortKey> {
        match self.end {
            // No payment key sorts behind it: keys are at most 200 characters.
            End::DownTo(occurred_at) | End::UpTo(occurred_at) => Some(SortKey {
                occurred_at,
                payment_key: "\u{10FFFF}".repeat(201),
            }),
            End::Everything => None,
        }
    }
}

/// How much is read at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Candidates of the first look; each further look is for twice as many, up to `chunk_max`.
    chunk: usize,
    chunk_max: usize,
    /// Candidates of a stretch, but that an instant (of the index: a minute) is never split.
    stretch: usize,
}

impl Pace {
    /// A page ends soon, so it begins with little: looking for more candidates than rows are wanted costs nothing, each join unpacks
    /// a row and its neighbours. One more row tells that there is a next page, and one is the last of the page before.
    pub(crate) fn page(limit: usize) -> Self {
        Pace {
            chunk: limit * 2 + 2,
            chunk_max: 5_000,
            stretch: limit + 2,
        }
    }

    /// A stream reads everything: each look costs a pass over a stretch of the table, so it takes many candidates
    /// (16 bytes each), and hands them on in pieces whose payments fit into a few megabytes.
    pub(crate) fn stream() -> Self {
        Pace {
            chunk: 50_000,
            chunk_max: 50_000,
            stretch: 2_000,
        }
    }
}

/// The rows that an answer is of, with the ledger's tables at the same batch where they are asked.
enum Held {
    Rows(Box<Rows>),
    Joint(Rc<Joint>),
}

/// What the index and the list of recent payments know of a question.
struct Indexed {
    query: TermQuery,
    /// Of all pages: a total is asked for on any of them.
    recent: Vec<(u32, u64)>,
    snapshot: IndexSnapshot,
}

impl Indexed {
    fn recent_of(&self, minutes: &RangeInclusive<u32>) -> Vec<(u32, u64)> {
        let of_minutes = self.recent.iter().filter(|(minute, _)| minutes.contains(minute));
        of_minutes.copied().collect()
    }
}

/// Everything that one answer reads, at one position of the ledger. Several plans may be made of it: a page and its total.
pub(crate) struct Position {
    held: Held,
    indexed: Option<Indexed>,
    /// Candidates that may be looked at before a page is given up, to be made from the ledger.
    patience: usize,
}

impl Position {
    pub(crate) fn take(lookup: &Lookup, request: &PageRequest) -> Result<Self, LookupError> {
        let query = term_query(&request.filter, &request.scope);
        match asks_more_than_merchants(&query, request) {
            true => Position::with_index(lookup, request, query, usize::MAX),
            false => Position::without_index(lookup),
        }
    }

    /// The same for a page, which may begin with the index where all of a list would not.
    pub(crate) fn of_page(lookup: &Lookup, request: &PageRequest) -> Result<Self, LookupError> {
        let query = term_query(&request.filter, &request.scope);
        // A total needs the tables at the page's own position.
        if asks_more_than_merchants(&query, request) || request.total_until.is_some() || is_choosy(&request.filter) {
            return Position::take(lookup, request);
        }
        let patience = lookup.options.looks_a_row.saturating_mul(request.limit + 2);
        Position::with_index(lookup, request, query, patience)
    }

    fn with_index(
        lookup: &Lookup,
        request: &PageRequest,
        query: TermQuery,
        patience: usize,
    ) -> Result<Self, LookupError> {
        let within = within(&request.filter, None, request.order);
        let wanted = |document: &Document| within.holds(document.when) && query.matches(&document.terms);
        let Some((rows, recent, snapshot)) = one_position(lookup, &Screen::of(&query), wanted)? else {
            return Position::without_index(lookup);
        };
        Ok(Position {
            held: Held::Rows(Box::new(rows)),
            indexed: Some(Indexed {
                query,
                recent,
                snapshot,
            }),
            patience,
        })
    }

    /// The ledger alone: slower where words are asked for, and right all the same, because the row decides.
    pub(crate) fn without_index(lookup: &Lookup) -> Result<Self, LookupError> {
        Ok(Position {
            held: Held::Joint(Rc::new(lookup.reader.joint()?)),
            indexed: None,
            patience: usize::MAX,
        })
    }

    /// Whether a page that takes so many candidates is to be made from the ledger.
    pub(crate) fn is_given_up(&self, candidates: usize) -> bool {
        candidates > self.patience
    }

    pub(crate) fn rows(&self) -> &Rows {
        match &self.held {
            Held::Rows(rows) => rows,
            Held::Joint(joint) => joint.rows(),
        }
    }

    /// The ledger's tables, where they decide what the candidates are.
    pub(crate) fn tables(&self) -> Option<&Joint> {
        match &self.held {
            Held::Joint(joint) => Some(joint),
            Held::Rows(_) => None,
        }
    }

    pub(crate) fn plan(&self, request: &PageRequest, pace: Pace) -> Plan {
        let after = request.after.as_ref().map(|after| after.occurred_at);
        let within_page = within(&request.filter, after, request.order);
        match (&self.indexed, &self.held) {
            (Some(indexed), _) => Plan::Index(Box::new(IndexFirst {
                recent: Recently::of(indexed.recent_of(&within_page.minutes), request.order),
                walk: indexed
                    .snapshot
                    .walk(&indexed.query, walk_order(request.order), &within_page),
                pending: VecDeque::new(),
                stretch: pace.stretch,
                ended: false,
            })),
            (None, Held::Joint(joint)) => Plan::Ledger(Box::new(LedgerFirst {
                joint: joint.clone(),
                span: span_of(&request.filter, after, request.order),
                pending: VecDeque::new(),
                chunk: pace.chunk,
                pace,
                ended: false,
            })),
            (None, Held::Rows(_)) => unreachable!("rows alone are held beside an index only"),
        }
    }
}

pub(crate) enum Plan {
    Index(Box<IndexFirst>),
    Ledger(Box<LedgerFirst>),
}

impl Plan {
    /// Whether this payment may come in more than one stretch. The list table holds each payment once, the index one
    /// document of each; what the index has not reached comes for each change, and once more in its old document.
    pub(crate) fn may_repeat(&self, seq: u64) -> bool {
        match self {
            Plan::Index(plan) => plan.recent.contains(seq),
            Plan::Ledger(_) => false,
        }
    }

    /// Of the index, where it is asked.
    pub(crate) fn documents_covered(&self) -> Option<u64> {
        match self {
            Plan::Index(plan) => Some(plan.walk.documents_covered()),
            Plan::Ledger(_) => None,
        }
    }

    pub(crate) fn next(&mut self, request: &PageRequest) -> Result<Option<Stretch>, LookupError> {
        match self {
            Plan::Index(plan) => plan.next(request),
            Plan::Ledger(plan) => plan.next(request),
        }
    }
}

/// Rows, minute and seq of recent payments of interest, and the index.
type Covering = (Rows, Vec<(u32, u64)>, IndexSnapshot);

/// Rows, recent payments of interest and index that cover one position together: `search::Recent` says why in this order,
/// and why again when the index has overtaken the rows meanwhile. The index is asked for last, because another one may
/// have been put in its place, and the list been cut to that one. `None`: there is no index at the moment.
pub(crate) fn one_position(
    lookup: &Lookup,
    screen: &Screen,
    wanted: impl Fn(&Document) -> bool,
) -> Result<Option<Covering>, LookupError> {
    loop {
        let rows = lookup.reader.rows()?;
        let recent = lookup.recent.select(screen, &wanted);
        let Some(index) = lookup.index.read().clone() else {
            return Ok(None);
        };
        let snapshot = index.snapshot();
        if snapshot.position().batch_no <= rows.head().batch_no {
            return Ok(Some((rows, recent, snapshot)));
        }
    }
}

fn walk_order(order: Order) -> search::Order {
    match order {
        Order::NewestFirst => search::Order::NewestFirst,
        Order::OldestFirst => search::Order::OldestFirst,
    }
}

pub(crate) fn minute_start(minute: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(minute) * 60, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

pub(crate) struct IndexFirst {
    recent: Recently,
    walk: Walk,
    /// Hits that were read and not yet handed on.
    pending: VecDeque<Hit>,
    stretch: usize,
    ended: bool,
}

impl IndexFirst {
    fn next(&mut self, request: &PageRequest) -> Result<Option<Stretch>, LookupError> {
        if self.ended {
            return Ok(None);
        }
        if self.pending.is_empty() {
            self.pending = self.walk.next_hours(request.limit + 1)?.unwrap_or_default().into();
        }
        let Some(hits) = front(&mut self.pending, self.stretch, |hit| hit.minute) else {
            self.ended = true;
            let seqs = self.recent.rest();
            return Ok(Some(Stretch {
                seqs,
                end: End::Everything,
            }));
        };
        let minute = hits.last().map_or(0, |hit| hit.minute);
        let mut seqs = self.recent.until(minute);
        seqs.extend(hits.into_iter().map(|hit| hit.seq));
        let end = match request.order {
            Order::NewestFirst => End::DownTo(minute_start(minute)),
            Order::OldestFirst => End::UpTo(minute_start(minute) + TimeDelta::minutes(1) - TimeDelta::microseconds(1)),
        };
        Ok(Some(Stretch { seqs, end }))
    }
}

/// The first `count` of them and all that follow of the last one's group; `None` where there is nothing.
fn front<T, K: PartialEq>(pending: &mut VecDeque<T>, count: usize, group: impl Fn(&T) -> K) -> Option<Vec<T>> {
    let last = group(pending.get(count.saturating_sub(1)).or_else(|| pending.back())?);
    let more = pending.iter().skip(count).take_while(|one| group(one) == last).count();
    let end = count.saturating_add(more).min(pending.len());
    Some(pending.drain(..end).collect())
}

pub(crate) struct LedgerFirst {
    joint: Rc<Joint>,
    /// What is still to be read.
    span: Span,
    /// Candidates that were read and not yet handed on.
    pending: VecDeque<Candidate>,
    chunk: usize,
    pace: Pace,
    /// The table has no more.
    ended: bool,
}

impl LedgerFirst {
    fn next(&mut self, request: &PageRequest) -> Result<Option<Stretch>, LookupError> {
        if self.pending.is_empty() {
            if self.ended {
                return Ok(None);
            }
            self.read(request)?;
        }
        let found = front(&mut self.pending, self.pace.stretch, |one| one.occurred_at).unwrap_or_default();
        let end = match found.last() {
            Some(last) if !(self.ended && self.pending.is_empty()) => match request.order {
                Order::NewestFirst => End::DownTo(last.occurred_at),
                Order::OldestFirst => End::UpTo(last.occurred_at),
            },
            _ => End::Everything,
        };
        Ok(Some(Stretch {
            seqs: found.into_iter().map(|candidate| candidate.seq).collect(),
            end,
        }))
    }

    fn read(&mut self, request: &PageRequest) -> Result<(), LookupError> {
        let found = self.joint.candidates(&Asked {
            filter: &request.filter,
            scope: &request.scope,
            order: request.order,
            since: self.span.from,
            until: self.span.to,
            limit: self.chunk,
        })?;
        match found.last() {
            Some(last) if found.len() >= self.chunk => {
                let step = TimeDelta::microseconds(1);
                match request.order {
                    Order::NewestFirst => self.span.to = Some(last.occurred_at - step),
                    Order::OldestFirst => self.span.from = Some(last.occurred_at + step),
                }
            }
            _ => self.ended = true,
        }
        self.chunk = (self.chunk * 2).min(self.pace.chunk_max);
        self.pending = found.into();
        Ok(())
    }
}
