//! Where a message came from.

use domain::position::PartitionId;
use serde::Serialize;

/// A place in a topic or a file.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum PositionJson {
    Kafka { topic: String, partition: i32, offset: u64 },
    File { file_sha256: String, line: u64 },
}

impl PositionJson {
    pub(crate) fn of(partition: PartitionId, position: u64) -> Self {
        match partition {
            PartitionId::Kafka { topic, partition } => PositionJson::Kafka {
                topic,
                partition,
                offset: position,
            },
            // Positions count lines from 0, people from 1.
            PartitionId::File { sha256 } => PositionJson::File {
                file_sha256: sha256,
                line: position + 1,
            },
        }
    }
}
