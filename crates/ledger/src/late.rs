//! Which rows go apart because they are about long ago.
//!
//! Rows lie in the order in which they came, which is nearly the order of their days; so a question about some days reads
//! the few row groups whose smallest and largest day admit them. One cancellation of a sale three years old would widen its
//! row group by three years. A change of long ago therefore goes into a table of its own (`entries_late` beside
//! `entries_near`), which is read whole and stays small, because it is sealed early ([`crate::sealing`]).

use chrono::{Days, NaiveDate};
use duckdb::Connection;

use crate::error::LedgerError;
use crate::fold::EntryChange;

/// Decides what is late, by what the last batches were about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lateness {
    /// Days behind the middle of a batch. Settlement lines and most cancellations follow their sale within a month.
    days: Days,
    /// Rows of a batch that tell what time it is about; a smaller one may be about a single old payment.
    rows: usize,
    /// Earlier days are late. Nothing is, as long as no batch was large enough.
    since: Option<NaiveDate>,
}

/// Rows at the end of the table that tell what the last batches were about.
const LAST_ROWS: i64 = 5_000;

impl Lateness {
    pub(crate) fn new(days: u32, rows: usize) -> Self {
        Lateness {
            days: Days::new(u64::from(days)),
            rows,
            since: None,
        }
    }

    /// Takes up where the last process ended.
    pub(crate) fn resume(&mut self, connection: &Connection) -> Result<(), LedgerError> {
        let doing = "looked for its last days";
        let mut statement = connection
            .prepare(include_str!("late/last_days.sql"))
            .map_err(LedgerError::engine(doing))?;
        let days = statement
            .query_map([LAST_ROWS], |row| row.get::<_, i64>(0))
            .map_err(LedgerError::engine(doing))?
            .collect::<Result<Vec<_>, _>>()
            .map_err(LedgerError::engine(doing))?;
        let days = days
            .into_iter()
            .filter_map(|day| NaiveDate::from_epoch_days(i32::try_from(day).ok()?));
        self.learn(days.collect());
        Ok(())
    }

    /// What the next batch is about. The middle day, because a single one may be far in the past or, by mistake, in the
    /// future.
    pub(crate) fn follow(&mut self, rows: &[EntryChange]) {
        self.learn(
            rows.iter()
                .filter(|row| row.sign > 0)
                .filter_map(|row| row.row.event_day.or(row.row.sold_on))
                .collect(),
        );
    }

    fn learn(&mut self, mut days: Vec<NaiveDate>) {
        if days.is_empty() || days.len() < self.rows {
            return;
        }
        let middle = days.len() / 2;
        let (_, middle, _) = days.select_nth_unstable(middle);
        self.since = middle.checked_sub_days(self.days);
    }

    /// Whether a row with these days is about long ago.
    pub(crate) fn is_late(&self, days: impl IntoIterator<Item = Option<NaiveDate>>) -> bool {
        let Some(since) = self.since else { return false };
        days.into_iter().flatten().any(|day| day < since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_large_batch_decides() {
        let day = |days: i32| NaiveDate::from_epoch_days(days).unwrap_or_default();
        let mut lateness = Lateness::new(45, 3);
        lateness.learn(vec![day(0), day(1)]);
        assert!(!lateness.is_late([Some(day(0))]));
        lateness.learn(vec![day(90_000), day(20_000), day(3), day(20_001), day(20_002)]);
        assert!(lateness.is_late([None, Some(day(20_001 - 46)), Some(day(20_001))]));
        assert!(!lateness.is_late([Some(day(20_001 - 45)), None, Some(day(90_000))]));
    }
}
