//! The form of a term: one character for its class, then its text.
//!
//! All classes live in one indexed field, so a document is one list of terms and a question one tree over them. The
//! document and the question make terms with the same functions, which is why a value that was cut for its length is
//! still found by the same value cut alike.

/// Longer texts are cut here, at a character's end. The engine takes 65,530 bytes; no identifier of the contract that
/// people search by comes near 512, and the recheck of the row tells two longer ones apart.
pub(crate) const TEXT_BYTES_MAX: usize = 512;

/// A term is never longer, whatever it is made of.
pub(crate) const BYTES_MAX: u16 = 65_530;

/// Divides a metadata key from its value. A key that holds the character itself can only bring a candidate too many.
const DIVIDER: char = '\u{1F}';

/// What a term says of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// An identifier, in identifier normal form.
    Identifier,
    /// The same of a settlement line.
    Line,
    /// The same of a payout.
    Payout,
    /// Two neighbouring characters of a text or a metadata value, in text normal form.
    Bigram,
    Last4,
    /// A merchant for whose keys the payment can be visible.
    Merchant,
    /// A metadata key with its value, the value in text normal form.
    Metadata,
    Issuer,
    Provider,
    Bank,
    ReasonCode,
    Channel,
    /// The payment has not arrived and its entries name several merchants. Has no text.
    SeveralMerchants,
}

impl Class {
    pub(crate) const fn letter(self) -> char {
        match self {
            Class::Identifier => 'i',
            Class::Line => 's',
            Class::Payout => 'o',
            Class::Bigram => 'g',
            Class::Last4 => 'l',
            Class::Merchant => 'm',
            Class::Metadata => 'k',
            Class::Issuer => 'u',
            Class::Provider => 'p',
            Class::Bank => 'b',
            Class::ReasonCode => 'r',
            Class::Channel => 'c',
            Class::SeveralMerchants => 'x',
        }
    }

    /// The term of this class with a text that is in its normal form already.
    pub(crate) fn term(self, text: &str) -> String {
        let mut term = String::new();
        self.write(text, &mut term);
        term
    }

    /// The same, appended to `out`.
    pub(crate) fn write(self, text: &str, out: &mut String) {
        out.push(self.letter());
        out.push_str(cut(text));
    }
}

/// The term of a metadata pair whose value is in text normal form.
pub(crate) fn metadata(key: &str, value: &str) -> String {
    Class::Metadata.term(&format!("{key}{DIVIDER}{value}"))
}

/// The texts of the bigrams of a text in text normal form. Spaces count as characters, so that two words of one letter each
/// are still found by something.
pub(crate) fn pairs(normal: &str) -> impl Iterator<Item = &str> {
    let ends = normal.char_indices().skip(1).map(|(at, second)| at + second.len_utf8());
    normal
        .char_indices()
        .zip(ends)
        .map(|((start, _), end)| &normal[start..end])
}

/// The longest beginning of whole characters that is short enough. If one text begins another, so do their cut forms.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let normal = query::fold(text);
        assert_eq!(pairs(&normal).collect::<Vec<_>>(), expect, "{text}");
    }

    #[test]
    fn bigrams_are_pairs_of_characters_of_the_normal_form() {
        check("아메리", &["아메", "메리"]);
        check("ﾏｳｽ", &["マウ", "ウス"]);
        check("A  b", &["a ", " b"]);
        check("𠮷野家", &["𠮷野", "野家"]);
        check("x", &[]);
        check("", &[]);
    }

    #[test]
    fn a_cut_beginning_begins_what_was_cut_from_the_same_text() {
        for unit in ["a", "é", "가", "𠮷"] {
            let long = unit.repeat(400);
            for chars in [4, 100, 127, 128, 129, 170, 171, 256, 257, 399, 400] {
                let beginning: String = long.chars().take(chars).collect();
                let (whole, part) = (Class::Identifier.term(&long), Class::Identifier.term(&beginning));
                assert!(whole.starts_with(&part), "{chars} of {unit}");
                assert!(whole.len() <= 1 + TEXT_BYTES_MAX);
            }
        }
    }
}
