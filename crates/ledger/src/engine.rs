//! Opening DuckDB so that it stays within bounds and fails in pieces.
//!
//! The ledger is attached to an in-memory database: a failed checkpoint then invalidates the ledger alone, which can be
//! attached again, and not the whole instance.

use std::fs;
use std::path::{Path, PathBuf};

use duckdb::Connection;

use crate::error::LedgerError;
use crate::meta;
use crate::step::OnStep;

/// The bounds of the two engines.
#[derive(Clone, Debug)]
pub struct Options {
    /// DuckDB's memory limit in bytes. Default 640 MiB: sums of a few million cells without spilling.
    pub memory_bytes: u64,
    /// DuckDB's threads. Default 1: folding the log and sums on several threads at once keep answers and batches waiting.
    pub threads: u32,
    /// The most that DuckDB may spill to disk. Default 10 GiB.
    pub spill_bytes: u64,
    /// The write-ahead log is folded into the file when it is larger. Default 64 MiB: what has not been folded is read again
    /// at the next start, and lies in memory until then.
    pub wal_bytes: u64,
    /// Changes of rollup cells that come until they are added up into a sorted run. Default 1,000,000: a report reads those
    /// that wait from front to back, some milliseconds.
    pub rollup_rows: u64,
    /// Rows of the unified ledger, and of the list of payments, that are sorted by merchant at once, when they have half as many younger
    /// ones. Default 500,000: adding them up takes some 200 MiB.
    pub seal_rows: u64,
    /// Cache of payment rows. Default 192 MiB: half of it for those that still change, half for those at rest.
    pub row_cache_bytes: u64,
    /// Payment rows written until those that have not changed meanwhile are packed with their neighbours. Default 400,000:
    /// most payments have seen their last message by then while a backlog is read.
    pub row_rest: u64,
    /// Read connections kept ready. Default 8; a reader beyond them opens another.
    pub readers: usize,
    /// Messages of which it is kept what became of them, by the id of their event. Default 10 million.
    pub events_max: u64,
    /// Rows about so many days before the rest of their batch lie apart. Default 45: see `late.rs`.
    pub late_days: u32,
    /// Rows of a batch that tell what time it is about. Default 256.
    pub late_batch_rows: usize,
    /// Told of each step of the work on the stores. Default: nobody.
    pub on_step: OnStep,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            memory_bytes: 640 << 20,
            threads: 1,
            spill_bytes: 10 << 30,
            wal_bytes: 64 << 20,
            rollup_rows: 1_000_000,
            seal_rows: 500_000,
            row_cache_bytes: 192 << 20,
            row_rest: 400_000,
            readers: 8,
            events_max: 10_000_000,
            late_days: 45,
            late_batch_rows: 256,
            on_step: OnStep::default(),
        }
    }
}

pub(crate) struct Engine {
    root: Connection,
    file: PathBuf,
}

/// What DuckDB says while another transaction holds its checkpoint lock. Forcing it would stop every reader.
const CHECKPOINT_REFUSED: &str = "Cannot CHECKPOINT: there are other write transactions active";

/// The name of the database in the ledger's directory, and in a backup's.
pub(crate) const FILE: &str = "ledger.duckdb";

const SCHEMA: &str = include_str!("../../../schemas/ledger.sql");

/// Folds the log into the file, unless somebody is at it: then it is folded after another batch. Nothing is lost
/// meanwhile, the log is only longer. Transactions that only append go on beside it, on other connections.
pub(crate) fn checkpoint(connection: &Connection) -> Result<(), LedgerError> {
    match connection.execute_batch("checkpoint ledger") {
        Err(error) if error.to_string().contains(CHECKPOINT_REFUSED) => {
            tracing::info!("the ledger's log is folded later: {CHECKPOINT_REFUSED}");
            Ok(())
        }
        result => result.map_err(LedgerError::engine("folded its log")),
    }
}

impl Engine {
    /// Opens or makes the ledger in `dir`.
    pub(crate) fn open(dir: &Path, options: &Options) -> Result<Self, LedgerError> {
        fs::create_dir_all(dir).map_err(|source| LedgerError::Directory {
            path: dir.to_owned(),
            source,
        })?;
        crate::copy::sweep(dir);
        let file = dir.join(FILE);
        let root = Connection::open_in_memory().map_err(LedgerError::engine("started"))?;
        let quoted = dir.display().to_string().replace('\'', "''");
        root.execute_batch(&format!(
            "set autoinstall_known_extensions = false;
             set autoload_known_extensions = false;
             set memory_limit = '{memory}B';
             set threads = {threads};
             set temp_directory = '{quoted}/spill';
             set max_temp_directory_size = '{spill}B';
             set wal_autocheckpoint = '1TB';
             set auto_checkpoint_skip_wal_threshold = 1000000000;
             set max_vacuum_tasks = 0;
             set preserve_insertion_order = true;
             set allowed_directories = ['{quoted}'];
             set enable_external_access = false;
             set lock_configuration = true;",
            memory = options.memory_bytes,
            threads = options.threads.max(1),
            spill = options.spill_bytes,
        ))
        .map_err(LedgerError::engine("was configured"))?;
        let engine = Engine { root, file };
        engine.attach()?;
        let connection = engine.connection()?;
        // A process that ended while it made them has left a file without any.
        let tables = "select count(*) from duckdb_tables() where database_name = 'ledger'";
        let tables: i64 = connection
            .query_row(tables, [], |row| row.get(0))
            .map_err(LedgerError::engine("looked for its tables"))?;
        if tables == 0 {
            let doing = "made its tables";
            connection
                .execute_batch(&format!("begin; {SCHEMA}"))
                .map_err(LedgerError::engine(doing))?;
            meta::make(&connection)?;
            connection.execute_batch("commit").map_err(LedgerError::engine(doing))?;
        }
        engine.checkpoint()?;
        Ok(engine)
    }

    fn attach(&self) -> Result<(), LedgerError> {
        let quoted = self.file.display().to_string().replace('\'', "''");
        self.root
            .execute_batch(&format!("attach '{quoted}' as ledger"))
            .map_err(LedgerError::engine("was opened"))
    }

    /// Opens the file anew where the engine has given it up, as it does after a checkpoint or commit that failed. While a
    /// reader still looks at the old one this can fail, and is tried again.
    pub(crate) fn reattach(&self) -> Result<(), LedgerError> {
        // It is detached already where the last try got no further.
        let _ = self.root.execute_batch("detach ledger");
        self.attach()
    }

    /// A connection whose unqualified names are the ledger's.
    pub(crate) fn connection(&self) -> Result<Connection, LedgerError> {
        let connection = self
            .root
            .try_clone()
            .map_err(LedgerError::engine("opened a connection"))?;
        connection
            .execute_batch("use ledger")
            .map_err(LedgerError::engine("opened a connection"))?;
        Ok(connection)
    }

    pub(crate) fn checkpoint(&self) -> Result<(), LedgerError> {
        checkpoint(&self.root)
    }

    /// Of the log. What is written while it is folded lies in a file of its own.
    pub(crate) fn wal_bytes(&self) -> u64 {
        let bytes = |extension: &str| {
            let mut file = self.file.clone().into_os_string();
            file.push(extension);
            fs::metadata(file).map_or(0, |meta| meta.len())
        };
        bytes(".wal") + bytes(".wal.checkpoint")
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        fs::metadata(&self.file).map_or(0, |meta| meta.len()) + self.wal_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_cannot_be_folded_now_is_folded_later() {
        let dir = tempfile::tempdir().expect("a directory");
        let engine = Engine::open(dir.path(), &Options::default()).expect("the ledger opens");
        let connection = engine.connection().expect("a connection");
        let write = "insert into meta values ('written', 'twice')";
        connection.execute_batch(write).expect("written");
        let log = engine.wal_bytes();
        assert!(log > 0);
        connection
            .execute_batch("begin; update meta set value = 'more' where key = 'written'")
            .expect("begun");
        engine.checkpoint().expect("put off");
        assert_eq!(engine.wal_bytes(), log);
        connection.execute_batch("rollback").expect("ended");
        engine.checkpoint().expect("folded");
        assert_eq!(engine.wal_bytes(), 0);
    }
}
