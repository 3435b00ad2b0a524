//! What a broker in this process can show: outages, late topics, positions that do not exist, the group.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use domain::position::{PartitionId, Positions};
use projector::error::SourceError;
use projector::kafka::{KafkaOptions, KafkaSource};
use projector::source::Source;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use testkit::kafka::{Record, TestProducer, committed};

use crate::inputs::{Mock, kafka_options, kafka_partition};
use crate::reading::{Read, read_all, read_until};

fn cluster(topics: &[(&str, i32)]) -> (Mock, String) {
    let mock = MockCluster::new(1).unwrap();
    for (topic, partitions) in topics {
        mock.create_topic(topic, *partitions, 1).unwrap();
    }
    let brokers = mock.bootstrap_servers();
    (mock, brokers)
}

/// `count` small messages to one partition.
pub(crate) fn publish(brokers: &str, topic: &str, partition: i32, count: usize) {
    let record = Record {
        partition,
        value: Some(b"{}".to_vec()),
        ..Record::default()
    };
    TestProducer::new(brokers).publish(topic, &vec![record; count]);
}

pub(crate) fn connect(options: &KafkaOptions, held: &[(PartitionId, u64)]) -> KafkaSource {
    KafkaSource::connect(options, &held.iter().cloned().collect()).unwrap()
}

pub(crate) fn problem_of(source: &dyn Source, partition: &PartitionId) -> Option<String> {
    let mut all = source.partitions().into_iter();
    all.find(|status| *status.partition == *partition)
        .and_then(|status| status.problem)
}

#[test]
fn a_missing_broker_is_an_error_in_bounded_time() {
    // A port that nobody listens on any more.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = KafkaOptions {
        connect_timeout: Duration::from_secs(1),
        ..kafka_options(&format!("127.0.0.1:{port}"), &["payments"])
    };
    let started = Instant::now();
    let error = KafkaSource::connect(&options, &Positions::default())
        .err()
        .expect("nobody is there");
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn an_outage_is_shown_and_survived() {
    let (mock, brokers) = cluster(&[("payments", 1)]);
    publish(&brokers, "payments", 0, 5);
    let options = KafkaOptions {
        request_timeout: Duration::from_millis(500),
        options: BTreeMap::from([("reconnect.backoff.max.ms".to_owned(), "200".to_owned())]),
        ..kafka_options(&brokers, &["payments"])
    };
    let mut source = connect(&options, &[]);
    let mut read = read_all(&mut source, 5);
    mock.broker_down(1).unwrap();
    read_until(&mut source, &mut read, |source, _| !source.problems().is_empty());
    assert!(source.problems()[0].contains(&brokers), "{:?}", source.problems());
    mock.broker_up(1).unwrap();
    publish(&brokers, "payments", 0, 5);
    read_until(&mut source, &mut read, |source, read| {
        read.messages.len() == 10 && source.problems().is_empty()
    });
    let positions: Vec<u64> = read.messages.iter().map(|message| message.position).collect();
    assert_eq!(positions, (0..10).collect::<Vec<u64>>());
}

#[test]
fn a_source_can_be_closed_during_an_outage() {
    let (mock, brokers) = cluster(&[("payments", 1)]);
    publish(&brokers, "payments", 0, 5);
    let options = KafkaOptions {
        request_timeout: Duration::from_millis(500),
        ..kafka_options(&brokers, &["payments"])
    };
    let mut source = connect(&options, &[]);
    let read = read_all(&mut source, 5);
    mock.broker_down(1).unwrap();
    source.applied(&read.positions);
    let started = Instant::now();
    drop(source);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_topic_that_does_not_exist_yet_is_waited_for() {
    let (mock, brokers) = cluster(&[("payments", 1)]);
    publish(&brokers, "payments", 0, 3);
    let mut source = connect(&kafka_options(&brokers, &["payments", "settlements"]), &[]);
    let mut read = Read::default();
    read_until(&mut source, &mut read, |_, read| read.messages.len() == 3);
    assert_eq!(source.problems().len(), 1);
    assert!(source.problems()[0].contains("settlements"), "{:?}", source.problems());
    mock.create_topic("settlements", 2, 1).unwrap();
    publish(&brokers, "settlements", 1, 4);
    read_until(&mut source, &mut read, |source, read| {
        read.messages.len() == 7 && source.problems().is_empty()
    });
    assert_eq!(read.positions.next(&kafka_partition("settlements", 1)), Some(4));
}

#[test]
fn a_position_beyond_the_end_stops_its_partition_and_no_other() {
    let (_mock, brokers) = cluster(&[("payments", 2)]);
    publish(&brokers, "payments", 0, 5);
    publish(&brokers, "payments", 1, 5);
    let (beyond, good) = (kafka_partition("payments", 0), kafka_partition("payments", 1));
    let held = [(beyond.clone(), 9), (good.clone(), 2)];
    let mut source = connect(&kafka_options(&brokers, &["payments"]), &held);
    let mut read = Read::default();
    read_until(&mut source, &mut read, |source, _| {
        problem_of(source, &beyond).is_some()
    });
    read_until(&mut source, &mut read, |_, read| read.messages.len() >= 3);
    // The log grows over the position: it is another log all the same.
    publish(&brokers, "payments", 0, 10);
    publish(&brokers, "payments", 1, 1);
    read_until(&mut source, &mut read, |_, read| read.positions.next(&good) == Some(6));
    assert!(
        read.messages.iter().all(|message| *message.partition == good),
        "{read:?}"
    );
    let problem = problem_of(&source, &beyond).expect("a problem stays");
    assert!(
        problem.contains("ends at 5") && problem.contains("kafka.topics"),
        "{problem}"
    );
    assert_eq!(problem_of(&source, &good), None);
}

#[test]
fn ends_and_lag_are_known_without_reading() {
    let (_mock, brokers) = cluster(&[("payments", 1)]);
    publish(&brokers, "payments", 0, 5);
    let partition = kafka_partition("payments", 0);
    let mut source = connect(&kafka_options(&brokers, &["payments"]), &[(partition.clone(), 2)]);
    let status = source.partitions().remove(0);
    assert_eq!((status.next, status.end, status.lag), (2, Some(5), Some(3)));
    let mut read = read_all(&mut source, 3);
    publish(&brokers, "payments", 0, 2);
    read_until(&mut source, &mut read, |source, _| {
        source.partitions()[0].end == Some(7)
    });
    read_until(&mut source, &mut read, |source, _| {
        source.partitions()[0].lag == Some(0)
    });
}

#[test]
fn group_offsets_are_written_and_never_read() {
    let (_mock, brokers) = cluster(&[("payments", 1)]);
    publish(&brokers, "payments", 0, 8);
    commit(&brokers, 5);
    let mut source = connect(&kafka_options(&brokers, &["payments"]), &[]);
    let mut read = read_all(&mut source, 8);
    assert_eq!(read.messages[0].position, 0, "the group's offset decides nothing");
    source.applied(&read.positions);
    read_until(&mut source, &mut read, |_, _| {
        committed(&brokers, "ledgerlens", "payments", 0) == Some(8)
    });
}

fn commit(brokers: &str, offset: i64) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", "ledgerlens");
    let group: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("payments", 0, Offset::Offset(offset))
        .unwrap();
    group.commit(&list, CommitMode::Sync).unwrap();
}

#[test]
fn who_does_not_poll_is_not_sent_more_than_the_queue_holds() {
    let (_mock, brokers) = cluster(&[("payments", 1)]);
    let record = Record {
        value: Some(vec![b'x'; 50_000]),
        ..Record::default()
    };
    TestProducer::new(&brokers).publish("payments", &vec![record; 60]);
    let options = KafkaOptions {
        queue_bytes_max: 100 * 1024,
        options: BTreeMap::from([("fetch.message.max.bytes".to_owned(), "100000".to_owned())]),
        ..kafka_options(&brokers, &["payments"])
    };
    let mut source = connect(&options, &[]);
    let read = read_all(&mut source, 60);
    assert_eq!(read.messages.len(), 60);
}

#[test]
fn partitions_are_read_side_by_side_by_the_time_of_their_messages() {
    let (_mock, brokers) = cluster(&[("cancellations", 1), ("payments", 2)]);
    let begin: i64 = 1_700_000_000_000;
    let publish_at = |topic: &str, partition, steps: &mut dyn Iterator<Item = i64>| {
        let records: Vec<Record> = steps
            .map(|step| Record {
                partition,
                value: Some(vec![b'x'; 200]),
                timestamp: Some(begin + step),
                ..Record::default()
            })
            .collect();
        TestProducer::new(&brokers).publish(topic, &records);
    };
    // The quiet topic would come with one answer of the broker, the busy partitions need many.
    publish_at("cancellations", 0, &mut (0..200).map(|n| n * 100));
    publish_at("payments", 0, &mut (0..10_000).map(|n| n * 2));
    publish_at("payments", 1, &mut (0..10_000).map(|n| n * 2 + 1));
    let options = KafkaOptions {
        options: BTreeMap::from([("fetch.message.max.bytes".to_owned(), "50000".to_owned())]),
        ..kafka_options(&brokers, &["cancellations", "payments"])
    };
    let mut source = connect(&options, &[]);
    let read = read_all(&mut source, 20_200);
    let times = read
        .messages
        .iter()
        .map(|message| message.appended_at.unwrap().timestamp_millis());
    let mut newest = 0;
    let overtaken = times.filter(|time| {
        newest = newest.max(*time);
        // A busy machine may let the client wait longer for an answer than its order is worth.
        *time + 1_000 < newest
    });
    let overtaken = overtaken.count();
    assert!(overtaken <= 2_000, "{overtaken} of 20,200 messages came late");
}
