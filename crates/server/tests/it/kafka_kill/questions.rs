//! What is asked: every payment, the lists of some keys, both reports in several groupings, and some hundred searches.
//!
//! Each answer is compared with the reference model and kept as it came, so that asking again can show that not one byte
//! changed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use serde_json::value::RawValue;
use testkit::oracle::{Basis, By, End, Filters, Group, Reader, RefQuery, ReportParams};

use super::model::{Model, Report};
use crate::http::{Client, address, encoded, without_as_of};

/// Pages of a search that are compared; a broad search has hundreds.
const ROWS_MAX: usize = 300;

/// Answers by what was asked and by whom.
pub(crate) type Answers = BTreeMap<(String, String), Vec<u8>>;

/// A question, and how it is put.
pub(crate) enum Question {
    Payment(String),
    /// A list or a search, compared row by row to this many rows.
    List(Filters, usize),
    Report(Report, ReportParams),
}

impl Question {
    pub(crate) fn address(&self) -> String {
        match self {
            Question::Payment(key) => format!("/v1/payments/{}", encoded(key)),
            Question::List(filters, _) if filters.q.is_some() => address("/v1/payments/search", &filters.parameters()),
            Question::List(filters, _) => address("/v1/payments", &filters.parameters()),
            Question::Report(Report::Sales, params) => address("/v1/reports/sales", &params.parameters()),
            Question::Report(Report::Settlements, params) => address("/v1/reports/settlements", &params.parameters()),
        }
    }

    /// The answer without `as_of`; none where the payment is not found.
    #[track_caller]
    pub(crate) fn ask(&self, client: &Client) -> Option<Vec<u8>> {
        let address = self.address();
        match self {
            Question::Payment(_) => {
                let (status, body) = client.get(&address);
                assert!(status == 200 || status == 404, "{address}: {status}");
                (status == 200).then(|| without_as_of(&body))
            }
            Question::List(_, rows_max) => {
                let (rows, _) = client.rows(&address, *rows_max);
                let rows: Vec<&str> = rows.iter().map(|row| row.get()).collect();
                Some(format!("[{}]", rows.join(",")).into_bytes())
            }
            Question::Report(..) => Some(without_as_of(&client.ok(&address))),
        }
    }

    /// Whether an answer is the model's.
    #[track_caller]
    pub(crate) fn compare(&self, model: &Model, reader: &Reader, answer: Option<&[u8]>) {
        let about = format!("{} for {:?}", self.address(), reader.scope);
        let found: Option<Value> = answer.map(|answer| serde_json::from_slice(answer).expect("JSON"));
        match self {
            Question::Payment(key) => assert_eq!(found, model.payment(key, reader), "{about}"),
            Question::List(filters, rows_max) => {
                let rows: Vec<&RawValue> = serde_json::from_slice(answer.expect("a list")).expect("rows");
                let mut expected = model.list(reader, filters);
                // Whole pages are read.
                expected.truncate(rows_max.div_ceil(100).saturating_mul(100));
                let parsed: Vec<Value> = rows
                    .iter()
                    .map(|row| serde_json::from_str(row.get()).expect("JSON"))
                    .collect();
                let keys: Vec<&str> = parsed.iter().filter_map(|row| row["payment_key"].as_str()).collect();
                assert_eq!(keys, expected, "{about}");
                for row in &parsed {
                    let key = row["payment_key"].as_str().unwrap_or_default();
                    assert_eq!(Some(row), model.payment(key, reader).as_ref(), "{about}: {key}");
                }
            }
            Question::Report(which, params) => {
                let mut found = found.expect("a report");
                // Where a row leads to is looked at elsewhere (`drill`).
                for member in ["data", "totals"] {
                    let rows = found[member].as_array_mut().expect("rows");
                    rows.iter_mut().filter_map(Value::as_object_mut).for_each(|row| {
                        row.remove("rows_url");
                    });
                }
                let expected = model.report(*which, reader, params);
                for member in ["data", "totals", "orphans_left_out"] {
                    let found = found.get_mut(member).map(Value::take).unwrap_or_default();
                    assert_eq!(found, expected[member], "{about}: {member}");
                }
            }
        }
    }
}

/// Everything that one reader is asked about.
pub(crate) fn all(model: &Model, reader: &Reader, searches: u64, seed: u64) -> Vec<Question> {
    let mut questions: Vec<Question> = model.keys().map(|key| Question::Payment(key.to_owned())).collect();
    questions.push(Question::List(Filters::default(), usize::MAX));
    questions.extend(reports());
    let mut draw = Draw {
        random: ChaCha8Rng::seed_from_u64(seed),
        model,
        reader,
        keys: model.keys().collect(),
    };
    questions.extend((0..searches).map(|_| Question::List(draw.filters(), ROWS_MAX)));
    questions
}

fn reports() -> Vec<Question> {
    let day = |year, month| NaiveDate::from_ymd_opt(year, month, 1);
    let groups: [&[Group]; 5] = [
        &[],
        &[Group::Day],
        &[Group::Day, Group::Method],
        &[Group::Month, Group::Merchant],
        &[Group::Method, Group::Merchant],
    ];
    let mut questions = Vec::new();
    for group_by in groups {
        let bases = [
            (Report::Sales, Basis::EventDay),
            (Report::Sales, Basis::SaleDay),
            (Report::Settlements, Basis::SoldOn),
            (Report::Settlements, Basis::PaidOutOn),
        ];
        for (which, basis) in bases {
            let (from, to) = (day(2015, 1), day(2032, 1));
            let params = ReportParams {
                from,
                to,
                group_by: group_by.to_vec(),
                ..ReportParams::on(basis)
            };
            questions.push(Question::Report(which, params));
        }
    }
    questions
}

/// Draws questions from what payments show.
struct Draw<'a> {
    random: ChaCha8Rng,
    model: &'a Model,
    reader: &'a Reader,
    keys: Vec<&'a str>,
}

impl Draw<'_> {
    fn filters(&mut self) -> Filters {
        let payment = self.payment();
        let q = Some(self.query(&payment));
        if self.random.random_ratio(1, 4) {
            let method = payment["method"].as_str().unwrap_or("UNKNOWN").to_owned();
            return Filters {
                q,
                equal: vec![("method".to_owned(), method)],
                ..Filters::default()
            };
        }
        Filters {
            q,
            ..Filters::default()
        }
    }

    /// A payment that is found.
    fn payment(&mut self) -> Value {
        loop {
            let key = self.keys[self.random.random_range(0..self.keys.len())];
            if let Some(payment) = self.model.payment(key, self.reader) {
                return payment;
            }
        }
    }

    fn query(&mut self, payment: &Value) -> RefQuery {
        let one = self.leaf(payment);
        match self.random.random_range(0..4) {
            0 => RefQuery::And(vec![one, self.leaf(payment)]),
            1 => {
                let other = self.payment();
                RefQuery::Or(vec![one, self.leaf(&other)])
            }
            2 => RefQuery::And(vec![one, RefQuery::Not(Box::new(self.leaf(payment)))]),
            _ => one,
        }
    }

    fn leaf(&mut self, payment: &Value) -> RefQuery {
        let texts = [
            ("payment_key", "/payment_key"),
            ("order_id", "/order_id"),
            ("order_name", "/order_name"),
            ("last4", "/card/last4"),
            ("approve_no", "/card/approve_no"),
            ("issuer", "/card/issuer"),
            ("provider", "/easy_pay/provider"),
            ("payout_id", "/settlements/0/payout_id"),
            ("settlement_id", "/settlements/0/settlement_id"),
            ("cancellation_id", "/cancellations/0/cancellation_id"),
            ("reason", "/cancellations/0/reason"),
            ("status", "/status"),
            ("settlement_status", "/settlement_status"),
            ("currency", "/currency"),
            ("flag", "/flags/0"),
            ("amount", "/amount/total"),
            ("balance_amount", "/balance_amount"),
            ("event_day", "/event_day"),
            ("sold_on", "/settlements/0/sold_on"),
            ("paid_out_on", "/settlements/0/paid_out_on"),
        ];
        loop {
            let (field, pointer) = texts[self.random.random_range(0..texts.len())];
            if let Some(value) = payment.pointer(pointer).and_then(Value::as_str) {
                return self.about(field, value);
            }
        }
    }

    /// A question that a payment with this value answers.
    fn about(&mut self, field: &str, value: &str) -> RefQuery {
        let field_of = field.to_owned();
        let value_of = value.to_owned();
        let chosen = self.random.random_range(0..3);
        match field {
            "order_name" | "reason" => {
                let characters: Vec<char> = value.chars().collect();
                let start = self.random.random_range(0..characters.len().max(2) - 1);
                let part: String = characters.iter().skip(start).take(3).collect();
                // A single character is no question, nor is white space at an end a part of it.
                if part.trim().chars().count() < 2 || part.contains(['"', '\\']) {
                    return RefQuery::Compare {
                        field: field_of,
                        by: By::Value,
                        value: value_of,
                    };
                }
                RefQuery::Word(part.trim().to_owned())
            }
            "payment_key" | "order_id" | "settlement_id" | "cancellation_id" | "payout_id" if chosen == 0 => {
                let prefix: String = value.chars().take(8).collect();
                RefQuery::Prefix {
                    field: field_of,
                    prefix,
                }
            }
            "payment_key" | "order_id" | "settlement_id" | "cancellation_id" | "payout_id" | "last4" | "approve_no"
                if chosen == 1 =>
            {
                RefQuery::Word(value_of)
            }
            "amount" | "balance_amount" | "event_day" | "sold_on" | "paid_out_on" if chosen == 0 => {
                let low = Some(End {
                    value: value_of,
                    inclusive: self.random.random(),
                });
                RefQuery::Range {
                    field: field_of,
                    low,
                    high: None,
                }
            }
            _ => RefQuery::Compare {
                field: field_of,
                by: By::Value,
                value: value_of,
            },
        }
    }
}
