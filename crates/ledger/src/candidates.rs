//! Payments that may satisfy a filter, from the table `payments`, in the order of lists.

use chrono::{DateTime, Utc};
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

/// Up to `limit` candidates from the instant `from` on (inclusive), in order of `occurred_at`; and then, beyond the
/// limit, all others of the last one's very instant, so that a caller can order them by payment key.
pub(crate) fn list(
    connection: &Connection,
    filter: &Filter,
    scope: &Scope,
    order: Order,
    from: Option<DateTime<Utc>>,
    limit: usize,
) -> Result<Vec<Candidate>, LedgerError> {
    let (compare, direction) = match order {
        Order::NewestFirst => ("<=", "desc"),
        Order::OldestFirst => (">=", "asc"),
    };
    let base: Vec<Condition> = [condition::of_filter(filter), condition::of_scope(scope)]
        .into_iter()
        .flatten()
        .collect();
    let start = from.map(|from| format!("occurred_at {compare} make_timestamp({}::bigint)", micros(from)));
    let tail = format!("order by occurred_at {direction} limit {}", limit.max(1));
    let mut found = run(connection, &base, start, &tail)?;
    if found.len() >= limit.max(1)
        && let Some(last) = found.last().copied()
    {
        let same = format!("occurred_at = make_timestamp({}::bigint)", micros(last.occurred_at));
        found.retain(|candidate| candidate.occurred_at != last.occurred_at);
        found.extend(run(connection, &base, Some(same), "")?);
    }
    Ok(found)
}

fn run(
    connection: &Connection,
    base: &[Condition],
    extra: Option<String>,
    tail: &str,
) -> Result<Vec<Candidate>, LedgerError> {
    let doing = "listed payments";
    let conditions: Vec<String> = base
        .iter()
        .map(|condition| format!("({})", condition.sql))
        .chain(extra)
        .chain(["true".to_owned()])
        .collect();
    // A row that was taken out again has the same columns as when it was put in, so both meet the conditions or neither.
    let sql = format!(
        "select epoch_us(occurred_at) as at, seq from payments where {} group by occurred_at, seq having sum(sign) > 0
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
