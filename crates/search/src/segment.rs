//! One immutable segment of the index, with what reading it needs at hand.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use tantivy::columnar::Column;
use tantivy::index::SegmentId;
use tantivy::postings::TermInfo;
use tantivy::schema::{IndexRecordOption, Term};
use tantivy::{DocId, DocSet, InvertedIndexReader, SegmentReader, TERMINATED};

use crate::cursor::Cursor;
use crate::error::SearchError;
use crate::fields::{DIGEST, Fields, KEY, PART_DIGEST, WHEN};
use crate::hours::SegmentHours;
use crate::part::{Part, is_payment};
use crate::prefix::{self, PrefixDocuments};
use crate::term_query::TermQuery;
use crate::walk::Hit;
use crate::when::{When, Within, hour_of};

pub(crate) struct Segment {
    reader: SegmentReader,
    fields: Fields,
    terms: Arc<InvertedIndexReader>,
    key: Column<u64>,
    /// Of payments.
    when: Column<u64>,
    /// Of payments, and of other parts.
    digest: Column<u64>,
    part_digest: Column<u64>,
    /// The same for every state of deletion of a segment, so a reload passes it on.
    pub(crate) hours: Arc<SegmentHours>,
}

/// What a walk has found out of its terms in the segments it has come to: a look into a dictionary takes some microseconds, and there
/// are as many as segments.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Absent where the segment does not have the term.
    terms: HashMap<(SegmentId, String), Option<TermInfo>>,
    prefixes: HashMap<(SegmentId, String), PrefixDocuments>,
}

impl Segment {
    pub(crate) fn open(
        reader: SegmentReader,
        fields: Fields,
        hours: Option<Arc<SegmentHours>>,
    ) -> Result<Self, SearchError> {
        let column = |name| reader.fast_fields().u64(name).map_err(SearchError::from);
        // A segment may hold nothing but payments, or none.
        let maybe = |name| -> Result<Column<u64>, SearchError> {
            let found = reader.fast_fields().u64_lenient(name)?;
            Ok(found.map_or_else(|| Column::build_empty_column(reader.max_doc()), |(column, _)| column))
        };
        let key = column(KEY)?;
        let (when, digest, part_digest) = (maybe(WHEN)?, maybe(DIGEST)?, maybe(PART_DIGEST)?);
        let hours = match hours {
            Some(hours) => hours,
            None => Arc::new(SegmentHours::of(&reader, fields.walked)?),
        };
        let terms = reader.inverted_index(fields.terms)?;
        Ok(Segment {
            terms,
            key,
            when,
            digest,
            part_digest,
            hours,
            fields,
            reader,
        })
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.reader.segment_id()
    }

    /// Names the state of deletion.
    pub(crate) fn delete_opstamp(&self) -> Option<u64> {
        self.reader.delete_opstamp()
    }

    /// Documents, deleted ones included.
    pub(crate) fn max_doc(&self) -> u32 {
        self.reader.max_doc()
    }

    /// Of payments, deleted ones included.
    pub(crate) fn payments(&self) -> u64 {
        self.hours.total()
    }

    pub(crate) fn key_max(&self) -> u64 {
        self.key.max_value()
    }

    /// Every live document's key and digest.
    pub(crate) fn digests(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.reader
            .doc_ids_alive()
            .map(|document| (value(&self.key, document), self.digest(document)))
    }

    /// Adds the digests of the live documents with this key.
    pub(crate) fn add_digests_of(&self, key: u64, digests: &mut Vec<u64>) -> Result<(), SearchError> {
        self.documents_of(key, |document| {
            if self.is_live(document) {
                digests.push(self.digest(document));
            }
        })
    }

    fn digest(&self, document: DocId) -> u64 {
        let column = match is_payment(value(&self.key, document)) {
            true => &self.digest,
            false => &self.part_digest,
        };
        column.first(document).unwrap_or(0)
    }

    fn documents_of(&self, key: u64, mut take: impl FnMut(DocId)) -> Result<(), SearchError> {
        if !(self.key.min_value()..=self.key.max_value()).contains(&key) {
            return Ok(());
        }
        let term = Term::from_field_u64(self.fields.key, key);
        let index = self.reader.inverted_index(self.fields.key)?;
        let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? else {
            return Ok(());
        };
        while postings.doc() != TERMINATED {
            take(postings.doc());
            postings.advance();
        }
        Ok(())
    }

    /// Adds the payments that have a term of another part than theirs, as a question names it. Returns whether they were too many to be
    /// read.
    pub(crate) fn add_payments_of(&self, query: &TermQuery, seqs: &mut Vec<u64>) -> Result<bool, SearchError> {
        let mut cursor = self.cursor(query, &mut Known::default())?;
        if matches!(cursor, Cursor::Everything { .. }) {
            return Ok(true);
        }
        let mut document = cursor.seek(0);
        while document != TERMINATED {
            if self.is_live(document) {
                seqs.push(Part::seq_of(value(&self.key, document)));
            }
            document = cursor.seek(document + 1);
        }
        Ok(false)
    }

    /// No more documents than these satisfy the question, and no more than `most` are counted.
    pub(crate) fn estimate(&self, query: &TermQuery, most: u64, known: &mut Known) -> Result<u64, SearchError> {
        let most = most.min(u64::from(self.max_doc()));
        let count = match query {
            TermQuery::All => most,
            TermQuery::None => 0,
            TermQuery::Term(text) => self.term(text, known)?.map_or(0, |info| u64::from(info.doc_freq)),
            TermQuery::Prefix(text) => prefix::estimate(&self.terms, text)?.unwrap_or(most),
            TermQuery::OneOf(seqs) => self.within(seqs).len() as u64,
            TermQuery::And(members) => {
                let mut least = most;
                for member in members {
                    least = self.estimate(member, least, known)?;
                }
                least
            }
            TermQuery::Or(members) => {
                let mut sum = 0;
                for member in members {
                    if sum >= most {
                        break;
                    }
                    sum += self.estimate(member, most, known)?;
                }
                sum
            }
        };
        Ok(count.min(most))
    }

    /// Adds the live documents that satisfy the question, lie in these of the segment's hours and in the times asked for, in no order.
    pub(crate) fn hits(
        &self,
        query: &TermQuery,
        window: Range<usize>,
        within: &Within,
        known: &mut Known,
        hits: &mut Vec<Hit>,
    ) -> Result<(), SearchError> {
        if window.is_empty() {
            return Ok(());
        }
        let mut cursor = self.cursor(query, known)?;
        let whole = window == (0..self.hours.len());
        let in_window = || -> u64 { window.clone().map(|at| self.hours.documents(at)).sum() };
        if whole || cursor.cost() <= in_window() {
            let hours = self.hours.hours(window);
            let (first, last) = (hours.first().copied().unwrap_or(0), hours.last().copied().unwrap_or(0));
            let mut document = cursor.seek(0);
            while document != TERMINATED {
                if self.is_payment(document) && self.is_live(document) {
                    let when = self.when(document);
                    if (first..=last).contains(&hour_of(when.minute)) && within.holds(when) {
                        hits.push(self.hit(document, when));
                    }
                }
                document = cursor.seek(document + 1);
            }
            return Ok(());
        }
        for document in self.documents_in(window)? {
            if cursor.seek(document) == document && self.is_live(document) {
                let when = self.when(document);
                if within.holds(when) {
                    hits.push(self.hit(document, when));
                }
            }
        }
        Ok(())
    }

    /// The documents of these hours, ascending.
    fn documents_in(&self, window: Range<usize>) -> Result<Vec<DocId>, SearchError> {
        let index = self.reader.inverted_index(self.fields.walked)?;
        let mut documents = Vec::new();
        for hour in self.hours.hours(window) {
            let term = Term::from_field_u64(self.fields.walked, u64::from(*hour));
            let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? else {
                continue;
            };
            while postings.doc() != TERMINATED {
                documents.push(postings.doc());
                postings.advance();
            }
        }
        documents.sort_unstable();
        Ok(documents)
    }

    fn cursor(&self, query: &TermQuery, known: &mut Known) -> Result<Cursor, SearchError> {
        let everything = Cursor::Everything {
            documents: self.max_doc(),
        };
        Ok(match query {
            TermQuery::All => everything,
            TermQuery::None => Cursor::Nothing,
            TermQuery::Term(text) => match self.term(text, known)? {
                None => Cursor::Nothing,
                Some(info) => {
                    let postings = self
                        .terms
                        .read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
                    Cursor::Postings(Box::new(postings))
                }
            },
            TermQuery::Prefix(text) => match self.prefix(text, known)? {
                PrefixDocuments::Dense => everything,
                PrefixDocuments::List(documents) => Cursor::list(documents),
            },
            TermQuery::OneOf(seqs) => {
                let mut documents = Vec::new();
                for seq in self.within(seqs) {
                    self.documents_of(Part::Payment.key(*seq), |document| documents.push(document))?;
                }
                documents.sort_unstable();
                Cursor::list(documents.into())
            }
            TermQuery::And(members) => {
                let members: Result<Vec<Cursor>, SearchError> =
                    members.iter().map(|member| self.cursor(member, known)).collect();
                Cursor::and(members?, self.max_doc())
            }
            TermQuery::Or(members) => {
                let members: Result<Vec<Cursor>, SearchError> =
                    members.iter().map(|member| self.cursor(member, known)).collect();
                Cursor::or(members?)
            }
        })
    }

    fn term(&self, text: &str, known: &mut Known) -> Result<Option<TermInfo>, SearchError> {
        let key = (self.id(), text.to_owned());
        if let Some(found) = known.terms.get(&key) {
            return Ok(found.clone());
        }
        let found = self.terms.terms().get(text)?;
        known.terms.insert(key, found.clone());
        Ok(found)
    }

    fn prefix(&self, text: &str, known: &mut Known) -> Result<PrefixDocuments, SearchError> {
        let key = (self.id(), text.to_owned());
        if let Some(found) = known.prefixes.get(&key) {
            return Ok(found.clone());
        }
        let found = prefix::documents(&self.terms, text, self.max_doc())?;
        known.prefixes.insert(key, found.clone());
        Ok(found)
    }

    /// Of a payment, each of which has one.
    fn when(&self, document: DocId) -> When {
        When::unpacked(self.when.first(document).unwrap_or(0))
    }

    fn hit(&self, document: DocId, when: When) -> Hit {
        Hit {
            minute: when.minute,
            seq: Part::seq_of(value(&self.key, document)),
        }
    }

    /// Those that the segment can hold.
    fn within<'s>(&self, seqs: &'s [u64]) -> &'s [u64] {
        let start = seqs.partition_point(|seq| *seq < Part::seq_of(self.key.min_value()));
        let end = seqs.partition_point(|seq| *seq <= Part::seq_of(self.key.max_value()));
        seqs.get(start..end).unwrap_or_default()
    }

    fn is_payment(&self, document: DocId) -> bool {
        is_payment(value(&self.key, document))
    }

    fn is_live(&self, document: DocId) -> bool {
        self.reader.alive_bitset().is_none_or(|alive| alive.is_alive(document))
    }
}

/// Every document has exactly one value in this column.
fn value(column: &Column<u64>, document: DocId) -> u64 {
    column.values.get_val(document)
}
