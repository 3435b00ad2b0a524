//! What the reference model says of a set of messages, worked out once and compared with every order.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::Value;
use testkit::histories::{self, Asked, History, Question, random_queries};
use testkit::oracle::{Basis, Filters, Oracle, QuarantineRow, Reader, ReportParams};

use crate::product::{OVERDUE_DAYS, now};

/// The merchants of every history.
const MERCHANTS: [&str; 4] = ["m1", "m_ny", "m_utc", "m2"];

pub(crate) struct Expected {
    pub(crate) questions: Vec<(Asked, Value)>,
    pub(crate) quarantine: BTreeSet<QuarantineRow>,
    pub(crate) refused_contents: usize,
    pub(crate) oracle: Oracle,
}

/// The model of `messages`, with the clock of the tests.
pub(crate) fn oracle_of(messages: &[Vec<u8>]) -> Oracle {
    let mut oracle = Oracle::new(histories::zones());
    oracle.set_clock(now(), i64::from(OVERDUE_DAYS));
    for message in messages {
        // A refused message is part of the history, not a failure.
        oracle.feed(message).ok();
    }
    oracle
}

/// The questions of a history: every payment and the whole list as everyone sees them, every report as a whole, and
/// `count` drawn ones.
pub(crate) fn questions(history: &History, count: usize) -> Vec<Asked> {
    let mut readers = vec![Reader::finance(), Reader::merchant(["m1", "m_ny"])];
    readers.extend(MERCHANTS.map(|merchant| Reader::merchant([merchant])));
    let mut out = Vec::new();
    for reader in &readers {
        let mut ask = |question| {
            out.push(Asked {
                reader: reader.clone(),
                question,
            })
        };
        let absent = "no such payment".to_owned();
        for key in history.payment_keys.iter().chain([&absent]) {
            ask(Question::Payment(key.clone()));
        }
        ask(Question::List(Filters::default()));
    }
    for reader in readers.into_iter().take(3) {
        let mut ask = |question| {
            out.push(Asked {
                reader: reader.clone(),
                question,
            })
        };
        ask(Question::Sales(all_days(Basis::EventDay)));
        ask(Question::Sales(all_days(Basis::SaleDay)));
        ask(Question::Settlements(all_days(Basis::SoldOn)));
        ask(Question::Settlements(all_days(Basis::PaidOutOn)));
    }
    out.extend(random_queries(history, 0, count).into_iter().map(masked));
    out
}

/// Every day of any history, as one row per currency.
fn all_days(basis: Basis) -> ReportParams {
    ReportParams {
        from: NaiveDate::from_ymd_opt(2020, 1, 1),
        to: NaiveDate::from_ymd_opt(2035, 1, 1),
        ..ReportParams::on(basis)
    }
}

/// Nothing that can be asked shows personal data in full.
fn masked(mut asked: Asked) -> Asked {
    asked.reader.unmasked = false;
    asked
}

impl Expected {
    pub(crate) fn of(messages: &[Vec<u8>], questions: &[Asked]) -> Self {
        Self::of_oracle(oracle_of(messages), questions)
    }

    /// What a model answers that operators have acted on.
    pub(crate) fn of_oracle(oracle: Oracle, questions: &[Asked]) -> Self {
        let answered = |asked: &Asked| (asked.clone(), asked.answered_by(&oracle));
        Expected {
            questions: questions.iter().map(answered).collect(),
            quarantine: oracle.quarantine(),
            refused_contents: oracle.refused_contents(),
            oracle,
        }
    }
}
