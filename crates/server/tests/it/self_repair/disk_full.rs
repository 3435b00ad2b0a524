//! A disk that is full: nothing is lost or counted twice, the service says so and goes on by itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::kafka::{Record, TestKafka, TestProducer};

use super::fed::{Fed, await_ready, copied, draw, model_of, verify};
use crate::http::Client;
use crate::program::{Server, await_that, ledgerlens, number, say};

/// A small file system in memory, unmounted at the end.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// None where mounting is not allowed.
    fn mount(place: &'a Path) -> Option<Self> {
        fs::create_dir_all(place).expect("a directory");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=48m", "ledgerlens-test"])
            .arg(place);
        let mounted = mount.status().is_ok_and(|status| status.success());
        mounted.then_some(Disk(place))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// Takes what space there is, but for so many bytes.
fn fill(place: &Path, left: u64) {
    let ballast = place.join("ballast");
    let mut size: u64 = 48 << 20;
    let file = fs::File::create(&ballast).expect("a file");
    // The largest that fits, found by halving.
    let mut step = size;
    while step > 4096 {
        step /= 2;
        let fits = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size).is_ok();
        size = if fits { size + step } else { size - step };
        file.set_len(0).expect("a shorter file");
    }
    let size = size.saturating_sub(left + (64 << 10));
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size).expect("space");
}

#[test]
#[ignore = "needs a real Kafka"]
fn a_full_disk_stops_the_ledger_and_loses_nothing() {
    let Some(kafka) = TestKafka::for_test("a_full_disk_stops_the_ledger_and_loses_nothing") else {
        return;
    };
    let messages = draw(3_000, 61);
    let model = model_of(&messages);
    let fed = Fed::empty(&model);
    let place = fed.beside("disk");
    let Some(_disk) = Disk::mount(&place) else {
        say("SKIPPED a_full_disk_stops_the_ledger_and_loses_nothing: no file system can be mounted here");
        return;
    };
    let data_dir = place.join("data");
    copied(&fed.data_dir(), &data_dir);
    let topic = kafka.topic("payments", 1);
    let publish = |part: &[crate::kafka_kill::published::Visible]| {
        let producer = TestProducer::new(kafka.brokers());
        for message in part {
            producer.send(
                &topic,
                &Record {
                    key: message.key.clone(),
                    value: Some(message.value.clone()),
                    ..Record::default()
                },
            );
        }
        producer.flush();
    };
    let mut command = ledgerlens();
    command
        .args(["serve", "--kafka", kafka.brokers(), "--data-dir"])
        .arg(&data_dir)
        .env("LEDGERLENS_KAFKA_GROUP", "")
        .env("LEDGERLENS_KAFKA_TOPICS_PAYMENTS", &topic)
        .env("LEDGERLENS_KAFKA_TOPICS_CANCELLATIONS", kafka.topic("cancellations", 1))
        .env("LEDGERLENS_KAFKA_TOPICS_SETTLEMENTS", kafka.topic("settlements", 1))
        // Small batches, so that the disk fills in the midst of them.
        .env("LEDGERLENS_BATCH_MESSAGES_MAX", "500");
    let mut server = Server::spawn(command);
    server.await_address();
    let (first, second) = messages.split_at(messages.len() / 10);
    publish(first);
    let operator = Client::new(&server.base(), &fed.operator);
    let read = || {
        let status = operator.json("/v1/ingest/status");
        let counts = status["counts"].as_object().expect("counts").clone();
        counts.values().filter_map(serde_json::Value::as_u64).sum::<u64>()
    };
    await_that("the first part is read", || read() == first.len() as u64);
    await_ready(&server);

    fill(&place, number("LEDGERLENS_DISK_LEFT_KB", 256) << 10);
    publish(second);
    await_that("it says that the disk is full", || {
        let (status, body) = operator.get("/readyz");
        status == 503 && String::from_utf8_lossy(&body).contains("disk of the data directory is full")
    });
    let status = operator.json("/v1/ingest/status");
    assert!(
        status["problem"]
            .as_str()
            .is_some_and(|problem| problem.contains("full")),
        "{status}"
    );
    say(&format!("full after {} of {} messages", read(), messages.len()));

    fs::remove_file(place.join("ballast")).expect("it was there");
    await_that("everything is read", || read() == messages.len() as u64);
    await_ready(&server);
    fed.compare(&server, &model);
    server.stop();
    verify(&data_dir);
}
