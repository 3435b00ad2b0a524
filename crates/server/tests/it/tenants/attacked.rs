//! Attempts at other merchants' data, and whether an answer tells that there is any.

use std::collections::BTreeMap;
use std::time::Instant;

use api::keys::Role;
use axum::body::Body;
use axum::http::Request;

use super::leaks::Leaks;
use super::mutator::{Loot, Mutator};
use super::questions::Facts;
use super::world::{MERCHANTS, World, merchant_id};
use super::{Index, TOLD_MAX, comparable, said, seed, stored, told};
use crate::compare::encoded;
use crate::product::{Answer, Asker, Product};

const MUTATIONS: usize = 10_000;

/// Requests for each of a foreign and an absent payment whose times are printed.
const TIMED: usize = 2_000;

fn get(asker: &Asker, key: &str, address: &str) -> Answer {
    let request = Request::get(address).header("authorization", format!("Bearer {key}"));
    asker.ask(request.body(Body::empty()).expect("a request"))
}

fn loot(world: &World, asker: &Asker, keys: &[String], finance: &str) -> Loot {
    let mut loot = Loot {
        facts: (0..MERCHANTS).map(|merchant| Facts::of(world, merchant)).collect(),
        cursors: Vec::new(),
        tokens: Vec::new(),
    };
    for key in keys.iter().map(String::as_str).chain([finance]) {
        for address in [
            "/v1/payments?limit=1",
            "/v1/payments",
            "/v1/payments/search?limit=2&order=asc",
            "/v1/entries?limit=1",
            "/v1/entries",
            "/v1/payments?limit=1&status=DONE",
        ] {
            let answer = get(asker, key, address);
            let next = answer.body["next_cursor"].as_str();
            loot.cursors
                .extend(next.map(|next| (address.to_owned(), next.to_owned())));
            let token = answer.body["as_of"]["token"].as_str();
            loot.tokens.extend(token.map(str::to_owned));
        }
    }
    loot
}

struct Attacked {
    world: World,
    product: Product,
    keys: Vec<String>,
    finance: String,
}

impl Attacked {
    fn new(seed: u64, index: Index) -> Self {
        let world = World::new(seed);
        let mut product = stored(&world.messages(), index);
        let keys = (0..MERCHANTS).map(|merchant| product.key(Role::Merchant, &[merchant_id(merchant)]));
        Attacked {
            keys: keys.collect(),
            finance: product.key(Role::Finance, &[]),
            world,
            product,
        }
    }
}

/// An answer without the address that a problem repeats: what was asked is no news.
fn shown_in(answer: &Answer) -> Vec<u8> {
    let mut body = answer.body.clone();
    match body.as_object_mut().and_then(|members| members.remove("instance")) {
        Some(_) => body.to_string().into_bytes(),
        None => answer.bytes.to_vec(),
    }
}

#[test]
fn nothing_of_others_is_got_by_changed_ids_cursors_filters_and_tokens() {
    let seed = seed();
    let attacked = Attacked::new(seed, Index::Half);
    let asker = attacked.product.asker();
    let loot = loot(&attacked.world, &asker, &attacked.keys, &attacked.finance);
    assert!(loot.cursors.len() > MERCHANTS, "{} cursors", loot.cursors.len());
    let leaks: Vec<Leaks> = (0..MERCHANTS)
        .map(|merchant| Leaks::new(&attacked.world, merchant))
        .collect();
    let mut mutator = Mutator::new(&loot, seed);
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    let (mut found, mut would_leak) = (Vec::new(), 0);
    for number in 0..MUTATIONS {
        let merchant = number % MERCHANTS;
        let question = mutator.question(merchant);
        let answer = asker.ask(question.request(&attacked.keys[merchant], None));
        *statuses.entry(answer.status.as_u16()).or_default() += 1;
        let shown = leaks[merchant].of(&shown_in(&answer), &said(&question));
        found.extend(shown.iter().map(|leak| told(merchant, &question, leak)));
        if answer.status.is_server_error() {
            found.push(told(merchant, &question, &answer.body.to_string()));
        }
        if number % 10 == 0 {
            // The same question by who may see everything: the attempts are worth something, and so is the detector.
            let answer = asker.ask(question.request(&attacked.finance, None));
            would_leak += usize::from(!leaks[merchant].of(&shown_in(&answer), &said(&question)).is_empty());
        }
    }
    crate::program::say(&format!(
        "{MUTATIONS} mutations: {} leaks; statuses {statuses:?}; {would_leak} of every tenth show something to finance",
        found.len()
    ));
    let first: Vec<&String> = found.iter().take(TOLD_MAX).collect();
    assert!(found.is_empty(), "{} leaks:\n{first:#?}", found.len());
    assert!(would_leak > MUTATIONS / 100, "only {would_leak} attempts were any good");
}

/// Addresses with `KEY` in them, and what stands for it: something of another merchant.
const ADDRESSES: [(&str, &str); 4] = [
    ("/v1/payments/KEY", "/payment_key"),
    ("/v1/payments/KEY/timeline", "/payment_key"),
    ("/v1/reports/payouts/KEY", "/payout_id"),
    ("/v1/ingest/events/KEY", "/payment_key"),
];

#[test]
fn what_is_anothers_is_answered_as_what_does_not_exist() {
    let attacked = Attacked::new(seed(), Index::Everything);
    let asker = attacked.product.asker();
    let mut compared = 0;
    for merchant in 0..MERCHANTS {
        let (own, key) = (Facts::of(&attacked.world, merchant), &attacked.keys[merchant]);
        for other in (0..MERCHANTS).filter(|other| *other != merchant) {
            let theirs = Facts::of(&attacked.world, other);
            for (address, pointer) in ADDRESSES {
                let id = theirs.one(pointer);
                if own.found[pointer].contains(&id) || attacked.world.keys_of(merchant).contains(&id) {
                    continue;
                }
                let absent: String = id.chars().rev().collect();
                let [foreign, absent] = [&id, &absent].map(|id| {
                    let encoded = encoded(id);
                    let answer = get(&asker, key, &address.replace("KEY", &encoded));
                    let expected = if address.contains("events") { 403 } else { 404 };
                    assert_eq!(answer.status.as_u16(), expected, "{address} {id}");
                    comparable(&answer).replace(&encoded, "KEY")
                });
                assert_eq!(foreign, absent, "{address}");
                compared += 1;
            }
        }
    }
    crate::program::say(&format!("{compared} pairs of answers are the same bytes"));
    print_times(&attacked, &asker);
}

/// Printed for whoever reads the log; a busy machine decides nothing.
fn print_times(attacked: &Attacked, asker: &Asker) {
    let key = &attacked.keys[0];
    let own = attacked.world.keys_of(0);
    let foreign: Vec<String> = (1..MERCHANTS).flat_map(|other| attacked.world.keys_of(other)).collect();
    let foreign: Vec<String> = foreign.into_iter().filter(|id| !own.contains(id)).collect();
    let payouts: Vec<String> = (1..MERCHANTS)
        .flat_map(|other| Facts::of(&attacked.world, other).found["/payout_id"].clone())
        .filter(|id| id.contains("mk"))
        .collect();
    for (address, pointer) in ADDRESSES.into_iter().take(3) {
        let ids = if pointer == "/payout_id" { &payouts } else { &foreign };
        let mut micros = [Vec::new(), Vec::new()];
        for number in 0..TIMED {
            let id = &ids[number % ids.len()];
            let absent: String = id.chars().rev().collect();
            for (times, id) in micros.iter_mut().zip([id, &absent]) {
                let address = address.replace("KEY", &encoded(id));
                let started = Instant::now();
                get(asker, key, &address);
                times.push(started.elapsed().as_micros());
            }
        }
        for (times, what) in micros.iter_mut().zip(["foreign", "absent"]) {
            times.sort_unstable();
            let at = |percent: usize| times[times.len() * percent / 100];
            crate::program::say(&format!(
                "{address}: {what} p50 {} us, p90 {} us, p99 {} us of {TIMED}",
                at(50),
                at(90),
                at(99)
            ));
        }
    }
}
