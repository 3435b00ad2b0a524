//! The inputs of the conformance suite: what is published, and what a source must deliver of it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::decode::HELD_BYTES_MAX;
use domain::position::{PartitionId, Positions};
use ledger::BEGINNING_BYTES;
use projector::file::{FileSource, Progress};
use projector::kafka::{KafkaOptions, KafkaSource};
use projector::source::{Content, Oversize, Source};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::kafka::{Record, TestKafka, TestProducer};

/// Larger than a message may be, and held as a whole.
const OVERSIZE_BYTES: usize = 1_200_000;

/// Larger than what is held.
const NOT_HELD_BYTES: usize = HELD_BYTES_MAX + 3;

/// Something that can be read from any position.
pub(crate) trait Input {
    fn name(&self) -> &str;
    fn open(&self, held: &Positions) -> Box<dyn Source>;
    fn expected(&self) -> &Expected;
}

/// By partition, what is to be delivered at which position.
pub(crate) type Expected = BTreeMap<PartitionId, Vec<(u64, Content)>>;

/// The content of a message without anything special about it.
pub(crate) fn plain(text: impl Into<Vec<u8>>) -> Content {
    Content::Value {
        bytes: text.into(),
        headers: Vec::new(),
    }
}

fn not_held(value: &[u8]) -> Content {
    Content::Oversize(Oversize {
        beginning: value[..BEGINNING_BYTES].to_vec(),
        length: value.len() as u64,
        sha256: Sha256::digest(value).into(),
    })
}

/// A value of some length between nothing and a few hundred bytes, known by its number.
fn value_of(number: usize) -> Vec<u8> {
    let padding = "x".repeat(number * 7 % 300);
    format!(r#"{{"number":{number},"padding":"{padding}"}}"#).into_bytes()
}

// Files ------------------------------------------------------------------------------------------------------------

pub(crate) struct FileInput {
    name: String,
    path: PathBuf,
    expected: Expected,
    _directory: TempDir,
}

/// The same lines in each format, and compressed in one piece and in several.
pub(crate) fn files() -> Vec<FileInput> {
    let (text, lines) = text();
    let middle = text.len() / 2;
    let parts = [&text[..middle], &text[middle..]];
    vec![
        FileInput::new("plain", &text, &lines),
        FileInput::new("gzip", &gzip(&text), &lines),
        FileInput::new("gzip of two members", &parts.map(gzip).concat(), &lines),
        FileInput::new("zstd", &zstd(&text), &lines),
        FileInput::new("zstd of two frames", &parts.map(zstd).concat(), &lines),
    ]
}

/// A text with lines of every sort, and what is to come of it.
fn text() -> (Vec<u8>, Vec<(u64, Content)>) {
    let (mut text, mut lines) = (Vec::new(), Vec::new());
    for number in 0..700 {
        let (line, content) = match number % 50 {
            7 => (Vec::new(), None),
            8 => (b" \t ".to_vec(), None),
            // As a producer's bug: not JSON, and still a message.
            9 => (vec![0xff, b'{'], Some(plain(vec![0xff, b'{']))),
            10 if number < 100 => {
                let long = vec![b'a' + (number % 26) as u8; OVERSIZE_BYTES];
                (long.clone(), Some(plain(long)))
            }
            11 if number < 100 => {
                let long = vec![b'a' + (number % 26) as u8; NOT_HELD_BYTES];
                let content = not_held(&long);
                (long, Some(content))
            }
            _ => (value_of(number), Some(plain(value_of(number)))),
        };
        text.extend(line);
        text.extend(if number % 3 == 0 { b"\r\n".as_slice() } else { b"\n" });
        lines.extend(content.map(|content| (number as u64, content)));
    }
    text.extend(b"the last line has no end");
    lines.push((700, plain("the last line has no end")));
    (text, lines)
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(text, 1).unwrap()
}

impl FileInput {
    fn new(name: &str, bytes: &[u8], lines: &[(u64, Content)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("messages");
        std::fs::write(&path, bytes).unwrap();
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = BTreeMap::from([(PartitionId::File { sha256 }, lines.to_vec())]);
        FileInput {
            name: name.to_owned(),
            path,
            expected,
            _directory: directory,
        }
    }
}

impl Input for FileInput {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self, held: &Positions) -> Box<dyn Source> {
        Box::new(FileSource::open(&self.path, held, &Arc::new(Progress::default())).unwrap())
    }

    fn expected(&self) -> &Expected {
        &self.expected
    }
}

// Kafka ------------------------------------------------------------------------------------------------------------

/// Options that make everything quick.
pub(crate) fn kafka_options(brokers: &str, topics: &[&str]) -> KafkaOptions {
    KafkaOptions {
        brokers: brokers.to_owned(),
        topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        discovery_interval: Duration::from_millis(100),
        statistics_interval: Duration::from_millis(100),
        publish_interval: Duration::from_millis(10),
        ..KafkaOptions::default()
    }
}

pub(crate) fn kafka_partition(topic: &str, partition: i32) -> PartitionId {
    PartitionId::Kafka {
        topic: topic.to_owned(),
        partition,
    }
}

/// Keeps an in-process broker alive, where there is one.
pub(crate) type Mock = MockCluster<'static, DefaultProducerContext>;

pub(crate) struct KafkaInput {
    name: String,
    options: KafkaOptions,
    expected: Expected,
    _mock: Option<Mock>,
}

impl KafkaInput {
    pub(crate) fn in_process() -> Self {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic("payments", 2, 1).unwrap();
        mock.create_topic("settlements", 1, 1).unwrap();
        let mut input = Self::published(
            "in-process Kafka",
            &mock.bootstrap_servers(),
            ["payments", "settlements"],
        );
        input._mock = Some(mock);
        input
    }

    pub(crate) fn real(kafka: &TestKafka) -> Self {
        let topics = [kafka.topic("payments", 2), kafka.topic("settlements", 1)];
        Self::published("real Kafka", kafka.brokers(), [&topics[0], &topics[1]])
    }

    /// Publishes messages of every sort to three partitions of two topics.
    fn published(name: &str, brokers: &str, topics: [&str; 2]) -> Self {
        let places = [(topics[0], 0), (topics[0], 1), (topics[1], 0)];
        let mut expected = Expected::new();
        let producer = TestProducer::new(brokers);
        for number in 0..900 {
            // Unevenly, so that partitions end at different times.
            let (topic, partition) = places[if number % 5 == 0 { 0 } else { 1 + number % 2 }];
            let (record, content) = record(number, partition);
            producer.send(topic, &record);
            let messages = expected.entry(kafka_partition(topic, partition)).or_default();
            messages.push((messages.len() as u64, content));
        }
        producer.flush();
        KafkaInput {
            name: name.to_owned(),
            options: kafka_options(brokers, &topics),
            expected,
            _mock: None,
        }
    }
}

fn record(number: usize, partition: i32) -> (Record, Content) {
    let mut record = Record {
        partition,
        key: format!("key-{number}"),
        ..Record::default()
    };
    let content = match number % 60 {
        7 => Content::Null,
        8 => plain(""),
        9 if number < 120 => plain(vec![b'a' + (number % 26) as u8; OVERSIZE_BYTES]),
        10 | 11 => {
            let headers = [("ce_specversion", "1.0"), ("traceparent", "00-1"), ("ce_id", "é")];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
            record.headers = headers.to_vec();
            let kept = [headers[0].clone(), headers[2].clone()];
            Content::Value {
                bytes: value_of(number),
                headers: kept.to_vec(),
            }
        }
        _ => plain(value_of(number)),
    };
    if let Content::Value { bytes, .. } = &content {
        record.value = Some(bytes.clone());
    }
    (record, content)
}

impl Input for KafkaInput {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self, held: &Positions) -> Box<dyn Source> {
        Box::new(KafkaSource::connect(&self.options, held).unwrap())
    }

    fn expected(&self) -> &Expected {
        &self.expected
    }
}
