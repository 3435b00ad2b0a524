//! Payments that may satisfy a filter, from the table `payments`, in the order of lists.

use std::ops::Bound;

use chrono::{DateTime, TimeDelta, Utc};
use domain::scope::Scope;
use duckdb::Connection;
use query::Filter;

use crate::append::{micros, of_micros};
use crate::condition::{self, Condition};
use crate::error::LedgerError;
use crate::trace;

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
pub struct Asked<'a> {
    pub filter: &'a Filter,
    pub scope: &'a Scope,
    pub order: Order,
    /// Both ends inclusive.
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    pub limit: usize,
}

/// Up to `limit` candidates between two instants, in order of `occurred_at`; and then, beyond the limit, all others
/// of the last one's very instant, so that a caller can order them by payment key. `payments` is how many the store has.
pub(crate) fn list(connection: &Connection, asked: &Asked<'_>, payments: u64) -> Result<Vec<Candidate>, LedgerError> {
    let limit = asked.limit.max(1);
    let base = condition::of(asked.filter, asked.scope);
    // One more than asked for shows whether the last instant has others.
    let mut found = if payments < REACHES_FROM {
        let window = window(asked.since.map(Bound::Included), asked.until.map(Bound::Included));
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
    let (start, end) = match order {
        Order::NewestFirst => (asked.until, asked.since),
        Order::OldestFirst => (asked.since, asked.until),
    };
    let start = start.map_or_else(|| edge(connection, order), |start| Ok(Some(start)))?;
    let Some(start) = start else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let mut near = Bound::Included(start);
    for far in stops(order, start, end) {
        let far_bound = far.map(Bound::Included);
        let window = match order {
            Order::NewestFirst => window(far_bound, Some(near)),
            Order::OldestFirst => window(Some(near), far_bound),
        };
        found.extend(run(connection, base, &window, &ordered(order, limit - found.len()))?);
        match far {
            Some(far) if found.len() < limit => near = Bound::Excluded(far),
            _ => break,
        }
    }
    Ok(found)
}

/// Where each look stops; the last one at the end asked for. What is no longer than the longest reach is looked at at
/// once.
fn stops(order: Order, start: DateTime<Utc>, end: Option<DateTime<Utc>>) -> Vec<Option<DateTime<Utc>>> {
    let mut stops = Vec::new();
    let mut at = start;
    for reach in REACHES {
        let next = match order {
            Order::NewestFirst => at.checked_sub_signed(reach),
            Order::OldestFirst => at.checked_add_signed(reach),
        };
        let Some(next) = next else { break };
        let is_behind_end = end.is_some_and(|end| match order {
            Order::NewestFirst => next <= end,
            Order::OldestFirst => next >= end,
        });
        if is_behind_end {
            break;
        }
        stops.push(Some(next));
        at = next;
    }
    if stops.len() < REACHES.len() {
        stops.clear();
    }
    stops.push(end);
    stops
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
    let (nearer, nearest) = match order {
        Order::NewestFirst => ("greatest", "max"),
        Order::OldestFirst => ("least", "min"),
    };
    // Of a table the engine knows the ends from its statistics, of the view it reads the column.
    let sql = format!(
        "select epoch_us({nearer}((select {nearest}(occurred_at) from payments_near),
                                  (select {nearest}(occurred_at) from payments_late),
                                  (select {nearest}(occurred_at) from payments_sealed),
                                  (select {nearest}(occurred_at) from payments_packed)))"
    );
    let micros: Option<i64> = connection
        .query_row(&sql, [], |row| row.get(0))
        .map_err(LedgerError::engine("looked for the newest payment"))?;
    Ok(micros.map(of_micros))
}

fn instant(at: DateTime<Utc>) -> String {
    format!("make_timestamp({}::bigint)", micros(at))
}

fn window(since: Option<Bound<DateTime<Utc>>>, until: Option<Bound<DateTime<Utc>>>) -> String {
    let side = |bound: Option<Bound<DateTime<Utc>>>, compare: &str| match bound? {
        Bound::Included(at) => Some(format!("occurred_at {compare}= {}", instant(at))),
        Bound::Excluded(at) => Some(format!("occurred_at {compare} {}", instant(at))),
        Bound::Unbounded => None,
    };
    let sides: Vec<String> = [side(since, ">"), side(until, "<")].into_iter().flatten().collect();
    match sides.is_empty() {
        true => "true".to_owned(),
        false => sides.join(" and "),
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
    trace::count(connection, &sql);
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(day)
    }

    #[test]
    fn short_spans_are_looked_at_at_once_and_long_ones_from_the_near_end() {
        let newest = |end| stops(Order::NewestFirst, at(1_000), end);
        assert_eq!(newest(Some(at(900))), [Some(at(900))]);
        assert_eq!(newest(None), [Some(at(998)), Some(at(982)), Some(at(854)), None]);
        assert_eq!(
            newest(Some(at(10))),
            [Some(at(998)), Some(at(982)), Some(at(854)), Some(at(10))]
        );
        assert_eq!(
            stops(Order::OldestFirst, at(0), Some(at(500))),
            [Some(at(2)), Some(at(18)), Some(at(146)), Some(at(500))]
        );
        assert_eq!(stops(Order::OldestFirst, at(0), Some(at(-3))), [Some(at(-3))]);
    }
}
