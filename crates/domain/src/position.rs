//! Positions: up to where each partition of the input has been applied.
//!
//! The messages of one partition are totally ordered, so "what has been applied" is a map from partition to the next
//! position to read. A store commits this map in one act with the data it covers. Offsets may have gaps, so the map is
//! never used to count anything.

use std::collections::BTreeMap;
use std::fmt;

/// One totally ordered stream of messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartitionId {
    /// A partition of a Kafka topic; its positions are offsets.
    Kafka { topic: String, partition: i32 },
    /// A file, known by the SHA-256 of its bytes as lower-case hex; its positions are line numbers from 0.
    File { sha256: String },
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PartitionId::Kafka { topic, partition } => write!(f, "{topic}/{partition}"),
            PartitionId::File { sha256 } => write!(f, "file:{sha256}"),
        }
    }
}

impl PartitionId {
    /// Reads back what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(sha256) = text.strip_prefix("file:") {
            return Some(PartitionId::File {
                sha256: sha256.to_owned(),
            });
        }
        let (topic, partition) = text.rsplit_once('/')?;
        Some(PartitionId::Kafka {
            topic: topic.to_owned(),
            partition: partition.parse().ok()?,
        })
    }
}

/// The last message applied of a partition, by which its log is known again.
///
/// An offset alone says nothing of a topic that was deleted and created anew, or of another cluster's topic of the same
/// name. So the message before it is remembered, and compared before the partition is read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landmark {
    /// The cluster's own name for itself, where it said one.
    pub cluster_id: Option<String>,
    pub position: u64,
    /// XXH3-128 of the message's timestamp, key and value.
    pub checksum: u128,
}

/// The next position to read, per partition; a partition that is absent starts at its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    next: BTreeMap<PartitionId, u64>,
    landmarks: BTreeMap<PartitionId, Landmark>,
}

impl Positions {
    /// The next position to read of `partition`, if anything of it was applied.
    pub fn next(&self, partition: &PartitionId) -> Option<u64> {
        self.next.get(partition).copied()
    }

    /// Notes that everything before `next` is applied. A position never goes back.
    pub fn advance(&mut self, partition: &PartitionId, next: u64) {
        match self.next.get_mut(partition) {
            Some(held) => *held = next.max(*held),
            None => {
                self.next.insert(partition.clone(), next);
            }
        }
    }

    /// The last message applied of `partition`, where its source remembers messages.
    pub fn landmark(&self, partition: &PartitionId) -> Option<&Landmark> {
        self.landmarks.get(partition)
    }

    /// Remembers the last message of `partition`.
    pub fn remember(&mut self, partition: &PartitionId, landmark: Landmark) {
        self.landmarks.insert(partition.clone(), landmark);
    }

    /// Adds what a later batch moved on.
    pub fn merge(&mut self, later: &Positions) {
        for (partition, next) in later.iter() {
            self.advance(partition, next);
        }
        for (partition, landmark) in &later.landmarks {
            self.remember(partition, landmark.clone());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&PartitionId, u64)> {
        self.next.iter().map(|(partition, next)| (partition, *next))
    }
}

impl FromIterator<(PartitionId, u64)> for Positions {
    fn from_iter<I: IntoIterator<Item = (PartitionId, u64)>>(items: I) -> Self {
        Positions {
            next: items.into_iter().collect(),
            landmarks: BTreeMap::new(),
        }
    }
}
