//! The stream through a broker of rdkafka's own, in this process.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use generator::kafka::{ProduceError, Target, produce};
use generator::{Plan, Progress, Stream};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message as _;
use rdkafka::mocking::MockCluster;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::{messages, small};

fn on_progress(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn a_broker_gets_every_message_under_its_key_in_order() {
    let cluster = MockCluster::new(1).unwrap();
    let target = Target::new(&cluster.bootstrap_servers());
    for topic in &target.topics {
        cluster.create_topic(topic, 3, 1).unwrap();
    }
    let produced = produce(&mut Stream::new(small(500)).unwrap(), &target, &mut on_progress).unwrap();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &target.brokers)
        .set("group.id", "reader")
        .create()
        .unwrap();
    let mut partitions = TopicPartitionList::new();
    for topic in &target.topics {
        for partition in 0..3 {
            partitions
                .add_partition_offset(topic, partition, Offset::Beginning)
                .unwrap();
        }
    }
    consumer.assign(&partitions).unwrap();
    let mut read: HashMap<(String, Vec<u8>), Vec<Vec<u8>>> = HashMap::new();
    for count in 0..produced.messages {
        let message = consumer.poll(Duration::from_secs(30));
        let message = message
            .unwrap_or_else(|| panic!("nothing within 30 s after {count} of {}", produced.messages))
            .unwrap();
        let at = (message.topic().to_owned(), message.key().unwrap().to_vec());
        read.entry(at).or_default().push(message.payload().unwrap().to_vec());
    }
    let mut written: HashMap<(String, Vec<u8>), Vec<Vec<u8>>> = HashMap::new();
    for message in messages(small(500)) {
        written
            .entry((message.topic.name().to_owned(), message.key.into_bytes()))
            .or_default()
            .push(message.value);
    }
    assert!(read == written);
}

#[test]
fn a_rate_is_kept() {
    let cluster = MockCluster::new(1).unwrap();
    let target = Target {
        rate: Some(1_000),
        ..Target::new(&cluster.bootstrap_servers())
    };
    for topic in &target.topics {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    let started = Instant::now();
    let produced = produce(&mut Stream::new(small(100)).unwrap(), &target, &mut on_progress).unwrap();
    let least = Duration::from_millis(produced.messages * 95 / 100);
    assert!(
        started.elapsed() >= least,
        "{} messages in {:?}",
        produced.messages,
        started.elapsed()
    );
}

#[test]
fn what_a_broker_would_refuse_is_refused_beforehand() {
    let plan = small(100).hostile();
    let outcome = produce(
        &mut Stream::new(plan).unwrap(),
        &Target::new("127.0.0.1:1"),
        &mut on_progress,
    );
    assert!(matches!(outcome, Err(ProduceError::Oversize)));
    let plan = Plan {
        oversize: false,
        ..small(100).hostile()
    };
    let outcome = produce(
        &mut Stream::new(plan).unwrap(),
        &Target::new("127.0.0.1:1"),
        &mut on_progress,
    );
    assert!(matches!(outcome, Err(ProduceError::NoBroker { .. })));
}
