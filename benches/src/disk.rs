//! Bytes on disk by class: the directories of a data directory.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What the parts of a data directory take up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Disk {
    /// DuckDB's file.
    pub(crate) ledger: u64,
    /// The bodies of versions beside it.
    pub(crate) bodies: u64,
    /// DuckDB's write-ahead log, and what it spilled.
    pub(crate) log: u64,
    pub(crate) rows: u64,
    pub(crate) index: u64,
    pub(crate) others: u64,
}

impl Disk {
    pub(crate) fn of(data_dir: &Path) -> Self {
        let [ledger, rows, index] = ["ledger", "rows", "index"].map(|class| bytes(&data_dir.join(class)));
        let [file, bodies] = ["ledger.duckdb", "bodies"].map(|file| bytes(&data_dir.join("ledger").join(file)));
        Disk {
            ledger: file,
            bodies,
            log: ledger.saturating_sub(file + bodies),
            rows,
            index,
            others: bytes(data_dir).saturating_sub(ledger + rows + index),
        }
    }

    /// Everything below a directory.
    pub(crate) fn all(dir: &Path) -> u64 {
        bytes(dir)
    }

    pub(crate) fn total(self) -> u64 {
        self.ledger + self.bodies + self.log + self.rows + self.index + self.others
    }

    pub(crate) fn classes(self) -> [(&'static str, u64); 7] {
        [
            ("ledger (DuckDB file)", self.ledger),
            ("ledger (bodies)", self.bodies),
            ("ledger (write-ahead log)", self.log),
            ("rows", self.rows),
            ("index", self.index),
            ("others", self.others),
            ("all", self.total()),
        ]
    }
}

/// Blocks in use, which is less than the length of a file that was made larger than what is in it. A file that goes
/// away meanwhile (segments are merged) counts for nothing.
fn bytes(path: &Path) -> u64 {
    let Ok(found) = fs::symlink_metadata(path) else {
        return 0;
    };
    if !found.is_dir() {
        return found.blocks() * 512;
    }
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    entries.filter_map(Result::ok).map(|entry| bytes(&entry.path())).sum()
}
