//! Twenty merchants whose data cannot be mistaken for another's.
//!
//! The generator's hostile stream is rewritten: every string of a message carries the mark of the merchant that the message
//! names, and every amount is a multiple of that merchant's own prime, so that a sum of which one addend is somebody
//! else's is no multiple any more. Some identifiers and shoppers are left as they are: different merchants share them.
//! Orphans whose entries name several merchants and entries that are set aside are among the rest.

use std::collections::{BTreeMap, BTreeSet};

use generator::{Plan, Rate, Stream};
use serde_json::{Value, json};
use testkit::oracle::Reader;

use crate::expected::oracle_of;

pub(crate) const MERCHANTS: usize = 20;
const PAYMENTS: u64 = 420;

/// What the identifier of every merchant, and each of its marked strings, ends with.
pub(crate) fn mark(merchant: usize) -> String {
    format!("mk{merchant:02}zq")
}

pub(crate) fn merchant_id(merchant: usize) -> String {
    format!("shop-{}", mark(merchant))
}

/// Every amount of the merchant is a multiple of it in minor units.
pub(crate) fn prime(merchant: usize) -> i128 {
    let is_prime = |n: &i128| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0);
    (1_000_000..).filter(is_prime).nth(merchant * 3).unwrap_or(1)
}

/// One message with what decides whose it is.
struct Sent {
    raw: Vec<u8>,
    data: Value,
    payment_key: Option<String>,
    merchant: Option<usize>,
    refused: bool,
}

pub(crate) struct World {
    sent: Vec<Sent>,
    /// Of a payment that has arrived, its merchant.
    homes: BTreeMap<String, usize>,
    /// The greatest version of each entry of a payment, and whom it names.
    states: BTreeMap<(String, String), (u64, usize)>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut marks = Marking::default();
        let messages = generated(seed);
        let orphans = without_payment(&messages);
        let mut sent: Vec<Sent> = messages
            .into_iter()
            .map(|message| marks.apply(message, &orphans))
            .collect();
        sent.extend(crossing(&sent));
        let mut oracle = oracle_of(&[]);
        let mut states = BTreeMap::new();
        for sent in &mut sent {
            sent.refused = oracle.feed(&sent.raw).is_err();
            if let (false, Some(key), Some(merchant)) = (sent.refused, &sent.payment_key, sent.merchant) {
                let version = sent.data["version"].as_f64().unwrap_or_default() as u64;
                let state = states.entry((key.clone(), entry_id(&sent.data))).or_default();
                *state = (version, merchant).max(*state);
            }
        }
        let mut homes = BTreeMap::new();
        for key in oracle.payment_keys() {
            let Some(payment) = oracle.payment(&key, &Reader::finance()) else {
                continue;
            };
            let home = payment["merchant_id"].as_str().and_then(number_of);
            if let (Some(home), true) = (home, payment["recorded_status"].is_string()) {
                homes.insert(key, home);
            }
        }
        World { sent, homes, states }
    }

    pub(crate) fn messages(&self) -> Vec<Vec<u8>> {
        self.sent.iter().map(|sent| sent.raw.clone()).collect()
    }

    /// What a store holds in which no other merchant has anything: the messages of its own payments, whole (an entry of it
    /// that names another merchant is set aside and flags it), and of payments that have not arrived its entries.
    pub(crate) fn messages_of(&self, merchant: usize) -> Vec<Vec<u8>> {
        let own = self.sent.iter().filter(|sent| self.is_of(sent, merchant));
        own.map(|sent| sent.raw.clone()).collect()
    }

    fn is_of(&self, sent: &Sent, merchant: usize) -> bool {
        let Some(key) = &sent.payment_key else { return false };
        if let Some(home) = self.homes.get(key) {
            return *home == merchant;
        }
        // What was refused is no entry of anybody's; it flags the payment.
        let state = self.states.get(&(key.clone(), entry_id(&sent.data)));
        let is_own = |(_, named): &(u64, usize)| *named == merchant && sent.merchant == Some(merchant);
        sent.refused || state.is_some_and(is_own)
    }

    /// The `data` of the messages that name the merchant and are about payments it may see.
    pub(crate) fn data_of(&self, merchant: usize) -> impl Iterator<Item = &Value> {
        let seen = move |sent: &&Sent| self.is_of(sent, merchant) && sent.merchant == Some(merchant) && !sent.refused;
        self.sent.iter().filter(seen).map(|sent| &sent.data)
    }

    /// The payments of which the merchant may see something.
    pub(crate) fn keys_of(&self, merchant: usize) -> BTreeSet<String> {
        let seen = |sent: &&Sent| !sent.refused && self.is_of(sent, merchant);
        let seen = self.sent.iter().filter(seen);
        seen.filter_map(|sent| sent.payment_key.clone()).collect()
    }

    /// How many payments have not arrived and have entries of several merchants, and how many entries are set aside.
    pub(crate) fn crossings(&self) -> (usize, usize) {
        let mut named: BTreeMap<&String, BTreeSet<usize>> = BTreeMap::new();
        let mut set_aside = BTreeSet::new();
        for sent in &self.sent {
            let (Some(key), Some(merchant)) = (&sent.payment_key, sent.merchant) else {
                continue;
            };
            match self.homes.get(key) {
                Some(home) if *home != merchant => _ = set_aside.insert(entry_id(&sent.data)),
                Some(_) => {}
                None => _ = named.entry(key).or_default().insert(merchant),
            }
        }
        let shared = named.values().filter(|merchants| merchants.len() > 1).count();
        (shared, set_aside.len())
    }
}

pub(crate) fn number_of(merchant_id: &str) -> Option<usize> {
    (0..MERCHANTS).find(|merchant| self::merchant_id(*merchant) == merchant_id)
}

fn generated(seed: u64) -> Vec<Vec<u8>> {
    let plan = Plan {
        seed,
        payments: PAYMENTS,
        merchants: MERCHANTS as u32,
        days: 90,
        cancellations: Rate::percent(30),
        ..Plan::default()
    };
    let plan = Plan {
        orphans: Rate::percent(12),
        mismatches: Rate::percent(6),
        conflicts: Rate::percent(3),
        tombstones: Rate::percent(4),
        oversize: false,
        ..plan.hostile()
    };
    // Close to the clock of the tests, so that some payments are overdue and some are not.
    let last = crate::product::now().date_naive();
    let mut stream = Stream::new(plan.ending(last)).expect("the plan is within its bounds");
    let mut messages = Vec::new();
    while let Some(message) = stream.next_message() {
        messages.push(message.value.to_vec());
    }
    messages
}

fn without_payment(messages: &[Vec<u8>]) -> BTreeSet<String> {
    let (mut all, mut arrived) = (BTreeSet::new(), BTreeSet::new());
    for message in messages {
        let Ok(message) = serde_json::from_slice::<Value>(message) else {
            continue;
        };
        let Some(key) = message["data"]["payment_key"].as_str() else {
            continue;
        };
        all.insert(key.to_owned());
        if message["type"] == "payment.recorded.v1" {
            arrived.insert(key.to_owned());
        }
    }
    all.difference(&arrived).cloned().collect()
}

fn entry_id(data: &Value) -> String {
    let names = ["cancellation_id", "settlement_id", "payment_key"];
    let settlement = data["settlement_id"].as_str();
    let id = settlement.or_else(|| names.iter().find_map(|name| data[*name].as_str()));
    id.unwrap_or_default().to_owned()
}

/// Entries that name another merchant than the payment they are about, one for each merchant.
fn crossing(sent: &[Sent]) -> Vec<Sent> {
    let mut out = Vec::new();
    for merchant in 0..MERCHANTS {
        let other = (merchant + 7) % MERCHANTS;
        let own = sent
            .iter()
            .find(|sent| sent.merchant == Some(merchant) && sent.data["method"].is_string());
        let Some(own) = own else { continue };
        let data = json!({
            "payment_key": own.payment_key, "cancellation_id": format!("cross-{}", mark(other)),
            "merchant_id": merchant_id(other), "version": 1, "status": "DONE", "currency": own.data["currency"],
            "amount": {"total": prime(other).to_string()}, "reason": format!("someone else's {}", mark(other)),
            "requested_at": "2026-05-01T10:00:00Z", "canceled_at": "2026-05-01T10:00:00Z",
        });
        let event = json!({
            "specversion": "1.0", "id": format!("cross-{merchant}"), "source": "payment-cancel",
            "type": "cancellation.recorded.v1", "time": "2026-05-01T10:00:00Z", "data": data,
        });
        out.push(Sent {
            raw: event.to_string().into_bytes(),
            payment_key: own.payment_key.clone(),
            merchant: Some(other),
            refused: false,
            data,
        });
    }
    out
}

/// Rewrites messages. A payment's key is the same in all of them, so it is marked once.
#[derive(Default)]
struct Marking {
    keys: BTreeMap<String, String>,
}

impl Marking {
    fn apply(&mut self, raw: Vec<u8>, orphans: &BTreeSet<String>) -> Sent {
        let message = serde_json::from_slice::<Value>(&raw).ok();
        let Some(mut message) = message.filter(|message| message["data"].is_object()) else {
            // Not readable, so nobody's.
            return Sent {
                raw,
                data: Value::Null,
                payment_key: None,
                merchant: None,
                refused: false,
            };
        };
        let data = &mut message["data"];
        let named = data["merchant_id"].as_str().and_then(|id| id.strip_prefix('m'));
        let mut merchant = named
            .and_then(|number| number.parse::<usize>().ok())
            .and_then(|n| n.checked_sub(1));
        let key = data["payment_key"].as_str().map(str::to_owned);
        let id = entry_id(data);
        if let (Some(number), Some(key)) = (&mut merchant, &key)
            && orphans.contains(key)
            && digit(&id) % 2 == 1
        {
            // Of a payment that never comes, some entries name another merchant.
            *number = (*number + 7) % MERCHANTS;
        }
        if let Some(number) = merchant {
            // Shoppers and order numbers that several merchants have.
            let shared = key.as_deref().is_some_and(|key| digit(key).is_multiple_of(3));
            mark_strings(data, "", number, shared);
            data["merchant_id"] = merchant_id(number).into();
        }
        let payment_key = key.map(|key| {
            let marked = self
                .keys
                .entry(key.clone())
                .or_insert_with(|| format!("{key}-{}", mark(merchant.unwrap_or_default())));
            marked.clone()
        });
        if let Some(key) = &payment_key {
            data["payment_key"] = key.as_str().into();
        }
        if message["subject"].is_string() {
            message["subject"] = json!(payment_key);
        }
        Sent {
            raw: message.to_string().into_bytes(),
            data: message["data"].clone(),
            payment_key,
            merchant,
            refused: false,
        }
    }
}

fn digit(text: &str) -> usize {
    text.bytes().map(usize::from).sum()
}

/// Member names whose values are of closed lists, instants, days or nobody's.
const PLAIN: [&str; 21] = [
    "merchant_id",
    "payment_key",
    "status",
    "method",
    "currency",
    "of",
    "channel",
    "requested_at",
    "approved_at",
    "canceled_at",
    "due_at",
    "sold_on",
    "paid_out_on",
    "fee_rate",
    "last4",
    "number_masked",
    "phone",
    "phone_masked",
    "receipt_url",
    "type",
    "account_number",
];
const AMOUNTS: [&str; 8] = [
    "amount",
    "total",
    "supplied",
    "vat",
    "tax_free",
    "discount",
    "payout_amount",
    "cost",
];
const SHARED: [&str; 5] = ["order_id", "email", "name", "customer_key", "order_name"];

fn mark_strings(value: &mut Value, name: &str, merchant: usize, shared: bool) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                mark_strings(member, name, merchant, shared);
            }
        }
        Value::Array(items) => {
            for item in items {
                mark_strings(item, name, merchant, shared);
            }
        }
        Value::String(text) if AMOUNTS.contains(&name) => {
            if let Some(multiple) = multiplied(text, prime(merchant)) {
                *text = multiple;
            }
        }
        Value::String(_) if PLAIN.contains(&name) || shared && SHARED.contains(&name) => {}
        Value::String(text) if name == "payout_id" => {
            // One transfer in three has a number that other merchants' transfers have, too.
            match digit(text) % 3 {
                0 => *text = text.chars().take(10).collect(),
                _ => *text = format!("{}-{}", &text[..text.len().min(10)], mark(merchant)),
            }
        }
        Value::String(text) => *text = format!("{text}-{}", mark(merchant)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A decimal string times a whole number, with as many digits behind the point.
fn multiplied(text: &str, by: i128) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(fraction) {
        return None;
    }
    let minor: i128 = format!("{whole}{fraction}").parse().ok()?;
    let product = minor.checked_mul(by)?;
    let sign = if product < 0 { "-" } else { "" };
    let all = format!("{:0>width$}", product.unsigned_abs(), width = fraction.len() + 1);
    let (whole, fraction) = all.split_at(all.len() - fraction.len());
    Some(match fraction {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    })
}
