//! The normal forms of texts and identifiers.

use proptest::prelude::*;
use query::{fold, ident};
use unicode_normalization::{UnicodeNormalization, is_nfkc};

#[test]
fn texts_are_compared_without_case_width_and_spacing() {
    for (text, expected) in [
        ("", ""),
        ("Star Coffee", "star coffee"),
        ("  Star \t\n Coffee ", "star coffee"),
        ("Ｓｔａｒ\u{3000}커피", "star 커피"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("σίσυφος", "σίσυφοσ"),
        ("İ", "i\u{307}"),
        ("ﬁnd", "find"),
        ("①", "1"),
        ("㈜가나", "(주)가나"),
        ("ｶﾞｯﾂ", "ガッツ"),
        ("\u{1100}\u{1161}", "가"),
        ("e\u{301}", "é"),
        ("a\u{a0}b", "a b"),
        ("ORD-1", "ord-1"),
        ("\u{fb05}", "st"),
        ("ΐ", "ΐ"),
        ("½", "1⁄2"),
    ] {
        assert_eq!(fold(text), expected, "{text:?}");
    }
}

#[test]
fn identifiers_are_compared_without_spaces_and_hyphens_too() {
    for (text, expected) in [
        ("ORD-2026 0042", "ord20260042"),
        ("ord\u{2010}2026\u{2011}0042\u{2212}1", "ord202600421"),
        ("０１０－１２３４－５６７８", "01012345678"),
        ("a\u{ad}b", "ab"),
        ("a_b.c/d~e+f", "a_b.c/d~e+f"),
        ("--", ""),
        (" - ", ""),
        ("Kim@Example.com", "kim@example.com"),
        // The accent meets its letter once the hyphen is gone.
        ("e-\u{301}", "é"),
        // A syllable's parts meet.
        ("\u{1100}-\u{1161}", "가"),
    ] {
        assert_eq!(ident(text), expected, "{text:?}");
    }
}

#[test]
fn every_character_has_a_stable_form() {
    for c in '\0'..=char::MAX {
        let text = c.to_string();
        let folded = fold(&text);
        assert_eq!(fold(&folded), folded, "{c:?}");
        assert!(is_nfkc(&folded), "{c:?}");
        let identifier = ident(&text);
        assert_eq!(ident(&identifier), identifier, "{c:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn forms_are_idempotent_and_blind_to_spelling(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn so_they_are_for_marks_and_letters_that_interact(text in "[ \u{a0}\\-\u{2010}\u{2212}aAıIİßſKÅΣςσΐὨᾨ\u{345}\u{308}\u{301}\u{307}\u{323}\u{1100}\u{1161}\u{11a8}가ｶﾞ\u{3099}ﬁ\u{1e9e}\u{fdfa}\u{ac01}\u{7f0}\u{591}]{0,12}") {
        check(&text)?;
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let folded = fold(text);
    prop_assert_eq!(fold(&folded), folded.clone());
    prop_assert!(is_nfkc(&folded));
    prop_assert!(!folded.starts_with(' ') && !folded.ends_with(' ') && !folded.contains("  "));
    prop_assert!(folded.chars().all(|c| c == ' ' || !c.is_whitespace()));
    // However a keyboard composes its characters, the form is the same.
    prop_assert_eq!(fold(&text.nfc().collect::<String>()), folded.clone());
    prop_assert_eq!(fold(&text.nfd().collect::<String>()), folded.clone());
    let identifier = ident(text);
    prop_assert_eq!(ident(&identifier), identifier.clone());
    prop_assert_eq!(ident(&folded), identifier.clone());
    prop_assert_eq!(fold(&identifier), identifier.clone());
    let hyphens = ['-', ' ', '\u{2010}', '\u{2212}'];
    prop_assert!(!identifier.contains(hyphens));
    Ok(())
}
