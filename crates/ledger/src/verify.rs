//! Recomputing what the ledger derives from what it keeps, and naming each difference.
//!
//! From the versions (and quarantine) the dossiers are folded again, in ranges of seqs so that memory stays bounded.
//! Each is compared with its row, its rows of the unified ledger and its list row. The cells are then compared with
//! sums over the unified ledger's rows, in DuckDB.

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;
use std::thread;

use chrono::NaiveDate;
use domain::derive::LiveEntries;
use domain::dossier::Dossier;
use domain::rollup::{LedgerRow, ledger_rows};
use duckdb::Connection;

use crate::append::micros;
use crate::bodies::BodyFile;
use crate::catch_up::{Kept, Seqs};
use crate::cells::{TABLES, Tables};
use crate::codec::kind_code;
use crate::compaction::parts;
use crate::error::LedgerError;
use crate::list_row::ListRow;
use crate::quarantine::aside_of;
use crate::reader::{Reader, Rows};

/// Payments checked at once.
const RANGE: u64 = 20_000;

/// A place where derived state is not what the versions say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `row`, `entries`, `payments`, `quarantine`, `rollups`, `keys`.
    pub store: &'static str,
    /// What it is about: a payment key, or a cell.
    pub about: String,
    pub detail: String,
}

/// What was checked.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    pub payments: u64,
    pub cells: u64,
    /// Old documents that came back in the search index. They cost a read each and show nowhere.
    pub old_documents: u64,
    pub differences: Vec<Difference>,
}

/// The most differences that are named; beyond them they are alike, and the list must not fill the memory.
pub const DIFFERENCES_MAX: usize = 1_000;

/// Asked of every payment as the versions make it, with how many there are in all: the index's check.
pub type Each<'a> = dyn FnMut(u64, &Dossier, u64) -> Option<Difference> + Send + 'a;

/// Checks everything but the search index, about which `each` is asked. While one thread compares a range, the next is read.
///
/// # Errors
/// Where something cannot be read, or no thread can be started.
pub fn verify(reader: &Reader, each: &mut Each<'_>) -> Result<Verified, LedgerError> {
    let joint = reader.joint()?;
    let total = reader.status()?.payments;
    let (rows, bodies) = (joint.rows(), joint.bodies());
    let mut out = thread::scope(|scope| {
        let (sender, ranges) = sync_channel(1);
        let comparing = thread::Builder::new().name("verify".to_owned());
        let comparing = comparing.spawn_scoped(scope, move || {
            let mut out = Verified::default();
            for range in ranges {
                compare(range, (rows, bodies), total, each, &mut out)?;
            }
            Ok(out)
        });
        let comparing = comparing.map_err(LedgerError::Thread)?;
        let mut read = Ok(true);
        for from in (0..total).step_by(RANGE as usize) {
            let range = Range::read(joint.connection(), from, (from + RANGE).min(total));
            // Nobody takes it after an error, which is told below.
            read = range.map(|range| sender.send(range).is_ok());
            if !matches!(read, Ok(true)) {
                break;
            }
        }
        drop(sender);
        let compared = comparing.join();
        read.and(compared.unwrap_or_else(|_| Err(LedgerError::Damaged("checking broke off".to_owned()))))
    })?;
    for tables in TABLES {
        cells(joint.connection(), tables, &mut out)?;
    }
    Ok(out)
}

/// What the tables say of some payments.
struct Range {
    seqs: std::ops::Range<u64>,
    kept: Kept,
    entries: Texts,
    payments: Texts,
    aside: Texts,
}

/// Rows as text, by seq.
type Texts = BTreeMap<u64, Vec<String>>;

impl Range {
    fn read(connection: &Connection, from: u64, to: u64) -> Result<Self, LedgerError> {
        Ok(Range {
            seqs: from..to,
            kept: Kept::read(connection, &Seqs::Range(from, to))?,
            entries: signed_rows(connection, ENTRIES, from, to)?,
            payments: signed_rows(connection, PAYMENTS, from, to)?,
            aside: signed_rows(connection, ASIDE, from, to)?,
        })
    }
}

fn note(out: &mut Verified, store: &'static str, about: &str, detail: impl Into<String>) {
    if out.differences.len() < DIFFERENCES_MAX {
        out.differences.push(Difference {
            store,
            about: about.to_owned(),
            detail: detail.into(),
        });
    }
}

fn compare(
    range: Range,
    (rows, bodies): (&Rows, &BodyFile),
    total: u64,
    each: &mut Each<'_>,
    out: &mut Verified,
) -> Result<(), LedgerError> {
    let Range {
        seqs,
        kept,
        entries,
        payments,
        aside,
    } = range;
    out.payments += seqs.end - seqs.start;
    let folded = kept.folded(bodies)?;
    for seq in seqs {
        let Some(dossier) = folded.get(&seq) else {
            note(
                out,
                "keys",
                &seq.to_string(),
                "a payment key was given that no version or refusal names",
            );
            continue;
        };
        let about = &dossier.payment_key;
        match rows.get(seq) {
            Ok(Some(row)) if row == *dossier => {}
            Err(error) => note(out, "row", about, format!("the ready-made row cannot be read: {error}")),
            Ok(Some(_)) => note(out, "row", about, "the ready-made row is not what the versions make"),
            Ok(None) => note(out, "row", about, "the ready-made row is missing"),
        }
        let none = Vec::new();
        let mut expected: Vec<String> = ledger_rows(dossier)
            .iter()
            .map(|row| format!("{about}|{}", entry_text(row)))
            .collect();
        expected.sort_unstable();
        if *entries.get(&seq).unwrap_or(&none) != expected {
            note(
                out,
                "entries",
                about,
                "the unified ledger's rows are not what the versions make",
            );
        }
        let expected: Vec<String> = ListRow::of(dossier).iter().map(list_text).collect();
        if *payments.get(&seq).unwrap_or(&none) != expected {
            note(out, "payments", about, "the list row is not what the versions make");
        }
        let mut expected: Vec<String> = aside_of(&LiveEntries::of(dossier))
            .iter()
            .map(|aside| format!("{}|{}|{}|1", aside.key.kind, aside.key.entry_id, aside.code))
            .collect();
        expected.sort_unstable();
        if *aside.get(&seq).unwrap_or(&none) != expected {
            note(
                out,
                "quarantine",
                about,
                "the entries listed as set aside are not those that are",
            );
        }
        if let Some(difference) = each(seq, dossier, total)
            && out.differences.len() < DIFFERENCES_MAX
        {
            out.differences.push(difference);
        }
    }
    Ok(())
}

const ENTRIES: &str = include_str!("verify/entries.sql");
const PAYMENTS: &str = include_str!("verify/payments.sql");
const ASIDE: &str = include_str!("verify/set_aside.sql");
const CELLS: &str = include_str!("verify/cells.sql");

fn signed_rows(connection: &Connection, sql: &str, from: u64, to: u64) -> Result<Texts, LedgerError> {
    let doing = "checked rows";
    let sql = sql
        .replace("/* FROM */", &from.to_string())
        .replace("/* TO */", &to.to_string());
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .map_err(LedgerError::engine(doing))?;
    let mut found = Texts::new();
    for row in rows {
        let (seq, text) = row.map_err(LedgerError::engine(doing))?;
        found.entry(seq.unsigned_abs()).or_default().push(text);
    }
    found.values_mut().for_each(|texts| texts.sort_unstable());
    Ok(found)
}

fn entry_text(row: &LedgerRow) -> String {
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    format!(
        "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|1",
        kind_code(row.kind),
        row.entry_id,
        row.merchant_id,
        row.currency.code(),
        row.method,
        row.status,
        day(row.event_day),
        day(row.sale_day),
        day(row.sold_on),
        day(row.paid_out_on),
        row.payout_id.as_deref().unwrap_or_default(),
        row.amount,
        row.fee,
        row.vat,
        row.payout,
        row.cost
    )
}

fn list_text(row: &ListRow) -> String {
    fn text<T: ToString>(value: Option<T>) -> String {
        value.map(|value| value.to_string()).unwrap_or_default()
    }
    format!(
        "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|1",
        row.merchant_id.as_deref().unwrap_or_default(),
        row.currency.map(|currency| currency.code()).unwrap_or_default(),
        text(row.currency.map(|currency| currency.digits())),
        row.method,
        row.status,
        row.settlement_status,
        text(row.total),
        text(row.balance),
        micros(row.occurred_at),
        text(row.sale_day),
        text(row.approved_at.map(micros)),
        row.flags
    )
}

/// Cells that are not the sums of the rows, on either side.
fn cells(connection: &Connection, tables: Tables, out: &mut Verified) -> Result<(), LedgerError> {
    let doing = "checked the rollup cells";
    let (name, dimensions) = (tables.name(), tables.dimensions());
    let spelled = |spell: &dyn Fn(&&str) -> String, columns: &[&str]| -> String {
        let spelled: Vec<String> = columns.iter().map(spell).collect();
        spelled.join(", ")
    };
    let measures = tables.family.measures;
    let sql = CELLS
        .replace("/* BY ROWS */", tables.family.by_rows)
        .replace("/* CELLS */", &name)
        .replace("/* DIMENSIONS */", &dimensions.join(", "))
        .replace("/* MEASURES */", &measures.join(", "))
        .replace(
            "/* NEGATED */",
            &spelled(&|measure| format!("-{measure} as {measure}"), measures),
        )
        .replace(
            "/* NAMED */",
            &spelled(&|column| format!("coalesce({column}::varchar, '')"), dimensions),
        )
        .replace("/* IS SOMETHING */", &tables.family.is_something());
    let count = format!(
        "select count(*) from (select distinct {} from {name} where /* CONDITION */)",
        dimensions.join(", ")
    );
    let parts = match tables.by_merchant {
        true => parts(connection, "merchant_id", &name, CELLS_AT_ONCE)?,
        false => vec!["true".to_owned()],
    };
    for part in parts {
        if tables.by_merchant {
            out.cells += connection
                .query_row(&count.replace("/* CONDITION */", &part), [], |row| row.get::<_, i64>(0))
                .map_err(LedgerError::engine(doing))?
                .unsigned_abs();
        }
        let sql = sql.replace("/* CONDITION */", &part);
        let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
        let rows = statement
            .query_map([], |row| row.get::<_, String>(0))
            .map_err(LedgerError::engine(doing))?;
        for cell in rows {
            let cell = cell.map_err(LedgerError::engine(doing))?;
            note(
                out,
                "rollups",
                &format!("{name} {cell}"),
                "the cell is not the sum of the unified ledger's rows",
            );
        }
    }
    Ok(())
}

/// Rows of cells that are added up at once: with those of the unified ledger some 100 MB.
const CELLS_AT_ONCE: u64 = 250_000;
