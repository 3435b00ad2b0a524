//! A server killed again and again while it reads a real Kafka must answer as if nothing had happened.
//!
//! Three topics of four partitions get a hostile stream: duplicates, disorder, conflicts, orphans, tombstones, entries of
//! the wrong merchant or currency, poison, null values, transactions of which some are aborted, events in binary mode. The
//! server gets SIGKILL at random instants, some of them while it still opens its stores. At the end every payment, the
//! lists of several keys, both reports and some hundred searches are compared with the reference model, counts and
//! quarantine with what was sent, and `verify` must find nothing. Then the group is deleted and everything is published
//! again in another order on other partitions: not one byte of an answer may change.
//!
//! `LEDGERLENS_KILL_MESSAGES` and `LEDGERLENS_KILLS` set the size, `LEDGERLENS_TEST_SEED` the seed.

mod lives;
pub(crate) mod model;
pub(crate) mod published;
pub(crate) mod questions;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use generator::Expect;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use testkit::kafka::{TestKafka, TestProducer};
use testkit::oracle::{QuarantineRow, Reader};

use crate::http::{Client, make_key};
use crate::program::{Server, await_that, ledgerlens, number, run, say};
use lives::Lives;
use model::Model;
use published::{PARTITIONS, Publisher, Visible};
use questions::Answers;

/// Where everything is.
struct Place<'a> {
    kafka: &'a TestKafka,
    topics: [String; 3],
    group: String,
    dir: tempfile::TempDir,
}

impl Place<'_> {
    fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    fn serve(&self) -> Command {
        let mut command = ledgerlens();
        command
            .args(["serve", "--kafka", self.kafka.brokers(), "--data-dir"])
            .arg(self.data_dir());
        command.env("LEDGERLENS_KAFKA_GROUP", &self.group);
        for (name, topic) in ["PAYMENTS", "CANCELLATIONS", "SETTLEMENTS"].iter().zip(&self.topics) {
            command.env(format!("LEDGERLENS_KAFKA_TOPICS_{name}"), topic);
        }
        command
    }

    fn start(&self) -> Server {
        let mut server = Server::spawn(self.serve());
        server.await_address();
        server
    }

    fn key(&self, role: &str, merchants: &[&str]) -> String {
        make_key(self.data_dir(), role, merchants)
    }
}

#[test]
#[ignore = "needs a real Kafka"]
fn a_server_killed_at_random_answers_as_the_model() {
    let Some(kafka) = TestKafka::for_test("a_server_killed_at_random_answers_as_the_model") else {
        return;
    };
    let messages = number("LEDGERLENS_KILL_MESSAGES", 30_000);
    let kills = number("LEDGERLENS_KILLS", 6);
    let seed = number("LEDGERLENS_TEST_SEED", 1);
    say(&format!("seed {seed}, {messages} messages, {kills} kills"));
    let topics = ["payments", "cancellations", "settlements"].map(|name| kafka.topic(name, PARTITIONS));
    let place = Place {
        kafka,
        topics,
        group: kafka.unique("group"),
        dir: tempfile::tempdir().expect("a directory"),
    };
    let (visible, expect) = published::draw(messages, seed);
    let mut model = Model::default();
    model.feed(&visible);

    let nulls = consume_killed(&place, &visible, kills, seed);
    let keys = Keys::make(&place, &model);
    // Each is judged by a look at every payment of the model, so a larger history is asked fewer of them.
    let searches = (6_000_000 / messages.max(1)).clamp(40, 200);
    let first = {
        let server = place.start();
        await_caught_up(&place, &server, &keys);
        let answers = ask_everything(&server, &keys, &model, searches, seed, None);
        assert_counts(&server, &keys, &model, &expect, nulls, 1);
        stop_and_verify(&place, server);
        answers
    };

    kafka.delete_group(&place.group);
    let server = place.start();
    let nulls_again = publish_again(&place, visible, seed);
    await_caught_up(&place, &server, &keys);
    ask_everything(&server, &keys, &model, searches, seed, Some(&first));
    assert_counts(&server, &keys, &model, &expect, nulls + nulls_again, 2);
    stop_and_verify(&place, server);
}

/// Publishes share by share and kills the server at a random instant of each. Returns the null values sent.
fn consume_killed(place: &Place<'_>, visible: &[Visible], kills: u64, seed: u64) -> u64 {
    let (committed, nulls) = (AtomicU64::new(0), AtomicU64::new(0));
    let publisher = publisher(place, 0, seed, &committed, &nulls);
    let share = visible.len() / (usize::try_from(kills).expect("a small number") + 1) + 1;
    let (go_on, tokens) = mpsc::channel();
    let watcher = Client::new("", &place.key("operator", &[]));
    thread::scope(|scope| {
        let published = scope.spawn(move || publisher.publish(visible, share, &tokens));
        let mut lives = Lives::new(seed);
        for _ in 0..kills {
            go_on.send(()).expect("the publisher goes on");
            lives.one(place, &watcher, share, &committed);
        }
        go_on.send(()).expect("the publisher goes on");
        drop(go_on);
        published.join().expect("everything is published");
        lives.judge(kills);
    });
    nulls.into_inner()
}

fn publisher<'a>(
    place: &'a Place<'_>,
    shift: i32,
    seed: u64,
    committed: &'a AtomicU64,
    nulls: &'a AtomicU64,
) -> Publisher<'a> {
    Publisher {
        producer: TestProducer::transactional(place.kafka.brokers(), &format!("{}-{shift}", place.group)),
        topics: &place.topics,
        shift,
        random: ChaCha8Rng::seed_from_u64(seed ^ 0x7075_626c ^ u64::from(shift.unsigned_abs())),
        committed,
        nulls,
    }
}

/// The messages read according to the status.
fn read_count(body: &[u8]) -> Option<u64> {
    let status: Value = serde_json::from_slice(body).ok()?;
    let verdicts: u64 = status["counts"].as_object()?.values().filter_map(Value::as_u64).sum();
    Some(verdicts + status["nulls"].as_u64()?)
}

/// The keys that everything is asked with.
struct Keys {
    operator: String,
    readers: Vec<(String, Reader, String)>,
}

impl Keys {
    /// A key for finance, and one each for the merchants with the most payments and for one with few.
    fn make(place: &Place<'_>, model: &Model) -> Self {
        let mut payments: BTreeMap<String, u64> = BTreeMap::new();
        for key in model.keys() {
            let payment = model.payment(key, &Reader::finance()).unwrap_or_default();
            if let Some(merchant) = payment["merchant_id"].as_str() {
                *payments.entry(merchant.to_owned()).or_default() += 1;
            }
        }
        let mut merchants: Vec<(u64, String)> = payments.into_iter().map(|(name, count)| (count, name)).collect();
        merchants.sort_unstable();
        let chosen = [merchants.len() - 1, merchants.len() - 2, merchants.len() / 2];
        let mut readers = vec![("finance".to_owned(), Reader::finance(), place.key("finance", &[]))];
        for (_, merchant) in chosen.iter().map(|place| &merchants[*place]) {
            let reader = Reader::merchant([merchant.as_str()]);
            readers.push((merchant.clone(), reader, place.key("merchant", &[merchant])));
        }
        Keys {
            operator: place.key("operator", &[]),
            readers,
        }
    }
}

fn publish_again(place: &Place<'_>, visible: Vec<Visible>, seed: u64) -> u64 {
    let (committed, nulls) = (AtomicU64::new(0), AtomicU64::new(0));
    let visible = published::shuffled(visible, seed);
    let (go_on, tokens) = mpsc::channel();
    go_on.send(()).expect("the other end is here");
    publisher(place, 1, seed, &committed, &nulls).publish(&visible, visible.len(), &tokens);
    nulls.into_inner()
}

/// Waits until the ledger has applied all that the broker has, and says so itself.
fn await_caught_up(place: &Place<'_>, server: &Server, keys: &Keys) {
    let started = Instant::now();
    let ends = place.kafka.ends(&place.topics);
    let client = Client::new(&server.base(), &keys.operator);
    let before = read_count(&client.ok("/v1/ingest/status")).unwrap_or_default();
    await_that("the ledger is caught up", || {
        let status = client.json("/v1/ingest/status");
        let partitions = status["partitions"].as_array().expect("partitions");
        let caught_up = |partition: &Value| {
            let at = (
                partition["topic"].as_str().unwrap_or_default().to_owned(),
                number_of(&partition["partition"]),
            );
            partition["lag"] == 0 && partition["applied"].as_u64() == ends.get(&at).copied()
        };
        assert!(
            partitions.iter().all(|partition| partition["problem"].is_null()),
            "{status}"
        );
        partitions.len() == ends.len() && partitions.iter().all(caught_up)
    });
    let read = read_count(&client.ok("/v1/ingest/status")).unwrap_or_default() - before;
    say(&format!("caught up by {read} messages in {:?}", started.elapsed()));
}

fn number_of(partition: &Value) -> i32 {
    partition
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .unwrap_or(-1)
}

/// Asks everything with every key and compares: with the model, and with earlier answers to the byte.
fn ask_everything(
    server: &Server,
    keys: &Keys,
    model: &Model,
    searches: u64,
    seed: u64,
    earlier: Option<&Answers>,
) -> Answers {
    let started = Instant::now();
    let mut answers = Answers::new();
    for (name, reader, key) in &keys.readers {
        let client = Client::new(&server.base(), key);
        for question in questions::all(model, reader, searches, seed) {
            let answer = question.ask(&client);
            let asked = (name.clone(), question.address());
            match earlier {
                None => question.compare(model, reader, answer.as_deref()),
                Some(earlier) => {
                    let text =
                        |answer: Option<&[u8]>| answer.map(|answer| String::from_utf8_lossy(answer).into_owned());
                    assert_eq!(
                        text(answer.as_deref()),
                        text(earlier.get(&asked).map(Vec::as_slice)),
                        "{asked:?}"
                    );
                }
            }
            if let Some(answer) = answer {
                answers.insert(asked, answer);
            }
        }
    }
    say(&format!(
        "{} answers compared in {:?}",
        answers.len(),
        started.elapsed()
    ));
    answers
}

/// Counts and quarantine are what was sent `times` times, null values apart.
fn assert_counts(server: &Server, keys: &Keys, model: &Model, expect: &Expect, nulls: u64, times: u64) {
    let client = Client::new(&server.base(), &keys.operator);
    let status = client.json("/v1/ingest/status");
    let count = |name: &str| status["counts"][name].as_u64().unwrap_or_default();
    let sent = expect.counts();
    assert_eq!(status["nulls"], nulls, "{status}");
    assert_eq!(count("quarantined"), model.refusals * times, "{status}");
    assert_eq!(
        count("conflict"),
        sent.conflict,
        "a conflict that is held is a duplicate: {status}"
    );
    assert_eq!(count("applied") + count("stale"), sent.applied + sent.stale, "{status}");
    let repeated = (times - 1) * (sent.read - sent.quarantined);
    assert_eq!(count("duplicate"), sent.duplicate + repeated, "{status}");

    let (rows, _) = client.rows("/v1/quarantine", usize::MAX);
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| serde_json::from_str(row.get()).expect("JSON"))
        .collect();
    let entries = ["conflict", "merchant_mismatch", "currency_mismatch"];
    let code = |row: &Value| {
        entries
            .into_iter()
            .find(|code| row["code"] == *code)
            .unwrap_or("refused")
    };
    let listed: BTreeSet<QuarantineRow> = rows
        .iter()
        .map(|row| QuarantineRow {
            code: code(row),
            payment_key: row["payment_key"].as_str().map(str::to_owned),
        })
        .collect();
    assert_eq!(listed, model.quarantine(), "quarantine");
    let refused: Vec<&Value> = rows.iter().filter(|row| code(row) == "refused").collect();
    assert_eq!(refused.len(), model.refused.len(), "one row for each distinct content");
    let seen: u64 = refused.iter().filter_map(|row| row["seen"].as_u64()).sum();
    assert_eq!(seen, model.refusals * times, "each refusal is counted");
}

fn stop_and_verify(place: &Place<'_>, server: Server) {
    let (status, took, said) = server.terminate();
    assert_eq!(status.code(), Some(0), "{said}");
    let started = Instant::now();
    let verified = run(["verify".as_ref(), "--data-dir".as_ref(), place.data_dir().as_os_str()]).with_code(0);
    say(&format!(
        "stopped in {took:?}; {} in {:?}",
        verified.stdout.trim(),
        started.elapsed()
    ));
}
