//! Texts as SQL spells them.
//!
//! Values stand in the text of a question and not beside it as parameters: the engine passes over row groups by constants that it
//! knows when it plans. Numbers and days spell themselves; whatever text comes from outside goes through [`quoted`].

/// A text as a literal: in single quotes, of which those inside are doubled (SQL has no other escapes in such a literal). A statement
/// cannot hold the character 0.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', "'||chr(0)||'"))
}

/// Whether a column is one of some texts.
pub(crate) fn one_of<'a>(column: &str, texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text)).collect();
    match texts.is_empty() {
        true => "false".to_owned(),
        false => format!("{column} in ({})", texts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_itself() {
        let connection = duckdb::Connection::open_in_memory().expect("a database");
        for text in [
            "",
            "m1",
            "it's",
            "''; drop table keys; --",
            "\\'; select 1",
            "a\0b\0\0'\0",
            "?",
            "$1 :x %s {}",
            "/* */ -- \n\r\t\u{7f}\u{85}",
            "커피 ☕ e\u{301}",
            "\u{2019}\u{ff07}",
        ] {
            let sql = format!(
                "select {0}, {1}",
                quoted(text),
                one_of("'x'||chr(0)", [&text.to_owned()])
            );
            let found = connection.query_row(&sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)));
            assert_eq!(found.expect("asked"), (text.to_owned(), false), "{text:?}");
            let same = format!(
                "select {}",
                one_of(&quoted(text), [&"other".to_owned(), &text.to_owned()])
            );
            assert!(
                connection
                    .query_row(&same, [], |row| row.get::<_, bool>(0))
                    .expect("asked"),
                "{text:?}"
            );
        }
        assert_eq!(one_of("c", []), "false");
    }
}
