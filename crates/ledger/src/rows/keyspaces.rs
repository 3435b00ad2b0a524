//! How the engine of the rows is set up. What is said of a keyspace holds for those made with it.

use std::path::Path;
use std::sync::Arc;

use fjall::compaction::Leveled;
use fjall::config::{CompressionPolicy, FilterPolicy, PartitioningPolicy, PinningPolicy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};

/// Rows in memory until they are written out as a table: the fewer tables, the less often rows are written again, and the
/// more memory.
const MEMTABLE_BYTES: u64 = 64 << 20;

/// The same of packs. They come more slowly, and the journal of all that was written since the first of them is kept until they
/// are written out.
const PACKS_MEMTABLE_BYTES: u64 = 8 << 20;

/// More than the tables in memory hold together: else it would decide when they are written out.
const JOURNAL_BYTES: u64 = 256 << 20;

/// Bytes of a table. While the engine puts merged tables in place it syncs the last of them, and whoever reads waits: 30 to 65 ms with
/// its default of 64 MiB.
const TABLE_BYTES: u64 = 16 << 20;

/// How much larger each level of tables is than the one before. The first factor makes up for the smaller tables, of four of which the first
/// level is made: as many levels, and as much writing, as with the engine's defaults.
const LEVEL_RATIOS: [f32; 2] = [40.0, 10.0];

/// Tables whose files are kept open: half of what systems let a process have. Opening one takes some 10 µs.
const OPEN_FILES: usize = 512;

/// The engine and its keyspaces.
#[derive(Clone)]
pub(super) struct Keyspaces {
    pub(super) database: Database,
    /// By seq: rows that lie on their own.
    pub(super) rows: Keyspace,
    /// Their seqs alone: to find them among the rows at an opening was to read two gigabytes at 30 million payments.
    pub(super) listed: Keyspace,
    /// By group: the others.
    pub(super) packs: Keyspace,
}

impl Keyspaces {
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Self, fjall::Error> {
        let database = Database::builder(path)
            .cache_size(cache_bytes)
            .worker_threads(1)
            .max_journaling_size(JOURNAL_BYTES)
            .max_cached_files(Some(OPEN_FILES))
            .open()?;
        let rows = database.keyspace("rows", options)?;
        // Every group asked for exists.
        let packs = database.keyspace("packs", || {
            options()
                .max_memtable_size(PACKS_MEMTABLE_BYTES)
                .expect_point_read_hits(true)
                .filter_policy(FilterPolicy::disabled())
        })?;
        let listed = database.keyspace("listed", || options().max_memtable_size(PACKS_MEMTABLE_BYTES))?;
        Ok(Keyspaces {
            database,
            rows,
            listed,
            packs,
        })
    }
}

fn options() -> KeyspaceCreateOptions {
    let levels = Leveled::default()
        .with_table_target_size(TABLE_BYTES)
        .with_level_ratio_policy(LEVEL_RATIOS.to_vec());
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_BYTES)
        .compaction_strategy(Arc::new(levels))
        // In memory, some 50 MB at 30 million payments: else a read of a row brings in the index and the filter of a whole table.
        .index_block_pinning_policy(PinningPolicy::all(true))
        .index_block_partitioning_policy(PartitioningPolicy::all(false))
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .filter_block_partitioning_policy(PartitioningPolicy::all(false))
        // Rows are compressed already.
        .data_block_compression_policy(CompressionPolicy::disabled())
}
