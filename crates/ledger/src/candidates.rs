//! Payments that may satisfy a filter, from the table `payments`, in the order of lists.

use chrono::{DateTime, TimeDelta, Utc};
use domain::scope::Scope;
use duckdb::Connection;
use query::Filter;

use crate::append::{micros, of_micros};
use crate::condition::{self, Condition};
use crate::error::LedgerError;

/// Which end of time a list begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    NewestFirst,
    OldestFirst,
}

/// A payment that may satisfy the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub occurred_at: DateTime<Utc>,
    pub seq: u64,
}

/// How far a look into the table reaches before it reaches further: most pages are full of the last days, and the
/// table lies in order of arrival, so what is far is not even read.
const REACHES: [TimeDelta; 3] = [TimeDelta::days(2), TimeDelta::days(16), TimeDelta::days(128)];

/// A store of fewer payments is read at once: planning another query takes longer than reading one more row group.
const REACHES_FROM: u64 = 100_000;

/// What a list of candidates is asked with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) scope: &'a Scope,
    pub(crate) order: Order,
    /// Inclusive.
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) limit: usize,
}

/// Up to `limit` candidates from the instant `from` on, in order of `occurred_at`; and then, beyond the limit, all others
/// of the last one's very instant, so that a caller can order them by payment key. `payments` is how many the store has.
pub(crate) fn list(connection: &Connection, asked: &Asked<'_>, payments: u64) -> Result<Vec<Candidate>, LedgerError> {
    let limit = asked.limit.max(1);
    let base: Vec<Condition> = [condition::of_filter(asked.filter), condition::of_scope(asked.scope)]
        .into_iter()
        .flatten()
        .collect();
    // One more than asked for shows whether the last instant has others.
    let mut found = if payments < REACHES_FROM {
        let window = asked
            .from
            .map_or_else(|| "true".to_owned(), |from| window(asked.order, from, true, None));
        run(connection, &base, &window, &ordered(asked.order, limit + 1))?
    } else {
        reached(connection, &base, asked, limit + 1)?
    };
    if found.len() > limit {
        let (last, next) = (found[limit - 1], found[limit]);
        found.truncate(limit);
        if last.occurred_at == next.occurred_at {
            let same = format!("occurred_at = {}", instant(last.occurred_at));
            found.retain(|candidate| candidate.occurred_at != last.occurred_at);
            found.extend(run(connection, &base, &same, "")?);
        }
    }
    Ok(found)
}

/// The same, reaching further and further.
fn reached(
    connection: &Connection,
    base: &[Condition],
    asked: &Asked<'_>,
    limit: usize,
) -> Result<Vec<Candidate>, LedgerError> {
    let order = asked.order;
    let from = asked
        .from
        .map_or_else(|| edge(connection, order), |from| Ok(Some(from)))?;
    let Some(mut near) = from else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let mut near_included = true;
    for reach in REACHES.into_iter().map(Some).chain([None]) {
        let far = reach.and_then(|reach| match order {
            Order::NewestFirst => near.checked_sub_signed(reach),
            Order::OldestFirst => near.checked_add_signed(reach),
        });
        let window = window(order, near, near_included, far);
        found.extend(run(connection, base, &window, &ordered(order, limit - found.len()))?);
        match far {
            Some(far) if found.len() < limit => (near, near_included) = (far, false),
            _ => break,
        }
    }
    Ok(found)
}

fn ordered(order: Order, limit: usize) -> String {
    format!("order by micros {} limit {limit}", order.direction())
}

impl Order {
    fn direction(self) -> &'static str {
        match self {
            Order::NewestFirst => "desc",
            Order::OldestFirst => "asc",
        }
    }
}

/// The instant that a list without a start begins at.
fn edge(connection: &Connection, order: Order) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let sql = match order {
        Order::NewestFirst => "select epoch_us(max(occurred_at)) from payments",
        Order::OldestFirst => "select epoch_us(min(occurred_at)) from payments",
    };
    let micros: Option<i64> = connection
        .query_row(sql, [], |row| row.get(0))
        .map_err(LedgerError::engine("looked for the newest payment"))?;
    Ok(micros.map(of_micros))
}

fn instant(at: DateTime<Utc>) -> String {
    format!("make_timestamp({}::bigint)", micros(at))
}

/// From `near`, included or not, to `far`, included.
fn window(order: Order, near: DateTime<Utc>, near_included: bool, far: Option<DateTime<Utc>>) -> String {
    let (before, after) = match order {
        Order::NewestFirst => ("<", ">="),
        Order::OldestFirst => (">", "<="),
    };
    let equal = if near_included { "=" } else { "" };
    let near = format!("occurred_at {before}{equal} {}", instant(near));
    match far {
        Some(far) => format!("{near} and occurred_at {after} {}", instant(far)),
        None => near,
    }
}

fn run(connection: &Connection, base: &[Condition], window: &str, tail: &str) -> Result<Vec<Candidate>, LedgerError> {
    let doing = "listed payments";
    let conditions: Vec<String> = base
        .iter()
        .map(|condition| format!("({})", condition.sql))
        .chain([window.to_owned()])
        .collect();
    // A row that was taken out again has the same columns as when it was put in, so both meet the conditions or neither.
    let sql = format!(
        "select epoch_us(occurred_at) as micros, seq from payments where {} group by occurred_at, seq having sum(sign) > 0
         {tail}",
        conditions.join(" and ")
    );
    let values = base.iter().flat_map(|condition| condition.values.iter());
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map(duckdb::params_from_iter(values), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .map_err(LedgerError::engine(doing))?;
    rows.map(|row| {
        row.map(|(at, seq)| Candidate {
            occurred_at: of_micros(at),
            seq: seq.unsigned_abs(),
        })
    })
    .collect::<Result<_, _>>()
    .map_err(LedgerError::engine(doing))
}
