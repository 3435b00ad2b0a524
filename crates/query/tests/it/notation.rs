//! A short notation for filters, so that a table of cases can be read.
//!
//! `word(text ident last4)`, `word(ident*)`, `OrderId=ord1`, `OrderName~커피`, `metadata.store=s12`, `Amount[10..*)`, `&`,
//! `|`, `!`, `all`.

use std::fmt::Display;
use std::ops::Bound;

use query::{Filter, Interval};

pub(crate) fn notation(filter: &Filter) -> String {
    match filter {
        Filter::All => "all".to_owned(),
        Filter::And(members) => group(members, " & "),
        Filter::Or(members) => group(members, " | "),
        Filter::Not(inner) => format!("!{}", notation(inner)),
        Filter::Word(word) => {
            let ident = word.ident.as_deref().unwrap_or("-");
            if word.prefix {
                assert_eq!(word.last4, None, "a prefix has no last four");
                return format!("word({ident}*)");
            }
            let last4 = word.last4.as_ref().map_or(String::new(), |last4| format!(" {last4}"));
            format!("word({} {ident}{last4})", word.text)
        }
        Filter::Ident { field, value, prefix } => format!("{field:?}={value}{}", if *prefix { "*" } else { "" }),
        Filter::Text { field, needle } => format!("{field:?}~{needle}"),
        Filter::Metadata { key, value } => format!("metadata.{key}={value}"),
        Filter::Keyword { field, value } => format!("{field:?}={value}"),
        Filter::Amount { field, interval } => format!("{field:?}{}", ends(interval)),
        Filter::Day { field, interval } => format!("{field:?}{}", ends(interval)),
        Filter::Time { field, interval } => {
            let text = |time: &chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            let interval = Interval {
                lower: interval.lower.as_ref().map(text),
                upper: interval.upper.as_ref().map(text),
            };
            format!("{field:?}{}", ends(&interval))
        }
    }
}

fn group(members: &[Filter], operator: &str) -> String {
    assert!(members.len() > 1, "a group has members: {members:?}");
    let members: Vec<String> = members.iter().map(notation).collect();
    format!("({})", members.join(operator))
}

fn ends<T: Display>(interval: &Interval<T>) -> String {
    let lower = match &interval.lower {
        Bound::Included(lower) => format!("[{lower}"),
        Bound::Excluded(lower) => format!("({lower}"),
        Bound::Unbounded => "(*".to_owned(),
    };
    let upper = match &interval.upper {
        Bound::Included(upper) => format!("{upper}]"),
        Bound::Excluded(upper) => format!("{upper})"),
        Bound::Unbounded => "*)".to_owned(),
    };
    format!("{lower}..{upper}")
}
