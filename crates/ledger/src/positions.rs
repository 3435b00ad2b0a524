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
        let next: i64 = row.get(2).map_err(LedgerError::engine(doing))?;
        let Ok(next) = u64::try_from(next) else { continue };
        positions.advance(&partition, next);
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

/// Writes those that a batch moves on; in the batch's own transaction.
pub(crate) fn write(connection: &Connection, ids: &mut SourceIds, positions: &Positions) -> Result<(), LedgerError> {
    let doing = "wrote its positions";
    for (partition, next) in positions.iter() {
        let landmark = positions.landmark(partition);
        let cluster_id = landmark.and_then(|landmark| landmark.cluster_id.as_deref());
        let last_position = landmark.map(|landmark| landmark.position as i64);
        let last_checksum = landmark.map(|landmark| format!("{:032x}", landmark.checksum));
        if let Some(id) = ids.get(partition) {
            connection.execute(
                "update positions set next = greatest(next, ?), cluster_id = coalesce(?, cluster_id),
                 last_position = coalesce(?, last_position), last_checksum = coalesce(?, last_checksum)
                 where source_id = ?",
                params![next as i64, cluster_id, last_position, last_checksum, id],
            )
        } else {
            let id = i32::try_from(ids.len() + 1).unwrap_or(i32::MAX);
            ids.insert(partition.clone(), id);
            connection.execute(
                "insert into positions values (?, ?, ?, ?, ?, ?)",
                params![
                    id,
                    partition.to_string(),
                    next as i64,
                    cluster_id,
                    last_position,
                    last_checksum
                ],
            )
        }
        .map_err(LedgerError::engine(doing))?;
    }
    Ok(())
}

/// Forgets how far a partition was applied and by what it is known.
pub(crate) fn forget(connection: &Connection, id: i32) -> Result<(), LedgerError> {
    connection
        .execute(
            "update positions set next = -1, cluster_id = null, last_position = null, last_checksum = null
             where source_id = ?",
            params![id],
        )
        .map(|_| ())
        .map_err(LedgerError::engine("forgot a position"))
}
