//! One immutable segment of the index, with what reading it needs at hand.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use tantivy::columnar::Column;
use tantivy::index::SegmentId;
use tantivy::schema::{IndexRecordOption, Term};
use tantivy::{DocId, DocSet, InvertedIndexReader, SegmentReader, TERMINATED};

use crate::cursor::Cursor;
use crate::error::SearchError;
use crate::fields::{DIGEST, Fields, HOUR, SEQ};
use crate::hours::SegmentHours;
use crate::prefix::{self, PrefixDocuments};
use crate::term_query::TermQuery;
use crate::walk::Hit;

pub(crate) struct Segment {
    reader: SegmentReader,
    fields: Fields,
    terms: Arc<InvertedIndexReader>,
    seq: Column<u64>,
    hour: Column<u64>,
    digest: Column<u64>,
    /// The same for every state of deletion of a segment, so a reload passes it on.
    pub(crate) hours: Arc<SegmentHours>,
}

/// The lists that prefixes made in the segments a walk has come to.
pub(crate) type PrefixLists = HashMap<(SegmentId, String), PrefixDocuments>;

impl Segment {
    pub(crate) fn open(
        reader: SegmentReader,
        fields: Fields,
        hours: Option<Arc<SegmentHours>>,
    ) -> Result<Self, SearchError> {
        let column = |name| reader.fast_fields().u64(name).map_err(SearchError::from);
        let (seq, hour, digest) = (column(SEQ)?, column(HOUR)?, column(DIGEST)?);
        let hours = match hours {
            Some(hours) => hours,
            None => Arc::new(SegmentHours::of(&reader, fields.hour)?),
        };
        let terms = reader.inverted_index(fields.terms)?;
        Ok(Segment {
            terms,
            seq,
            hour,
            digest,
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

    /// Documents that are not deleted.
    pub(crate) fn live_documents(&self) -> u32 {
        self.reader.num_docs()
    }

    pub(crate) fn seq_max(&self) -> u64 {
        self.seq.max_value()
    }

    /// Every live document's seq and digest.
    pub(crate) fn digests(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.reader
            .doc_ids_alive()
            .map(|document| (value(&self.seq, document), value(&self.digest, document)))
    }

    /// Adds the digests of the live documents with this seq.
    pub(crate) fn add_digests_of(&self, seq: u64, digests: &mut Vec<u64>) -> Result<(), SearchError> {
        let term = Term::from_field_u64(self.fields.seq, seq);
        let index = self.reader.inverted_index(self.fields.seq)?;
        let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? else {
            return Ok(());
        };
        while postings.doc() != TERMINATED {
            if self.is_live(postings.doc()) {
                digests.push(value(&self.digest, postings.doc()));
            }
            postings.advance();
        }
        Ok(())
    }

    /// No more documents than these satisfy the question, and no more than `most` are counted.
    pub(crate) fn estimate(&self, query: &TermQuery, most: u64) -> Result<u64, SearchError> {
        let most = most.min(u64::from(self.max_doc()));
        let count = match query {
            TermQuery::All => most,
            TermQuery::None => 0,
            TermQuery::Term(text) => self.terms.terms().get(text)?.map_or(0, |info| u64::from(info.doc_freq)),
            TermQuery::Prefix(text) => prefix::estimate(&self.terms, text)?.unwrap_or(most),
            TermQuery::And(members) => {
                let mut least = most;
                for member in members {
                    least = self.estimate(member, least)?;
                }
                least
            }
            TermQuery::Or(members) => {
                let mut sum = 0;
                for member in members {
                    if sum >= most {
                        break;
                    }
                    sum += self.estimate(member, most)?;
                }
                sum
            }
        };
        Ok(count.min(most))
    }

    /// Adds the live documents that satisfy the question and lie in these of the segment's hours, in no order.
    pub(crate) fn hits(
        &self,
        query: &TermQuery,
        window: Range<usize>,
        lists: &mut PrefixLists,
        hits: &mut Vec<Hit>,
    ) -> Result<(), SearchError> {
        if window.is_empty() {
            return Ok(());
        }
        let mut cursor = self.cursor(query, lists)?;
        let whole = window == (0..self.hours.len());
        let in_window = || -> u64 { window.clone().map(|at| self.hours.documents(at)).sum() };
        if whole || cursor.cost() <= in_window() {
            let hours = self.hours.hours(window);
            let (first, last) = (hours.first().copied().unwrap_or(0), hours.last().copied().unwrap_or(0));
            let mut document = cursor.seek(0);
            while document != TERMINATED {
                let hit = self.hit(document);
                if (first..=last).contains(&hit.hour) && self.is_live(document) {
                    hits.push(hit);
                }
                document = cursor.seek(document + 1);
            }
            return Ok(());
        }
        for document in self.documents_in(window)? {
            if cursor.seek(document) == document && self.is_live(document) {
                hits.push(self.hit(document));
            }
        }
        Ok(())
    }

    /// The documents of these hours, ascending.
    fn documents_in(&self, window: Range<usize>) -> Result<Vec<DocId>, SearchError> {
        let index = self.reader.inverted_index(self.fields.hour)?;
        let mut documents = Vec::new();
        for hour in self.hours.hours(window) {
            let term = Term::from_field_u64(self.fields.hour, u64::from(*hour));
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

    fn cursor(&self, query: &TermQuery, lists: &mut PrefixLists) -> Result<Cursor, SearchError> {
        let everything = Cursor::Everything {
            documents: self.max_doc(),
        };
        Ok(match query {
            TermQuery::All => everything,
            TermQuery::None => Cursor::Nothing,
            TermQuery::Term(text) => match self.terms.terms().get(text)? {
                None => Cursor::Nothing,
                Some(info) => {
                    let postings = self
                        .terms
                        .read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
                    Cursor::Postings(Box::new(postings))
                }
            },
            TermQuery::Prefix(text) => match self.prefix(text, lists)? {
                PrefixDocuments::Dense => everything,
                PrefixDocuments::List(documents) => Cursor::list(documents),
            },
            TermQuery::And(members) => {
                let members: Result<Vec<Cursor>, SearchError> =
                    members.iter().map(|member| self.cursor(member, lists)).collect();
                Cursor::and(members?, self.max_doc())
            }
            TermQuery::Or(members) => {
                let members: Result<Vec<Cursor>, SearchError> =
                    members.iter().map(|member| self.cursor(member, lists)).collect();
                Cursor::or(members?)
            }
        })
    }

    fn prefix(&self, text: &str, lists: &mut PrefixLists) -> Result<PrefixDocuments, SearchError> {
        let key = (self.id(), text.to_owned());
        if let Some(found) = lists.get(&key) {
            return Ok(found.clone());
        }
        let found = prefix::documents(&self.terms, text, self.max_doc())?;
        lists.insert(key, found.clone());
        Ok(found)
    }

    fn hit(&self, document: DocId) -> Hit {
        // Only hours that fit were ever written.
        let hour = u32::try_from(value(&self.hour, document)).unwrap_or(u32::MAX);
        Hit {
            hour,
            seq: value(&self.seq, document),
        }
    }

    fn is_live(&self, document: DocId) -> bool {
        self.reader.alive_bitset().is_none_or(|alive| alive.is_alive(document))
    }
}

/// Every document has exactly one value in each column.
fn value(column: &Column<u64>, document: DocId) -> u64 {
    column.values.get_val(document)
}
