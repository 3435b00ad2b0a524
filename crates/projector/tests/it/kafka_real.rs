//! What only a real Kafka can show: transactions, deleted messages and topics, new partitions, deleted groups.

use domain::position::{PartitionId, Positions};
use projector::kafka::{KafkaOptions, KafkaSource};
use projector::source::{RawMessage, Source};
use testkit::kafka::{Record, TestKafka, TestProducer};

use crate::inputs::{kafka_options, kafka_partition};
use crate::kafka_mock::{connect, problem_of, publish};
use crate::reading::{Read, read_all, read_until};

fn options(kafka: &TestKafka, topic: &str) -> KafkaOptions {
    KafkaOptions {
        group: Some(kafka.unique("group")),
        ..kafka_options(kafka.brokers(), &[topic])
    }
}

fn positions_of(messages: &[RawMessage]) -> Vec<u64> {
    messages.iter().map(|message| message.position).collect()
}

/// Reads until the partition stands at `next`, whatever that takes.
fn read_to(source: &mut KafkaSource, read: &mut Read, partition: &PartitionId, next: u64) {
    read_until(source, read, |_, read| read.positions.next(partition) == Some(next));
}

#[test]
fn aborted_transactions_are_invisible_and_their_ends_are_passed() {
    let Some(kafka) = TestKafka::for_test("aborted_transactions_are_invisible_and_their_ends_are_passed") else {
        return;
    };
    let topic = kafka.topic("transactions", 1);
    let partition = kafka_partition(&topic, 0);
    let producer = TestProducer::transactional(kafka.brokers(), &topic);
    let send = |count| {
        (0..count).for_each(|_| {
            producer.send(
                &topic,
                &Record {
                    value: Some(b"{}".into()),
                    ..Record::default()
                },
            )
        })
    };

    // Positions: 0 1 2 committed, 3 its marker; 4 5 aborted, 6 its marker; 7 committed, 8 its marker; 9 10 aborted, 11.
    producer.begin();
    send(3);
    producer.commit();
    producer.begin();
    send(2);
    producer.abort();
    producer.begin();
    send(1);
    producer.commit();
    producer.begin();
    send(2);
    producer.abort();

    let options = options(kafka, &topic);
    let mut source = connect(&options, &[]);
    let mut read = Read::default();
    read_to(&mut source, &mut read, &partition, 12);
    assert_eq!(positions_of(&read.messages), [0, 1, 2, 7]);
    read_until(&mut source, &mut read, |source, _| {
        source.partitions()[0].lag == Some(0)
    });
    assert_eq!(source.partitions()[0].end, Some(12));

    // Every position is a place to go on from, a marker and the middle of an aborted transaction included.
    for start in 0..=12 {
        let mut source = connect(&options, &[(partition.clone(), start)]);
        let rest: Vec<u64> = [0, 1, 2, 7].into_iter().filter(|position| *position >= start).collect();
        let mut read = Read::default();
        read_until(&mut source, &mut read, |_, read| {
            read.positions.next(&partition) == Some(12) || start == 12
        });
        assert_eq!(positions_of(&read.messages), rest, "from {start}");
        assert_eq!(source.problems(), Vec::<String>::new());
    }

    // An open transaction is not visible, and not waited for either.
    producer.begin();
    send(2);
    producer.flush();
    let mut source = connect(&options, &[(partition.clone(), 12)]);
    let mut read = read_all(&mut source, 0);
    assert!(read.messages.is_empty(), "{read:?}");
    assert_eq!(source.partitions()[0].lag, Some(0));
    producer.commit();
    read_to(&mut source, &mut read, &partition, 15);
    assert_eq!(positions_of(&read.messages), [12, 13]);
}

#[test]
fn a_quiet_partition_is_not_taken_for_lost_when_its_markers_are_cut() {
    let Some(kafka) = TestKafka::for_test("a_quiet_partition_is_not_taken_for_lost_when_its_markers_are_cut") else {
        return;
    };
    let topic = kafka.topic("quiet", 1);
    let partition = kafka_partition(&topic, 0);
    let producer = TestProducer::transactional(kafka.brokers(), &topic);
    producer.begin();
    producer.send(
        &topic,
        &Record {
            value: Some(b"{}".into()),
            ..Record::default()
        },
    );
    producer.commit();
    let options = options(kafka, &topic);
    let mut read = Read::default();
    read_to(&mut connect(&options, &[]), &mut read, &partition, 2);
    kafka.delete_records(&topic, 0, 2);
    let mut source = KafkaSource::connect(&options, &read.positions).unwrap();
    publish(kafka.brokers(), &topic, 0, 1);
    read_to(&mut source, &mut read, &partition, 3);
    assert_eq!(positions_of(&read.messages), [0, 2]);
}

#[test]
fn new_partitions_and_topics_are_picked_up_from_their_beginning() {
    let Some(kafka) = TestKafka::for_test("new_partitions_and_topics_are_picked_up_from_their_beginning") else {
        return;
    };
    let (topic, late) = (kafka.topic("grows", 1), kafka.unique("late"));
    publish(kafka.brokers(), &topic, 0, 3);
    let mut source = connect(
        &KafkaOptions {
            topics: vec![topic.clone(), late.clone()],
            ..options(kafka, &topic)
        },
        &[],
    );
    let mut read = Read::default();
    read_until(&mut source, &mut read, |_, read| read.messages.len() == 3);
    kafka.add_partitions(&topic, 3);
    publish(kafka.brokers(), &topic, 2, 4);
    publish(kafka.brokers(), &topic, 0, 1);
    read_until(&mut source, &mut read, |_, read| read.messages.len() == 8);
    assert_eq!(read.positions.next(&kafka_partition(&topic, 2)), Some(4));
    assert_eq!(read.positions.next(&kafka_partition(&topic, 0)), Some(4));
    assert!(source.problems()[0].contains(&late), "{:?}", source.problems());
    kafka.create_topic(&late, 1, &[]);
    publish(kafka.brokers(), &late, 0, 2);
    read_until(&mut source, &mut read, |source, read| {
        read.messages.len() == 10 && source.problems().is_empty()
    });
}

#[test]
fn messages_deleted_before_they_were_read_stop_their_partition() {
    let Some(kafka) = TestKafka::for_test("messages_deleted_before_they_were_read_stop_their_partition") else {
        return;
    };
    let topic = kafka.topic("deleted", 2);
    publish(kafka.brokers(), &topic, 0, 10);
    publish(kafka.brokers(), &topic, 1, 10);
    kafka.delete_records(&topic, 0, 6);
    let (lost, good) = (kafka_partition(&topic, 0), kafka_partition(&topic, 1));
    let options = options(kafka, &topic);

    // A ledger that has never seen the partition begins where the log begins.
    let mut read = read_all(&mut connect(&options, &[]), 14);
    assert_eq!(read.messages.len(), 14);

    let held = [(lost.clone(), 4), (good.clone(), 4)];
    let mut source = connect(&options, &held);
    read = read_all(&mut source, 6);
    assert!(read.messages.iter().all(|message| *message.partition == good));
    let problem = problem_of(&source, &lost).expect("the partition is stopped");
    assert!(
        problem.contains("messages 4 to 5") && problem.contains("continue_after_loss"),
        "{problem}"
    );

    let mut source = connect(
        &KafkaOptions {
            continue_after_loss: true,
            ..options
        },
        &held,
    );
    read = read_all(&mut source, 10);
    assert_eq!(read.messages.len(), 10);
    assert_eq!(problem_of(&source, &lost), None);
    assert_eq!(read.positions.next(&lost), Some(10));
}

#[test]
fn a_log_cut_while_it_is_read_stops_the_partition() {
    let Some(kafka) = TestKafka::for_test("a_log_cut_while_it_is_read_stops_the_partition") else {
        return;
    };
    let topic = kafka.topic("cut", 1);
    let partition = kafka_partition(&topic, 0);
    // The queue holds little, so most of the log is still unread when it is cut.
    let record = Record {
        value: Some(vec![b'x'; 10_000]),
        ..Record::default()
    };
    TestProducer::new(kafka.brokers()).publish(&topic, &vec![record; 500]);
    let options = KafkaOptions {
        queue_bytes_max: 100 * 1024,
        options: [("fetch.message.max.bytes".to_owned(), "50000".to_owned())].into(),
        ..options(kafka, &topic)
    };
    let mut source = connect(&options, &[]);
    let mut read = Read::default();
    // One at a time, so that no more than ten are taken however long the first fetch takes.
    while read.messages.len() < 10 {
        read.take(projector::batch::collect(&mut source, &crate::reading::limits(1)).unwrap());
    }
    kafka.delete_records(&topic, 0, 490);
    read_until(&mut source, &mut read, |source, _| {
        problem_of(source, &partition).is_some()
    });
    let next = source.partitions()[0].next;
    assert_eq!(
        positions_of(&read.messages),
        (0..next).collect::<Vec<u64>>(),
        "no message behind the hole"
    );
    let problem = problem_of(&source, &partition).unwrap();
    assert!(problem.contains(&format!("messages {next} to 489")), "{problem}");
}

#[test]
fn a_topic_created_anew_with_fewer_messages_is_not_read_on() {
    let Some(kafka) = TestKafka::for_test("a_topic_created_anew_with_fewer_messages_is_not_read_on") else {
        return;
    };
    let topic = kafka.topic("again", 1);
    let partition = kafka_partition(&topic, 0);
    publish(kafka.brokers(), &topic, 0, 10);
    let options = options(kafka, &topic);
    let mut source = connect(&options, &[]);
    let mut read = read_all(&mut source, 10);
    kafka.delete_topic(&topic);
    read_until(&mut source, &mut read, |source, _| !source.problems().is_empty());
    kafka.create_topic(&topic, 1, &[]);
    publish(kafka.brokers(), &topic, 0, 5);
    let is_stopped = |source: &dyn Source, _: &Read| {
        problem_of(source, &partition).is_some_and(|problem| problem.contains("ends at"))
    };
    read_until(&mut source, &mut read, is_stopped);
    assert_eq!(read.messages.len(), 10, "nothing of the new log was read");
    drop(source);

    let mut source = KafkaSource::connect(&options, &read.positions).unwrap();
    read_until(&mut source, &mut read, is_stopped);
    assert_eq!(read.messages.len(), 10);
}

#[test]
fn a_deleted_group_changes_nothing() {
    let Some(kafka) = TestKafka::for_test("a_deleted_group_changes_nothing") else {
        return;
    };
    let topic = kafka.topic("grouped", 1);
    publish(kafka.brokers(), &topic, 0, 6);
    let options = options(kafka, &topic);
    let mut source = connect(&options, &[]);
    let mut read = read_all(&mut source, 6);
    source.applied(&read.positions);
    let group = options.group.clone().unwrap();
    // It exists once the offsets have arrived.
    read_until(&mut source, &mut read, |_, _| {
        kafka.committed(&group, &topic, 0) == Some(6)
    });
    drop(source);
    kafka.delete_group(&group);
    publish(kafka.brokers(), &topic, 0, 2);
    let mut source = KafkaSource::connect(&options, &read.positions).unwrap();
    let rest = read_all(&mut source, 2);
    assert_eq!(positions_of(&rest.messages), [6, 7]);
    let mut source = KafkaSource::connect(&options, &Positions::default()).unwrap();
    assert_eq!(
        positions_of(&read_all(&mut source, 8).messages),
        (0..8).collect::<Vec<u64>>()
    );
}
