//! Recomputing what the ledger derives from what it keeps, and naming each difference.
//!
//! From the versions (and quarantine) the dossiers are folded again, in ranges of seqs so that memory stays bounded.
//! Each is compared with its row; and the rows of the unified ledger and of lists that it makes with those that the tables hold. The cells are then compared with
//! sums over the unified ledger's rows, in DuckDB.

mod balance;

use std::collections::BTreeMap;
use std::ops;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use domain::derive::LiveEntries;
use domain::dossier::Dossier;
use domain::rollup::ledger_rows;
use duckdb::Connection;
use parking_lot::Mutex;

use crate::append::{entry_columns, payment_columns};
use crate::bodies::BodyFile;
use crate::catch_up::{Kept, Seqs};
use crate::cells::{Grain, TABLES, Tables};
use crate::codec::kind_code;
use crate::columns::{Column, longs, repeated, texts, tinyints};
use crate::compaction::parts;
use crate::error::LedgerError;
use crate::fold::{EntryChange, Signed};
use crate::list_row::ListRow;
use crate::quarantine::{Aside, aside_of};
use crate::reader::{Reader, Rows};
use balance::Balance;

/// Payments checked at once.
const RANGE: u64 = 20_000;

/// Threads that compare at most: each holds the payments of a range, some 80 MB.
const THREADS_MAX: usize = 4;

/// A place where derived state is not what the versions say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `row`, `entries`, `payments`, `quarantine`, `rollups`, `keys`.
    pub store: &'static str,
    /// What it is about: a payment key, a cell, or `all`.
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

/// Asked of every payment as the versions make it, with how many there are in all: the index's check. In no order.
pub type Each<'a> = dyn Fn(u64, &Dossier, u64) -> Option<Difference> + Sync + 'a;

/// Checks everything but the search index, about which `each` is asked. One thread reads, others compare.
///
/// # Errors
/// Where something cannot be read, or no thread can be started.
pub fn verify(reader: &Reader, each: &Each<'_>) -> Result<Verified, LedgerError> {
    let joint = reader.joint()?;
    let comparison = Comparison {
        rows: joint.rows(),
        bodies: joint.bodies(),
        total: reader.status()?.payments,
        each,
    };
    let mut out = Verified {
        payments: comparison.total,
        ..Verified::default()
    };
    let mut differences = compare_all(joint.connection(), &comparison)?;
    differences.sort_by_key(|(seq, _)| *seq);
    differences.truncate(DIFFERENCES_MAX);
    out.differences
        .extend(differences.into_iter().map(|(_, difference)| difference));
    for tables in TABLES {
        cells(joint.connection(), tables, &mut out)?;
    }
    if reader.rows_were_damaged() {
        out.differences.push(Difference {
            store: "row",
            about: "all".to_owned(),
            detail: "the row store was damaged; it has been made again from the ledger".to_owned(),
        });
    }
    Ok(out)
}

/// Differences, each with the payment that it is about.
type Found = Vec<(u64, Difference)>;

fn compare_all(connection: &Connection, comparison: &Comparison<'_>) -> Result<Found, LedgerError> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    thread::scope(|scope| {
        let (sender, ranges) = sync_channel(1);
        // Gone with the last thread that takes one: what is sent then comes back, and nobody waits for ever.
        let ranges = Arc::new(Mutex::new(ranges));
        let mut comparing = Vec::new();
        for _ in 0..threads {
            let ranges = Arc::clone(&ranges);
            let compare = move || {
                let mut found = Found::new();
                loop {
                    let range = ranges.lock().recv();
                    let Ok(range) = range else { return Ok(found) };
                    comparison.compare(range, &mut found)?;
                }
            };
            let thread = thread::Builder::new().name("verify".to_owned());
            comparing.push(thread.spawn_scoped(scope, compare).map_err(LedgerError::Thread)?);
        }
        drop(ranges);
        let mut read = Ok(true);
        for from in (0..comparison.total).step_by(RANGE as usize) {
            let range = Range::read(connection, from..(from + RANGE).min(comparison.total));
            read = range.map(|range| sender.send(range).is_ok());
            // Before the last range a thread ends only of an error, which is told below.
            let has_failed = comparing.iter().any(thread::ScopedJoinHandle::is_finished);
            if has_failed || !matches!(read, Ok(true)) {
                break;
            }
        }
        drop(sender);
        let mut found = Found::new();
        for thread in comparing {
            let broke_off = |_| Err(LedgerError::Damaged("checking broke off".to_owned()));
            found.extend(thread.join().unwrap_or_else(broke_off)?);
        }
        read.map(|_| found)
    })
}

/// What the tables say of some payments.
struct Range {
    seqs: ops::Range<u64>,
    kept: Kept,
    entries: Balance,
    payments: Balance,
    aside: Balance,
}

impl Range {
    fn read(connection: &Connection, seqs: ops::Range<u64>) -> Result<Self, LedgerError> {
        Ok(Range {
            kept: Kept::read(connection, &Seqs::Range(seqs.start, seqs.end))?,
            entries: held(connection, include_str!("verify/entries.sql"), &seqs)?,
            payments: held(connection, include_str!("verify/payments.sql"), &seqs)?,
            aside: held(connection, include_str!("verify/set_aside.sql"), &seqs)?,
            seqs,
        })
    }
}

/// The rows that a table holds.
fn held(connection: &Connection, sql: &str, seqs: &ops::Range<u64>) -> Result<Balance, LedgerError> {
    let doing = "checked rows";
    let sql = sql
        .replace("/* FROM */", &seqs.start.to_string())
        .replace("/* TO */", &seqs.end.to_string());
    let mut balance = Balance::of(seqs);
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    for rows in statement.query_arrow([]).map_err(LedgerError::engine(doing))? {
        balance.add(rows.columns())?;
    }
    Ok(balance)
}

/// The rows that the versions make, to be taken off what the tables hold.
#[derive(Default)]
struct Due {
    entries: Vec<EntryChange>,
    payments: Signed<ListRow>,
    aside: Vec<(u64, Aside)>,
}

impl Due {
    fn of(dossiers: &BTreeMap<u64, Dossier>) -> Self {
        let mut due = Due::default();
        for (&seq, dossier) in dossiers {
            let payment_key: Arc<str> = Arc::from(dossier.payment_key.as_str());
            due.entries
                .extend(ledger_rows(dossier).into_iter().map(|row| EntryChange {
                    sign: -1,
                    seq,
                    payment_key: Arc::clone(&payment_key),
                    row,
                }));
            due.payments.extend(ListRow::of(dossier).map(|row| (-1, seq, row)));
            let aside = aside_of(&LiveEntries::of(dossier));
            due.aside.extend(aside.into_iter().map(|aside| (seq, aside)));
        }
        due
    }
}

fn aside_columns(due: &[(u64, Aside)]) -> [Column; 5] {
    let keys = || due.iter().map(|(_, aside)| &aside.key);
    [
        tinyints(repeated(-1, due)),
        longs(due.iter().map(|(seq, _)| *seq as i64)),
        tinyints(keys().map(|key| kind_code(key.kind) as i8)),
        texts(keys().map(|key| Some(&*key.entry_id))),
        texts(due.iter().map(|(_, aside)| Some(aside.code))),
    ]
}

/// What payments are compared with.
struct Comparison<'a> {
    rows: &'a Rows,
    bodies: &'a BodyFile,
    total: u64,
    each: &'a Each<'a>,
}

impl Comparison<'_> {
    fn compare(&self, range: Range, found: &mut Found) -> Result<(), LedgerError> {
        let Range {
            seqs,
            kept,
            mut entries,
            mut payments,
            mut aside,
        } = range;
        let dossiers = kept.folded(self.bodies)?;
        let due = Due::of(&dossiers);
        entries.add(&entry_columns(&due.entries.iter().collect::<Vec<_>>())?)?;
        payments.add(&payment_columns(&due.payments.iter().collect::<Vec<_>>())?)?;
        aside.add(&aside_columns(&due.aside))?;
        for seq in seqs {
            let dossier = dossiers.get(&seq);
            let row = match dossier {
                None => Some("a payment key was given that no version or refusal names".to_owned()),
                Some(dossier) => self.row_differs(seq, dossier),
            };
            let store = if dossier.is_some() { "row" } else { "keys" };
            let uneven = |balance: &Balance, detail: &str| (!balance.is_even(seq)).then(|| detail.to_owned());
            let details = [
                (store, row),
                (
                    "entries",
                    uneven(&entries, "the unified ledger's rows are not what the versions make"),
                ),
                (
                    "payments",
                    uneven(&payments, "the list row is not what the versions make"),
                ),
                (
                    "quarantine",
                    uneven(&aside, "the entries listed as set aside are not those that are"),
                ),
            ];
            let about = || dossier.map_or_else(|| seq.to_string(), |dossier| dossier.payment_key.clone());
            let differences = details.into_iter().filter_map(|(store, detail)| {
                Some(Difference {
                    store,
                    about: about(),
                    detail: detail?,
                })
            });
            let in_index = dossier.and_then(|dossier| (self.each)(seq, dossier, self.total));
            for difference in differences.chain(in_index) {
                if found.len() < DIFFERENCES_MAX {
                    found.push((seq, difference));
                }
            }
        }
        Ok(())
    }

    fn row_differs(&self, seq: u64, dossier: &Dossier) -> Option<String> {
        match self.rows.get(seq) {
            Ok(Some(row)) if row == *dossier => None,
            Ok(Some(_)) => Some("the ready-made row is not what the versions make".to_owned()),
            Ok(None) => Some("the ready-made row is missing".to_owned()),
            Err(error) => Some(format!("the ready-made row cannot be read: {error}")),
        }
    }
}

const CELLS: &str = include_str!("verify/cells.sql");

/// Cells that are not the sums of the rows, on either side.
fn cells(connection: &Connection, tables: Tables, out: &mut Verified) -> Result<(), LedgerError> {
    let doing = "checked the rollup cells";
    let (name, dimensions) = (tables.name(), tables.dimensions());
    let spelled = |spell: &dyn Fn(&&str) -> String, columns: &[&str]| -> String {
        let spelled: Vec<String> = columns.iter().map(spell).collect();
        spelled.join(", ")
    };
    let family = tables.family;
    let compared = match tables.grain {
        // Which are compared with the rows themselves.
        Grain::Months => family.name.to_owned(),
        Grain::Merchants | Grain::All => format!("({})", family.by_rows),
    };
    let whole = |sign: &str| {
        spelled(
            &|measure| format!("{sign}({}) as {measure}", family.whole(measure)),
            family.measures,
        )
    };
    let sql = CELLS
        .replace("/* COMPARED */", &compared)
        .replace("/* CELLS */", &name)
        .replace("/* DIMENSIONS */", &dimensions.join(", "))
        .replace("/* OF DAYS */", &tables.of_days().join(", "))
        .replace("/* WHOLE */", &whole(""))
        .replace("/* NEGATED */", &whole("-"))
        .replace(
            "/* NAMED */",
            &spelled(&|column| format!("coalesce({column}::varchar, '')"), dimensions),
        )
        .replace("/* IS SOMETHING */", &family.is_something());
    let count = format!(
        "select count(*) from (select distinct {} from {name} where /* CONDITION */)",
        dimensions.join(", ")
    );
    let parts = match tables.grain {
        Grain::Merchants | Grain::Months => parts(connection, "merchant_id", family.name, CELLS_AT_ONCE)?,
        Grain::All => vec!["true".to_owned()],
    };
    for part in parts {
        if tables.grain == Grain::Merchants {
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
            if out.differences.len() < DIFFERENCES_MAX {
                out.differences.push(Difference {
                    store: "rollups",
                    about: format!("{name} {cell}"),
                    detail: "the cell is not the sum of the unified ledger's rows".to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// Rows of cells that are added up at once: with those of the unified ledger some 100 MB.
const CELLS_AT_ONCE: u64 = 250_000;
