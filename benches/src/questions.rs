//! The questions, by kind: what each asks, how often, and the bar it is held against.

use anyhow::Result;
use serde_json::{Value, json};

use crate::http::{Client, Request, address, encoded};
use crate::pace::{Expects, Question};
use crate::vantage::{Known, Vantage};

/// Different questions of a kind, so that no answer is ready from the one before.
const DIFFERENT: usize = 1_000;
const LOOKUP_IDS: usize = 1_000;
const DEEP: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Lookup,
    Search,
    List,
    Report,
}

impl Group {
    pub(crate) const ALL: [Group; 4] = [Group::Lookup, Group::Search, Group::List, Group::Report];
}

/// One kind of question.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// A second, at the fixed rate.
    pub(crate) rate: f64,
    /// The most milliseconds that 99 in 100 answers may take.
    pub(crate) bar_ms: Option<f64>,
    /// Its share of mixed reads, in hundredths.
    pub(crate) share: usize,
    pub(crate) questions: Vec<Question>,
}

impl Kind {
    fn new(name: &'static str, rate: f64, bar_ms: Option<f64>, share: usize, questions: Vec<Question>) -> Self {
        Kind {
            name,
            rate,
            bar_ms,
            share,
            questions,
        }
    }
}

/// How many kinds there are, to reckon how long asking takes.
pub(crate) fn count(groups: &[Group]) -> u64 {
    let of = |group: &Group| match group {
        Group::Lookup => 3,
        Group::Search => 5,
        Group::List => 2,
        Group::Report => 4,
    };
    groups.iter().map(of).sum()
}

/// The kinds of these groups. Those whose route the server does not have are left out.
pub(crate) fn kinds(vantage: &Vantage, groups: &[Group], client: &Client) -> Result<Vec<Kind>> {
    let mut kinds = Vec::new();
    for group in groups {
        match group {
            Group::Lookup => kinds.extend(lookups(vantage)),
            Group::Search => kinds.extend(searches(vantage)),
            Group::List => {
                kinds.push(by_merchant_status_month(vantage));
                kinds.extend(deep_pages(vantage, client)?);
            }
            Group::Report => kinds.extend(reports(vantage)),
        }
    }
    // A list of identifiers in one question is a route of its own, which an older server does not have.
    let is_there = |kind: &Kind| match kind.questions.first() {
        Some(
            question @ Question {
                request: Request::Post(..),
                ..
            },
        ) => {
            let answer = client.send(&question.request);
            answer.is_ok_and(|answer| !matches!(answer.status, 404 | 405))
        }
        Some(_) => true,
        None => false,
    };
    kinds.retain(is_there);
    Ok(kinds)
}

/// One list for closed loops, each kind with its share.
pub(crate) fn mixed(kinds: &[Kind]) -> Vec<Question> {
    let mut mixed = Vec::new();
    for round in 0..DIFFERENT / 10 {
        for kind in kinds {
            let of_kind = kind.questions.iter().cycle().skip(round * kind.share);
            mixed.extend(of_kind.take(kind.share).cloned());
        }
    }
    mixed
}

fn get(path: String, expects: Expects) -> Question {
    Question {
        request: Request::Get(path),
        expects,
    }
}

/// A page of 20 rows of a search that must find something.
fn search(parameters: &[(&str, &str)]) -> Question {
    get(address("/v1/payments/search", parameters), Expects::Rows)
}

fn some(vantage: &Vantage, question: impl Fn(&Known) -> Option<Question>) -> Vec<Question> {
    vantage.known.iter().filter_map(question).take(DIFFERENT).collect()
}

fn lookups(vantage: &Vantage) -> Vec<Kind> {
    let by_key = some(vantage, |known| {
        let path = format!("/v1/payments/{}", encoded(&known.payment_key));
        Some(get(path, Expects::Text(known.payment_key.clone())))
    });
    let mut turn = 0..;
    let mut of_known = |known: &Known| {
        let (_, text) = &known.identifiers[turn.next().unwrap_or(0) % known.identifiers.len()];
        let path = address("/v1/payments/search", &[("q", text)]);
        get(path, Expects::Text(known.payment_key.clone()))
    };
    let by_identifier = vantage.known.iter().take(DIFFERENT).map(&mut of_known).collect();
    let ids: Vec<&str> = vantage
        .known
        .iter()
        .flat_map(|known| {
            known
                .identifiers
                .iter()
                .map(|(_, text)| text.as_str())
                .chain([known.payment_key.as_str()])
        })
        .collect();
    let many = ids.chunks(LOOKUP_IDS).filter(|ids| ids.len() == LOOKUP_IDS);
    let many = many.map(|ids| Question {
        request: Request::Post("/v1/lookup".to_owned(), json!({ "ids": ids })),
        expects: Expects::Rows,
    });
    vec![
        Kind::new("payment by key", 100.0, Some(10.0), 40, by_key),
        Kind::new("exact identifier", 100.0, Some(10.0), 20, by_identifier),
        Kind::new("1,000 mixed identifiers", 2.0, Some(300.0), 0, many.collect()),
    ]
}

fn searches(vantage: &Vantage) -> Vec<Kind> {
    let of_texts = |texts: Vec<&str>| texts.into_iter().map(|text| search(&[("q", text)])).collect::<Vec<_>>();
    let rare = some(vantage, |known| {
        let customer = known.customer.as_deref()?;
        Some(search(&[("q", &format!("\"{customer}\""))]))
    });
    let broad = Vantage::about(&vantage.words, 0.05, 20);
    let filtered = some(vantage, |known| {
        let word = broad.iter().find(|word| known.has(word))?;
        let (from, to) = known.month();
        Some(search(&[
            ("q", word),
            ("merchant_id", &known.merchant_id),
            ("sale_day[gte]", &from),
            ("sale_day[lt]", &to),
        ]))
    });
    let korean = some(vantage, |known| Some(search(&[("q", &known.pair()?)])));
    let rare_pairs = Vantage::about(&vantage.pairs, 0.0, 100);
    vec![
        Kind::new("search, rare text", 20.0, Some(50.0), 8, rare),
        Kind::new("search, rare two characters", 20.0, Some(50.0), 3, of_texts(rare_pairs)),
        Kind::new("search, broad text", 20.0, Some(50.0), 8, of_texts(broad.clone())),
        Kind::new("search, text, month and merchant", 20.0, Some(50.0), 7, filtered),
        Kind::new("search, Korean two characters", 20.0, Some(50.0), 5, korean),
    ]
}

fn by_merchant_status_month(vantage: &Vantage) -> Kind {
    let questions = some(vantage, |known| {
        let (from, to) = known.month();
        let parameters = [
            ("merchant_id", known.merchant_id.as_str()),
            ("status", "DONE"),
            ("sale_day[gte]", &from),
            ("sale_day[lt]", &to),
        ];
        Some(get(address("/v1/payments", &parameters), Expects::Success))
    });
    Kind::new("list, merchant, status and month", 20.0, Some(50.0), 5, questions)
}

/// Page 200 of the whole list and of one method's; the pages before it are turned before the clock starts.
fn deep_pages(vantage: &Vantage, client: &Client) -> Result<Vec<Kind>> {
    let starts = vantage.known.iter().step_by(vantage.known.len().div_ceil(3));
    let mut questions = Vec::new();
    for known in starts {
        let until = known.month().1;
        let mut path = address("/v1/payments", &[("sale_day[lt]", &until)]);
        let first = path.clone();
        for _ in 1..DEEP {
            let Value::String(cursor) = client.json(&path)?["next_cursor"].take() else {
                // A small store has no such page: the last one it has.
                break;
            };
            path = format!("{first}&cursor={}", encoded(&cursor));
        }
        questions.push(get(path, Expects::Rows));
    }
    Ok(vec![Kind::new("list, page 200 deep", 20.0, Some(50.0), 1, questions)])
}

fn reports(vantage: &Vantage) -> Vec<Kind> {
    let merchants = vantage.merchants();
    let sales = |parameters: &[(&str, &str)]| {
        let of_basis = [&[("basis", "event_day")], parameters].concat();
        get(address("/v1/reports/sales", &of_basis), Expects::Success)
    };
    let settlements = |parameters: &[(&str, &str)]| {
        let of_basis = [&[("basis", "sold_on")], parameters].concat();
        get(address("/v1/reports/settlements", &of_basis), Expects::Success)
    };
    let month_of_merchant = vantage.known.iter().take(DIFFERENT).enumerate().map(|(at, known)| {
        let (from, to) = known.month();
        let merchant = merchants[at % merchants.len()];
        let parameters = [
            ("from", &*from),
            ("to", &*to),
            ("group_by", "day"),
            ("merchant_id", merchant),
        ];
        if at % 2 == 0 {
            sales(&parameters)
        } else {
            settlements(&parameters)
        }
    });
    let month_of_all = vantage.known.iter().take(DIFFERENT).enumerate().map(|(at, known)| {
        let (from, to) = known.month();
        let parameters = [("from", &*from), ("to", &*to), ("group_by", "day,method")];
        if at % 2 == 0 {
            sales(&parameters)
        } else {
            settlements(&parameters)
        }
    });
    // In one currency: in all of them a large store has more rows than a report may have.
    let year = |known: &Known| {
        let (from, to) = known.year();
        let parameters = [
            ("from", &*from),
            ("to", &*to),
            ("group_by", "month,merchant"),
            ("currency", "KRW"),
        ];
        sales(&parameters)
    };
    let year_of_all = vantage.known.iter().take(100).map(year);
    let from_entries = vantage.known.iter().take(20).map(|known| {
        let (from, to) = known.month();
        sales(&[("from", &from), ("to", &to), ("group_by", "day"), ("source", "ledger")])
    });
    vec![
        Kind::new(
            "report, month by day, one merchant",
            10.0,
            Some(20.0),
            2,
            month_of_merchant.collect(),
        ),
        Kind::new(
            "report, month by day and method, all",
            4.0,
            Some(300.0),
            1,
            month_of_all.collect(),
        ),
        Kind::new(
            "report, 12 months by month and merchant, all",
            1.0,
            Some(1_000.0),
            0,
            year_of_all.collect(),
        ),
        Kind::new(
            "report, month by day, all, from entries",
            0.5,
            None,
            0,
            from_entries.collect(),
        ),
    ]
}
