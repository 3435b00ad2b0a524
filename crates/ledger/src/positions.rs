//! What every partition has been applied up to, and by which message its log is known again.

use std::collections::HashMap;

use domain::position::{Landmark, PartitionId, Positions};
use duckdb::{Connection, params};

use crate::error::LedgerError;

/// The number under which other tables name a partition.
pub(crate) type SourceIds = HashMap<PartitionId, i32>;

/// Reads all of them. A partition whose position was forgotten keeps its number.
pub(crate) fn load(connection: &Connection) -> Result<(SourceIds, Positions), LedgerError> {
    let doing = "read its positions";
    let mut statement = connection
        .prepare("select source_id, name, next, cluster_id, last_position, last_checksum from positions")
        .map_err(LedgerError::engine(doing))?;
    let mut rows = statement.query([]).map_err(LedgerError::engine(doing))?;
    let (mut ids, mut positions) = (SourceIds::new(), Positions::default());
    while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
        let name: String = row.get(1).map_err(LedgerError::engine(doing))?;
        let partition =
            PartitionId::parse(&name).ok_or_else(|| LedgerError::Damaged(format!("the partition {name:?}")))?;
        ids.insert(partition.clone(), row.get(0).map_err(LedgerError::engine(doing))?);
        let next: Option<i64> = row.get(2).map_err(LedgerError::engine(doing))?;
        let Some(next) = next else { continue };
        positions.advance(&partition, next.unsigned_abs());
        let position: Option<i64> = row.get(4).map_err(LedgerError::engine(doing))?;
        let checksum: Option<String> = row.get(5).map_err(LedgerError::engine(doing))?;
        if let (Some(position), Some(checksum)) = (position, checksum) {
            let landmark = Landmark {
                cluster_id: row.get(3).map_err(LedgerError::engine(doing))?,
                position: position.unsigned_abs(),
                checksum: u128::from_str_radix(&checksum, 16)
                    .map_err(|_| LedgerError::Damaged(format!("the last message of the partition {name}")))?,
            };
            positions.remember(&partition, landmark);
        }
    }
    Ok((ids, positions))
}

/// Appends those that a batch moves on; in the batch's own transaction.
pub(crate) fn write(
    connection: &Connection,
    batch_no: u64,
    ids: &mut SourceIds,
    positions: &Positions,
) -> Result<(), LedgerError> {
    let doing = "wrote its positions";
    for (partition, next) in positions.iter() {
        let id = match ids.get(partition) {
            Some(id) => *id,
            None => {
                let id = i32::try_from(ids.len() + 1).unwrap_or(i32::MAX);
                ids.insert(partition.clone(), id);
                connection
                    .execute("insert into sources values (?, ?)", params![id, partition.to_string()])
                    .map_err(LedgerError::engine(doing))?;
                id
            }
        };
        let landmark = positions.landmark(partition);
        connection
            .execute(
                "insert into reached values (?, ?, ?, ?, ?, ?)",
                params![
                    batch_no as i64,
                    id,
                    next as i64,
                    landmark.and_then(|landmark| landmark.cluster_id.as_deref()),
                    landmark.map(|landmark| landmark.position as i64),
                    landmark.map(|landmark| format!("{:032x}", landmark.checksum)),
                ],
            )
            .map_err(LedgerError::engine(doing))?;
    }
    Ok(())
}

/// Forgets how far a partition was applied and by what it is known.
pub(crate) fn forget(connection: &Connection, id: i32) -> Result<(), LedgerError> {
    connection
        .execute("delete from reached where source_id = ?", params![id])
        .map(|_| ())
        .map_err(LedgerError::engine("forgot a position"))
}

/// Removes the heads and positions of older batches that a newer one says again.
pub(crate) fn prune(connection: &Connection) -> Result<(), LedgerError> {
    connection
        .execute_batch(PRUNE)
        .map_err(LedgerError::engine("removed old positions"))
}

/// How many heads a prune would remove.
pub(crate) fn unpruned(connection: &Connection) -> Result<u32, LedgerError> {
    let heads = connection.query_row("select count(*) from heads", [], |row| row.get::<_, i64>(0));
    let heads = heads.map_err(LedgerError::engine("counted old heads"))?;
    Ok(u32::try_from(heads - 1).unwrap_or_default())
}

const PRUNE: &str = include_str!("positions/prune.sql");
