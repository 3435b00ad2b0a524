//! Questions about a history, drawn from the values that occur in it and from near misses.

use super::History;
use super::material::{self as pool, Draw};
use super::vocabulary::{Vocabulary, askable, identifier, part_of_text, plain, respelled};
use crate::oracle::{Basis, By, End, Filters, Group, Oracle, Reader, RefQuery, ReportParams};
use chrono::{Duration, NaiveDate};
use serde_json::{Value, json};

const STATUSES: [&str; 10] = [
    "READY",
    "IN_PROGRESS",
    "WAITING_FOR_DEPOSIT",
    "AUTHORIZED",
    "DONE",
    "ABORTED",
    "EXPIRED",
    "PARTIALLY_CANCELED",
    "CANCELED",
    "UNKNOWN",
];
const SETTLEMENT_STATUSES: [&str; 5] = ["NONE", "SCHEDULED", "PARTIALLY_PAID", "PAID", "HELD"];
/// Without `unsettled_overdue`, which looks at the clock.
const FLAGS: [&str; 6] = [
    "awaiting_payment",
    "card_number_redacted",
    "conflict",
    "identity_changed",
    "over_canceled",
    "quarantined",
];

/// A question and who asks it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whose key it is.
    pub reader: Reader,
    /// What is asked.
    pub question: Question,
}

/// What can be asked of the oracle and of the product alike.
#[derive(Debug, Clone)]
pub enum Question {
    /// One payment by its key.
    Payment(String),
    /// A list, or a search where there is a `q`.
    List(Filters),
    /// The sales report.
    Sales(ReportParams),
    /// The settlement report.
    Settlements(ReportParams),
}

impl Asked {
    /// The oracle's answer: a payment or null, a list of keys, or a report.
    pub fn answered_by(&self, oracle: &Oracle) -> Value {
        match &self.question {
            Question::Payment(key) => oracle.payment(key, &self.reader).unwrap_or_default(),
            Question::List(filters) => json!(oracle.list(&self.reader, filters)),
            Question::Sales(params) => oracle.sales(&self.reader, params),
            Question::Settlements(params) => oracle.settlements(&self.reader, params),
        }
    }
}

/// Every payment by its key, and `count` other questions.
pub fn random_queries(history: &History, seed: u64, count: usize) -> Vec<Asked> {
    let mut draw = Draw::new(history.seed ^ seed.rotate_left(16));
    let words = Vocabulary::of(history);
    let mut out = Vec::new();
    for key in &history.payment_keys {
        let question = Question::Payment(key.clone());
        out.push(Asked {
            reader: Reader::finance(),
            question: question.clone(),
        });
        out.push(Asked {
            reader: reader(&mut draw),
            question,
        });
    }
    for _ in 0..count {
        let question = match draw.between(0, 9) {
            0..=2 => Question::List(filters(&mut draw, &words)),
            3..=6 => Question::List(Filters {
                q: Some(query(&mut draw, &words, 2)),
                ascending: draw.chance(10),
                ..Filters::default()
            }),
            7 | 8 => {
                let basis = *draw.one(&[Basis::EventDay, Basis::SaleDay]);
                Question::Sales(report(&mut draw, basis))
            }
            _ => {
                let basis = *draw.one(&[Basis::SoldOn, Basis::PaidOutOn]);
                Question::Settlements(report(&mut draw, basis))
            }
        };
        out.push(Asked {
            reader: reader(&mut draw),
            question,
        });
    }
    out
}

fn reader(draw: &mut Draw) -> Reader {
    match draw.between(0, 5) {
        0..=2 => Reader::finance(),
        3 => Reader::unmasking_operator(),
        4 => Reader::merchant([*draw.one(&pool::MERCHANTS)]),
        _ => Reader::merchant([*draw.one(&pool::MERCHANTS), *draw.one(&pool::MERCHANTS)]),
    }
}

fn query(draw: &mut Draw, words: &Vocabulary, depth: usize) -> RefQuery {
    if depth == 0 || draw.chance(40) {
        return leaf(draw, words);
    }
    let parts = |draw: &mut Draw| (0..draw.between(2, 3)).map(|_| query(draw, words, depth - 1)).collect();
    match draw.between(0, 4) {
        0 | 1 => RefQuery::And(parts(draw)),
        2 | 3 => RefQuery::Or(parts(draw)),
        _ => RefQuery::Not(Box::new(query(draw, words, depth - 1))),
    }
}

fn leaf(draw: &mut Draw, words: &Vocabulary) -> RefQuery {
    let equals = |(field, value): (&str, String)| RefQuery::Compare {
        field: field.into(),
        by: By::Value,
        value,
    };
    match draw.between(0, 11) {
        0 | 1 => RefQuery::Word(part_of_text(draw, words).1),
        2 => RefQuery::Word(identifier(draw, words).1),
        3 => equals(identifier(draw, words)),
        4 => {
            let (field, text) = part_of_text(draw, words);
            equals((field, text))
        }
        5 => {
            let whole = draw.one(&words.texts).clone();
            if askable(&whole.1) {
                equals((whole.0, respelled(draw, &whole.1)))
            } else {
                equals(plain(draw, words))
            }
        }
        6 => prefix(draw, words),
        7 | 8 => ranged(draw, words),
        9 => equals(("flag", draw.text(&FLAGS))),
        10 => equals(plain(draw, words)),
        _ => {
            let named = [
                ("status", &STATUSES[..]),
                ("settlement_status", &SETTLEMENT_STATUSES),
                ("channel", &pool::CHANNELS),
            ];
            let (field, values) = *draw.one(&named);
            equals((field, draw.text(values)))
        }
    }
}

fn prefix(draw: &mut Draw, words: &Vocabulary) -> RefQuery {
    let (field, id) = draw.one(&words.identifiers).clone();
    let length = draw.between(4, 12);
    let prefix: String = id.chars().take(length).collect();
    let literal = prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if literal && prefix.chars().filter(char::is_ascii_alphanumeric).count() >= 4 && field != "last4" {
        RefQuery::Prefix {
            field: field.into(),
            prefix,
        }
    } else {
        RefQuery::Prefix {
            field: "order_id".into(),
            prefix: "ORD-2026".into(),
        }
    }
}

/// A comparable field and a way to draw values of it.
fn comparable(draw: &mut Draw, words: &Vocabulary) -> (&'static str, [String; 2]) {
    let field = *draw.one(&[
        "amount",
        "balance_amount",
        "event_day",
        "sale_day",
        "approved_at",
        "canceled_at",
        "sold_on",
        "paid_out_on",
    ]);
    let mut value = || match field {
        "amount" | "balance_amount" => {
            let amount = draw.one(&words.amounts).clone();
            if draw.chance(20) {
                format!("-{}", amount.trim_start_matches('-'))
            } else {
                amount
            }
        }
        "approved_at" | "canceled_at" => {
            let at = pool::instant(draw);
            at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
        }
        _ => pool::day(draw).to_string(),
    };
    let mut values = [value(), value()];
    let numbers = [0, 1].map(|i: usize| values[i].parse::<rust_decimal::Decimal>().ok());
    let in_order = if numbers[0].is_some() {
        numbers[0] <= numbers[1]
    } else {
        values[0] <= values[1]
    };
    if !in_order {
        values.swap(0, 1);
    }
    (field, values)
}

fn ranged(draw: &mut Draw, words: &Vocabulary) -> RefQuery {
    let (field, [low, high]) = comparable(draw, words);
    if draw.chance(40) {
        let by = *draw.one(&[By::Value, By::Gt, By::Gte, By::Lt, By::Lte]);
        return RefQuery::Compare {
            field: field.into(),
            by,
            value: low,
        };
    }
    let mut end = |value| {
        Some(End {
            value,
            inclusive: draw.chance(50),
        })
    };
    let (low, high) = (end(low), end(high));
    match draw.between(0, 4) {
        0 => RefQuery::Range {
            field: field.into(),
            low: None,
            high,
        },
        1 => RefQuery::Range {
            field: field.into(),
            low,
            high: None,
        },
        _ => RefQuery::Range {
            field: field.into(),
            low,
            high,
        },
    }
}

fn filters(draw: &mut Draw, words: &Vocabulary) -> Filters {
    let mut filters = Filters {
        ascending: draw.chance(30),
        ..Filters::default()
    };
    for _ in 0..draw.between(0, 2) {
        let name = *draw.one(&[
            "merchant_id",
            "status",
            "settlement_status",
            "method",
            "currency",
            "order_id",
            "payout_id",
            "flag",
        ]);
        for _ in 0..draw.between(1, 2) {
            let value = equal_value(draw, words, name);
            filters.equal.push((name.to_owned(), value));
        }
    }
    for _ in 0..draw.between(0, 2) {
        let (field, [low, high]) = comparable(draw, words);
        if filters.bounds.iter().any(|(name, ..)| name == field) {
            continue;
        }
        if draw.chance(70) {
            filters
                .bounds
                .push((field.to_owned(), *draw.one(&[By::Gte, By::Gt]), low));
        }
        if draw.chance(70) {
            filters
                .bounds
                .push((field.to_owned(), *draw.one(&[By::Lt, By::Lte]), high));
        }
    }
    if draw.chance(25) {
        filters.q = Some(query(draw, words, 1));
    }
    filters
}

fn equal_value(draw: &mut Draw, words: &Vocabulary, name: &str) -> String {
    match name {
        "merchant_id" => draw.text(&pool::MERCHANTS),
        "status" => draw.text(&STATUSES),
        "settlement_status" => draw.text(&SETTLEMENT_STATUSES),
        "method" => draw.text(&["CARD", "EASY_PAY", "POINT", "UNKNOWN"]),
        "currency" => draw.one(&pool::CURRENCIES).0.to_owned(),
        "flag" => draw.text(&FLAGS),
        "payout_id" => draw.text(&pool::PAYOUTS),
        _ => {
            let ids: Vec<_> = words
                .identifiers
                .iter()
                .filter(|(field, _)| *field == "order_id")
                .collect();
            draw.one(&ids).1.clone()
        }
    }
}

fn report(draw: &mut Draw, basis: Basis) -> ReportParams {
    let from = if draw.chance(50) {
        pool::day(draw)
    } else {
        NaiveDate::from_ymd_opt(2024, 2, 1).unwrap_or_default()
    };
    let span = *draw.one(&[1, 2, 31, 400, 1200, 1200, 3000]);
    let mut params = ReportParams {
        from: Some(from),
        to: Some(from + Duration::days(span)),
        ..ReportParams::on(basis)
    };
    // Always in this order: whether rows follow the request or a fixed order is the product's to say.
    for group in [Group::Day, Group::Month, Group::Method, Group::Merchant] {
        if draw.chance(40) {
            params.group_by.push(group);
        }
    }
    let mut some = |values: &[&str]| -> Vec<String> {
        if draw.chance(80) {
            Vec::new()
        } else {
            (0..draw.between(1, 2)).map(|_| draw.text(values)).collect()
        }
    };
    params.merchant_id = some(&pool::MERCHANTS);
    params.method = some(&["CARD", "EASY_PAY", "UNKNOWN"]);
    params.currency = some(&["KRW", "USD", "JPY", "BHD"]);
    if matches!(basis, Basis::SoldOn | Basis::PaidOutOn) {
        params.status = some(&["SCHEDULED", "PAID", "HELD"]);
    }
    params
}
