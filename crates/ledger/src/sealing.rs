//! Sealing: rows that have lain for a while are sorted by merchant, beside the batches.
//!
//! Rows of the unified ledger lie in the order in which they came, which is that of their days. So a question about all merchants
//! reads the days that it asks for, and a question about one merchant reads everybody's. Most rows are changed once or twice
//! in the days after they came, each time by a row that takes the old one out and one that puts the new one in. So the oldest rows
//! of a table are moved on, some hundred thousand at a time: what takes each other out goes, the rest is appended to a *sealed* table
//! as a run sorted by month (payments: week), merchant and day. Where many payments come in a day, a run holds a day or a week, and most changes of its rows
//! come after it. So some runs together are moved on once more, into a *packed* table, merchants by merchants: what they say of a payment takes
//! each other out now, and a merchant's month is a piece of its own (of payments some pieces). That is never rewritten. What comes about it later is a row with the
//! other sign in the tables that batches append to, and goes the same way.
//!
//! What is never taken out again moves on as it is: each folding of the log begins a row group in each table that was appended to, and
//! leaves a block of 256 KiB there mostly empty, which at some 80 foldings in a million payments was 100 bytes a payment.

use duckdb::Connection;

use crate::compaction::parts;
use crate::error::LedgerError;

/// Of the rows of a run, so many parts are left lying when the others are moved: they are still being changed.
const LEFT: u64 = 2;

/// So many runs are packed together.
const RUNS: u64 = 4;

/// The share of rows packed together that lie apart from the others because they are the oldest. About one change in a hundred is about a
/// payment of long ago, which in the third year of a stream makes 5 in 100 rows; such rows in each part would have its first row groups be about
/// three years, and read for every question.
const OLDEST: f64 = 0.1;

/// Rows of a row group of the engine: whole ones leave no part of a block empty.
const ROW_GROUP: u64 = 122_880;

/// Of tables to which one row comes for a hundred others no more are moved at once: each folding leaves a block of theirs half empty.
const FEW: u64 = 8_192;

/// A table whose rows are moved on to another one, and how they are sorted there.
struct Way {
    from: &'static str,
    to: &'static str,
    /// Rows that are never taken out move on as they are.
    sorting: Option<Sorting>,
    /// The most rows moved at once.
    most: u64,
}

/// By the span of time that a day lies in, then by merchant.
#[derive(Clone, Copy)]
struct Sorting {
    span: &'static str,
    day: &'static str,
}

/// Entries are asked for by merchant and month.
const BY_MONTH: Option<Sorting> = Some(Sorting {
    span: "month",
    day: "coalesce(event_day, sold_on)",
});

/// Payments by merchant and month, and page by page of all merchants: a page reads all row groups of its span.
const BY_WEEK: Option<Sorting> = Some(Sorting {
    span: "week",
    day: "occurred_at",
});

const fn way(from: &'static str, to: &'static str, sorting: Option<Sorting>, most: u64) -> Way {
    Way {
        from,
        to,
        sorting,
        most,
    }
}

/// From the tables that batches append to.
const SEALED: [Way; 7] = [
    way("entries_near", "entries_sealed", BY_MONTH, u64::MAX),
    way("entries_late", "entries_sealed", BY_MONTH, FEW),
    way("payments_near", "payments_sealed", BY_WEEK, u64::MAX),
    way("payments_late", "payments_sealed", BY_WEEK, FEW),
    way("versions_new", "versions_packed", None, 8 * ROW_GROUP),
    way("keys_new", "keys_packed", None, 2 * ROW_GROUP),
    way("repeats_new", "repeats_packed", None, ROW_GROUP),
];

const PACKED: [Way; 2] = [
    way("entries_sealed", "entries_packed", BY_MONTH, u64::MAX),
    way("payments_sealed", "payments_packed", BY_WEEK, u64::MAX),
];

/// Moves the oldest `rows` rows of each table that has half as many more, until none has, and packs runs of which there are enough. After
/// each transaction `goes_on` is asked. Returns how many transactions there were.
///
/// # Errors
/// What was not moved lies as it lay.
pub(crate) fn seal(
    connection: &Connection,
    rows: u64,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<usize, LedgerError> {
    let rows = rows.max(1);
    let mut steps = 0;
    for way in &SEALED {
        let rows = way.at_once(rows);
        while way.count(connection)? >= rows + rows.div_euclid(LEFT).max(1) {
            way.take(connection, &way.oldest(connection, rows)?)?;
            steps += 1;
            if !goes_on() {
                return Ok(steps);
            }
        }
    }
    for way in &PACKED {
        if way.count(connection)? < rows.saturating_mul(RUNS) {
            continue;
        }
        for part in way.parts(connection, rows)? {
            way.take(connection, &part)?;
            steps += 1;
            if !goes_on() {
                return Ok(steps);
            }
        }
    }
    Ok(steps)
}

impl Way {
    /// Of rows that are not sorted twice as many, which take no memory.
    fn at_once(&self, rows: u64) -> u64 {
        match self.sorting {
            None if rows > ROW_GROUP => {
                let rows = rows.saturating_mul(2).min(self.most);
                rows - rows % ROW_GROUP
            }
            _ => rows.min(self.most),
        }
    }

    fn count(&self, connection: &Connection) -> Result<u64, LedgerError> {
        let sql = format!("select count(*) from {}", self.from);
        connection
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(LedgerError::engine("counted rows"))
    }

    /// The condition that selects the oldest rows.
    fn oldest(&self, connection: &Connection, rows: u64) -> Result<String, LedgerError> {
        // Row ids are counted through, but for the first ones, which were deleted.
        let sql = format!("select min(rowid) from {}", self.from);
        let first: i64 = connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(LedgerError::engine("sealed rows"))?;
        Ok(format!("rowid < {}", first.unsigned_abs() + rows))
    }

    /// Conditions that cut the table into parts of some `rows`: the oldest rows of all merchants, and the others by merchant.
    fn parts(&self, connection: &Connection, rows: u64) -> Result<Vec<String>, LedgerError> {
        let merchants = parts(connection, "coalesce(merchant_id, '')", self.from, rows)?;
        let Some(Sorting { day, .. }) = self.sorting else {
            return Ok(merchants);
        };
        let sql = format!(
            "select quantile_disc({day}, {OLDEST})::date::varchar from {}",
            self.from
        );
        let first: Option<String> = connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(LedgerError::engine("looked for old rows"))?;
        let Some(first) = first else { return Ok(merchants) };
        let old = format!("{day} < date '{first}'");
        let others = merchants
            .into_iter()
            .map(|part| format!("({part}) and ({day} is null or {day} >= date '{first}')"));
        Ok(std::iter::once(old).chain(others).collect())
    }

    fn take(&self, connection: &Connection, condition: &str) -> Result<(), LedgerError> {
        let sql = match self.sorting {
            None => include_str!("sealing/gather.sql").to_owned(),
            Some(Sorting { span, day }) => include_str!("sealing/take.sql")
                .replace("/* SPAN */", span)
                .replace("/* DAY */", day),
        };
        let sql = sql
            .replace("/* TO */", self.to)
            .replace("/* FROM */", self.from)
            .replace("/* CONDITION */", condition);
        let done = connection.execute_batch(&sql);
        if done.is_err() {
            // There is none where the first statement failed.
            let _ = connection.execute_batch("rollback");
        }
        done.map_err(LedgerError::engine("sealed rows"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::engine::{Engine, Options};

    #[test]
    fn what_is_in_stays_in_and_pairs_go() {
        let dir = tempfile::tempdir().expect("a directory");
        let engine = Engine::open(dir.path(), &Options::default()).expect("the ledger opens");
        let connection = engine.connection().expect("a connection");
        let texts = |sql: &str| {
            let mut statement = connection.prepare(sql).expect("prepared");
            let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("asked");
            rows.collect::<Result<Vec<_>, _>>().expect("read")
        };
        let held = || {
            texts(
                "select concat_ws('|', seq, merchant_id, status, occurred_at, sum(sign)) from payments
                 group by seq, merchant_id, status, occurred_at having sum(sign) <> 0 order by all",
            )
        };
        let mut steps = 0;
        for batch in 0..40 {
            // Ten new payments, and ten of the batch before whose status changes; every seventh has no merchant.
            let put = |sign: i32, batch: i32, status: &str| {
                format!(
                    "insert into payments_near by name
                     select {sign} as sign, {batch} * 10 + i as seq,
                            case when i = 7 then null else 'm' || (i % 3)::varchar end as merchant_id, 'CARD' as method,
                            '{status}' as status, 'NONE' as settlement_status,
                            timestamp '2026-01-01' + to_days({batch}) as occurred_at, 0 as flags
                     from range(10) t(i);"
                )
            };
            connection.execute_batch(&put(1, batch, "READY")).expect("written");
            if batch > 0 {
                connection.execute_batch(&put(-1, batch - 1, "READY")).expect("written");
                connection.execute_batch(&put(1, batch - 1, "DONE")).expect("written");
            }
            let before = held();
            assert_eq!(before.len(), 10 * (batch as usize + 1));
            steps += seal(&connection, 60, &mut || {
                assert_eq!(held(), before, "batch {batch}");
                true
            })
            .expect("sealed");
            engine.checkpoint().expect("folded");
            assert_eq!(held(), before, "batch {batch}");
        }
        assert!(steps > 10, "{steps}");
        let count = |sql: &str| texts(sql)[0].parse::<u32>().expect("a number");
        assert!(count("select count(*)::varchar from payments_near") < 90);
        assert!(count("select count(*)::varchar from payments_sealed") < 240 + 60);
        assert!(
            count("select count(*)::varchar from payments") < 700,
            "pairs have gone, of 1,180"
        );
    }

    #[test]
    fn rows_about_long_ago_lie_together() {
        let dir = tempfile::tempdir().expect("a directory");
        let engine = Engine::open(dir.path(), &Options::default()).expect("the ledger opens");
        let connection = engine.connection().expect("a connection");
        // 1,000 rows of ten days, and one in 25 of the years before.
        let put = "insert into payments_sealed by name
             select 1 as sign, i as seq, 'm' || (i % 4)::varchar as merchant_id, 'CARD' as method, 'DONE' as status,
                    'NONE' as settlement_status, 0 as flags,
                    case when i % 25 = 3 then timestamp '2023-01-01' + to_days(i::int)
                         else timestamp '2026-06-01' + to_days((i % 10)::int) end as occurred_at
             from range(1000) t(i)";
        connection.execute_batch(put).expect("written");
        seal(&connection, 250, &mut || true).expect("packed");
        let spans = "select string_agg(span, ' ' order by part) from (
                 select case when rowid < 40 then -1 else (rowid - 40) // 240 end as part,
                        case when max(occurred_at) < timestamp '2026-06-01' then 'old' when min(occurred_at) >= timestamp '2026-06-01'
                             then min(merchant_id) || max(merchant_id) else 'mixed' end as span
                 from payments_packed group by all)";
        let spans: String = connection.query_row(spans, [], |row| row.get(0)).expect("asked");
        assert_eq!(spans, "old m0m0 m1m1 m2m2 m3m3");
    }

    #[test]
    fn what_is_never_taken_out_moves_on_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let engine = Engine::open(dir.path(), &Options::default()).expect("the ledger opens");
        let connection = engine.connection().expect("a connection");
        let counts = || {
            let sql = "select count(*), count(distinct seq), (select count(*) from keys_packed) from keys";
            let read = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            read.expect("counted")
        };
        for batch in 0..10 {
            let put = format!("insert into keys_new select {batch} * 30 + i, i from range(30) t(i)");
            connection.execute_batch(&put).expect("written");
            seal(&connection, 50, &mut || true).expect("moved");
        }
        assert_eq!(counts(), (300, 300, 250));
        assert!(SEALED.iter().all(|way| way.at_once(60) == 60));
        let versions = way("versions_new", "versions_packed", None, u64::MAX);
        assert_eq!(versions.at_once(500_000), 8 * ROW_GROUP, "whole row groups");
    }
}
