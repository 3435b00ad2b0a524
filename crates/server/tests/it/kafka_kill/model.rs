//! The reference model of a large history: one oracle for each payment.
//!
//! An oracle looks at every message it holds for every question, so one oracle for all payments would take days. No rule
//! reaches beyond one payment, so a payment's oracle needs that payment's messages only, and what is asked of all
//! payments is put together here: lists by sorting, reports by adding up.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use testkit::oracle::{Filters, Oracle, QuarantineRow, Reader, ReportParams, Zones};

use super::published::Visible;

/// Which report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Sales,
    Settlements,
}

#[derive(Default)]
pub(crate) struct Model {
    oracles: BTreeMap<String, Oracle>,
    /// Distinct contents that were refused.
    pub(crate) refused: BTreeSet<Vec<u8>>,
    /// How many messages were refused.
    pub(crate) refusals: u64,
}

impl Model {
    pub(crate) fn feed(&mut self, messages: &[Visible]) {
        for message in messages {
            let oracle = self.oracles.entry(message.key.clone()).or_insert_with(|| {
                let mut oracle = Oracle::new(Zones::default());
                oracle.set_clock(chrono::Utc::now(), 7);
                oracle
            });
            let judged = if message.attributes.is_empty() {
                oracle.feed(&message.value)
            } else {
                oracle.feed_binary(&message.attributes, &message.value)
            };
            if judged.is_err() {
                self.refusals += 1;
                self.refused.insert(message.value.clone());
            }
        }
        for (key, oracle) in &self.oracles {
            let strangers: Vec<String> = oracle.payment_keys().into_iter().filter(|named| named != key).collect();
            assert_eq!(
                strangers,
                Vec::<String>::new(),
                "messages are keyed by the payment they name"
            );
        }
    }

    /// Every payment that some message is about, found or not.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.oracles.keys().map(String::as_str)
    }

    pub(crate) fn payment(&self, key: &str, reader: &Reader) -> Option<Value> {
        self.oracles.get(key)?.payment(key, reader)
    }

    /// The keys of a list in its order.
    pub(crate) fn list(&self, reader: &Reader, filters: &Filters) -> Vec<&str> {
        let found = self
            .oracles
            .iter()
            .filter(|(_, oracle)| !oracle.list(reader, filters).is_empty());
        let mut found: Vec<(String, &str)> = found
            .map(|(key, oracle)| {
                let payment = oracle.payment(key, reader).unwrap_or_default();
                (
                    payment["occurred_at"].as_str().unwrap_or_default().to_owned(),
                    key.as_str(),
                )
            })
            .collect();
        found.sort_by(|(one, key), (other, other_key)| (Reverse(one), key).cmp(&(Reverse(other), other_key)));
        found.into_iter().map(|(_, key)| key).collect()
    }

    /// A report's `data`, `totals` and `orphans_left_out`, added up.
    pub(crate) fn report(&self, which: Report, reader: &Reader, params: &ReportParams) -> Value {
        let (mut data, mut totals, mut left_out) = (Sums::default(), Sums::default(), 0);
        for oracle in self.oracles.values() {
            let part = match which {
                Report::Sales => oracle.sales(reader, params),
                Report::Settlements => oracle.settlements(reader, params),
            };
            data.add(&part["data"]);
            totals.add(&part["totals"]);
            left_out += part["orphans_left_out"].as_u64().unwrap_or_default();
        }
        json!({"data": data.rows(), "totals": totals.rows(), "orphans_left_out": left_out})
    }

    /// What quarantine lists, each kind of row once per payment.
    pub(crate) fn quarantine(&self) -> BTreeSet<QuarantineRow> {
        self.oracles.values().flat_map(Oracle::quarantine).collect()
    }
}

const DIMENSIONS: [&str; 5] = ["day", "month", "method", "merchant_id", "currency"];

/// Rows of reports by their dimensions, which sort as the rows do: every test asks for groups in the order above.
#[derive(Default)]
struct Sums {
    cells: BTreeMap<Vec<(&'static str, String)>, BTreeMap<String, Figure>>,
}

#[derive(Clone, Copy, Default)]
struct Figure {
    sum: i128,
    /// Fraction digits of money; none of a count.
    digits: Option<u32>,
}

impl Sums {
    fn add(&mut self, rows: &Value) {
        for row in rows.as_array().expect("rows").iter().filter_map(Value::as_object) {
            let dimension = |name: &&'static str| Some((*name, row.get(*name)?.as_str()?.to_owned()));
            let cell = self
                .cells
                .entry(DIMENSIONS.iter().filter_map(dimension).collect())
                .or_default();
            for (name, value) in row.iter().filter(|(name, _)| !DIMENSIONS.contains(&name.as_str())) {
                let figure = Figure::read(value);
                let held = cell.entry(name.clone()).or_default();
                *held = Figure {
                    sum: held.sum + figure.sum,
                    digits: figure.digits,
                };
            }
        }
    }

    fn rows(&self) -> Value {
        let row = |(at, figures): (&Vec<(&'static str, String)>, &BTreeMap<String, Figure>)| {
            let dimensions = at.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
            let figures = figures.iter().map(|(name, figure)| (name.clone(), figure.write()));
            Value::Object(dimensions.chain(figures).collect::<Map<_, _>>())
        };
        self.cells.iter().map(row).collect()
    }
}

impl Figure {
    fn read(value: &Value) -> Self {
        match value {
            Value::String(money) => {
                let digits = money.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                let sum = money.replace('.', "").parse().expect("money");
                Figure {
                    sum,
                    digits: u32::try_from(digits).ok(),
                }
            }
            count => Figure {
                sum: i128::from(count.as_u64().expect("a count")),
                digits: None,
            },
        }
    }

    fn write(self) -> Value {
        let Some(digits) = self.digits else {
            return json!(u64::try_from(self.sum).expect("a count"));
        };
        let unit = 10_u128.pow(digits);
        let (sign, size) = (if self.sum < 0 { "-" } else { "" }, self.sum.unsigned_abs());
        if digits == 0 {
            json!(format!("{sign}{size}"))
        } else {
            json!(format!(
                "{sign}{}.{:0width$}",
                size / unit,
                size % unit,
                width = digits as usize
            ))
        }
    }
}
