//! Histories keep their promises: they are hostile, they are repeatable, and the oracle does not care for their order.

use super::*;
use crate::oracle::Reader;
use serde_json::Value;
use std::collections::BTreeMap;

const SEEDS: std::ops::Range<u64> = 0..400;

fn answers(oracle: &Oracle, asked: &[Asked]) -> Vec<Value> {
    asked.iter().map(|asked| asked.answered_by(oracle)).collect()
}

fn fed(messages: &[Vec<u8>]) -> Oracle {
    History {
        seed: 0,
        messages: messages.to_vec(),
        payment_keys: Vec::new(),
    }
    .oracle()
}

#[test]
fn one_seed_is_one_history() {
    for seed in SEEDS {
        assert_eq!(
            History::random(seed).messages,
            History::random(seed).messages,
            "seed {seed}"
        );
        assert_eq!(
            History::random(seed).shuffled(7),
            History::random(seed).shuffled(7),
            "seed {seed}"
        );
    }
    assert_ne!(History::random(1).messages, History::random(2).messages);
}

#[test]
fn the_oracle_answers_alike_in_any_order() {
    for seed in SEEDS {
        let history = History::random(seed);
        let asked = random_queries(&history, 1, 12);
        let oracle = history.oracle();
        let expected = answers(&oracle, &asked);
        for order_seed in 0..2 {
            let other = fed(&history.shuffled(order_seed));
            assert_eq!(answers(&other, &asked), expected, "seed {seed} order {order_seed}");
            assert_eq!(
                other.quarantine(),
                oracle.quarantine(),
                "seed {seed} order {order_seed}"
            );
        }
    }
}

#[test]
fn small_histories_have_every_permutation_once() {
    let history = (0..)
        .map(History::small)
        .find(|h| h.messages.len() == 5)
        .expect("some small history has five");
    let mut orders = all_permutations(&history);
    let expected: Vec<_> = history
        .payment_keys
        .iter()
        .map(|key| history.oracle().payment(key, &Reader::finance()))
        .collect();
    for order in &orders {
        let oracle = fed(order);
        let found: Vec<_> = history
            .payment_keys
            .iter()
            .map(|key| oracle.payment(key, &Reader::finance()))
            .collect();
        assert_eq!(found, expected, "seed {}", history.seed);
    }
    assert_eq!(orders.len(), 120);
    orders.iter_mut().for_each(|order| order.sort());
    orders.dedup();
    assert_eq!(orders.len(), 1);
}

#[test]
fn a_renamed_history_is_about_other_payments() {
    for seed in SEEDS {
        let history = History::random(seed);
        let renamed = history.renamed(".r1");
        let plain = |history: &History| history.oracle().payment_keys().len();
        assert_eq!(plain(&history), plain(&renamed), "seed {seed}");
        let keys = history.oracle().payment_keys();
        assert!(
            renamed
                .oracle()
                .payment_keys()
                .iter()
                .all(|key| key.ends_with(".r1") && !keys.contains(key))
        );
    }
}

/// Every situation a history is meant to bring about does come about, and often enough to be of use.
#[test]
fn hostile_situations_come_about() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: String| *seen.entry(what).or_default() += 1;
    for seed in SEEDS {
        let history = History::random(seed);
        assert!(!history.messages.is_empty(), "seed {seed}");
        let oracle = history.oracle();
        for row in oracle.quarantine() {
            let told = if row.payment_key.is_some() { "told" } else { "untold" };
            count(format!("{} {told}", row.code));
        }
        for key in &history.payment_keys {
            let Some(answer) = oracle.payment(key, &Reader::finance()) else {
                count("not found".into());
                continue;
            };
            for flag in answer["flags"].as_array().into_iter().flatten() {
                count(format!("flag {}", flag.as_str().unwrap_or_default()));
            }
            count(format!("status {}", answer["status"].as_str().unwrap_or_default()));
            count(format!(
                "settlement {}",
                answer["settlement_status"].as_str().unwrap_or_default()
            ));
            count(format!("currency {}", answer["currency"]));
            count(format!("total {}", answer["amount"]["total"] == "0"));
        }
    }
    for what in [
        "refused told",
        "refused untold",
        "conflict told",
        "merchant_mismatch told",
        "currency_mismatch told",
        "not found",
        "flag awaiting_payment",
        "flag card_number_redacted",
        "flag conflict",
        "flag identity_changed",
        "flag over_canceled",
        "flag quarantined",
        "status DONE",
        "status PARTIALLY_CANCELED",
        "status CANCELED",
        "status UNKNOWN",
        "status READY",
        "status ABORTED",
        "status EXPIRED",
        "status AUTHORIZED",
        "settlement NONE",
        "settlement SCHEDULED",
        "settlement PARTIALLY_PAID",
        "settlement PAID",
        "settlement HELD",
        "currency null",
        "total true",
    ] {
        assert!(
            seen.get(what).is_some_and(|times| *times >= 5),
            "{what}: {:?} of {seen:?}",
            seen.get(what)
        );
    }
}

#[test]
fn what_is_made_to_be_accepted_is_accepted_and_poison_is_refused() {
    for seed in SEEDS {
        let mut draw = Draw::new(seed);
        for entry in entries::about_one_payment(&mut draw, "K", 12) {
            let message = spelling::message(&mut draw, &entry);
            let judged = Oracle::new(zones()).feed(&message);
            assert_eq!(judged, Ok(()), "seed {seed}: {}", String::from_utf8_lossy(&message));
        }
        for message in poison::some(&mut draw, &["K".to_owned()]) {
            let judged = Oracle::new(zones()).feed(&message);
            assert!(judged.is_err(), "seed {seed}: {}", String::from_utf8_lossy(&message));
        }
    }
}

/// Questions that nothing answers would prove nothing.
#[test]
fn questions_find_something_and_miss_something() {
    let (mut hits, mut misses, mut reports) = (0, 0, 0);
    for seed in SEEDS {
        let history = History::random(seed);
        let oracle = history.oracle();
        for asked in random_queries(&history, 3, 20) {
            let answer = asked.answered_by(&oracle);
            match asked.question {
                Question::List(filters) => {
                    let q = filters.q.map(|q| q.to_string()).unwrap_or_default();
                    assert!(q.len() <= 1024, "seed {seed}: {q}");
                    if answer == serde_json::json!([]) {
                        misses += 1
                    } else {
                        hits += 1
                    }
                }
                Question::Sales(_) | Question::Settlements(_) => {
                    reports += usize::from(answer["data"] != serde_json::json!([]));
                }
                Question::Payment(_) => {}
            }
        }
    }
    assert!(
        hits > 800 && misses > 800 && reports > 300,
        "{hits} hits, {misses} misses, {reports} reports with rows"
    );
}
