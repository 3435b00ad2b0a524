//! The two normal forms in which strings are compared. The stores write them, questions are brought into them, and so
//! "the same" is decided once, here.
//!
//! - **Text**: NFKC, full case folding (the same for every language), white-space runs made one space, none at the ends.
//!   `Ｓｔａｒ　커피` and `star 커피` are one text.
//! - **Identifier**: the text form without white space and hyphens: `ORD-2026 0042` and `ord20260042` are one identifier.
//!
//! Both are idempotent: what is normal stays as it is, so it never matters how often a string went through here. One pass
//! is not enough for that: folding can undo NFKC (and taking out a hyphen can bring a letter and its accent together), so
//! passes are repeated until nothing changes, which is mostly at once.

use std::borrow::Cow;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

const CASES: CaseMapperBorrowed<'static> = CaseMapper::new();

/// No string is known that needs more than three passes. The bound only makes it plain that the loops end.
const PASSES_MAX: usize = 16;

/// The text normal form.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return one_space(&text.to_ascii_lowercase()).into_owned();
    }
    let mut current = Cow::Borrowed(text);
    for _ in 0..PASSES_MAX {
        let Some(next) = changed(&current) else { break };
        current = Cow::Owned(next);
    }
    current.into_owned()
}

/// The identifier normal form.
pub fn ident(text: &str) -> String {
    let mut current = fold(text);
    if current.is_ascii() {
        // Nothing in ASCII combines, so what is left is normal already.
        current.retain(|c| c != ' ' && c != '-');
        return current;
    }
    for _ in 0..PASSES_MAX {
        let bare: String = current
            .chars()
            .filter(|c| !c.is_whitespace() && !is_hyphen(*c))
            .collect();
        if bare.len() == current.len() {
            break;
        }
        current = fold(&bare);
    }
    current
}

/// What one pass makes of the text, or None where it changes nothing.
fn changed(text: &str) -> Option<String> {
    let composed = compatible(text);
    let folded = CASES.fold_string(&composed);
    let composed_again = compatible(&folded);
    let spaced = one_space(&composed_again);
    (*spaced != *text).then(|| spaced.into_owned())
}

fn compatible(text: &str) -> Cow<'_, str> {
    match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfkc().collect()),
    }
}

fn one_space(text: &str) -> Cow<'_, str> {
    let mut after_space = true;
    let single = text.chars().all(|c| {
        let fine = if c.is_whitespace() {
            c == ' ' && !after_space
        } else {
            true
        };
        after_space = c.is_whitespace();
        fine
    });
    if single && (text.is_empty() || !after_space) {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    Cow::Owned(spaced)
}

/// Characters that people and word processors write between the groups of a number: all of Unicode's dash punctuation (as
/// of Unicode 16; NFKC has already made one of some of them), the minus sign and the soft hyphen.
fn is_hyphen(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{AD}' | '\u{58A}' | '\u{5BE}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2212}'
                | '\u{2E17}'
                | '\u{2E1A}'
                | '\u{2E3A}'
                | '\u{2E3B}'
                | '\u{2E40}'
                | '\u{2E5D}'
                | '\u{301C}'
                | '\u{3030}'
                | '\u{30A0}'
                | '\u{10D6E}'
                | '\u{10EAD}'
    )
}
