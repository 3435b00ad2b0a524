//! The same questions to both, in a form that can be compared.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use postgres::types::ToSql;
use postgres::{Client, Row};
use serde_json::Value;

use crate::http::{Answer, Request, address, encoded};
use crate::vantage::{Known, Vantage};

const JOINED: &str = include_str!("joined.sql");
const IDENTIFIER: &str = include_str!("identifier.sql");
const SUMS: &str = include_str!("sums.sql");
const ENTRIES: &str = include_str!("entries.sql");

/// Different questions of a kind.
const DIFFERENT: usize = 50;
const NEWEST: &str = "order by p.occurred_at desc, p.payment_key limit 20";

/// How answers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    Page,
    Report,
}

/// One question, asked of both.
pub(crate) struct Pair {
    pub(crate) request: Request,
    pub(crate) sql: String,
    pub(crate) values: Vec<String>,
}

pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// The least ratio of the times that the bar asks for; at 1, one may also be within the bar of its own.
    pub(crate) ratio: f64,
    pub(crate) bar_ms: f64,
    pub(crate) pairs: Vec<Pair>,
}

pub(crate) fn kinds(vantage: &Vantage) -> Vec<Kind> {
    let broad = Vantage::about(&vantage.words, 0.05, 20);
    let rare = Vantage::about(&vantage.pairs, 0.0, DIFFERENT);
    let known = || vantage.known.iter().take(DIFFERENT);
    let kind = |name, shape, ratio, bar_ms, pairs| Kind {
        name,
        shape,
        ratio,
        bar_ms,
        pairs,
    };
    let names = vantage
        .known
        .iter()
        .filter_map(|known| known.customer.as_deref())
        .take(DIFFERENT);
    let filtered = vantage.known.iter().filter_map(|known| {
        let word = broad.iter().find(|word| known.has(word))?;
        Some(in_month(known, Some(word)))
    });
    vec![
        kind("payment by key", Shape::One, 1.0, 10.0, known().map(by_key).collect()),
        kind(
            "exact identifier",
            Shape::Page,
            1.0,
            10.0,
            known().map(by_identifier).collect(),
        ),
        kind("rare text", Shape::Page, 1.0, 50.0, names.map(text).collect()),
        kind(
            "rare two characters",
            Shape::Page,
            10.0,
            50.0,
            rare.into_iter().map(text).collect(),
        ),
        kind(
            "broad text",
            Shape::Page,
            1.0,
            50.0,
            broad.iter().map(|word| text(word)).collect(),
        ),
        kind(
            "text, month and merchant",
            Shape::Page,
            1.0,
            50.0,
            filtered.take(DIFFERENT).collect(),
        ),
        kind(
            "merchant, status and month",
            Shape::Page,
            1.0,
            50.0,
            known().map(|known| in_month(known, None)).collect(),
        ),
        kind(
            "month by day, one merchant",
            Shape::Report,
            1.0,
            20.0,
            known().map(month_of_merchant).collect(),
        ),
        kind(
            "month by day and method, all",
            Shape::Report,
            1.0,
            300.0,
            known().map(month_of_all).collect(),
        ),
        kind(
            "12 months by month and merchant, all",
            Shape::Report,
            1.0,
            1_000.0,
            known().take(10).map(year_of_all).collect(),
        ),
        kind(
            "month by day, all, from entries",
            Shape::Report,
            10.0,
            0.0,
            known().take(10).map(from_entries).collect(),
        ),
    ]
}

fn by_key(known: &Known) -> Pair {
    Pair {
        request: Request::Get(format!("/v1/payments/{}", encoded(&known.payment_key))),
        sql: format!("{JOINED} where p.payment_key = $1"),
        values: vec![known.payment_key.clone()],
    }
}

fn by_identifier(known: &Known) -> Pair {
    let at = known.payment_key.len() + known.payment_key.bytes().map(usize::from).sum::<usize>();
    let (_, identifier) = &known.identifiers[at % known.identifiers.len()];
    Pair {
        request: Request::Get(address("/v1/payments/search", &[("q", identifier)])),
        sql: format!("{JOINED} where p.payment_key in ({IDENTIFIER}) {NEWEST}"),
        values: vec![query::ident(identifier), identifier.clone()],
    }
}

fn text(text: &str) -> Pair {
    Pair {
        request: Request::Get(address("/v1/payments/search", &[("q", &format!("\"{text}\""))])),
        sql: format!("{JOINED} where p.search_text like $1 {NEWEST}"),
        values: vec![like(text)],
    }
}

fn like(text: &str) -> String {
    format!(
        "%{}%",
        query::fold(text)
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_")
    )
}

fn in_month(known: &Known, word: Option<&str>) -> Pair {
    let (from, to) = known.month();
    let mut parameters = vec![
        ("merchant_id", known.merchant_id.as_str()),
        ("status", "DONE"),
        ("sale_day[gte]", &from),
        ("sale_day[lt]", &to),
    ];
    parameters.extend(word.map(|word| ("q", word)));
    let path = if word.is_some() {
        "/v1/payments/search"
    } else {
        "/v1/payments"
    };
    let and_text = if word.is_some() {
        "and p.search_text like $4"
    } else {
        ""
    };
    let mut values = vec![known.merchant_id.clone(), from.clone(), to.clone()];
    values.extend(word.map(like));
    Pair {
        request: Request::Get(address(path, &parameters)),
        sql: format!(
            "{JOINED} where p.merchant_id = $1 and p.status = 'DONE'
             and p.event_day >= $2::text::date and p.event_day < $3::text::date {and_text} {NEWEST}"
        ),
        values,
    }
}

/// A sales report by event day: `group_by` and the same in SQL.
fn report(from: &str, to: &str, group_by: &str, groups: &str, merchant: Option<&str>, entries: bool) -> Pair {
    let mut parameters = vec![
        ("basis", "event_day"),
        ("from", from),
        ("to", to),
        ("group_by", group_by),
    ];
    parameters.extend(merchant.map(|merchant| ("merchant_id", merchant)));
    if entries {
        parameters.push(("source", "ledger"));
    }
    let mut values = vec![from.to_owned(), to.to_owned()];
    values.extend(merchant.map(str::to_owned));
    let sql = SUMS
        .replace("{groups}", groups)
        .replace("{source}", if entries { ENTRIES } else { "sales" })
        .replace(
            "{condition}",
            if merchant.is_some() { "and merchant_id = $3" } else { "" },
        )
        .replace("$1", "$1::text::date")
        .replace("$2", "$2::text::date");
    Pair {
        request: Request::Get(address("/v1/reports/sales", &parameters)),
        sql,
        values,
    }
}

fn month_of_merchant(known: &Known) -> Pair {
    let (from, to) = known.month();
    report(&from, &to, "day", "day::text", Some(&known.merchant_id), false)
}

fn month_of_all(known: &Known) -> Pair {
    let (from, to) = known.month();
    report(&from, &to, "day,method", "day::text, method", None, false)
}

fn year_of_all(known: &Known) -> Pair {
    let (from, to) = known.year();
    report(
        &from,
        &to,
        "month,merchant",
        "to_char(day, 'YYYY-MM'), merchant_id",
        None,
        false,
    )
}

fn from_entries(known: &Known) -> Pair {
    let (from, to) = known.month();
    report(&from, &to, "day", "day::text", None, true)
}

impl Pair {
    pub(crate) fn ask_rival(&self, client: &mut Client) -> Result<Vec<Row>> {
        let values: Vec<&(dyn ToSql + Sync)> = self.values.iter().map(|value| value as _).collect();
        // Planned each time, as the best plan depends on the word.
        client
            .query(&self.sql, &values)
            .with_context(|| format!("{} {:?}", self.sql, self.values))
    }

    /// # Errors
    /// Says how the answers differ.
    pub(crate) fn compare(&self, shape: Shape, ours: &Answer, theirs: &[Row]) -> Result<()> {
        if ours.status != 200 {
            bail!("{:?} was answered with {}", self.request, ours.status);
        }
        let ours: Value = serde_json::from_slice(&ours.body)?;
        let rows = match shape {
            Shape::One => std::slice::from_ref(&ours),
            Shape::Page | Shape::Report => ours["data"].as_array().map_or(&[][..], Vec::as_slice),
        };
        let (ours, theirs): (Vec<String>, Vec<String>) = match shape {
            Shape::One | Shape::Page => (
                rows.iter().map(our_payment).collect(),
                theirs.iter().map(their_payment).collect(),
            ),
            Shape::Report => (
                rows.iter().map(our_sums).collect(),
                theirs.iter().map(their_sums).collect(),
            ),
        };
        let same = match shape {
            Shape::One | Shape::Page => ours == theirs,
            Shape::Report => ours.iter().collect::<BTreeSet<_>>() == theirs.iter().collect::<BTreeSet<_>>(),
        };
        if !same {
            let differs = ours
                .iter()
                .find(|row| !theirs.contains(row))
                .or(theirs.iter().find(|row| !ours.contains(row)));
            bail!(
                "{:?}: {} rows and {} rows, the first that differs: {differs:?}",
                self.request,
                ours.len(),
                theirs.len()
            );
        }
        Ok(())
    }
}

fn our_payment(row: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let canceled = number(&text(&row["canceled_amount"]));
    let payout = number(&text(&row["settlement"]["payout"]));
    format!(
        "{} {} {canceled} {payout}",
        text(&row["payment_key"]),
        text(&row["status"])
    )
}

fn their_payment(row: &Row) -> String {
    let text = |at| row.get::<_, Option<String>>(at).unwrap_or_default();
    format!("{} {} {} {}", text(0), text(1), number(&text(2)), number(&text(3)))
}

fn our_sums(row: &Value) -> String {
    let names = [
        "day",
        "month",
        "method",
        "merchant_id",
        "currency",
        "payment_count",
        "payment_amount",
        "cancellation_count",
        "cancellation_amount",
        "failed_count",
    ];
    let present = names.iter().filter_map(|name| row.get(name));
    let cells = present.map(|value| value.as_str().map_or_else(|| value.to_string(), number));
    cells.collect::<Vec<_>>().join(" ")
}

fn their_sums(row: &Row) -> String {
    let cell = |at: usize| {
        let text = row.try_get::<_, String>(at).map(|text| number(&text));
        text.or_else(|_| row.try_get::<_, i64>(at).map(|count| count.to_string()))
            .unwrap_or_default()
    };
    (0..row.len()).map(cell).collect::<Vec<_>>().join(" ")
}

/// One spelling of an amount: `10.50` is `10.5`. What is no amount stays as it is.
fn number(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() {
                whole.to_owned()
            } else {
                format!("{whole}.{fraction}")
            }
        }
        None => text.to_owned(),
    }
}
