//! All entries of a question, however many.

use std::collections::VecDeque;

use domain::scope::Scope;
use duckdb::Connection;
use query::Filter;

use crate::condition::Condition;
use crate::entries::{EntryRow, Net, signed};
use crate::entry_condition;
use crate::error::LedgerError;
use crate::quoted::quoted;

/// All entries that satisfy a filter, in the order of lists, a range of payment keys at a time, so that memory does not
/// grow with the number of rows: sorting all of them at once would.
pub struct EntryStream<'a> {
    connection: &'a Connection,
    condition: Condition,
    /// Where the range to be read begins; none at the very beginning.
    from: Option<String>,
    /// Where each further range begins.
    bounds: VecDeque<String>,
    rows: VecDeque<EntryRow>,
    ended: bool,
}

/// How the list is cut into ranges.
#[derive(Clone, Copy, Debug)]
struct Division {
    /// Of so many payment keys one is looked at.
    one_key_in: usize,
    /// Rows of these keys in a range.
    rows: usize,
}

/// Some 50,000 rows in a range, 30 MB while they are sorted.
const DIVISION: Division = Division {
    one_key_in: 1_000,
    rows: 50,
};

impl<'a> EntryStream<'a> {
    /// Reads in the transaction of `connection`, which holds the position.
    pub(crate) fn begin(connection: &'a Connection, filter: &Filter, scope: &Scope) -> Result<Self, LedgerError> {
        Self::divided(connection, filter, scope, DIVISION)
    }

    fn divided(
        connection: &'a Connection,
        filter: &Filter,
        scope: &Scope,
        division: Division,
    ) -> Result<Self, LedgerError> {
        let condition = entry_condition::of(connection, filter, scope)?;
        Ok(EntryStream {
            connection,
            bounds: bounds(connection, &condition, division)?,
            condition,
            from: None,
            rows: VecDeque::new(),
            ended: false,
        })
    }

    fn read_on(&mut self) -> Result<(), LedgerError> {
        let until = self.bounds.pop_front();
        self.ended = until.is_none();
        let side = |bound: &Option<String>, compare: &str| {
            bound
                .as_ref()
                .map(|key| Condition::plain(format!("payment_key {compare} {}", quoted(key))))
        };
        let sides: Vec<Condition> = [side(&self.from, ">="), side(&until, "<")]
            .into_iter()
            .flatten()
            .collect();
        let range = match sides.is_empty() {
            true => Condition::plain("true"),
            false => Condition::joined(sides, " and "),
        };
        let mut net = Net::default();
        for (row, sign) in signed(self.connection, &self.condition, &range, None)? {
            net.take(row, sign)?;
        }
        // The entries of a payment are never in two ranges.
        net.end()?;
        (self.rows, self.from) = (net.rows, until);
        Ok(())
    }
}

/// Payment keys that cut the list into ranges of about the same size.
fn bounds(connection: &Connection, condition: &Condition, division: Division) -> Result<VecDeque<String>, LedgerError> {
    let doing = "divided entries";
    let sql = format!(
        "select payment_key from entries where hash(payment_key) % {} = 0 and ({}) order by payment_key",
        division.one_key_in, condition.sql
    );
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let keys = statement
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(LedgerError::engine(doing))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(LedgerError::engine(doing))?;
    let mut bounds: Vec<String> = keys.into_iter().step_by(division.rows).skip(1).collect();
    bounds.dedup();
    Ok(bounds.into())
}

impl Iterator for EntryStream<'_> {
    type Item = Result<EntryRow, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.rows.pop_front() {
                return Some(Ok(row));
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.read_on() {
                self.ended = true;
                return Some(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use chrono::NaiveDate;
    use domain::money::Currency;
    use domain::record::Kind;
    use domain::rollup::LedgerRow;

    use crate::append;
    use crate::engine::{Engine, Options};
    use crate::entries::page;
    use crate::fold::EntryChange;
    use crate::late::Lateness;

    fn change(sign: i8, payment: u64, kind: Kind, amount: i64) -> EntryChange {
        let day = NaiveDate::from_epoch_days(20_000);
        EntryChange {
            sign,
            seq: payment,
            payment_key: Arc::from(format!("pay{}", payment * 7_919 % 1_009)),
            row: LedgerRow {
                kind,
                entry_id: format!("e{payment}"),
                merchant_id: format!("m{}", payment % 3),
                currency: Currency::parse("KRW").expect("a currency"),
                method: "CARD".to_owned(),
                status: "DONE",
                event_day: day,
                sale_day: day,
                sold_on: None,
                paid_out_on: None,
                payout_id: None,
                amount,
                fee: 0,
                vat: 0,
                payout: 0,
                cost: 0,
            },
        }
    }

    /// Three hundred payments, every third with a cancellation, every fifth changed once.
    fn changes() -> Vec<EntryChange> {
        let mut out = Vec::new();
        for payment in 0..300 {
            out.push(change(1, payment, Kind::Payment, 100));
            if payment % 3 == 0 {
                out.push(change(1, payment, Kind::Cancellation, -30));
            }
            if payment % 5 == 0 {
                out.push(change(-1, payment, Kind::Payment, 100));
                out.push(change(1, payment, Kind::Payment, 200));
            }
        }
        out
    }

    #[test]
    fn a_stream_in_many_ranges_is_the_list() {
        let dir = tempfile::tempdir().expect("a directory");
        let engine = Engine::open(dir.path(), &Options::default()).expect("the ledger opens");
        let connection = engine.connection().expect("a connection");
        append::entries(&connection, &changes(), &Lateness::new(45, 256)).expect("appended");
        for scope in [Scope::All, Scope::Merchants(["m1".to_owned()].into())] {
            let list = page(&connection, &Filter::All, &scope, None, 10_000).expect("a page");
            assert!(
                list.len() >= 100 && list.is_sorted_by_key(EntryRow::place),
                "{}",
                list.len()
            );
            for (one_key_in, rows) in [(1, 1), (1, 7), (3, 2), (1_000, 50)] {
                let division = Division { one_key_in, rows };
                let stream = EntryStream::divided(&connection, &Filter::All, &scope, division).expect("a stream");
                assert!(
                    one_key_in > 3 || stream.bounds.len() > 5,
                    "{division:?}: {:?}",
                    stream.bounds
                );
                let streamed: Vec<EntryRow> = stream.map(|row| row.expect("a row")).collect();
                assert_eq!(streamed, list, "{division:?}");
            }
        }
    }
}
