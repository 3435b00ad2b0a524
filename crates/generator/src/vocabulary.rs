//! Names, items and reasons in three scripts.
//!
//! A few hundred words give tens of thousands of item names and thousands of people, so that a search for two
//! characters finds many payments, one for a whole name few, and one for a rare combination none or one.
//! Words are escaped for JSON once, when the stream starts.

mod japanese;
mod korean;
mod latin;

use crate::random::Draws;

/// Cafés, fashion, books, electronics, beauty, tickets, groceries, digital goods.
pub(crate) const CATEGORIES: u32 = 8;

/// The script in which a merchant's shoppers and items are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Korean,
    Latin,
    Japanese,
}

/// Words, each ready to be put between two quotes of a JSON text.
pub(crate) struct Words(Vec<Box<str>>);

impl Words {
    fn new(words: &[&str]) -> Self {
        Self(words.iter().copied().map(escaped).collect())
    }

    pub(crate) fn pick(&self, draws: &mut Draws) -> &str {
        &self.0[draws.index(self.0.len())]
    }

    pub(crate) fn at(&self, index: usize) -> &str {
        &self.0[index % self.0.len()]
    }
}

/// What one language offers.
pub(crate) struct Lexicon {
    pub(crate) family: Words,
    /// Given names have one part, or two (Korean syllables).
    pub(crate) given: Vec<Words>,
    pub(crate) adjectives: Words,
    pub(crate) nouns: Vec<Words>,
    pub(crate) options: Words,
    pub(crate) reasons: Words,
    pub(crate) failures: Vec<(Box<str>, Box<str>)>,
    pub(crate) stores: Words,
    /// Between family and given name, and which comes first.
    pub(crate) family_first: bool,
    pub(crate) name_gap: &'static str,
    /// After the first item of a basket: `외 2건`.
    pub(crate) more: (&'static str, &'static str),
}

pub(crate) struct Vocabulary {
    korean: Lexicon,
    latin: Lexicon,
    japanese: Lexicon,
}

impl Vocabulary {
    pub(crate) fn new() -> Self {
        let nouns = |lists: [&[&str]; CATEGORIES as usize]| lists.map(Words::new).into();
        let failures = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(code, text)| (escaped(code), escaped(text)))
                .collect()
        };
        Self {
            korean: Lexicon {
                family: Words::new(korean::FAMILY),
                given: vec![Words::new(korean::GIVEN_FIRST), Words::new(korean::GIVEN_LAST)],
                adjectives: Words::new(korean::ADJECTIVES),
                nouns: nouns(korean::NOUNS),
                options: Words::new(korean::OPTIONS),
                reasons: Words::new(korean::REASONS),
                failures: failures(korean::FAILURES),
                stores: Words::new(korean::STORES),
                family_first: true,
                name_gap: "",
                more: (" 외 ", "건"),
            },
            latin: Lexicon {
                family: Words::new(latin::FAMILY),
                given: vec![Words::new(latin::GIVEN)],
                adjectives: Words::new(latin::ADJECTIVES),
                nouns: nouns(latin::NOUNS),
                options: Words::new(latin::OPTIONS),
                reasons: Words::new(latin::REASONS),
                failures: failures(latin::FAILURES),
                stores: Words::new(latin::STORES),
                family_first: false,
                name_gap: " ",
                more: (" and ", " more"),
            },
            japanese: Lexicon {
                family: Words::new(japanese::FAMILY),
                given: vec![Words::new(japanese::GIVEN)],
                adjectives: Words::new(japanese::ADJECTIVES),
                nouns: nouns(japanese::NOUNS),
                options: Words::new(japanese::OPTIONS),
                reasons: Words::new(japanese::REASONS),
                failures: failures(japanese::FAILURES),
                stores: Words::new(japanese::STORES),
                family_first: true,
                name_gap: " ",
                more: (" 他", "点"),
            },
        }
    }

    pub(crate) fn of(&self, language: Language) -> &Lexicon {
        match language {
            Language::Korean => &self.korean,
            Language::Latin => &self.latin,
            Language::Japanese => &self.japanese,
        }
    }
}

/// The text as it stands between the quotes of a JSON string.
fn escaped(text: &str) -> Box<str> {
    let quoted = serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned());
    quoted[1..quoted.len() - 1].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_from_json_as_they_were() {
        for word in [
            "\"Original\"",
            "27\" Monitor",
            "O'Connor",
            "카페라떼",
            "ﾏｳｽ",
            "a\\b",
            "\"",
        ] {
            let text = format!("\"{}\"", escaped(word));
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), word);
        }
    }
}
