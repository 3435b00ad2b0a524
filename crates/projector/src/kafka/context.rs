//! What the Kafka client says beside messages: the ends of partitions, reasons of errors, the fate of published offsets.

use std::collections::HashMap;

use parking_lot::Mutex;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;

/// The position after the last visible message, by topic and partition.
pub(super) type Ends = HashMap<String, HashMap<i32, u64>>;

#[derive(Default)]
pub(super) struct Context {
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    ends: Ends,
    /// The client hands an error over without its reason, which comes here a moment before.
    reason: Option<String>,
    publish_failure: Option<String>,
}

impl Context {
    pub(super) fn ends(&self) -> Ends {
        self.heard.lock().ends.clone()
    }

    pub(super) fn take_reason(&self) -> Option<String> {
        self.heard.lock().reason.take()
    }

    pub(super) fn publish_failure(&self) -> Option<String> {
        self.heard.lock().publish_failure.clone()
    }

    /// How the last publication went.
    pub(super) fn note_publish(&self, result: Result<(), KafkaError>) {
        self.heard.lock().publish_failure = result.err().map(|error| error.to_string());
    }
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        let mut heard = self.heard.lock();
        for (name, topic) in statistics.topics {
            for (partition, known) in topic.partitions {
                // The last stable offset: what lies behind it belongs to open transactions and is not visible yet.
                let Ok(end) = u64::try_from(known.ls_offset) else {
                    continue;
                };
                heard.ends.entry(name.clone()).or_default().insert(partition, end);
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "the Kafka client reports an error");
        self.heard.lock().reason = Some(reason.to_owned());
    }
}

impl ConsumerContext for Context {
    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        self.note_publish(result);
    }
}
