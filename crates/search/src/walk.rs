//! Candidates in time order, a few hours at a time.
//!
//! A list shows the newest twenty of perhaps millions, so a walk takes hours from one end and reads only those. How many
//! hours it takes at a time follows from two numbers known beforehand: how many documents each hour has (of all, from
//! [`SegmentHours`](crate::hours::SegmentHours)) and how many of all documents the question can match at most. If a window
//! brings too little, the next is four times as large: a question that is rarer than it looked costs a few windows, not
//! one for every hour of its history.
//!
//! Hits know their minute, and no minute is split. Rows within it are sorted by their exact instant and key by whoever has the rows.

use std::ops::Range;

use crate::error::{SearchError, guarded};
use crate::segment::Known;
use crate::snapshot::IndexSnapshot;
use crate::term_query::TermQuery;
use crate::when::{Within, hour_of};

/// Questions with so few hits at most are answered in one window: sorting them costs less than a second look.
const AT_ONCE_MAX: u64 = 1_024;

/// Documents that a window may cover when the question may match more than so many of them, which bounds the hits that
/// are held at one time (16 bytes each), but for a single hour that has more.
const WINDOW_DOCUMENTS_MAX: u64 = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    NewestFirst,
    OldestFirst,
}

/// A candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hit {
    /// See [`minute_of`](crate::minute_of).
    pub minute: u32,
    pub seq: u64,
}

/// Goes through the candidates of a question.
#[derive(Debug)]
pub struct Walk {
    snapshot: IndexSnapshot,
    query: TermQuery,
    order: Order,
    within: Within,
    /// Of each segment the hours that are still to come.
    ahead: Vec<Range<usize>>,
    known: Known,
    /// An upper bound of all hits; not known before the first window.
    estimate: Option<u64>,
    /// How many documents the next window should cover.
    reach: u64,
    documents_covered: u64,
}

impl Walk {
    pub(crate) fn new(snapshot: IndexSnapshot, query: TermQuery, order: Order, within: &Within) -> Self {
        let ahead = snapshot.segments().iter().map(|segment| {
            let hours = &segment.hours;
            let end = hours.before(hour_of(*within.minutes.end()) + 1);
            hours.before(hour_of(*within.minutes.start())).min(end)..end
        });
        let ahead = ahead.collect();
        Walk {
            snapshot,
            query,
            order,
            within: within.clone(),
            ahead,
            known: Known::default(),
            estimate: None,
            reach: 0,
            documents_covered: 0,
        }
    }

    /// The next hours with at least `min_hits` hits together, or with all that are left; `None` once there are no more.
    /// Each call returns every hit of the hours it covers (and of the times asked for), sorted by minute in walking order and then by seq, and never
    /// comes back to an hour.
    pub fn next_hours(&mut self, min_hits: usize) -> Result<Option<Vec<Hit>>, SearchError> {
        let mut hits = Vec::new();
        self.set_out(min_hits as u64)?;
        while let Some(window) = self.next_window() {
            self.read(&window, &mut hits)?;
            if hits.len() >= min_hits.max(1) {
                break;
            }
            self.reach = self.bounded(self.reach.saturating_mul(4));
        }
        if hits.is_empty() {
            return Ok(None);
        }
        match self.order {
            Order::NewestFirst => hits.sort_unstable_by_key(|hit| (std::cmp::Reverse(hit.minute), hit.seq)),
            Order::OldestFirst => hits.sort_unstable_by_key(|hit| (hit.minute, hit.seq)),
        }
        Ok(Some(hits))
    }

    /// Documents that lie in the windows so far, for `explain`. Of a rare word next to nothing of them was read.
    pub fn documents_covered(&self) -> u64 {
        self.documents_covered
    }

    /// The first window is twice as large as hits spread evenly over all hours would need.
    fn set_out(&mut self, min_hits: u64) -> Result<(), SearchError> {
        if self.estimate.is_some() {
            return Ok(());
        }
        let estimate = guarded(|| {
            self.query = self.snapshot.of_payments(&self.query)?;
            self.snapshot.estimate_of_payments(&self.query, &mut self.known)
        })?;
        self.estimate = Some(estimate);
        let even = u128::from(self.snapshot.payments()) * u128::from(min_hits.max(1)) * 2 / u128::from(estimate.max(1));
        self.reach = match estimate {
            0..=AT_ONCE_MAX => u64::MAX,
            _ => self.bounded(u64::try_from(even).unwrap_or(u64::MAX)),
        };
        Ok(())
    }

    fn bounded(&self, reach: u64) -> u64 {
        let few = self.estimate.is_some_and(|estimate| estimate <= WINDOW_DOCUMENTS_MAX);
        if few {
            reach.max(1)
        } else {
            reach.clamp(1, WINDOW_DOCUMENTS_MAX)
        }
    }

    /// Takes whole hours from the near end until they hold as many documents as wanted.
    fn next_window(&mut self) -> Option<Vec<Range<usize>>> {
        if self.estimate == Some(0) {
            return None;
        }
        let before = self.ahead.clone();
        if self.reach == u64::MAX {
            self.documents_covered = self.snapshot.payments();
            self.ahead.iter_mut().for_each(|hours| *hours = 0..0);
            return before.iter().any(|hours| !hours.is_empty()).then_some(before);
        }
        let mut covered = 0;
        while covered < self.reach {
            let Some(hour) = self.nearest_hour() else { break };
            covered += self.take(hour);
        }
        self.documents_covered += covered;
        let taken: Vec<Range<usize>> = before
            .into_iter()
            .zip(&self.ahead)
            .map(|(before, ahead)| match self.order {
                Order::NewestFirst => ahead.end..before.end,
                Order::OldestFirst => before.start..ahead.start,
            })
            .collect();
        taken.iter().any(|hours| !hours.is_empty()).then_some(taken)
    }

    fn nearest_hour(&self) -> Option<u32> {
        let near = self
            .snapshot
            .segments()
            .iter()
            .zip(&self.ahead)
            .filter(|(_, ahead)| !ahead.is_empty());
        match self.order {
            Order::NewestFirst => near
                .filter_map(|(segment, ahead)| segment.hours.hour(ahead.end - 1))
                .max(),
            Order::OldestFirst => near
                .filter_map(|(segment, ahead)| segment.hours.hour(ahead.start))
                .min(),
        }
    }

    /// Takes an hour off every segment that has it next; returns how many documents it has.
    fn take(&mut self, hour: u32) -> u64 {
        let mut documents = 0;
        for (segment, ahead) in self.snapshot.segments().iter().zip(&mut self.ahead) {
            if (*ahead).is_empty() {
                continue;
            }
            let at = match self.order {
                Order::NewestFirst => ahead.end - 1,
                Order::OldestFirst => ahead.start,
            };
            if segment.hours.hour(at) != Some(hour) {
                continue;
            }
            documents += segment.hours.documents(at);
            match self.order {
                Order::NewestFirst => ahead.end -= 1,
                Order::OldestFirst => ahead.start += 1,
            }
        }
        documents
    }

    fn read(&mut self, window: &[Range<usize>], hits: &mut Vec<Hit>) -> Result<(), SearchError> {
        let (snapshot, query, known) = (&self.snapshot, &self.query, &mut self.known);
        guarded(|| {
            for (segment, hours) in snapshot.segments().iter().zip(window) {
                segment.hits(query, hours.clone(), &self.within, known, hits)?;
            }
            Ok(())
        })
    }
}
