//! Any order gives the same answer: random hostile histories against the reference model.
//!
//! Each history is fed in several orders, with repetitions, in batches of any size, over several partitions, with
//! restarts between and derived stores lost. Every answer must be the model's, which knows no order. `LEDGERLENS_HISTORIES`
//! and `LEDGERLENS_ORDERS` say how many, `LEDGERLENS_SEED` where to begin.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use testkit::histories::{Asked, History};

use crate::compare::differences;
use crate::expected::{Expected, questions};
use crate::feeding::{Way, fed};
use crate::shrink::{printed, shrunk};

/// Drawn questions of a history, beside those that are asked of every one.
const QUESTIONS: usize = 40;

/// Histories that are shrunk and told; beyond them they are mostly the same mistake.
const FAILURES_MAX: usize = 3;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

#[test]
fn every_order_of_a_history_gives_the_answers_of_the_reference_model() {
    let first = setting("LEDGERLENS_SEED", 1);
    let histories = setting("LEDGERLENS_HISTORIES", 50);
    let orders = setting("LEDGERLENS_ORDERS", 3);
    let next = AtomicU64::new(first);
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + histories || failures.lock().is_ok_and(|found| found.len() >= FAILURES_MAX) {
                return;
            }
            if let Some(failure) = check(seed, orders)
                && let Ok(mut failures) = failures.lock()
            {
                failures.push(failure);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(4) {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    assert!(failures.is_empty(), "\n\n{}\n", failures.join("\n\n"));
}

/// The first order of a history that is answered in another way than the model answers, made small.
fn check(seed: u64, orders: u64) -> Option<String> {
    let history = History::random(seed);
    let asked = questions(&history, QUESTIONS);
    let expected = Expected::of(&history.messages, &asked);
    (1..=orders).find_map(|order| {
        let messages = history.shuffled(order);
        let way_seed = seed ^ order.rotate_left(40);
        let found = run(&messages, way_seed, Way::Rough, &expected);
        (!found.is_empty()).then(|| told(seed, order, &messages, way_seed, &asked, &found))
    })
}

fn run(messages: &[Vec<u8>], way_seed: u64, way: Way, expected: &Expected) -> Vec<String> {
    let mut product = fed(messages, way_seed, way);
    let mut found = differences(&mut product, expected);
    found.extend(product.verify());
    found
}

fn told(seed: u64, order: u64, messages: &[Vec<u8>], way_seed: u64, asked: &[Asked], found: &[String]) -> String {
    let again = |messages: &[Vec<u8>], way| run(messages, way_seed, way, &Expected::of(messages, asked));
    let way = if again(messages, Way::Plain).is_empty() {
        Way::Rough
    } else {
        Way::Plain
    };
    let small = shrunk(messages, &mut |fewer| !again(fewer, way).is_empty());
    let left = again(&small, way);
    format!(
        "history {seed}, order {order}: {} differences, the first:\n{}\nshrunk ({way:?}) to {} messages:\n{}\n{}",
        found.len(),
        found.first().map_or("", String::as_str),
        small.len(),
        printed(&small),
        left.first().map_or("it no longer fails", String::as_str),
    )
}
