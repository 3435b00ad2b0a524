//! The documents of one segment that have a term with a given beginning.
//!
//! All terms of the range count: there is no first so many. What bounds the work instead is density. Where more than an
//! eighth of a segment's documents (and more than [`EXACT_MAX`]) would be in the list, the list is not made and every
//! document counts as a candidate: then one row in eight or better is a hit, which costs less than reading millions of
//! lists of one document each. So at most an eighth of a segment's documents are read for a prefix, and only in the
//! segments that a walk comes to.

use std::sync::Arc;

use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, InvertedIndexReader, TERMINATED};

use crate::error::SearchError;

/// Lists up to this long are always made: reading them takes a few milliseconds.
pub(crate) const EXACT_MAX: usize = 65_536;

#[derive(Debug, Clone)]
pub(crate) enum PrefixDocuments {
    /// Ascending, distinct.
    List(Arc<[DocId]>),
    /// So many that every document counts as one.
    Dense,
}

pub(crate) fn documents(
    index: &InvertedIndexReader,
    prefix: &str,
    max_doc: u32,
) -> Result<PrefixDocuments, SearchError> {
    let most = EXACT_MAX.max(max_doc as usize / 8);
    if terms_count(index, prefix)? > most as u64 {
        return Ok(PrefixDocuments::Dense);
    }
    let mut documents: Vec<DocId> = Vec::new();
    let mut stream = index
        .terms()
        .range()
        .ge(prefix)
        .lt(end_of(prefix))
        .without_keys()
        .into_stream()?;
    while stream.advance() {
        read(index, stream.value(), &mut documents)?;
        if documents.len() > 4 * most {
            documents.sort_unstable();
            documents.dedup();
            if documents.len() > most {
                return Ok(PrefixDocuments::Dense);
            }
        }
    }
    documents.sort_unstable();
    documents.dedup();
    Ok(if documents.len() > most {
        PrefixDocuments::Dense
    } else {
        PrefixDocuments::List(documents.into())
    })
}

fn read(index: &InvertedIndexReader, info: &TermInfo, documents: &mut Vec<DocId>) -> Result<(), SearchError> {
    let mut postings = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    documents.reserve(postings.doc_freq() as usize);
    while postings.doc() != TERMINATED {
        documents.push(postings.doc());
        postings.advance();
    }
    Ok(())
}

/// How many terms begin so: the distance of the first and the last one in the dictionary.
fn terms_count(index: &InvertedIndexReader, prefix: &str) -> Result<u64, SearchError> {
    let range = || index.terms().range().ge(prefix).lt(end_of(prefix)).without_keys();
    let (mut first, mut last) = (range().into_stream()?, range().backward().into_stream()?);
    Ok(if first.advance() && last.advance() {
        last.term_ord() - first.term_ord() + 1
    } else {
        0
    })
}

/// No more documents than these begin so; none where there are so many terms that adding them up would take long.
pub(crate) fn estimate(index: &InvertedIndexReader, prefix: &str) -> Result<Option<u64>, SearchError> {
    const TERMS_MAX: u64 = 1_000;
    if terms_count(index, prefix)? > TERMS_MAX {
        return Ok(None);
    }
    let mut stream = index
        .terms()
        .range()
        .ge(prefix)
        .lt(end_of(prefix))
        .without_keys()
        .into_stream()?;
    let mut sum = 0;
    while stream.advance() {
        sum += u64::from(stream.value().doc_freq);
    }
    Ok(Some(sum))
}

/// The first bytes after everything that begins with the prefix. No byte of UTF-8 is 255, so the last one has a next.
fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end
}
