//! What an answer read of the ledger, for `explain`.
//!
//! It counts only where somebody looks: while [`traced`] runs, on its thread. An answer is made on one thread, so
//! that functions need not hand a recorder down; what other threads do at the same time is not in it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use duckdb::Connection;
use serde::Deserialize;
use serde_json::Map;

/// One question to the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub scans: Vec<Scan>,
    /// Bytes that came from the ledger's file, because they were not in memory.
    pub bytes_read: u64,
}

/// A table that was read, wholly or in part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    pub table: String,
    /// Rows of the parts that were read.
    pub rows_read: u64,
    /// Those of them that met the conditions on the table alone.
    pub rows_kept: u64,
}

#[derive(Default)]
struct Trace {
    looks: Vec<Look>,
    spent: Duration,
}

thread_local! {
    static TRACE: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

/// Runs `work` and tells what it asked the engine, in order.
pub fn traced<T>(work: impl FnOnce() -> T) -> (T, Vec<Look>) {
    /// Ends the looking after a panic too: the thread makes other answers afterwards.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            TRACE.take();
        }
    }
    TRACE.set(Some(Trace::default()));
    let _end = End;
    let done = work();
    (done, TRACE.take().unwrap_or_default().looks)
}

/// The time that was spent on counting so far, which is no part of the answer's own.
pub fn spent_counting() -> Duration {
    TRACE.with_borrow(|trace| trace.as_ref().map_or(Duration::ZERO, |trace| trace.spent))
}

/// Counts what a question that is about to be asked reads, if somebody looks: the engine is asked once more, because its
/// configuration, and with it the profiling of a connection, is locked. An engine that cannot count answers all the same.
pub(crate) fn count(connection: &Connection, sql: &str) {
    TRACE.with_borrow_mut(|trace| {
        let Some(trace) = trace else { return };
        let started = Instant::now();
        match profile(connection, sql) {
            Ok(look) => trace.looks.push(look),
            Err(error) => tracing::warn!(%error, "the engine does not count what it reads"),
        }
        trace.spent += started.elapsed();
    });
}

/// A step of the engine's plan with its counts; the outermost holds those of the whole.
#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    operator_name: String,
    #[serde(default)]
    operator_rows_scanned: u64,
    #[serde(default)]
    operator_cardinality: u64,
    #[serde(default)]
    total_bytes_read: u64,
    #[serde(default)]
    extra_info: Map<String, serde_json::Value>,
    children: Vec<Step>,
}

fn profile(connection: &Connection, sql: &str) -> Result<Look, Box<dyn std::error::Error>> {
    let mut statement = connection.prepare(&format!("explain (analyze, format json) {sql}"))?;
    let plan: String = statement.query_row([], |row| row.get(1))?;
    let step: Step = serde_json::from_str(&plan)?;
    let mut look = Look {
        scans: Vec::new(),
        bytes_read: step.total_bytes_read,
    };
    gather(&step, &mut look.scans);
    Ok(look)
}

fn gather(step: &Step, scans: &mut Vec<Scan>) {
    if let Some(table) = step.extra_info.get("Table").and_then(|table| table.as_str())
        && step.operator_name.trim() == "SEQ_SCAN"
    {
        scans.push(Scan {
            table: table.rsplit('.').next().unwrap_or(table).to_owned(),
            rows_read: step.operator_rows_scanned,
            rows_kept: step.operator_cardinality,
        });
    }
    step.children.iter().for_each(|child| gather(child, scans));
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::engine::{Engine, Options};

    #[test]
    fn the_tables_that_were_read_are_told_and_only_while_somebody_looks() {
        let dir = tempfile::tempdir().expect("a directory");
        let engine = Engine::open(dir.path(), &Options::default()).expect("the ledger opens");
        let connection = engine.connection().expect("a connection");
        connection
            .execute_batch("insert into keys_new select i, i * 7 from range(5000) t(i); checkpoint ledger")
            .expect("written");
        let ask = || {
            let sql = "select count(*) from keys_new where seq < 10";
            count(&connection, sql);
            connection
                .query_row(sql, [], |row| row.get::<_, i64>(0))
                .expect("counted")
        };
        let (sum, looks) = traced(ask);
        assert_eq!((sum, looks.len()), (10, 1));
        let scans = &looks[0].scans;
        assert_eq!(scans.len(), 1, "{looks:?}");
        assert_eq!((scans[0].table.as_str(), scans[0].rows_kept), ("keys_new", 10));
        assert!((10..=5000).contains(&scans[0].rows_read), "{scans:?}");
        assert_eq!((ask(), spent_counting()), (10, Duration::ZERO), "nobody looks any more");
        std::panic::catch_unwind(|| traced(|| panic!("an answer that fails"))).expect_err("it panics");
        assert!(TRACE.take().is_none(), "nobody looks after a panic");
    }
}
