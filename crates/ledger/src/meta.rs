//! What a store is: its id and the seed of its hashes, given once.

use std::collections::HashMap;

use duckdb::{Connection, params};

use crate::error::LedgerError;

/// Fills the tables that every store begins with.
pub(crate) fn make(connection: &Connection) -> Result<(), LedgerError> {
    let doing = "was made";
    let mut random = [0u8; 24];
    getrandom::fill(&mut random).map_err(|cause| LedgerError::Damaged(format!("no randomness: {cause}")))?;
    let store_id: String = random[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let seed = random[16..]
        .iter()
        .fold(0u64, |seed, byte| seed << 8 | u64::from(*byte));
    connection
        .execute(
            "insert into meta values ('store_id', ?), ('hash_seed', ?)",
            params![store_id, seed.to_string()],
        )
        .map_err(LedgerError::engine(doing))?;
    connection
        .execute_batch("insert into heads values (0, null, null, 0, 1, 0, 0, 0, 0, 0, 0, 0)")
        .map_err(LedgerError::engine(doing))
}

/// Every key with its value.
pub(crate) fn read(connection: &Connection) -> Result<HashMap<String, String>, LedgerError> {
    let doing = "read what it is";
    let mut statement = connection
        .prepare("select key, value from meta")
        .map_err(LedgerError::engine(doing))?;
    let pairs = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .map_err(LedgerError::engine(doing))?;
    pairs.collect::<Result<_, _>>().map_err(LedgerError::engine(doing))
}
