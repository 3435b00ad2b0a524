//! Tenants: what a merchant key is answered says nothing of any other merchant, not even that there is one.

mod attacked;
mod leaks;
mod mutator;
mod questions;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use api::keys::Role;
use domain::position::PartitionId;
use projector::source::Headers;

use crate::feeding::zones;
use crate::product::{Answer, Asker, Product, Sent, index_limits};
use leaks::Leaks;
use questions::{Facts, Question, questions};
use world::{MERCHANTS, World, merchant_id};

/// Differences that are told before a test gives up.
const TOLD_MAX: usize = 12;

/// Pages of one question; no merchant here has more payments than they hold.
const PAGES_MAX: usize = 200;

fn seed() -> u64 {
    let set = std::env::var("LEDGERLENS_SEED").ok();
    let seed = set.and_then(|set| set.parse().ok()).unwrap_or(5);
    crate::program::say(&format!("LEDGERLENS_SEED={seed}"));
    seed
}

/// How much of the data the index has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Index {
    Everything,
    /// It stands where it was when half of the messages were in.
    Half,
}

/// A store that has taken the messages.
fn stored(messages: &[Vec<u8>], index: Index) -> Product {
    let mut product = Product::new(zones(), index_limits(Duration::from_secs(3600)));
    let partition = std::sync::Arc::new(PartitionId::Kafka {
        topic: "payments".to_owned(),
        partition: 0,
    });
    let mut position = 0;
    for (number, part) in messages.chunks(messages.len().div_ceil(8).max(1)).enumerate() {
        let sent = part.iter().map(|message| {
            position += 1;
            Sent {
                partition: partition.clone(),
                position: position - 1,
                value: Some((message.clone(), Headers::new())),
            }
        });
        product.apply(sent.collect());
        if index == Index::Half && number == 3 {
            product.restart(|_| {});
        }
    }
    if index == Index::Everything {
        product.restart(|_| {});
    }
    product
}

/// The answer without what may differ: when and of which position it is, its own number, and places to go on from.
fn comparable(answer: &Answer) -> String {
    let mut out = format!("{}\n", answer.status);
    let headers: BTreeMap<&str, &[u8]> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let mut left_out = vec!["ledger-as-of", "request-id", "date", "content-length"];
    if answer.body["next_cursor"].is_string() {
        // It is of the cursor, too.
        left_out.push("etag");
    }
    for (name, value) in headers {
        if !left_out.contains(&name) {
            let _written = writeln!(out, "{name}: {}", String::from_utf8_lossy(value));
        }
    }
    let mut text = String::from_utf8_lossy(&answer.bytes).into_owned();
    for (begins, ends) in [
        ("\"as_of\":{", '}'),
        ("# as_of: {", '}'),
        ("\"request_id\":\"", '"'),
        ("\"next_cursor\":\"", '"'),
    ] {
        text = without(&text, begins, ends);
    }
    out + &text
}

fn without(text: &str, begins: &str, ends: char) -> String {
    let mut parts = text.split(begins);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += begins;
        out += part.split_once(ends).map_or("", |(_, rest)| rest);
    }
    out
}

/// All pages of a question's answer, and what they show that they must not.
fn ask(asker: &Asker, key: &str, question: &Question, leaks: &Leaks) -> (Vec<String>, Vec<String>) {
    let (mut pages, mut shown) = (Vec::new(), Vec::new());
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let answer = asker.ask(question.request(key, cursor.as_deref()));
        shown.extend(leaks.of(&answer.bytes, &said(question)));
        if answer.status.is_server_error() {
            shown.push(format!("{}: {}", answer.status, answer.body));
        }
        pages.push(comparable(&answer));
        match answer.body["next_cursor"].as_str() {
            Some(next) if question.about.1 != "cursor" => cursor = Some(next.to_owned()),
            _ => break,
        }
    }
    (pages, shown)
}

/// What the request says itself, decoded.
fn said(question: &Question) -> String {
    let mut bytes = Vec::new();
    let mut rest = question.address.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        rest = if code.is_some() { &after[2..] } else { after };
        bytes.push(code.unwrap_or(*first));
    }
    let body = question.body.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{}\n{body}\n{:?}", String::from_utf8_lossy(&bytes), question.headers)
}

/// How many merchants ask everything: `LEDGERLENS_TENANTS`, all 20 of them for a release. The store holds all of them.
fn tenants() -> usize {
    let set = std::env::var("LEDGERLENS_TENANTS").ok();
    set.and_then(|set| set.parse().ok()).unwrap_or(4).min(MERCHANTS)
}

/// Does `work` for these merchants, on two threads, and fails with what it finds.
fn for_every_merchant(work: impl Fn(usize) -> Vec<String> + Sync) {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let merchant = next.fetch_add(1, Ordering::Relaxed);
                    if merchant >= tenants() {
                        return;
                    }
                    let new = work(merchant);
                    let mut found = found.lock().expect("no other test thread panicked");
                    found.extend(new);
                    if found.len() >= TOLD_MAX {
                        return;
                    }
                }
            });
        }
    });
    let found = found.into_inner().expect("no test thread panicked");
    let told: Vec<&String> = found.iter().take(TOLD_MAX).collect();
    assert!(found.is_empty(), "{} differences:\n{told:#?}", found.len());
}

#[test]
fn a_merchant_is_answered_as_if_it_were_alone() {
    let world = World::new(seed());
    let (shared, set_aside) = world.crossings();
    assert!(
        shared > 5 && set_aside > 20,
        "{shared} shared orphans, {set_aside} set aside"
    );
    let messages = world.messages();
    let mut whole = [Index::Everything, Index::Half].map(|index| stored(&messages, index));
    let keys: Vec<[String; 2]> = (0..MERCHANTS)
        .map(|merchant| {
            whole
                .each_mut()
                .map(|product| product.key(Role::Merchant, &[merchant_id(merchant)]))
        })
        .collect();
    let askers = whole.each_ref().map(Product::asker);
    let facts: Vec<Facts> = (0..MERCHANTS).map(|merchant| Facts::of(&world, merchant)).collect();
    let (world, keys, facts) = (&world, &keys, &facts);
    let (asked, pages) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let askers = Mutex::new(askers);
    for_every_merchant(|merchant| {
        let askers = askers.lock().expect("no thread panicked").clone();
        let mut alone = stored(&world.messages_of(merchant), Index::Everything);
        let alone_key = alone.key(Role::Merchant, &[merchant_id(merchant)]);
        let leaks = Leaks::new(world, merchant);
        let mut out = Vec::new();
        for question in questions(&facts[merchant], &facts[(merchant + 7) % MERCHANTS]) {
            let (expected, shown) = ask(&alone.asker(), &alone_key, &question, &leaks);
            out.extend(shown.iter().map(|leak| told(merchant, &question, leak)));
            for (asker, key) in askers.iter().zip(&keys[merchant]) {
                let (found, shown) = ask(asker, key, &question, &leaks);
                out.extend(shown.iter().map(|leak| told(merchant, &question, leak)));
                asked.fetch_add(1, Ordering::Relaxed);
                pages.fetch_add(found.len(), Ordering::Relaxed);
                if found != expected {
                    out.push(told(merchant, &question, &first_difference(&expected, &found)));
                }
            }
            if out.len() >= TOLD_MAX {
                break;
            }
        }
        out
    });
    crate::program::say(&format!(
        "{} of {MERCHANTS} merchants, {} messages, {} questions, {} pages; {shared} orphans of several merchants, {set_aside} \
         entries set aside",
        tenants(),
        messages.len(),
        asked.into_inner(),
        pages.into_inner()
    ));
}

fn told(merchant: usize, question: &Question, what: &str) -> String {
    format!(
        "{} {} {} {:?}: {what}",
        merchant_id(merchant),
        question.method,
        question.address,
        question.body
    )
}

fn first_difference(expected: &[String], found: &[String]) -> String {
    let pages = expected
        .iter()
        .zip(found)
        .position(|(expected, found)| expected != found);
    let Some(page) = pages else {
        return format!("{} pages alone, {} among others", expected.len(), found.len());
    };
    let (expected, found) = (&expected[page], &found[page]);
    let same = expected.bytes().zip(found.bytes()).take_while(|(a, b)| a == b).count();
    let near = |text: &str| {
        let bytes = &text.as_bytes()[same.saturating_sub(300).min(text.len())..(same + 120).min(text.len())];
        String::from_utf8_lossy(bytes).into_owned()
    };
    format!(
        "page {page}\n  alone        {}\n  among others {}",
        near(expected),
        near(found)
    )
}
