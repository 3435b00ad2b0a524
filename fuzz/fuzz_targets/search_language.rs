//! The search language on any text. It must not panic, and printing a tree and reading it again must give the same tree and
//! the same question.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let tree = query::parse(text);
    let filter = query::compile(text);
    match tree {
        Ok(Some(tree)) => {
            let printed = tree.to_string();
            let again = query::parse(&printed)
                .expect("a printed tree can be read")
                .expect("and is not empty");
            assert_eq!(again.to_string(), printed, "printing is canonical");
            assert_eq!(filter.is_ok(), query::compile(&printed).is_ok());
            if let (Ok(filter), Ok(again)) = (filter, query::compile(&printed)) {
                assert_eq!(format!("{filter:?}"), format!("{again:?}"));
            }
        }
        Ok(None) => assert!(filter.is_ok(), "nothing asked for is no mistake"),
        Err(mistake) => assert!(
            mistake.position <= text.chars().count(),
            "a mistake is at a place of the text"
        ),
    }
});
