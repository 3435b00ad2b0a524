//! A quick look at terms: whether a document cannot match a question.
//!
//! A search looks at every document that the index has not reached, some ten thousand under load. Their terms lie all over
//! memory, so each document is first judged by a Bloom filter that lies beside the others: 512 bits, two for each term.
//! With the 60 terms of a payment a fifth of the bits are set, and one document in twenty-five is looked at for nothing.

use xxhash_rust::xxh3::xxh3_64;

use crate::term_query::TermQuery;
use crate::terms::Terms;

const WORDS: usize = 8;
const BITS: u64 = WORDS as u64 * 64;

/// The terms of a document as a Bloom filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TermMask([u64; WORDS]);

impl TermMask {
    pub(crate) fn of(terms: &Terms) -> Self {
        let mut mask = TermMask::default();
        for bit in terms.iter().flat_map(bits) {
            let (word, bit) = place(bit);
            mask.0[word] |= bit;
        }
        mask
    }

    fn has(&self, bit: u16) -> bool {
        let (word, bit) = place(bit);
        self.0[word] & bit != 0
    }
}

fn bits(term: &str) -> [u16; 2] {
    let hash = xxh3_64(term.as_bytes());
    [(hash % BITS) as u16, (hash / BITS % BITS) as u16]
}

fn place(bit: u16) -> (usize, u64) {
    (usize::from(bit) / 64, 1 << (bit % 64))
}

/// A question as it is asked of a [`TermMask`]: whatever matches the question is let through.
#[derive(Clone, Debug)]
pub enum Screen {
    Anything,
    Nothing,
    /// Both bits of a term.
    Term([u16; 2]),
    And(Vec<Screen>),
    Or(Vec<Screen>),
}

impl Screen {
    pub fn of(query: &TermQuery) -> Self {
        match query {
            // What a term begins with leaves no trace.
            TermQuery::All | TermQuery::Prefix(_) | TermQuery::OneOf(_) => Screen::Anything,
            TermQuery::None => Screen::Nothing,
            TermQuery::Term(term) => Screen::Term(bits(term)),
            TermQuery::And(members) => Screen::And(members.iter().map(Screen::of).collect()),
            TermQuery::Or(members) => Screen::Or(members.iter().map(Screen::of).collect()),
        }
    }

    pub(crate) fn lets_through(&self, mask: &TermMask) -> bool {
        match self {
            Screen::Anything => true,
            Screen::Nothing => false,
            Screen::Term(bits) => bits.iter().all(|bit| mask.has(*bit)),
            Screen::And(members) => members.iter().all(|member| member.lets_through(mask)),
            Screen::Or(members) => members.iter().any(|member| member.lets_through(mask)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_matches_is_held_back() {
        let terms = |one| (0..60).map(move |term| format!("g{}", (one * 7 + term * 13) % 997));
        let documents: Vec<Terms> = (0..200).map(|one| terms(one).collect()).collect();
        let term = |number: usize| TermQuery::Term(format!("g{number}"));
        let mut held_back = 0;
        for number in 0..997 {
            let queries = [
                term(number),
                TermQuery::all_of([term(number), term((number + 13) % 997)]),
                TermQuery::any_of([term(number), TermQuery::Prefix("g99".to_owned())]),
                TermQuery::all_of([term(number), TermQuery::Prefix("g9".to_owned())]),
            ];
            for query in queries {
                let screen = Screen::of(&query);
                for terms in &documents {
                    let through = screen.lets_through(&TermMask::of(terms));
                    assert!(through || !query.matches(terms), "{query:?} {terms:?}");
                    held_back += usize::from(!through);
                }
            }
        }
        assert!(
            held_back > 997 * 200,
            "{held_back} were held back: the screen is worth nothing"
        );
    }
}
