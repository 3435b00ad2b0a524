//! The shapes that the crate's documentation promises.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use generator::{Mix, Plan, Rate, Topic};
use serde_json::Value;

use crate::contract::{accept, instant, text};
use crate::{Kept, messages, small};

const DAY_MS: i64 = 86_400_000;

/// Parts in ten thousand.
fn parts(part: usize, of: usize) -> usize {
    part * 10_000 / of
}

/// When each payment was requested, read from the payment messages.
fn requested(kept: &[Kept]) -> HashMap<&str, i64> {
    let payments = kept.iter().filter(|message| message.topic == Topic::Payments);
    payments
        .map(|message| {
            (
                message.key.as_str(),
                instant(&accept(&message.value).unwrap().data, "requested_at").unwrap(),
            )
        })
        .collect()
}

#[test]
fn clean_messages_keep_the_contract() {
    for plan in [
        small(8_000),
        Plan {
            mix: Mix::Lean,
            ..small(8_000)
        },
    ] {
        let (mut ids, mut last_ms) = (BTreeSet::new(), 0);
        for message in messages(plan) {
            let accepted = accept(&message.value)
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&message.value)));
            let envelope: Value = serde_json::from_slice(&message.value).unwrap();
            assert!(ids.insert(envelope["id"].to_string()), "an envelope id twice");
            assert_eq!(message.topic.name(), format!("{}s", accepted.kind));
            assert_eq!(text(&accepted.data, "payment_key").unwrap(), message.key);
            assert_eq!(
                instant(envelope.as_object().unwrap(), "time").unwrap(),
                message.at_ms,
                "published when met"
            );
            assert!(message.at_ms >= last_ms && !message.value.contains(&b'\n'));
            last_ms = message.at_ms;
        }
    }
}

#[test]
fn chains_rise_in_version_and_status() {
    let order = |status: &str| {
        let order = [
            "READY",
            "WAITING_FOR_DEPOSIT",
            "IN_PROGRESS",
            "AUTHORIZED",
            "PENDING",
            "SCHEDULED",
            "HELD",
            "DONE",
            "PAID",
            "ABORTED",
            "EXPIRED",
            "FAILED",
        ];
        order.iter().position(|name| *name == status).unwrap()
    };
    let mut chains: BTreeMap<String, (i64, usize)> = BTreeMap::new();
    let mut pairs = BTreeSet::new();
    for message in messages(small(8_000)) {
        let data = accept(&message.value).unwrap().data;
        let id = ["cancellation_id", "settlement_id", "payment_key"]
            .iter()
            .filter(|name| !(message.topic == Topic::Settlements && **name == "cancellation_id"));
        let id = id.filter_map(|name| text(&data, name).ok()).next().unwrap();
        let (version, status) = (data["version"].as_i64().unwrap(), text(&data, "status").unwrap());
        let before = chains.insert(format!("{:?} {id}", message.topic), (version, order(status)));
        let (last_version, last_status) = before.unwrap_or((0, 0));
        assert!(
            version == last_version + 1 && (before.is_none() || order(status) > last_status),
            "{id} {version} {status}"
        );
        pairs.insert((message.topic.name(), status.to_owned()));
    }
    // Every status of the contract is met.
    assert_eq!(pairs.len(), 7 + 3 + 3, "{pairs:?}");
}

#[test]
fn mixes_have_their_ratio_and_size() {
    for (mix, least, most) in [(Mix::Full, 36_000, 44_000), (Mix::Lean, 12_000, 14_000)] {
        let kept = messages(Plan { mix, ..small(20_000) });
        let bytes: usize = kept.iter().map(|message| message.value.len()).sum();
        eprintln!("{mix:?}: {} messages of {} bytes", kept.len(), bytes / kept.len());
        assert!(
            (least..=most).contains(&parts(kept.len(), 20_000)),
            "{mix:?} {}",
            kept.len()
        );
        assert!((550..=750).contains(&(bytes / kept.len())));
    }
}

#[test]
fn one_message_in_a_hundred_is_about_an_old_payment() {
    let young = Plan {
        days: 120,
        tail_days: 800,
        tail: Rate::percent(15),
        ..small(40_000)
    };
    for plan in [
        small(40_000),
        Plan {
            mix: Mix::Lean,
            ..small(40_000)
        },
        Plan {
            late: Rate::percent(3),
            ..small(40_000)
        },
        young,
    ] {
        let wanted = plan.late.parts() as usize;
        let kept = messages(plan);
        let requested = requested(&kept);
        let late = kept
            .iter()
            .filter(|message| message.at_ms - requested[message.key.as_str()] > 365 * DAY_MS)
            .count();
        let share = parts(late, kept.len());
        eprintln!("late: {share} of 10,000, wanted {wanted}");
        assert!(
            (wanted * 8 / 10..=wanted * 12 / 10).contains(&share),
            "{share} for {wanted}"
        );
    }
}

#[test]
fn cancellations_are_as_common_and_as_partial_as_promised() {
    let kept = messages(small(30_000));
    let (mut totals, mut canceled) = (HashMap::new(), HashMap::<_, Vec<i64>>::new());
    for message in kept.iter().filter(|message| message.topic != Topic::Settlements) {
        let data = accept(&message.value).unwrap().data;
        let total: i64 = data["amount"]["total"]
            .as_str()
            .unwrap()
            .replace('.', "")
            .parse()
            .unwrap();
        match (message.topic, text(&data, "status").unwrap()) {
            (Topic::Payments, "DONE") => _ = totals.insert(message.key.clone(), total),
            (Topic::Cancellations, "DONE") => canceled.entry(message.key.clone()).or_default().push(total),
            _ => {}
        }
    }
    let whole = canceled
        .iter()
        .filter(|(key, parts)| parts.iter().sum::<i64>() == totals[*key])
        .count();
    let several = canceled.values().filter(|parts| parts.len() > 1).count();
    assert!(
        canceled
            .iter()
            .all(|(key, parts)| parts.iter().sum::<i64>() <= totals[key]),
        "more than was paid"
    );
    let share = parts(canceled.len(), totals.len());
    assert!((750..=1_100).contains(&share), "cancelled {share}");
    assert!(
        (4_300..=5_700).contains(&parts(whole, canceled.len())),
        "wholly {whole} of {}",
        canceled.len()
    );
    assert!(several * 20 > canceled.len(), "several times: {several}");
}

#[test]
fn sellers_methods_currencies_and_words_are_spread_like_the_field() {
    let plan = Plan {
        merchants: 5_000,
        ..small(40_000)
    };
    let (mut merchants, mut methods, mut currencies) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut items, mut people, mut weekdays) = (BTreeSet::new(), BTreeSet::new(), [0_usize; 7]);
    let mut seen = BTreeSet::new();
    for message in messages(plan).iter().filter(|message| message.topic == Topic::Payments) {
        let data = accept(&message.value).unwrap().data;
        if !seen.insert(message.key.clone()) {
            continue;
        }
        *merchants.entry(data["merchant_id"].to_string()).or_insert(0_usize) += 1;
        *methods.entry(data["method"].to_string()).or_insert(0_usize) += 1;
        *currencies.entry(data["currency"].to_string()).or_insert(0_usize) += 1;
        items.insert(data["order_name"].to_string());
        people.insert(data.get("customer").map(|customer| customer["name"].to_string()));
        weekdays[(instant(&data, "requested_at").unwrap() / DAY_MS + 3).rem_euclid(7) as usize] += 1;
    }
    eprintln!(
        "{} merchants, {methods:?}, {currencies:?}, {} items, {} names",
        merchants.len(),
        items.len(),
        people.len()
    );
    // Zipf over 5,000: the first sells 11 %, the first hundred more than half.
    let mut sizes: Vec<_> = merchants.values().copied().collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    assert!((950..=1_250).contains(&parts(sizes[0], 40_000)), "{}", sizes[0]);
    assert!(sizes[..100].iter().sum::<usize>() > 20_000 && merchants.len() > 3_000);
    assert_eq!((methods.len(), currencies.len()), (12, 4));
    assert!((8_300..=9_700).contains(&parts(currencies["\"KRW\""], 40_000)));
    assert!(items.len() > 5_000 && people.len() > 3_000);
    assert!(weekdays[5] * 10 > weekdays[0] * 11, "{weekdays:?}");
}

#[test]
fn every_rule_of_poison_is_refused() {
    let mut stream = generator::Stream::with_expect(Plan {
        poison: Rate::percent(50),
        ..small(6_000)
    })
    .unwrap();
    let kept = crate::keep_all(&mut stream);
    let expect = serde_json::to_value(stream.into_expect().unwrap()).unwrap();
    let refused = kept.iter().filter(|message| accept(&message.value).is_err()).count();
    let sound: BTreeSet<_> = messages(small(6_000))
        .into_iter()
        .map(|message| message.value)
        .collect();
    let missed = kept
        .iter()
        .find(|message| accept(&message.value).is_ok() && !sound.contains(&message.value));
    assert!(
        missed.is_none(),
        "accepted: {}",
        String::from_utf8_lossy(&missed.unwrap().value)
    );
    assert_eq!(expect["counts"]["quarantined"], refused);
    assert!(kept.iter().all(
        |message| !message.value.iter().any(|byte| [b'\n', b'\r'].contains(byte))
            && !message.value.trim_ascii().is_empty()
    ));
    assert!(
        expect["poison"].as_object().unwrap().len() >= 80,
        "{}",
        expect["poison"]
    );
    let distinct: BTreeSet<_> = kept
        .iter()
        .filter(|message| accept(&message.value).is_err())
        .map(|message| &message.value)
        .collect();
    assert_eq!(distinct.len(), refused, "one is the same as another");
}
