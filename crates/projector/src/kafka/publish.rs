//! Applied positions, published as the offsets of a group for those who watch its lag.
//!
//! Best effort: written last, in the background, at most once an interval, and read by nothing here.

use std::time::{Duration, Instant};

use domain::position::{PartitionId, Positions};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka::context::Context;
use crate::kafka::options::KafkaOptions;

pub(super) struct Publisher {
    enabled: bool,
    interval: Duration,
    waiting: Positions,
    due_at: Option<Instant>,
    last_at: Option<Instant>,
}

impl Publisher {
    pub(super) fn new(options: &KafkaOptions) -> Self {
        Publisher {
            enabled: options.group.is_some(),
            interval: options.publish_interval,
            waiting: Positions::default(),
            due_at: None,
            last_at: None,
        }
    }

    pub(super) fn applied(&mut self, positions: &Positions) {
        if !self.enabled {
            return;
        }
        for (partition, next) in positions.iter() {
            if matches!(partition, PartitionId::Kafka { .. }) {
                self.waiting.advance(partition, next);
                let now = Instant::now();
                self.due_at
                    .get_or_insert_with(|| self.last_at.map_or(now, |last| last + self.interval));
            }
        }
    }

    pub(super) fn publish_if_due(&mut self, consumer: &BaseConsumer<Context>) {
        let Some(due_at) = self.due_at else { return };
        if Instant::now() < due_at {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.due_at = None;
        self.last_at = Some(Instant::now());
        let result = offsets(&waiting).and_then(|list| consumer.commit(&list, CommitMode::Async));
        if let Err(error) = result {
            tracing::debug!(%error, "the group's offsets are not published");
            consumer.context().note_publish(Err(error));
        }
    }
}

fn offsets(positions: &Positions) -> Result<TopicPartitionList, rdkafka::error::KafkaError> {
    let mut list = TopicPartitionList::new();
    for (partition, next) in positions.iter() {
        let PartitionId::Kafka { topic, partition } = partition else {
            continue;
        };
        let Ok(next) = i64::try_from(next) else { continue };
        list.add_partition_offset(topic, *partition, Offset::Offset(next))?;
    }
    Ok(list)
}
