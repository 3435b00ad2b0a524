//! Adding up changes of cells that lie about, beside the batches.
//!
//! A batch appends what it changes in each cell. Once enough changes have come they become a *run*: their sums, sorted, so
//! that a question about one merchant reads a small part of it. Runs of like size become one, as the levels of a
//! log-structured merge tree do (O'Neil et al. 1996; size-tiered as in Bigtable), so that there are few of them and each
//! change is added up a logarithmic number of times, and no more once a run has come out long: changes of one time are together
//! then, and to add them up with those of other times makes few rows fewer. A long merge is done merchants by merchants; between
//! two transactions the sums are the same, whatever lies where.

use duckdb::Connection;

use crate::cells::{Grain, SPAN, TABLES, Tables};
use crate::error::LedgerError;
use crate::quoted::quoted;

/// Runs that become one. More of them: changes are added up less often, and a question looks into more runs.
const FAN_IN: usize = 8;

/// A run that is so many times as long as changes wait is not merged any more. At 30 million payments in three years those of 50 million
/// changes would be merged else, a minute of a processor at once.
const FINAL_TIMES: u64 = 2;

/// The share of a merged run that lies apart from the rest because it is about the oldest days. About one change in a hundred is about a
/// payment of long ago: among the others they would have each row group be about three years, and be read for every question.
const OLDEST: f64 = 0.1;

/// Rows of one transaction of a merge: bounds its memory, and how long the log is not folded.
const STEP_ROWS: u64 = 1_000_000;

/// Changes of cells of all merchants are a fraction of the others and become few cells, so no more of them wait: each folding of the log
/// leaves a block of theirs half empty.
const OF_ALL_ROWS: u64 = 65_536;

/// Makes a run of the changes of cells of each kind of which at least `rows` wait, and merges runs of like size. After each
/// transaction `goes_on` is asked. Returns how many transactions there were.
///
/// # Errors
/// What was not done lies as it lay.
pub(crate) fn compact(
    connection: &Connection,
    rows: u64,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<usize, LedgerError> {
    let mut steps = 0;
    for tables in TABLES {
        let at_least = match tables.grain {
            Grain::Merchants => Some(rows.max(1)),
            Grain::All => Some(rows.clamp(1, OF_ALL_ROWS)),
            // They come with the runs by day.
            Grain::Months => None,
        };
        if let Some(at_least) = at_least
            && let (count, newest) = tables.waiting(connection)?
            && count >= at_least
        {
            let run = tables.fresh_run(connection)?;
            tables.add_up(connection, "new", run, &format!("batch_no <= {newest}"))?;
            steps += 1;
            if !goes_on() {
                return Ok(steps);
            }
        }
        let final_rows = rows.max(1).saturating_mul(FINAL_TIMES);
        while let Some(runs) = like_in_size(&tables.runs(connection)?, final_rows) {
            let run = tables.fresh_run(connection)?;
            for part in tables.parts(connection, &runs)? {
                tables.add_up(connection, "packed", run, &part)?;
                steps += 1;
                if !goes_on() {
                    return Ok(steps);
                }
            }
        }
    }
    Ok(steps)
}

/// The newest of the runs that have not `final_rows`, if they are to become one: the oldest is at most twice as long as the others together.
/// What an interrupted merge left of its runs lies before a final one.
fn like_in_size(runs: &[(i64, u64)], final_rows: u64) -> Option<Vec<i64>> {
    let short: Vec<(i64, u64)> = runs.iter().filter(|(_, rows)| *rows < final_rows).copied().collect();
    let newest = short.get(short.len().checked_sub(FAN_IN)?..)?;
    let ((_, oldest), others) = newest.split_first()?;
    let others: u64 = others.iter().map(|(_, rows)| rows).sum();
    (*oldest <= 2 * others).then(|| newest.iter().map(|(run, _)| *run).collect())
}

impl Tables {
    /// How many changes wait, and the newest batch that has some.
    fn waiting(self, connection: &Connection) -> Result<(u64, i64), LedgerError> {
        let sql = format!("select count(*), coalesce(max(batch_no), 0) from {}_new", self.name());
        connection
            .query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)))
            .map_err(LedgerError::engine("counted changes of cells"))
    }

    fn fresh_run(self, connection: &Connection) -> Result<i64, LedgerError> {
        let sql = format!("select coalesce(max(run), 0) + 1 from {}_packed", self.name());
        connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(LedgerError::engine("looked for runs of cells"))
    }

    /// Runs and their rows, the oldest first.
    fn runs(self, connection: &Connection) -> Result<Vec<(i64, u64)>, LedgerError> {
        let doing = "looked for runs of cells";
        let sql = format!(
            "select run, count(*) from {}_packed group by run order by run",
            self.name()
        );
        let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
        let runs = statement
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
            .map_err(LedgerError::engine(doing))?;
        runs.collect::<Result<_, _>>().map_err(LedgerError::engine(doing))
    }

    /// Moves the rows of a table that satisfy a condition into a run, added up, in one transaction. Changes by day that become a run are
    /// added up by month too.
    fn add_up(self, connection: &Connection, table: &str, run: i64, condition: &str) -> Result<(), LedgerError> {
        let rows = format!("{}_{table} where {condition}", self.name());
        let mut statements = vec!["begin".to_owned(), self.adding(&rows, run)];
        if self.grain == Grain::Merchants && table == "new" {
            let months = Tables {
                grain: Grain::Months,
                ..self
            };
            let rows = format!("{}_packed where run = {run}", self.name());
            statements.push(months.adding(&rows, months.fresh_run(connection)?));
        }
        statements.push(format!("delete from {rows}"));
        statements.push("commit".to_owned());
        let done = connection.execute_batch(&statements.join(";\n"));
        if done.is_err() {
            // There is none where the first statement failed.
            let _ = connection.execute_batch("rollback");
        }
        done.map_err(LedgerError::engine("added up changes of cells"))
    }

    /// The statement that adds rows up into a run.
    fn adding(self, rows: &str, run: i64) -> String {
        let (mut sums, mut columns, mut is_something) = (Vec::new(), Vec::new(), Vec::new());
        for measure in self.family.measures {
            sums.push(format!("sum({measure}) as {measure}"));
            is_something.push(format!("{measure} <> 0"));
            if !self.family.amounts.contains(measure) {
                columns.push((*measure).to_owned());
                continue;
            }
            let over = format!("{measure}_over");
            sums.push(format!("sum({over}) as {over}"));
            is_something.push(format!("{over} <> 0"));
            // Dividing 128 bits takes the engine a microsecond, and nearly no sum needs it.
            let is_short = format!("{over} = 0 and {measure} between {} and {}", 1 - SPAN, SPAN - 1);
            let whole = format!("{measure} + {over} * {SPAN}");
            columns.push(format!(
                "case when {is_short} then {measure} else ({whole}) % {SPAN} end::bigint as {measure}"
            ));
            columns.push(format!(
                "case when {is_short} then 0 else ({whole}) // {SPAN} end::bigint as {over}"
            ));
        }
        include_str!("compaction/add_up.sql")
            .replace("/* CELLS */", &self.name())
            .replace("/* RUN */", &run.to_string())
            .replace("/* OF DAYS */", &self.of_days().join(", "))
            .replace("/* ROWS */", rows)
            .replace("/* DIMENSIONS */", &self.dimensions().join(", "))
            .replace("/* SUMS */", &sums.join(", "))
            .replace("/* COLUMNS */", &columns.join(", "))
            .replace("/* IS SOMETHING */", &is_something.join(" or "))
    }

    /// Conditions that cut runs into parts of some [`STEP_ROWS`], in the order of a run: the oldest rows of all merchants, and the others
    /// by merchant.
    fn parts(self, connection: &Connection, runs: &[i64]) -> Result<Vec<String>, LedgerError> {
        let runs: Vec<String> = runs.iter().map(i64::to_string).collect();
        let of_runs = format!("run in ({})", runs.join(", "));
        if self.grain == Grain::All {
            return Ok(vec![of_runs]);
        }
        let rows = format!("{}_packed where {of_runs}", self.name());
        // Of both days, of which either may be asked for.
        let day = format!("least({})", self.family.days.join(", "));
        let sql = format!("select quantile_disc({day}, {OLDEST})::varchar from {rows}");
        let first: String = connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(LedgerError::engine("looked for old cells"))?;
        let old = format!("{of_runs} and {day} < date '{first}'");
        let others = parts(connection, "merchant_id", &rows, STEP_ROWS)?
            .into_iter()
            .map(|part| format!("{of_runs} and {part} and {day} >= date '{first}'"));
        Ok(std::iter::once(old).chain(others).collect())
    }
}

/// Conditions on `merchant`, a column or an expression, that cut all merchants there could be into parts of neighbours. Each but the last
/// has about so many of `rows`, a table and maybe a condition.
pub(crate) fn parts(
    connection: &Connection,
    merchant: &str,
    rows: &str,
    at_once: u64,
) -> Result<Vec<String>, LedgerError> {
    let doing = "cut rows into parts by merchant";
    let sql = format!(
        "select min(merchant) from (
             select {merchant} as merchant, (sum(count(*)) over (order by {merchant}) - 1) // {at_once} as part
             from {rows} group by {merchant})
         group by part order by all"
    );
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let firsts = statement
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(LedgerError::engine(doing))?;
    let mut firsts: Vec<String> = firsts.collect::<Result<_, _>>().map_err(LedgerError::engine(doing))?;
    match firsts.first_mut() {
        Some(first) => first.clear(),
        None => firsts.push(String::new()),
    }
    Ok(between(merchant, &firsts))
}

/// The conditions of [`parts`]; `firsts` are the first merchants of the parts.
fn between(merchant: &str, firsts: &[String]) -> Vec<String> {
    let mut nexts = firsts.iter().skip(1);
    let part = |first: &String| {
        let mut part = format!("{merchant} >= {}", quoted(first));
        if let Some(next) = nexts.next() {
            part.push_str(&format!(" and {merchant} < {}", quoted(next)));
        }
        part
    };
    firsts.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::engine::{Engine, Options};

    #[test]
    fn runs_of_like_size_become_one() {
        let alike = |count: i64| (2..2 + count).map(|run| (run, 4)).collect::<Vec<_>>();
        let few = FAN_IN as i64 - 1;
        assert_eq!(like_in_size(&alike(few), 1_000), None);
        let all = Some((2..=FAN_IN as i64 + 1).collect());
        assert_eq!(like_in_size(&alike(few + 1), 1_000), all);
        let mut long = alike(few);
        long.insert(0, (1, 100));
        assert_eq!(like_in_size(&long, 1_000), None);
        let mut long = alike(few + 1);
        long.insert(0, (1, 100));
        assert_eq!(like_in_size(&long, 1_000), all);
        assert_eq!(like_in_size(&long, 100), all, "the long one is final");
        let mut cut_off = alike(few + 1);
        cut_off.push((100, 100));
        assert_eq!(like_in_size(&cut_off, 100), all, "what a merge that was cut off left");
        assert_eq!(like_in_size(&long, 4), None, "all are final");
    }

    #[test]
    fn parts_are_neighbours_and_leave_nobody_out() {
        let firsts = ["\0", "c'", "d"].map(str::to_owned);
        assert_eq!(
            between("merchant_id", &firsts),
            [
                "merchant_id >= ''||chr(0)||'' and merchant_id < 'c\'\''",
                "merchant_id >= 'c\'\'' and merchant_id < 'd'",
                "merchant_id >= 'd'",
            ]
        );
    }

    #[test]
    fn sums_stay_what_they_were() {
        let dir = tempfile::tempdir().expect("a directory");
        let engine = Engine::open(dir.path(), &Options::default()).expect("the ledger opens");
        let connection = engine.connection().expect("a connection");
        let ask = |sql: &str| {
            let mut statement = connection.prepare(sql).expect("prepared");
            let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("asked");
            rows.collect::<Result<Vec<_>, _>>().expect("read")
        };
        let sums = || {
            ask("select columns(* exclude c)::varchar from (select concat_ws('|', merchant_id, event_day, sale_day, currency, method,
                 sum(payment_count), sum(payment_amount) + sum(payment_amount_over) * 4611686018427387904) as t, 0 as c from sales_cells
                 group by merchant_id, event_day, sale_day, currency, method
                 having sum(payment_count) <> 0 or sum(payment_amount) <> 0 or sum(payment_amount_over) <> 0) order by 1")
        };
        let by_month = |cells: &str| {
            ask(&format!(
                "select concat_ws('|', merchant_id, date_trunc('month', event_day), date_trunc('month', sale_day), sum(payment_count),
                                  sum(payment_amount) + sum(payment_amount_over) * 4611686018427387904)
                 from {cells} group by merchant_id, date_trunc('month', event_day), date_trunc('month', sale_day)
                 having sum(payment_count) <> 0 or sum(payment_amount) <> 0 or sum(payment_amount_over) <> 0 order by 1"
            ))
        };
        for batch in 1..=40 {
            connection
                .execute_batch(&format!(
                    "insert into sales_cells_new
                     select {batch}, chr((i % 3)::int) || 'm', date '2026-01-30' + (i % 4)::int,
                            case when i % 7 = 0 then null else date '2026-01-01' end, 'KRW', 'CARD',
                            case when i % 5 = 0 then -1 else 1 end, 0, 0,
                            case when i % 4 = 0 then -1 else 1 end * (4611686018427387000 + i), 0, 0, 0
                     from range(10) t(i)"
                ))
                .expect("written");
            let before = sums();
            let mut steps = 0;
            compact(&connection, 25, &mut || {
                steps += 1;
                assert_eq!(sums(), before, "batch {batch}, step {steps}");
                assert_eq!(
                    by_month("sales_cells_by_month"),
                    by_month("sales_cells"),
                    "batch {batch}, step {steps}"
                );
                true
            })
            .expect("compacted");
        }
        assert!(
            ask("select count(*)::varchar from sales_cells_new")[0]
                .parse::<u32>()
                .expect("a number")
                < 25
        );
        let runs = TABLES[0].runs(&connection).expect("read");
        assert!((1..FAN_IN).contains(&runs.len()), "{runs:?}");
    }
}
