//! The documents of one segment that satisfy a [`TermQuery`], in ascending order.
//!
//! The engine's own queries carry scorers that nothing here needs, so the tree is walked directly over its posting lists:
//! every node answers one question, "the first document at or after this one".

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::postings::SegmentPostings;
use tantivy::{DocId, DocSet, TERMINATED};

pub(crate) enum Cursor {
    Nothing,
    /// Every document of the segment, of which there are so many.
    Everything {
        documents: u32,
    },
    Postings(Box<SegmentPostings>),
    List {
        documents: Arc<[DocId]>,
        at: usize,
    },
    /// The rarest first; at least one.
    And(Vec<Cursor>),
    Or(Union),
}

/// The members by the document each stands at, so that a wide OR (a key with thousands of merchants) moves only those
/// that are behind.
pub(crate) struct Union {
    members: Vec<Cursor>,
    standing: BinaryHeap<Reverse<(DocId, usize)>>,
}

impl Cursor {
    pub(crate) fn list(documents: Arc<[DocId]>) -> Cursor {
        Cursor::List { documents, at: 0 }
    }

    /// All members, in a segment of so many documents.
    pub(crate) fn and(members: Vec<Cursor>, documents: u32) -> Cursor {
        let narrows = |member: &Cursor| !matches!(member, Cursor::Everything { .. });
        let mut members: Vec<Cursor> = members.into_iter().filter(narrows).collect();
        if members.is_empty() {
            return Cursor::Everything { documents };
        }
        members.sort_by_key(Cursor::cost);
        Cursor::And(members)
    }

    pub(crate) fn or(mut members: Vec<Cursor>) -> Cursor {
        let standing = members
            .iter_mut()
            .enumerate()
            .map(|(at, member)| Reverse((member.seek(0), at)))
            .collect();
        Cursor::Or(Union { members, standing })
    }

    /// No more documents than these, in lists to read.
    pub(crate) fn cost(&self) -> u64 {
        match self {
            Cursor::Nothing => 0,
            Cursor::Everything { documents } => u64::from(*documents),
            Cursor::Postings(postings) => u64::from(postings.doc_freq()),
            Cursor::List { documents, .. } => documents.len() as u64,
            Cursor::And(members) => members.iter().map(Cursor::cost).min().unwrap_or(0),
            Cursor::Or(union) => union.members.iter().map(Cursor::cost).sum(),
        }
    }

    /// The first document that is `target` or later, [`TERMINATED`] if there is none. Targets never go back.
    pub(crate) fn seek(&mut self, target: DocId) -> DocId {
        match self {
            Cursor::Nothing => TERMINATED,
            Cursor::Everything { documents } => {
                if target < *documents {
                    target
                } else {
                    TERMINATED
                }
            }
            Cursor::Postings(postings) => {
                if postings.doc() < target {
                    postings.seek(target)
                } else {
                    postings.doc()
                }
            }
            Cursor::List { documents, at } => {
                *at += documents[*at..].partition_point(|document| *document < target);
                documents.get(*at).copied().unwrap_or(TERMINATED)
            }
            Cursor::And(members) => seek_all(members, target),
            Cursor::Or(union) => union.seek(target),
        }
    }
}

/// Leapfrog: whoever is ahead names the next target, until all stand at it.
fn seek_all(members: &mut [Cursor], mut target: DocId) -> DocId {
    'target: while target < TERMINATED {
        for member in &mut *members {
            let document = member.seek(target);
            if document > target {
                target = document;
                continue 'target;
            }
        }
        return target;
    }
    TERMINATED
}

impl Union {
    fn seek(&mut self, target: DocId) -> DocId {
        while let Some(mut top) = self.standing.peek_mut() {
            let Reverse((document, at)) = *top;
            if document >= target {
                return document;
            }
            // Changing the top in place sifts it down to where it now belongs.
            *top = Reverse((self.members[at].seek(target), at));
        }
        TERMINATED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(documents: &[DocId]) -> Cursor {
        Cursor::list(documents.into())
    }

    fn check(mut cursor: Cursor, expect: &[DocId]) {
        let mut found = Vec::new();
        let mut target = 0;
        loop {
            let document = cursor.seek(target);
            if document == TERMINATED {
                break;
            }
            assert_eq!(cursor.seek(document), document, "asking again changes nothing");
            found.push(document);
            target = document + 1;
        }
        assert_eq!(found, expect);
        assert_eq!(cursor.seek(TERMINATED), TERMINATED);
    }

    #[test]
    fn cursors_are_sets() {
        check(Cursor::Nothing, &[]);
        check(Cursor::Everything { documents: 3 }, &[0, 1, 2]);
        check(list(&[1, 5, 9]), &[1, 5, 9]);
        let all = || Cursor::Everything { documents: 11 };
        let and = |members| Cursor::and(members, 11);
        check(and(vec![list(&[1, 2, 3, 8, 9]), list(&[2, 8, 10]), all()]), &[2, 8]);
        check(and(vec![all(), all()]), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        check(and(vec![list(&[1, 2]), list(&[3])]), &[]);
        check(and(vec![list(&[1, 2]), Cursor::Nothing]), &[]);
        check(
            Cursor::or(vec![list(&[1, 2, 9]), list(&[2, 8]), Cursor::Nothing]),
            &[1, 2, 8, 9],
        );
        check(Cursor::or(vec![list(&[]), and(vec![list(&[4, 6]), list(&[6])])]), &[6]);
    }
}
