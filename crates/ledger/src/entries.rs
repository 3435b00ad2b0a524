//! The unified ledger row by row: pages and sums of entries.
//!
//! The table is signed: a change takes the old row out with -1 and puts the new one in with +1. Rows are read in the order
//! of lists, so that all rows of one entry come together and their signs add up to the one that counts.

use std::collections::VecDeque;

use chrono::NaiveDate;
use domain::money::Currency;
use domain::record::{CancellationStatus, Kind, LineStatus, PaymentStatus};
use domain::rollup::LedgerRow;
use domain::scope::Scope;
use duckdb::Connection;
use query::Filter;

use crate::codec::{kind_code, kind_of};
use crate::condition::Condition;
use crate::entry_condition;
use crate::error::LedgerError;
use crate::quoted::quoted;
use crate::trace;

/// A live payment, cancellation or settlement line with the payment it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    pub payment_key: String,
    pub row: LedgerRow,
}

/// Where an entry stands in lists: by payment key, kind, entry id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryPlace {
    pub payment_key: String,
    pub kind: Kind,
    pub entry_id: String,
}

impl EntryRow {
    pub fn place(&self) -> EntryPlace {
        EntryPlace {
            payment_key: self.payment_key.clone(),
            kind: self.row.kind,
            entry_id: self.row.entry_id.clone(),
        }
    }
}

/// What entries of one currency add up to, minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntrySums {
    pub currency: Currency,
    pub count: u64,
    pub amount: i128,
    pub fee: i128,
    pub vat: i128,
    pub payout: i128,
    pub cost: i128,
}

const COLUMNS: &str = "payment_key, kind, entry_id, merchant_id, currency, method, status,
    event_day - date '1970-01-01' as event_day, sale_day - date '1970-01-01' as sale_day,
    sold_on - date '1970-01-01' as sold_on, paid_out_on - date '1970-01-01' as paid_out_on,
    payout_id, amount, fee, vat, payout, cost, sign";

const ORDER: &str = "payment_key, kind, entry_id";

/// Up to `limit` entries behind `after`.
pub(crate) fn page(
    connection: &Connection,
    filter: &Filter,
    scope: &Scope,
    after: Option<&EntryPlace>,
    limit: usize,
) -> Result<Vec<EntryRow>, LedgerError> {
    let condition = entry_condition::of(connection, filter, scope)?;
    let mut after = after.cloned();
    let mut found = Vec::new();
    // Most entries were put in once, some were changed a few times.
    let mut chunk = limit * 4 + 64;
    while found.len() < limit {
        let rows = signed(connection, &condition, &behind(after.as_ref()), Some(chunk))?;
        let complete = rows.len() < chunk;
        let mut net = Net::default();
        for (row, sign) in rows {
            net.take(row, sign)?;
        }
        if complete {
            net.end()?;
        }
        let last = net.completed.clone();
        found.extend(net.rows);
        match last {
            _ if complete => break,
            // The last entry's rows may go on behind the chunk: it is read again with the next one.
            Some(last) => after = Some(last),
            // One entry fills the whole chunk.
            None => chunk *= 2,
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// The rows of a part of the list, in its order.
pub(crate) fn signed(
    connection: &Connection,
    condition: &Condition,
    part: &Condition,
    limit: Option<usize>,
) -> Result<Vec<(EntryRow, i64)>, LedgerError> {
    let doing = "listed entries";
    let limit = limit.map(|limit| format!("limit {limit}")).unwrap_or_default();
    let sql = format!(
        "select {COLUMNS} from entries where {} and ({}) order by {ORDER} {limit}",
        part.sql, condition.sql
    );
    trace::count(connection, &sql);
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let mut rows = statement.query([]).map_err(LedgerError::engine(doing))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn behind(after: Option<&EntryPlace>) -> Condition {
    let Some(after) = after else {
        return Condition::plain("true");
    };
    let (key, kind) = (quoted(&after.payment_key), kind_code(after.kind));
    Condition::plain(format!(
        "payment_key >= {key} and (payment_key > {key} or kind > {kind} or (kind = {kind} and entry_id > {}))",
        quoted(&after.entry_id)
    ))
}

/// Adds up the signs of rows that come in the order of lists.
#[derive(Default)]
pub(crate) struct Net {
    /// Rows of one entry: what they say, and how often it is in.
    open: Vec<(EntryRow, i64)>,
    pub(crate) rows: VecDeque<EntryRow>,
    /// The last entry all of whose rows are known.
    completed: Option<EntryPlace>,
}

impl Net {
    pub(crate) fn take(&mut self, row: EntryRow, sign: i64) -> Result<(), LedgerError> {
        if self.open.first().is_some_and(|(open, _)| {
            (&open.payment_key, open.row.kind, &open.row.entry_id)
                != (&row.payment_key, row.row.kind, &row.row.entry_id)
        }) {
            self.end()?;
        }
        match self.open.iter_mut().find(|(open, _)| *open == row) {
            Some((_, times)) => *times += sign,
            None => self.open.push((row, sign)),
        }
        Ok(())
    }

    /// The rows of the open entry are complete.
    pub(crate) fn end(&mut self) -> Result<(), LedgerError> {
        self.completed = self.open.first().map(|(row, _)| row.place()).or(self.completed.take());
        for (row, times) in self.open.drain(..) {
            match times {
                0 => {}
                1 => self.rows.push_back(row),
                _ => {
                    let place = row.place();
                    return Err(LedgerError::Damaged(format!("the entry {place:?} is in {times} times")));
                }
            }
        }
        Ok(())
    }
}

/// How many entries satisfy the filter and what they add up to, by currency.
pub(crate) fn sums(connection: &Connection, filter: &Filter, scope: &Scope) -> Result<Vec<EntrySums>, LedgerError> {
    let doing = "added up entries";
    let condition = entry_condition::of(connection, filter, scope)?;
    let sql = format!(
        "select currency, sum(sign)::bigint as entries, sum(sign * amount::hugeint), sum(sign * fee),
                sum(sign * vat::hugeint), sum(sign * payout::hugeint), sum(sign * cost)
         from entries where {} group by currency having entries <> 0 order by currency",
        condition.sql
    );
    trace::count(connection, &sql);
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let mut rows = statement.query([]).map_err(LedgerError::engine(doing))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
        let money = |place: usize| row.get::<_, i128>(place).map_err(LedgerError::engine(doing));
        found.push(EntrySums {
            currency: currency(&row.get::<_, String>(0).map_err(LedgerError::engine(doing))?)?,
            count: row.get::<_, i64>(1).map_err(LedgerError::engine(doing))?.unsigned_abs(),
            amount: money(2)?,
            fee: money(3)?,
            vat: money(4)?,
            payout: money(5)?,
            cost: money(6)?,
        });
    }
    Ok(found)
}

fn currency(code: &str) -> Result<Currency, LedgerError> {
    Currency::parse(code).ok_or_else(|| LedgerError::Damaged(format!("the currency {code:?}")))
}

/// A row and its sign, of [`COLUMNS`].
fn read(row: &duckdb::Row<'_>) -> Result<(EntryRow, i64), LedgerError> {
    let failed = || LedgerError::engine("read entries");
    let text = |place: usize| row.get::<_, String>(place).map_err(failed());
    let day = |place: usize| {
        let days: Option<i64> = row.get(place).map_err(failed())?;
        Ok::<_, LedgerError>(days.and_then(|days| NaiveDate::from_epoch_days(i32::try_from(days).ok()?)))
    };
    let money = |place: usize| row.get::<_, i64>(place).map_err(failed());
    let kind = kind_of(row.get(1).map_err(failed())?)?;
    let status = text(6)?;
    let entry = EntryRow {
        payment_key: text(0)?,
        row: LedgerRow {
            kind,
            entry_id: text(2)?,
            merchant_id: text(3)?,
            currency: currency(&text(4)?)?,
            method: text(5)?,
            status: status_of(kind, &status).ok_or_else(|| LedgerError::Damaged(format!("the status {status:?}")))?,
            event_day: day(7)?,
            sale_day: day(8)?,
            sold_on: day(9)?,
            paid_out_on: day(10)?,
            payout_id: row.get(11).map_err(failed())?,
            amount: money(12)?,
            fee: row.get(13).map_err(failed())?,
            vat: money(14)?,
            payout: money(15)?,
            cost: row.get(16).map_err(failed())?,
        },
    };
    Ok((entry, row.get(17).map_err(failed())?))
}

fn status_of(kind: Kind, status: &str) -> Option<&'static str> {
    match kind {
        Kind::Payment => PaymentStatus::parse(status).map(|status| status.as_str()),
        Kind::Cancellation => CancellationStatus::parse(status).map(|status| status.as_str()),
        Kind::Settlement => LineStatus::parse(status).map(|status| status.as_str()),
    }
}
