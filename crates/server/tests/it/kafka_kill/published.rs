//! What is published: a hostile stream, some of it in binary mode, in transactions some of which are aborted, with null
//! values between.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use generator::{Expect, Plan, Stream};
use rand::seq::SliceRandom as _;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use testkit::kafka::{Record, TestProducer};

pub(crate) const PARTITIONS: i32 = 4;

/// A message that readers see.
pub(crate) struct Visible {
    pub(crate) topic: usize,
    pub(crate) key: String,
    /// Without a value of its own for `null`.
    pub(crate) value: Vec<u8>,
    /// The attributes of binary mode, without their prefix; empty in structured mode.
    pub(crate) attributes: Vec<(String, String)>,
}

/// The visible messages of the whole test, and what the generator says of them.
pub(crate) fn draw(messages: u64, seed: u64) -> (Vec<Visible>, Expect) {
    // About four messages a payment.
    let plan = Plan {
        seed,
        payments: messages / 4,
        merchants: 200,
        oversize: false,
        ..Plan::default()
    }
    .hostile();
    let mut stream = Stream::with_expect(plan).expect("the plan is sound");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = Vec::new();
    while let Some(message) = stream.next_message() {
        let (attributes, value) = match binary(message.value) {
            Some(parts) if random.random_ratio(1, 10) => parts,
            _ => (Vec::new(), message.value.to_vec()),
        };
        drawn.push(Visible {
            topic: message.topic as usize,
            key: message.key.to_owned(),
            value,
            attributes,
        });
    }
    (drawn, stream.into_expect().expect("it was asked for"))
}

/// Attributes by name, and the value.
type BinaryMode = (Vec<(String, String)>, Vec<u8>);

/// The binary mode of an event, if all its attributes are there and texts. `data` keeps its bytes.
fn binary(event: &[u8]) -> Option<BinaryMode> {
    let members: std::collections::BTreeMap<String, &RawValue> = serde_json::from_slice(event).ok()?;
    let known = ["specversion", "id", "source", "type", "time", "data"];
    known.iter().all(|name| members.contains_key(*name)).then_some(())?;
    let data = members.get("data")?.get().as_bytes().to_vec();
    let attributes = members.iter().filter(|(name, _)| *name != "data");
    let attributes = attributes.map(|(name, value)| Some((name.clone(), serde_json::from_str(value.get()).ok()?)));
    Some((attributes.collect::<Option<_>>()?, data))
}

/// The same facts in another order: whole stretches change places, and neighbours within them.
pub(crate) fn shuffled(messages: Vec<Visible>, seed: u64) -> Vec<Visible> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut messages = messages;
    messages.shuffle(&mut random);
    messages
}

/// Publishes in transactions.
pub(crate) struct Publisher<'a> {
    pub(crate) producer: TestProducer,
    pub(crate) topics: &'a [String; 3],
    /// Added to every partition, so that a second round lands elsewhere.
    pub(crate) shift: i32,
    pub(crate) random: ChaCha8Rng,
    /// Messages in committed transactions, nulls included.
    pub(crate) committed: &'a AtomicU64,
    pub(crate) nulls: &'a AtomicU64,
}

impl Publisher<'_> {
    /// Publishes one share for each token.
    pub(crate) fn publish(mut self, messages: &[Visible], share: usize, tokens: &Receiver<()>) {
        for part in messages.chunks(share) {
            if tokens.recv().is_err() {
                return;
            }
            let mut left = part;
            while !left.is_empty() {
                let count = self.random.random_range(1..=600).min(left.len());
                let (now, later) = left.split_at(count);
                if self.random.random_ratio(1, 5) {
                    self.publish_in_vain(now);
                }
                self.transaction(now);
                left = later;
            }
        }
    }

    fn transaction(&mut self, messages: &[Visible]) {
        let mut nulls = 0;
        self.producer.begin();
        for message in messages {
            self.producer.send(
                &self.topics[message.topic],
                &self.record(message, Some(message.value.clone())),
            );
            if self.random.random_ratio(1, 100) {
                self.producer
                    .send(&self.topics[message.topic], &self.record(message, None));
                nulls += 1;
            }
        }
        self.producer.commit();
        self.nulls.fetch_add(nulls, Ordering::Relaxed);
        self.committed
            .fetch_add(nulls + messages.len() as u64, Ordering::Relaxed);
    }

    /// Messages of an aborted transaction: the messages to come as they are, contradictions of them that would win, and
    /// some that nobody can read. Were one of them seen, answers and counts would be others.
    fn publish_in_vain(&mut self, messages: &[Visible]) {
        self.producer.begin();
        for message in messages.iter().take(100) {
            let ghost = match self.random.next_u32() % 3 {
                0 => message.value.clone(),
                1 => contradiction(message),
                _ => format!("ghost {}", self.random.next_u64()).into_bytes(),
            };
            self.producer
                .send(&self.topics[message.topic], &self.record(message, Some(ghost)));
        }
        self.producer.abort();
    }

    fn record(&self, message: &Visible, value: Option<Vec<u8>>) -> Record {
        let prefixed = |(name, value): &(String, String)| (format!("ce_{name}"), value.clone().into_bytes());
        let content_type = if message.attributes.is_empty() {
            "application/cloudevents+json"
        } else {
            "application/json"
        };
        let headers = message.attributes.iter().map(prefixed);
        let hash = message
            .key
            .bytes()
            .fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
        Record {
            partition: (hash.cast_signed() & 0xffff).wrapping_add(self.shift) % PARTITIONS,
            key: message.key.clone(),
            value,
            headers: headers
                .chain([("content-type".to_owned(), content_type.into())])
                .collect(),
            timestamp: None,
        }
    }
}

/// The message with the greatest version there is and another content.
fn contradiction(message: &Visible) -> Vec<u8> {
    let Ok(mut event) = serde_json::from_slice::<Value>(&message.value) else {
        return b"not even a ghost".to_vec();
    };
    let data = if message.attributes.is_empty() {
        event.get_mut("data")
    } else {
        Some(&mut event)
    };
    if let Some(data) = data.and_then(Value::as_object_mut) {
        data.insert("version".to_owned(), json!(9_007_199_254_740_991_u64));
        data.insert("metadata".to_owned(), json!({"ghost": "ghost"}));
    }
    event.to_string().into_bytes()
}
