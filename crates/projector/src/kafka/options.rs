//! The settings of a Kafka source, and what is set in the client without asking.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;

use crate::error::SourceError;
use crate::kafka::context::Context;

/// How to read Kafka. `Default` has everything but the brokers and the topics.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    pub topics: Vec<String>,
    /// The group under which applied positions are published, for lag monitors. It is never read. `None`: not published.
    /// Two ledgers that read one cluster should have two groups, or their figures mix.
    pub group: Option<String>,
    /// How often new partitions and topics are looked for. A new partition's messages wait so long at most; a look costs
    /// one small request a topic.
    pub discovery_interval: Duration,
    /// How long the first broker may take to answer before the start is given up.
    pub connect_timeout: Duration,
    /// How long one look may take later. Nothing waits for it: looks have a thread of their own.
    pub request_timeout: Duration,
    /// How much the client reads ahead, all partitions together, each at least 64 KiB. Half a second of the
    /// fastest apply is enough; what is in flight comes on top, at most [`FETCH_BYTES_MAX`] a broker.
    pub queue_bytes_max: usize,
    /// How often the client says where the ends of the partitions are.
    pub statistics_interval: Duration,
    /// How often applied positions are published at most.
    pub publish_interval: Duration,
    /// Go on at the oldest message that is left where messages were deleted before they were read, instead of stopping
    /// that partition. For an operator who has brought the lost messages in another way, or knows that none are.
    pub continue_after_loss: bool,
    /// Further options of librdkafka by their own names, such as `security.protocol` and `sasl.username`.
    pub options: BTreeMap<String, String>,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        KafkaOptions {
            brokers: String::new(),
            topics: Vec::new(),
            group: Some("ledgerlens".to_owned()),
            discovery_interval: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(5),
            queue_bytes_max: 32 * 1024 * 1024,
            statistics_interval: Duration::from_secs(1),
            publish_interval: Duration::from_secs(1),
            continue_after_loss: false,
            options: BTreeMap::new(),
        }
    }
}

/// One answer of a broker. The client's own 50 MiB would be more than the queue it goes into.
pub const FETCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// With less a partition would have one answer at a time: as fast as the broker, no faster.
pub(super) const LANE_BYTES_MIN: usize = 64 * 1024;

/// Options that the promise of a source rests on, so they are not for anyone to set.
const RESERVED: &[(&str, &str)] = &[
    // Positions are the ledger's.
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // A position that does not exist is an error and not a place to start from.
    ("auto.offset.reset", "error"),
    // Messages of aborted transactions never happened.
    ("isolation.level", "read_committed"),
    // A damaged batch is an error and not a surprise in the decoder.
    ("check.crcs", "true"),
    // A misspelt topic must not come into being by being read.
    ("allow.auto.create.topics", "false"),
    // An end of a partition would come as an error that does not say of which topic.
    ("enable.partition.eof", "false"),
];

/// Options that are set here from a field of their own.
const OWN: &[&str] = &[
    "bootstrap.servers",
    "metadata.broker.list",
    "group.id",
    "queued.max.messages.kbytes",
    "statistics.interval.ms",
];

impl KafkaOptions {
    /// A client that has not connected yet, for so many partitions.
    pub(super) fn connect_consumer(&self, partitions: usize) -> Result<BaseConsumer<Context>, SourceError> {
        self.client_config(partitions)?
            .create_with_context(Context::default())
            .map_err(|error| match error {
                KafkaError::ClientConfig(_, reason, key, _) => SourceError::Option { key, reason },
                other => SourceError::Client {
                    reason: other.to_string(),
                },
            })
    }

    fn client_config(&self, partitions: usize) -> Result<ClientConfig, SourceError> {
        let mut config = ClientConfig::new();
        config.set("client.id", "ledgerlens");
        config.set("fetch.max.bytes", FETCH_BYTES_MAX.to_string());
        // How long the client rests when its queue is full. Its own default, one second, would be the longest pause of
        // the whole path.
        config.set("fetch.queue.backoff.ms", "10");
        for (key, value) in &self.options {
            let reserved = RESERVED.iter().find(|(reserved, _)| reserved == key);
            if let Some((_, fixed)) = reserved {
                let reason = format!("it is always `{fixed}`: leave it out");
                return Err(SourceError::Option {
                    key: key.clone(),
                    reason,
                });
            }
            if OWN.contains(&key.as_str()) {
                let reason = "it has a setting of its own: use that".to_owned();
                return Err(SourceError::Option {
                    key: key.clone(),
                    reason,
                });
            }
            config.set(key, value);
        }
        for (key, value) in RESERVED {
            config.set(*key, *value);
        }
        config.set("bootstrap.servers", &self.brokers);
        let lane_bytes = (self.queue_bytes_max / partitions.max(1)).max(LANE_BYTES_MIN);
        config.set("queued.max.messages.kbytes", (lane_bytes / 1024).max(1).to_string());
        config.set(
            "statistics.interval.ms",
            self.statistics_interval.as_millis().to_string(),
        );
        // The client wants a group to deliver through its consumer queue, also where nothing is published.
        config.set("group.id", self.group.as_deref().unwrap_or("ledgerlens-unpublished"));
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_key(key: &str, value: &str) -> Option<String> {
        let options = KafkaOptions {
            brokers: "127.0.0.1:1".to_owned(),
            options: BTreeMap::from([(key.to_owned(), value.to_owned())]),
            ..KafkaOptions::default()
        };
        match options.connect_consumer(1) {
            Ok(_) => None,
            Err(SourceError::Option { key, .. }) => Some(key),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn further_options_are_passed_on_unless_they_break_the_promise() {
        assert_eq!(refused_key("client.rack", "a"), None);
        assert_eq!(refused_key("fetch.max.bytes", "2000000"), None);
        assert_eq!(
            refused_key("isolation.level", "read_uncommitted").as_deref(),
            Some("isolation.level")
        );
        assert_eq!(refused_key("group.id", "x").as_deref(), Some("group.id"));
        assert_eq!(refused_key("no.such.option", "1").as_deref(), Some("no.such.option"));
        assert_eq!(
            refused_key("fetch.max.bytes", "many").as_deref(),
            Some("fetch.max.bytes")
        );
    }
}
