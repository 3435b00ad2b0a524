//! Filters by their own meaning: what is selected is what satisfies them when one looks at the rows oneself.

use std::collections::BTreeSet;

use api::keys::Role;
use serde_json::{Value, json};
use testkit::histories::History;

use crate::compare::address;
use crate::drilled::{all_entries, minor};
use crate::feeding::{Way, fed};
use crate::product::Product;

const HISTORIES: u64 = 12;

struct Asked {
    product: Product,
    key: String,
}

impl Asked {
    fn of(seed: u64) -> Self {
        let mut product = fed(&History::random(seed).messages, seed, Way::Plain);
        let key = product.key(Role::Finance, &[]);
        Asked { product, key }
    }

    fn rows(&self, path: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
        let parameters: Vec<(String, String)> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let found = all_entries(&self.product, &self.key, &address(path, &parameters), 100);
        found
            .unwrap_or_else(|difference| panic!("{path} {parameters:?}\n{difference}"))
            .0
    }
}

/// The different values of a member.
fn values(rows: &[Value], pointer: &str) -> BTreeSet<String> {
    let texts = rows.iter().filter_map(|row| row.pointer(pointer)?.as_str());
    texts.map(str::to_owned).collect()
}

/// Identifiers are compared without case, spaces and hyphens.
fn normal(id: &str) -> String {
    id.to_lowercase().replace([' ', '-'], "")
}

const BOUNDS: [&str; 5] = ["", "[gte]", "[gt]", "[lte]", "[lt]"];

fn holds<T: PartialOrd>(bound: &str, value: &T, limit: &T) -> bool {
    match bound {
        "[gte]" => value >= limit,
        "[gt]" => value > limit,
        "[lte]" => value <= limit,
        "[lt]" => value < limit,
        _ => value == limit,
    }
}

#[test]
fn each_filter_of_entries_is_on_the_entry_itself() {
    let mut selected = 0;
    for seed in 1..=HISTORIES {
        let asked = Asked::of(seed);
        let all = asked.rows("/v1/entries", &[]);
        let mut check = |parameters: &[(&str, &str)], chosen: &dyn Fn(&Value) -> bool| {
            let expected: Vec<&Value> = all.iter().filter(|row| chosen(row)).collect();
            selected += expected.len();
            let found = asked.rows("/v1/entries", parameters);
            assert_eq!(json!(found), json!(expected), "history {seed}: {parameters:?}");
        };
        for name in ["kind", "merchant_id", "status", "method", "currency"] {
            for value in values(&all, &format!("/{name}")) {
                check(&[(name, value.as_str())], &|row| row[name] == value.as_str());
            }
        }
        for value in values(&all, "/payout_id") {
            let wanted = normal(&value);
            check(&[("payout_id", value.as_str())], &|row| {
                row["payout_id"].as_str().is_some_and(|id| normal(id) == wanted)
            });
        }
        for name in ["event_day", "sale_day", "sold_on", "paid_out_on"] {
            for value in values(&all, &format!("/{name}")) {
                for bound in BOUNDS {
                    check(&[(&*format!("{name}{bound}"), value.as_str())], &|row| {
                        row[name]
                            .as_str()
                            .is_some_and(|day| holds(bound, &day, &value.as_str()))
                    });
                }
            }
        }
        for row in all.iter().take(8) {
            let (amount, currency) = (row["amount"].as_str(), row["currency"].as_str());
            let (amount, currency) = (amount.unwrap_or_default(), currency.unwrap_or_default());
            for bound in BOUNDS {
                check(
                    &[(&*format!("amount{bound}"), amount), ("currency", currency)],
                    &|other| {
                        other["currency"] == currency && holds(bound, &minor(&other["amount"]), &minor(&row["amount"]))
                    },
                );
            }
        }
    }
    assert!(selected > 100, "only {selected} rows were selected");
}

#[test]
fn a_value_without_brackets_is_both_ends_of_an_interval() {
    let mut found = 0;
    for seed in 1..=HISTORIES {
        let asked = Asked::of(seed);
        let all = asked.rows("/v1/payments", &[]);
        for (name, pointer) in [
            ("amount", "/amount/total"),
            ("balance_amount", "/balance_amount"),
            ("event_day", "/event_day"),
            ("event_day", "/cancellations/0/event_day"),
            ("sale_day", "/sale_day"),
            ("approved_at", "/approved_at"),
            ("canceled_at", "/cancellations/0/canceled_at"),
            ("sold_on", "/settlements/0/sold_on"),
            ("paid_out_on", "/settlements/0/paid_out_on"),
        ] {
            for value in values(&all, pointer) {
                for path in ["/v1/payments", "/v1/payments/search"] {
                    let one = asked.rows(path, &[(name, value.as_str())]);
                    let ends = [(&*format!("{name}[gte]"), &*value), (&*format!("{name}[lte]"), &*value)];
                    assert_eq!(one, asked.rows(path, &ends), "history {seed}: {path} {name}={value}");
                    let is_it = one.iter().any(|row| row.pointer(pointer) == Some(&json!(value)));
                    assert!(
                        is_it,
                        "history {seed}: {path} {name}={value} does not find its own payment"
                    );
                    found += one.len();
                }
            }
        }
    }
    assert!(found > 100, "only {found} rows were found");
}
