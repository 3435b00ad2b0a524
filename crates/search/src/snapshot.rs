//! One commit of the index, for as long as a question needs it.
//!
//! Terms of other parts than the payment's ([`Part`]) lie in documents of their own, perhaps in another segment. Before a question is
//! asked of the payments, each such term is looked up, and the payments it leads to stand in its place
//! ([`TermQuery::OneOf`]). They are few: a line belongs to one payment, a payout joins those of a merchant and a day.

use std::sync::Arc;

use crate::error::{SearchError, guarded};
use crate::part::{Part, is_payment};
use crate::position::IndexPosition;
use crate::segment::{Known, Segment};
use crate::term_query::TermQuery;
use crate::walk::{Order, Walk};
use crate::when::Within;

/// Payments that a term of another part may lead to; beyond them every payment is a candidate. 512 KiB.
const JOINED_MAX: usize = 1 << 16;

/// The index as one commit left it. Cheap to clone; later commits do not show.
#[derive(Clone)]
pub struct IndexSnapshot {
    position: IndexPosition,
    segments: Arc<[Arc<Segment>]>,
}

impl IndexSnapshot {
    pub(crate) fn new(position: IndexPosition, segments: Vec<Arc<Segment>>) -> Self {
        IndexSnapshot {
            position,
            segments: segments.into(),
        }
    }

    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The position that the very commit carries whose documents are read here.
    pub fn position(&self) -> &IndexPosition {
        &self.position
    }

    /// No more payments than these satisfy the question: a cheap upper bound from the lengths of lists.
    pub fn estimate(&self, query: &TermQuery) -> Result<u64, SearchError> {
        guarded(|| self.estimate_of_payments(&self.of_payments(query)?, &mut Known::default()))
    }

    /// The same of a question that has become one of payments.
    pub(crate) fn estimate_of_payments(&self, query: &TermQuery, known: &mut Known) -> Result<u64, SearchError> {
        self.segments
            .iter()
            .map(|segment| segment.estimate(query, u64::MAX, known))
            .sum()
    }

    /// The question with payments in the place of terms that others parts have.
    pub(crate) fn of_payments(&self, query: &TermQuery) -> Result<TermQuery, SearchError> {
        let all = |members: &[TermQuery]| -> Result<Vec<TermQuery>, SearchError> {
            members.iter().map(|member| self.of_payments(member)).collect()
        };
        Ok(match query {
            TermQuery::Term(text) | TermQuery::Prefix(text) if Part::of_term(text) != Part::Payment => {
                self.payments_of(query)?
            }
            TermQuery::And(members) => TermQuery::all_of(all(members)?),
            TermQuery::Or(members) => TermQuery::any_of(all(members)?),
            other => other.clone(),
        })
    }

    fn payments_of(&self, query: &TermQuery) -> Result<TermQuery, SearchError> {
        let mut seqs = Vec::new();
        for segment in self.segments.iter() {
            let are_too_many = segment.add_payments_of(query, &mut seqs)?;
            if are_too_many || seqs.len() > JOINED_MAX {
                // The check on the row decides.
                return Ok(TermQuery::All);
            }
        }
        seqs.sort_unstable();
        seqs.dedup();
        Ok(match seqs.is_empty() {
            true => TermQuery::None,
            false => TermQuery::OneOf(seqs.into()),
        })
    }

    /// The payments that may satisfy the question, of these times.
    pub fn walk(&self, query: &TermQuery, order: Order, within: &Within) -> Walk {
        Walk::new(self.clone(), query.clone(), order, within)
    }

    /// The key and digest of every document in the index, in no order: see [`Part::key`].
    pub fn digests(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.segments.iter().flat_map(|segment| segment.digests())
    }

    /// The digests of the documents with one key: of the last one written, and at times of an older one too. The engine
    /// can lose a removal to a merge that runs beside the commit, so old documents may come back; they propose a payment
    /// in vain, which the check on the row finds out.
    pub fn digests_of(&self, key: u64) -> Result<Vec<u64>, SearchError> {
        guarded(|| {
            let mut digests = Vec::new();
            for segment in self.segments.iter() {
                segment.add_digests_of(key, &mut digests)?;
            }
            Ok(digests)
        })
    }

    /// Payments in the index, and old documents of them that came back. Looks at every document.
    pub fn payment_count(&self) -> u64 {
        self.digests().filter(|(key, _)| is_payment(*key)).count() as u64
    }

    /// Each segment costs every question a few lookups. Merges run in the background without holding up commits, so a
    /// number that keeps growing says that they fall behind.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Payments, deleted ones included.
    pub(crate) fn payments(&self) -> u64 {
        self.segments.iter().map(|segment| segment.payments()).sum()
    }

    /// No document has a greater key.
    pub(crate) fn key_max(&self) -> Option<u64> {
        self.segments.iter().map(|segment| segment.key_max()).max()
    }
}

impl std::fmt::Debug for IndexSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexSnapshot")
            .field("position", &self.position)
            .field("segments", &self.segments.len())
            .finish_non_exhaustive()
    }
}
