//! A real Apache Kafka for tests, and how tests write to any broker.
//!
//! One broker a test process, started when the first test asks for it. It is told the process it belongs to and ends with
//! it, also if that process is killed. Tests share it, so each makes topics of its own with [`TestKafka::topic`].

use std::collections::HashMap;
use std::fmt::Write as _;
use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};

/// Names the directory of Kafka's jars. Without it the tests that need a real broker are skipped.
pub const KAFKA_HOME: &str = "LEDGERLENS_KAFKA_HOME";

/// So long a broker may take for one request on a busy machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The broker of this test process.
pub struct TestKafka {
    brokers: String,
}

impl TestKafka {
    /// Starts the broker if it does not run yet. Without [`KAFKA_HOME`] says loudly that `test` is skipped.
    pub fn for_test(test: &str) -> Option<&'static TestKafka> {
        static SHARED: OnceLock<TestKafka> = OnceLock::new();
        if std::env::var_os(KAFKA_HOME).is_none() {
            // Written past the test harness, which would swallow it.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED {test}: it needs a real Kafka, and {KAFKA_HOME} is not set"
            );
            return None;
        }
        Some(SHARED.get_or_init(TestKafka::start))
    }

    fn start() -> TestKafka {
        let directory = tempfile::Builder::new()
            .prefix("ledgerlens-kafka-")
            .tempdir()
            .expect("a temporary directory for Kafka")
            // The broker's watcher removes it when this process is gone.
            .keep();
        let output = Command::new(node_script())
            .arg("start")
            .arg(&directory)
            .args(["--owner", &std::process::id().to_string()])
            .stdin(Stdio::null())
            .output()
            .expect("scripts/kafka/node can be run");
        let said = String::from_utf8_lossy(&output.stdout);
        let brokers = said.lines().find_map(|line| line.strip_prefix("brokers="));
        let brokers = brokers.unwrap_or_else(|| {
            let complaint = String::from_utf8_lossy(&output.stderr);
            panic!("Kafka did not start: {} {said}\n{complaint}", output.status)
        });
        TestKafka {
            brokers: brokers.to_owned(),
        }
    }

    /// `host:port`.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// A name that no other test has.
    pub fn unique(&self, prefix: &str) -> String {
        static LAST: AtomicU64 = AtomicU64::new(0);
        format!(
            "{prefix}-{}-{}",
            std::process::id(),
            LAST.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// Creates a topic with a name of its own.
    pub fn topic(&self, prefix: &str, partitions: i32) -> String {
        let name = self.unique(prefix);
        self.create_topic(&name, partitions, &[]);
        name
    }

    pub fn create_topic(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let results = wait(self.admin().create_topics([&topic], &options()));
        results
            .expect("the broker answers")
            .into_iter()
            .for_each(|result| drop(result.expect("the topic is created")));
    }

    /// False while a topic of this name is still being deleted.
    pub fn try_create_topic(&self, name: &str, partitions: i32) -> bool {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let results = wait(self.admin().create_topics([&topic], &options()));
        results.expect("the broker answers").iter().all(Result::is_ok)
    }

    pub fn delete_topic(&self, name: &str) {
        let results = wait(self.admin().delete_topics(&[name], &options()));
        results
            .expect("the broker answers")
            .into_iter()
            .for_each(|result| drop(result.expect("the topic is deleted")));
    }

    /// Gives a topic more partitions, `total` in all.
    pub fn add_partitions(&self, topic: &str, total: usize) {
        let results = wait(
            self.admin()
                .create_partitions([&NewPartitions::new(topic, total)], &options()),
        );
        results
            .expect("the broker answers")
            .into_iter()
            .for_each(|result| drop(result.expect("partitions are added")));
    }

    /// Deletes the messages before `first`, as retention would.
    pub fn delete_records(&self, topic: &str, partition: i32, first: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(first))
            .expect("a valid offset");
        let deleted = wait(self.admin().delete_records(&list, &options())).expect("the broker answers");
        deleted
            .elements()
            .iter()
            .for_each(|element| element.error().expect("messages are deleted"));
    }

    pub fn delete_group(&self, group: &str) {
        let results = wait(self.admin().delete_groups(&[group], &options()));
        results
            .expect("the broker answers")
            .into_iter()
            .for_each(|result| drop(result.expect("the group is deleted")));
    }

    /// The offset that a group has committed.
    pub fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        committed(&self.brokers, group, topic, partition)
    }

    /// Where each partition of these topics ends: the next offset the broker will give.
    pub fn ends(&self, topics: &[String]) -> HashMap<(String, i32), u64> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        let consumer: BaseConsumer = config.create().expect("a client");
        let mut ends = HashMap::new();
        for topic in topics {
            let metadata = consumer.fetch_metadata(Some(topic), REQUEST_TIMEOUT);
            for partition in metadata
                .expect("the broker answers")
                .topics()
                .iter()
                .flat_map(|topic| topic.partitions())
            {
                let watermarks = consumer.fetch_watermarks(topic, partition.id(), REQUEST_TIMEOUT);
                let (_, end) = watermarks.expect("the broker answers");
                ends.insert((topic.clone(), partition.id()), end.unsigned_abs());
            }
        }
        ends
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .create()
            .expect("a client")
    }
}

/// The offset that a group has committed at any broker, real or in process.
pub fn committed(brokers: &str, group: &str, topic: &str, partition: i32) -> Option<i64> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", group);
    let consumer: BaseConsumer = config.create().expect("a client");
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let list = consumer
        .committed_offsets(list, REQUEST_TIMEOUT)
        .expect("the broker answers");
    match list.find_partition(topic, partition)?.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(REQUEST_TIMEOUT))
        .operation_timeout(Some(REQUEST_TIMEOUT))
}

fn wait<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

/// Tests run in the directory of their crate. A path from the time of compiling would be that of another checkout when
/// two of them share their build output.
fn node_script() -> PathBuf {
    PathBuf::from("../../scripts/kafka/node")
}

/// A message to publish.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub partition: i32,
    pub key: String,
    /// `None`: a null value.
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since 1970; `None`: now.
    pub timestamp: Option<i64>,
}

/// Publishes to any broker, real or in process, and knows what was acknowledged.
pub struct TestProducer {
    producer: ThreadedProducer<Failures>,
}

/// The first publication that failed.
#[derive(Default)]
struct Failures {
    first: OnceLock<String>,
}

impl ClientContext for Failures {}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, message)) = result {
            let mut failure = String::new();
            let _ = write!(failure, "{}/{}: {error}", message.topic(), message.partition());
            let _ = self.first.set(failure);
        }
    }
}

impl TestProducer {
    pub fn new(brokers: &str) -> Self {
        Self::with(brokers, &HashMap::new())
    }

    /// A producer that can publish in transactions.
    pub fn transactional(brokers: &str, id: &str) -> Self {
        let producer = Self::with(brokers, &HashMap::from([("transactional.id", id)]));
        producer
            .producer
            .init_transactions(REQUEST_TIMEOUT)
            .expect("transactions");
        producer
    }

    fn with(brokers: &str, settings: &HashMap<&str, &str>) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers);
        // Tests publish messages over the limit of 1 MiB, and a fixed partition in a fixed order.
        config.set("message.max.bytes", "2000000");
        config.set("enable.idempotence", "true");
        config.set("linger.ms", "2");
        for (key, value) in settings {
            config.set(*key, *value);
        }
        TestProducer {
            producer: config.create_with_context(Failures::default()).expect("a producer"),
        }
    }

    /// Hands a message over; [`flush`](Self::flush) or the end of the transaction waits for it.
    pub fn send(&self, topic: &str, record: &Record) {
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (key, value) in &record.headers {
            headers = headers.insert(Header {
                key,
                value: Some(value),
            });
        }
        let mut waiting = BaseRecord::to(topic)
            .partition(record.partition)
            .key(record.key.as_str())
            .headers(headers);
        waiting.payload = record.value.as_deref();
        waiting.timestamp = record.timestamp;
        loop {
            match self.producer.send(waiting) {
                Ok(()) => return,
                // The queue is full: its own thread empties it.
                Err((error, back)) if is_full(&error) => {
                    waiting = back;
                    std::thread::yield_now();
                }
                Err((error, _)) => panic!("a message cannot be published: {error}"),
            }
        }
    }

    /// Publishes and waits until all is acknowledged.
    pub fn publish(&self, topic: &str, records: &[Record]) {
        records.iter().for_each(|record| self.send(topic, record));
        self.flush();
    }

    pub fn flush(&self) {
        self.producer.flush(REQUEST_TIMEOUT).expect("all is published");
        self.check();
    }

    pub fn begin(&self) {
        self.producer.begin_transaction().expect("a transaction");
    }

    pub fn commit(&self) {
        self.producer
            .commit_transaction(REQUEST_TIMEOUT)
            .expect("the transaction is committed");
        self.check();
    }

    /// What was sent since [`begin`](Self::begin) never happened. It is published first: messages that were never sent
    /// would prove nothing.
    pub fn abort(&self) {
        self.flush();
        self.producer
            .abort_transaction(REQUEST_TIMEOUT)
            .expect("the transaction is aborted");
    }

    fn check(&self) {
        if let Some(failure) = self.producer.context().first.get() {
            panic!("a message was not published: {failure}");
        }
    }
}

fn is_full(error: &rdkafka::error::KafkaError) -> bool {
    error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::QueueFull)
}
