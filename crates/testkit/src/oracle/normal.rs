//! How words and identifiers are compared.

use icu_casemap::CaseMapper;
use unicode_normalization::UnicodeNormalization;

/// Text as search sees it: NFKC, full case folding, white-space runs made one space, none at the ends.
pub(crate) fn text(raw: &str) -> String {
    let composed: String = raw.nfkc().collect();
    let folded = CaseMapper::new().fold_string(&composed).into_owned();
    // Folding can undo the composition (U+0390 becomes three characters), so it is composed once more.
    let composed: String = folded.nfkc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Identifiers compare without case, spaces and hyphens.
pub(crate) fn identifier(raw: &str) -> String {
    text(raw)
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}' | '\u{2011}'))
        .collect()
}
