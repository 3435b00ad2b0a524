//! A question as it was understood, for `explain`.

use std::fmt::Display;
use std::ops::Bound;

use domain::time::format_time;
use query::{Filter, Interval, KeywordField, Target, Word, catalogue};
use serde_json::{Map, Value, json};

/// The bound filter: `and`, `or` and `not` around leaves. A leaf names its field and what is asked of it (`equals`,
/// `begins_with`, `contains`, or the ends `gte`, `gt`, `lte`, `lt`), with the value in the form in which it is compared; a bare
/// word has its readings.
pub(crate) fn ast(filter: &Filter) -> Value {
    let members = |members: &[Filter]| -> Vec<Value> { members.iter().map(ast).collect() };
    match filter {
        Filter::All => json!({"all": true}),
        Filter::And(inner) => json!({"and": members(inner)}),
        Filter::Or(inner) => json!({"or": members(inner)}),
        Filter::Not(inner) => json!({"not": ast(inner)}),
        Filter::Word(word) => json!({"word": readings(word)}),
        Filter::Ident { field, value, prefix } => {
            let asked = if *prefix { "begins_with" } else { "equals" };
            leaf(
                name(|target| matches!(target, Target::Ident(known) if known == field)),
                asked,
                value,
            )
        }
        Filter::Text { field, needle } => leaf(
            name(|target| matches!(target, Target::Text(known) if known == field)),
            "contains",
            needle,
        ),
        Filter::Metadata { key, value } => leaf(&format!("metadata.{key}"), "equals", value),
        Filter::Keyword {
            field: KeywordField::Kind,
            value,
        } => leaf("kind", "equals", value),
        Filter::Keyword { field, value } => leaf(
            name(|target| matches!(target, Target::Keyword(known, _) if known == field)),
            "equals",
            value,
        ),
        Filter::Amount { field, interval } => ends(
            name(|target| matches!(target, Target::Amount(known) if known == field)),
            interval,
            ToString::to_string,
        ),
        Filter::Day { field, interval } => ends(
            name(|target| matches!(target, Target::Day(known) if known == field)),
            interval,
            ToString::to_string,
        ),
        Filter::Time { field, interval } => ends(
            name(|target| matches!(target, Target::Time(known) if known == field)),
            interval,
            |at| format_time(*at),
        ),
    }
}

/// What a bare word may mean; one reading is enough.
fn readings(word: &Word) -> Value {
    let mut out = Map::new();
    if word.prefix {
        out.extend(
            word.ident
                .iter()
                .map(|ident| ("begins_identifier".to_owned(), json!(ident))),
        );
        return Value::Object(out);
    }
    out.insert("in_text".to_owned(), json!(word.text));
    out.extend(word.ident.iter().map(|ident| ("identifier".to_owned(), json!(ident))));
    out.extend(word.last4.iter().map(|last4| ("last4".to_owned(), json!(last4))));
    Value::Object(out)
}

fn name(is_it: impl Fn(&Target) -> bool) -> &'static str {
    let found = catalogue().iter().find(|info| is_it(&info.target));
    found.map_or("", |info| info.name)
}

fn leaf(field: &str, asked: &str, value: impl Display) -> Value {
    json!({"field": field, asked: value.to_string()})
}

fn ends<T>(field: &str, interval: &Interval<T>, print: impl Fn(&T) -> String) -> Value {
    let mut out = Map::new();
    out.insert("field".to_owned(), json!(field));
    let lower = match &interval.lower {
        Bound::Included(value) => Some(("gte", value)),
        Bound::Excluded(value) => Some(("gt", value)),
        Bound::Unbounded => None,
    };
    let upper = match &interval.upper {
        Bound::Included(value) => Some(("lte", value)),
        Bound::Excluded(value) => Some(("lt", value)),
        Bound::Unbounded => None,
    };
    if lower.is_none() && upper.is_none() {
        out.insert("exists".to_owned(), json!(true));
    }
    let ends = lower.into_iter().chain(upper);
    out.extend(ends.map(|(end, value)| (end.to_owned(), json!(print(value)))));
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_shown_as_it_was_understood() {
        for (question, expected) in [
            ("", json!({"all": true})),
            ("order_id:ORD-1", json!({"field": "order_id", "equals": "ord1"})),
            ("order_id:ORD-1*", json!({"field": "order_id", "begins_with": "ord1"})),
            ("order_name:Ｌatte", json!({"field": "order_name", "contains": "latte"})),
            (
                "metadata.Store:S12",
                json!({"field": "metadata.Store", "equals": "s12"}),
            ),
            (
                "amount:[10 TO 20} -status:DONE",
                json!({"and": [
                    {"field": "amount", "gte": "10", "lt": "20"},
                    {"not": {"field": "status", "equals": "DONE"}},
                ]}),
            ),
            ("sale_day:[* TO *]", json!({"field": "sale_day", "exists": true})),
            (
                "4242 OR abcd*",
                json!({"or": [
                    {"word": {"in_text": "4242", "identifier": "4242", "last4": "4242"}},
                    {"word": {"begins_identifier": "abcd"}},
                ]}),
            ),
        ] {
            let filter = query::compile(question).unwrap_or_else(|error| panic!("{question}: {error}"));
            assert_eq!(ast(&filter), expected, "{question}");
        }
    }

    #[test]
    fn every_field_has_its_name() {
        for info in catalogue() {
            let Some(example) = info.examples.iter().find(|example| !example.starts_with('-')) else {
                continue;
            };
            let filter = query::compile(example).unwrap_or_else(|error| panic!("{example}: {error}"));
            let shown = ast(&filter)["field"].as_str().unwrap_or_default().to_owned();
            let expected = info.name.split('<').next().unwrap_or_default();
            assert!(!shown.is_empty() && shown.starts_with(expected), "{example}: {shown}");
        }
    }
}
