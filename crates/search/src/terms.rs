//! The terms of one payment, one after the other in memory: some sixty short texts, which as strings of their own would take
//! three times the room and the time to make.

use crate::term;

/// Sorted and distinct texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    texts: Box<str>,
    /// Of each text, in bytes.
    lengths: Box<[u16]>,
}

impl Terms {
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut rest = &*self.texts;
        self.lengths.iter().map(move |length| {
            let (text, others) = rest.split_at(usize::from(*length));
            rest = others;
            text
        })
    }

    pub fn contains(&self, term: &str) -> bool {
        self.iter().any(|text| text == term)
    }

    /// Whether one of them begins so.
    pub fn any_begins_with(&self, prefix: &str) -> bool {
        self.iter().any(|text| text.starts_with(prefix))
    }
}

impl<S: AsRef<str>> FromIterator<S> for Terms {
    fn from_iter<I: IntoIterator<Item = S>>(texts: I) -> Self {
        let mut builder = TermsBuilder::default();
        for text in texts {
            builder.add(|out| out.push_str(text.as_ref()));
        }
        builder.finish()
    }
}

/// Takes terms in any order.
#[derive(Default)]
pub(crate) struct TermsBuilder {
    texts: String,
    /// Where each begins, and its length.
    places: Vec<(usize, u16)>,
    /// Repeats are removed when there are so many.
    distinct_from: usize,
}

/// So many terms are held until repeats are removed: hundreds of long texts have millions of pairs of characters, most of them the same.
const DISTINCT_FROM: usize = 65_536;

impl TermsBuilder {
    /// Adds the one term that `write` appends, of which the engine takes at most [`term::BYTES_MAX`] bytes.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut String)) {
        let start = self.texts.len();
        write(&mut self.texts);
        let end = self.texts.floor_char_boundary(start + usize::from(term::BYTES_MAX));
        self.texts.truncate(end);
        self.places.push((start, (end - start) as u16));
        if self.places.len() >= self.distinct_from.max(DISTINCT_FROM) {
            self.make_distinct();
            self.distinct_from = 2 * self.places.len();
        }
    }

    fn make_distinct(&mut self) {
        let bytes = self.texts.as_bytes();
        let of = |(start, length): (usize, u16)| &bytes[start..start + usize::from(length)];
        self.places.sort_unstable_by(|a, b| of(*a).cmp(of(*b)));
        self.places.dedup_by(|a, b| of(*a) == of(*b));
        let total = self.places.iter().map(|(_, length)| usize::from(*length)).sum();
        let mut texts = String::with_capacity(total);
        for (start, length) in &mut self.places {
            let at = texts.len();
            texts.push_str(&self.texts[*start..*start + usize::from(*length)]);
            *start = at;
        }
        self.texts = texts;
    }

    pub(crate) fn finish(mut self) -> Terms {
        self.make_distinct();
        Terms {
            texts: self.texts.into_boxed_str(),
            lengths: self.places.iter().map(|(_, length)| *length).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_sorted_and_distinct() {
        let terms: Terms = ["mm1", "g아메", "", "iord2", "g아메", "iord1", ""]
            .into_iter()
            .collect();
        assert_eq!(terms.iter().collect::<Vec<_>>(), ["", "g아메", "iord1", "iord2", "mm1"]);
        assert_eq!(terms.len(), 5);
        assert!(terms.contains("iord2") && !terms.contains("iord"));
        assert!(terms.any_begins_with("iord") && !terms.any_begins_with("m2"));
        assert!(Terms::default().is_empty());
    }

    #[test]
    fn repeats_do_not_heap_up() {
        let mut builder = TermsBuilder::default();
        for n in 0..10 * DISTINCT_FROM {
            builder.add(|out| out.push_str(&(n % 1_000).to_string()));
            assert!(builder.places.len() <= DISTINCT_FROM);
        }
        let terms = builder.finish();
        assert_eq!(terms.len(), 1_000);
        assert!(terms.contains("0") && terms.contains("999") && terms.iter().is_sorted());
    }

    #[test]
    fn a_term_is_cut_at_a_character() {
        let long = "가".repeat(30_000);
        let terms: Terms = [long.as_str()].into_iter().collect();
        let cut = terms.iter().next().unwrap_or_default();
        assert_eq!(cut.len(), usize::from(term::BYTES_MAX) / 3 * 3);
        assert!(long.starts_with(cut));
    }
}
