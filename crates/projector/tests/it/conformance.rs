//! The promise of a source, checked alike for every kind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::decode::MESSAGE_BYTES_MAX;
use domain::position::Positions;
use projector::batch::{BatchLimits, collect};
use projector::source::{Budget, Content, Polled, RawMessage};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use testkit::kafka::TestKafka;

use crate::inputs::{Expected, Input, KafkaInput, files};
use crate::reading::{PATIENCE, Read, limits, read_all};

#[test]
fn files_keep_the_promise_of_a_source() {
    for input in files() {
        check_promise(&input);
    }
}

#[test]
fn in_process_kafka_keeps_the_promise_of_a_source() {
    check_promise(&KafkaInput::in_process());
}

#[test]
fn real_kafka_keeps_the_promise_of_a_source() {
    let Some(kafka) = TestKafka::for_test("real_kafka_keeps_the_promise_of_a_source") else {
        return;
    };
    check_promise(&KafkaInput::real(kafka));
}

fn check_promise(input: &dyn Input) {
    check_everything_comes_in_order(input);
    check_what_was_applied_does_not_come_again(input);
    check_a_budget_is_kept(input);
    for seed in 1..=6 {
        check_restarts(input, seed);
    }
}

fn total(expected: &Expected) -> usize {
    expected.values().map(Vec::len).sum()
}

fn by_partition(messages: &[RawMessage]) -> Expected {
    let mut found: Expected = BTreeMap::new();
    for message in messages {
        let partition = found.entry((*message.partition).clone()).or_default();
        partition.push((message.position, message.content.clone()));
    }
    found
}

#[track_caller]
fn assert_same(name: &str, input: &dyn Input, found: &[RawMessage]) {
    let found = by_partition(found);
    for (partition, expected) in input.expected() {
        let found = found.get(partition).map(Vec::as_slice).unwrap_or_default();
        let positions =
            |messages: &[(u64, Content)]| messages.iter().map(|(position, _)| *position).collect::<Vec<_>>();
        assert_eq!(
            positions(found),
            positions(expected),
            "{}: positions of {partition}",
            name
        );
        assert!(found == expected, "{}: the content of {partition} differs", name);
    }
    assert_eq!(found.len(), input.expected().len(), "{}: partitions", name);
}

fn is_oversize(content: &Content) -> bool {
    match content {
        Content::Value { bytes, .. } => bytes.len() > MESSAGE_BYTES_MAX,
        Content::Oversize(_) => true,
        Content::Null => false,
    }
}

fn check_everything_comes_in_order(input: &dyn Input) {
    let mut source = input.open(&Positions::default());
    let read = read_all(&mut *source, total(input.expected()));
    assert_same(input.name(), input, &read.messages);
    let counters = source.counters();
    let of = |wanted: fn(&Content) -> bool| {
        let all = input.expected().values().flatten();
        all.filter(|(_, content)| wanted(content)).count() as u64
    };
    assert_eq!(counters.messages, of(|_| true), "{}", input.name());
    assert_eq!(
        counters.nulls,
        of(|content| *content == Content::Null),
        "{}",
        input.name()
    );
    assert_eq!(counters.oversize, of(is_oversize), "{}", input.name());
    assert!(
        counters.oversize > 0 && counters.bytes > 1_000_000,
        "the input holds messages of every sort"
    );
    assert_eq!(source.problems(), Vec::<String>::new(), "{}", input.name());
    for status in source.partitions() {
        assert_eq!(status.problem, None, "{} {}", input.name(), status.partition);
        assert_eq!(
            Some(status.next),
            read.positions.next(&status.partition),
            "{} {}",
            input.name(),
            status.partition
        );
    }
}

fn check_what_was_applied_does_not_come_again(input: &dyn Input) {
    let all = read_all(&mut *input.open(&Positions::default()), total(input.expected()));
    let mut source = input.open(&all.positions);
    source.applied(&all.positions);
    let again = read_all(&mut *source, 0);
    assert_eq!(by_partition(&again.messages), Expected::new(), "{}", input.name());
    assert_eq!(
        again.positions,
        Positions::default(),
        "{}: nothing moved on",
        input.name()
    );
}

/// Small budgets, by count and by bytes, and the time that a poll may take.
fn check_a_budget_is_kept(input: &dyn Input) {
    let mut source = input.open(&Positions::default());
    let mut found = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    for turn in 0.. {
        let (messages, bytes) = if turn % 2 == 0 {
            (7, usize::MAX)
        } else {
            (usize::MAX, 1000)
        };
        let before = found.len();
        let budget = Budget {
            messages,
            bytes,
            until: Instant::now() + Duration::from_millis(20),
        };
        let polled = source.poll(&budget, &mut found).unwrap();
        let new = &found[before..];
        assert!(new.len() <= messages, "{}: {} messages", input.name(), new.len());
        let without_last = &new[..new.len().saturating_sub(1)];
        let held: usize = without_last.iter().map(|message| message.content.held_bytes()).sum();
        assert!(held < bytes, "{}: {held} bytes before the last message", input.name());
        if polled == Polled::Ended || found.len() >= total(input.expected()) {
            break;
        }
        assert!(Instant::now() < deadline, "{} messages came", found.len());
    }
    assert_same(input.name(), input, &found);
}

/// Reads with a restart after every few batches: at random sizes, and with a batch that was read and never applied.
fn check_restarts(input: &dyn Input, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let total = total(input.expected());
    let mut read = Read::default();
    let deadline = Instant::now() + PATIENCE;
    while read.messages.len() < total {
        let mut source = input.open(&read.positions);
        for _ in 0..random.random_range(1..4) {
            let size = random.random_range(1..=total / 3);
            read.take(collect(&mut *source, &limits(size)).unwrap());
        }
        if random.random_bool(0.5) {
            // Read, and lost with a transaction that failed.
            collect(
                &mut *source,
                &BatchLimits {
                    wait_max: Duration::ZERO,
                    ..limits(10)
                },
            )
            .unwrap();
        }
        assert!(
            Instant::now() < deadline,
            "{}: {} of {total} came",
            input.name(),
            read.messages.len()
        );
    }
    assert_same(
        &format!("{}, restarts with seed {seed}", input.name()),
        input,
        &read.messages,
    );
}
