//! What can become of a Kafka topic while nobody looks: it goes on, it is deleted and created anew, it leads to another
//! cluster, or a whole partition of it is poison.

use std::collections::BTreeMap;

use rdkafka::mocking::MockCluster;
use serde_json::Value;
use testkit::kafka::{Record, TestKafka, TestProducer};

use super::fed::{Fed, await_ready, copied, draw, model_of, verify};
use crate::http::Client;
use crate::kafka_kill::published::Visible;
use crate::program::{Server, await_that, ledgerlens, run};

/// Topics of one test at some brokers.
struct Topics {
    brokers: String,
    names: [String; 3],
}

/// Partitions of the first topic; the others have one.
const PARTITIONS: i32 = 2;

impl Topics {
    fn at(kafka: &TestKafka) -> Self {
        Topics {
            brokers: kafka.brokers().to_owned(),
            names: [
                kafka.topic("payments", PARTITIONS),
                kafka.topic("cancellations", 1),
                kafka.topic("settlements", 1),
            ],
        }
    }

    /// Publishes each to its topic, and those of the first topic by their key to its partitions.
    fn publish<'a>(&self, messages: impl IntoIterator<Item = &'a Visible>) {
        let producer = TestProducer::new(&self.brokers);
        for message in messages {
            let partition = if message.topic == 0 {
                i32::from(message.key.bytes().last().unwrap_or_default()) % PARTITIONS
            } else {
                0
            };
            producer.send(&self.names[message.topic], &record(partition, message));
        }
        producer.flush();
    }

    fn start(&self, fed: &Fed) -> Server {
        self.start_on(&fed.data_dir())
    }

    fn start_on(&self, data_dir: &std::path::Path) -> Server {
        let mut command = ledgerlens();
        command
            .args(["serve", "--kafka", &self.brokers, "--data-dir"])
            .arg(data_dir)
            .env("LEDGERLENS_KAFKA_GROUP", "")
            .env("LEDGERLENS_KAFKA_DISCOVERY_INTERVAL_SECONDS", "1");
        for (name, topic) in ["PAYMENTS", "CANCELLATIONS", "SETTLEMENTS"].iter().zip(&self.names) {
            command.env(format!("LEDGERLENS_KAFKA_TOPICS_{name}"), topic);
        }
        let mut server = Server::spawn(command);
        server.await_address();
        server
    }
}

fn record(partition: i32, message: &Visible) -> Record {
    Record {
        partition,
        key: message.key.clone(),
        value: Some(message.value.clone()),
        ..Record::default()
    }
}

/// The partitions in the status, by their names.
fn partitions(server: &Server, fed: &Fed) -> BTreeMap<String, Value> {
    let status = Client::new(&server.base(), &fed.operator).json("/v1/ingest/status");
    let all = status["partitions"].as_array().expect("partitions").clone();
    let name = |partition: &Value| {
        let topic = partition["topic"].as_str().unwrap_or_default();
        format!("{topic}/{}", partition["partition"])
    };
    all.into_iter().map(|partition| (name(&partition), partition)).collect()
}

/// Waits until every partition is read to its end, or stopped by a problem with these words.
#[track_caller]
fn await_read_or_stopped(server: &Server, fed: &Fed, stopped: &[String], words: &str) {
    await_that("every partition is read or stopped", || {
        let all = partitions(server, fed);
        assert!(all.len() <= 4, "{all:?}");
        all.len() == 4
            && all.iter().all(|(name, partition)| {
                let problem = partition["problem"].as_str();
                if stopped.contains(name) {
                    problem.is_some_and(|problem| problem.contains(words) && problem.contains("forget-position"))
                } else {
                    problem.is_none() && partition["lag"] == 0
                }
            })
    });
}

#[track_caller]
fn await_caught_up(server: &Server, fed: &Fed) {
    await_read_or_stopped(server, fed, &[], "");
}

/// A ledger that has read everything of its topics.
fn fed_by(topics: &Topics, messages: &[Visible]) -> Fed {
    let fed = Fed::empty(&model_of(messages));
    topics.publish(messages);
    let server = topics.start(&fed);
    await_caught_up(&server, &fed);
    server.stop();
    fed
}

fn of_topic(messages: &[Visible], is_first: bool) -> Vec<&Visible> {
    messages
        .iter()
        .filter(|message| (message.topic == 0) == is_first)
        .collect()
}

fn payments_partitions(topics: &Topics) -> Vec<String> {
    (0..PARTITIONS)
        .map(|number| format!("{}/{number}", topics.names[0]))
        .collect()
}

fn owned(messages: &[&Visible]) -> Vec<Visible> {
    let copy = |message: &&Visible| Visible {
        topic: message.topic,
        key: message.key.clone(),
        value: message.value.clone(),
        attributes: Vec::new(),
    };
    messages.iter().map(copy).collect()
}

#[test]
#[ignore = "needs a real Kafka"]
fn a_ledger_older_than_the_broker_catches_up() {
    let Some(kafka) = TestKafka::for_test("a_ledger_older_than_the_broker_catches_up") else {
        return;
    };
    let topics = Topics::at(kafka);
    let messages = draw(150, 51);
    let (first, second) = messages.split_at(messages.len() / 3);
    let fed = fed_by(&topics, first);
    let old = fed.beside("old");
    copied(&fed.data_dir(), &old);
    topics.publish(second);
    let server = topics.start(&fed);
    await_caught_up(&server, &fed);
    server.stop();
    std::fs::remove_dir_all(fed.data_dir()).expect("the directory is there");
    copied(&old, &fed.data_dir());
    let server = topics.start(&fed);
    await_caught_up(&server, &fed);
    fed.compare(&server, &model_of(&messages));
    server.stop();
    fed.verify();
}

/// The topic of payments deleted and created anew, with `others` in it; what is stopped, and the way out.
#[track_caller]
fn created_anew(kafka: &TestKafka, others: &[&Visible], words: &str) {
    let topics = Topics::at(kafka);
    let messages = draw(150, 52);
    let (first, second) = messages.split_at(messages.len() / 2);
    let fed = fed_by(&topics, first);
    kafka.delete_topic(&topics.names[0]);
    await_that("the topic can be created", || {
        kafka.try_create_topic(&topics.names[0], PARTITIONS)
    });
    topics.publish(others.iter().copied());
    let elsewhere = of_topic(second, false);
    topics.publish(elsewhere.iter().copied());

    let stopped = payments_partitions(&topics);
    let mut expected: Vec<&Visible> = first.iter().chain(elsewhere).collect();
    let mut server = topics.start(&fed);
    await_read_or_stopped(&server, &fed, &stopped, words);
    fed.compare(&server, &model_of(&owned(&expected)));
    server.kill();
    let said = server.said();
    assert!(said.contains("a Kafka partition is not read"), "{said}");

    // The operator's way out: the new log from its beginning, where repeats change nothing.
    let names: Vec<&str> = vec![&topics.names[0]];
    let data_dir = fed.data_dir();
    let args = ["forget-position", "--data-dir", data_dir.to_str().expect("a path")];
    run(args.into_iter().chain(names)).with_code(0);
    let server = topics.start(&fed);
    await_caught_up(&server, &fed);
    expected.extend(others);
    fed.compare(&server, &model_of(&owned(&expected)));
    server.stop();
    fed.verify();
}

#[test]
#[ignore = "needs a real Kafka"]
fn a_topic_created_anew_with_more_messages_is_not_read() {
    let Some(kafka) = TestKafka::for_test("a_topic_created_anew_with_more_messages_is_not_read") else {
        return;
    };
    let others = draw(300, 53);
    created_anew(kafka, &of_topic(&others, true), "is not the one that was applied");
}

#[test]
#[ignore = "needs a real Kafka"]
fn a_topic_created_anew_with_fewer_messages_is_not_read_from_the_start() {
    let Some(kafka) = TestKafka::for_test("a_topic_created_anew_with_fewer_messages_is_not_read_from_the_start") else {
        return;
    };
    let others = draw(20, 54);
    created_anew(kafka, &of_topic(&others, true), "the log ends at");
}

#[test]
#[ignore = "needs a real Kafka"]
fn another_cluster_with_topics_of_the_same_names_is_not_read() {
    let Some(kafka) = TestKafka::for_test("another_cluster_with_topics_of_the_same_names_is_not_read") else {
        return;
    };
    let topics = Topics::at(kafka);
    let messages = draw(100, 55);
    let model = model_of(&messages);
    let fed = fed_by(&topics, &messages);

    let foreign = MockCluster::new(1).expect("a cluster in this process");
    for (name, count) in topics.names.iter().zip([PARTITIONS, 1, 1]) {
        foreign.create_topic(name, count, 1).expect("a topic");
    }
    let elsewhere = Topics {
        brokers: foreign.bootstrap_servers(),
        names: topics.names.clone(),
    };
    elsewhere.publish(&draw(200, 56));
    let server = elsewhere.start(&fed);
    let mut stopped = payments_partitions(&topics);
    stopped.extend(topics.names[1..].iter().map(|name| format!("{name}/0")));
    await_read_or_stopped(&server, &fed, &stopped, "is not the one that was applied");
    fed.compare(&server, &model);
    server.stop();

    // Back at its own brokers nothing has changed.
    let server = topics.start(&fed);
    await_caught_up(&server, &fed);
    fed.compare(&server, &model);
    server.stop();
    fed.verify();
}

#[test]
#[ignore = "needs a real Kafka"]
fn a_backup_made_while_messages_come_in_reads_on_from_its_positions() {
    let Some(kafka) = TestKafka::for_test("a_backup_made_while_messages_come_in_reads_on_from_its_positions") else {
        return;
    };
    let topics = Topics::at(kafka);
    let messages = draw(1_500, 60);
    let model = model_of(&messages);
    let fed = Fed::empty(&model);
    let server = topics.start(&fed);
    let backup = |name: &str| {
        let ended = run([
            "backup".as_ref(),
            "--data-dir".as_ref(),
            fed.data_dir().as_os_str(),
            fed.beside(name).as_os_str(),
        ]);
        ended.with_code(0).last_json()
    };
    let made = std::thread::scope(|scope| {
        let publishing = scope.spawn(|| messages.chunks(500).for_each(|part| topics.publish(part)));
        let mut made = Vec::new();
        while !publishing.is_finished() || made.is_empty() {
            made.push(backup(&format!("backup-{}", made.len())));
        }
        made
    });
    await_caught_up(&server, &fed);
    server.stop();
    crate::program::say(&format!("backups meanwhile: {made:?}"));
    for number in [0, made.len() - 1] {
        let restored = fed.beside(&format!("restored-{number}"));
        run([
            "restore".as_ref(),
            fed.beside(&format!("backup-{number}")).as_os_str(),
            "--data-dir".as_ref(),
            restored.as_os_str(),
        ])
        .with_code(0);
        verify(&restored);
        let server = topics.start_on(&restored);
        await_caught_up(&server, &fed);
        fed.compare(&server, &model);
        let counts = &Client::new(&server.base(), &fed.operator).json("/v1/ingest/status")["counts"];
        let read: u64 = counts
            .as_object()
            .expect("counts")
            .values()
            .filter_map(Value::as_u64)
            .sum();
        assert_eq!(read, messages.len() as u64, "each message once: {counts}");
        server.stop();
        verify(&restored);
    }
}

#[test]
#[ignore = "needs a real Kafka"]
fn a_partition_of_poison_alone_goes_to_quarantine_and_holds_up_no_other() {
    let Some(kafka) = TestKafka::for_test("a_partition_of_poison_alone_goes_to_quarantine_and_holds_up_no_other")
    else {
        return;
    };
    let mut topics = Topics::at(kafka);
    topics.names[1] = kafka.topic("poisoned", 1);
    let messages = draw(150, 59);
    let sound: Vec<&Visible> = messages.iter().filter(|message| message.topic != 1).collect();
    let poison: Vec<Visible> = (0..2_000)
        .map(|number| Visible {
            topic: 1,
            key: format!("poison {number}"),
            value: format!("{{\"broken\": {number}").into_bytes(),
            attributes: Vec::new(),
        })
        .collect();
    let fed = Fed::empty(&model_of(&messages));
    topics.publish(&poison);
    topics.publish(sound.iter().copied());
    let server = topics.start(&fed);
    await_caught_up(&server, &fed);
    await_ready(&server);
    let sound = owned(&sound);
    let model = model_of(&sound);
    fed.compare(&server, &model);
    let status = Client::new(&server.base(), &fed.operator).json("/v1/ingest/status");
    assert_eq!(status["counts"]["quarantined"], 2_000 + model.refusals, "{status}");
    server.stop();
    verify(&fed.data_dir());
}
