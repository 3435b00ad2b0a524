//! A copy of the ledger as of one batch, while it is written.
//!
//! The engine copies from its own database to another that it attaches: opening the file by other means would drop the
//! lock on it. One transaction reads everything, so the copy is of one batch; of the bodies beside it what that batch has
//! written is copied. Rows and index are derived and not copied.

use std::fs;
use std::path::{Path, PathBuf};

use duckdb::Connection;

use crate::append::of_micros;
use crate::bodies;
use crate::engine;
use crate::error::LedgerError;
use crate::reader::{Head, Reader};

/// Directories of unfinished copies begin so; they are removed when the ledger is opened.
const PREFIX: &str = "copy-";

const COPY: &str = include_str!("copy/copy.sql");

/// A complete copy in a directory of its own inside the data directory, to be moved away.
#[derive(Debug)]
pub struct LedgerCopy {
    dir: PathBuf,
    pub head: Head,
    pub payments: u64,
    /// Partition and the next position to read.
    pub positions: Vec<(String, u64)>,
}

impl LedgerCopy {
    /// The files of the copy.
    pub fn files(&self) -> [PathBuf; 2] {
        [engine::FILE, bodies::FILE].map(|name| self.dir.join(name))
    }
}

impl Drop for LedgerCopy {
    fn drop(&mut self) {
        // What cannot be removed now is removed at the next start.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Removes what a crash has left of copies.
pub(crate) fn sweep(ledger_dir: &Path) {
    let items = fs::read_dir(ledger_dir).into_iter().flatten().filter_map(Result::ok);
    for item in items.filter(|item| item.file_name().to_string_lossy().starts_with(PREFIX)) {
        let _ = fs::remove_dir_all(item.path());
    }
}

impl Reader {
    /// Copies the ledger. The writer goes on meanwhile, and so do readers.
    ///
    /// # Errors
    /// Those of the engine and the disk; one copy is made at a time.
    pub fn copy_ledger(&self) -> Result<LedgerCopy, LedgerError> {
        let number = std::process::id();
        let dir = self.data_dir().join("ledger").join(format!("{PREFIX}{number}"));
        let io = |source| LedgerError::Directory {
            path: dir.clone(),
            source,
        };
        fs::create_dir(&dir).map_err(io)?;
        let mut copy = LedgerCopy {
            dir: dir.clone(),
            head: Head::default(),
            payments: 0,
            positions: Vec::new(),
        };
        let connection = self.new_connection()?;
        let [database, bodies] = copy.files();
        let path = database.display().to_string().replace('\'', "''");
        let doing = "copied itself";
        connection
            .execute_batch(&format!("attach '{path}' as copy_of_ledger"))
            .map_err(LedgerError::engine(doing))?;
        let copied = connection
            .execute_batch(COPY)
            .map_err(LedgerError::engine(doing))
            .and_then(|()| describe(&connection, &mut copy));
        let detached = connection
            .execute_batch("detach copy_of_ledger")
            .map_err(LedgerError::engine(doing));
        let end = copied?;
        detached?;
        self.bodies().copy(end, &bodies)?;
        Ok(copy)
    }
}

/// Notes what the copy is of; returns the end of its bodies.
fn describe(connection: &Connection, copy: &mut LedgerCopy) -> Result<u64, LedgerError> {
    let doing = "read its copy";
    let sql = "select batch_no, epoch_us(applied_at), epoch_us(appended_at), next_seq, bodies_end
               from copy_of_ledger.head";
    let end;
    (copy.head, copy.payments, end) = connection
        .query_row(sql, [], |row| {
            let micros = |micros: Option<i64>| micros.map(of_micros);
            let head = Head {
                batch_no: row.get::<_, i64>(0)?.unsigned_abs(),
                applied_at: micros(row.get(1)?),
                appended_at: micros(row.get(2)?),
            };
            let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            Ok((head, count(3)?, count(4)?))
        })
        .map_err(LedgerError::engine(doing))?;
    let sql = "select name, next from copy_of_ledger.positions where next is not null order by name";
    let mut statement = connection.prepare(sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
        .map_err(LedgerError::engine(doing))?;
    copy.positions = rows.collect::<Result<_, _>>().map_err(LedgerError::engine(doing))?;
    Ok(end)
}
