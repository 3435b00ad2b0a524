//! Histories that try to make order matter.
//!
//! A [`History`] is a handful of messages about one to four payments that share merchants, currencies and ids: versions
//! out of order, the same fact in other words, conflicts, tombstones and revivals, entries whose payment comes late or
//! never, entries naming the wrong merchant or currency, changed identities, refused messages whose payment can or cannot
//! be told, card numbers in text, instants a microsecond around midnight in three zones, and amounts from zero to the
//! end of an i64. It is a function of its seed alone.
//!
//! What the contract leaves open is left out, so that a difference is a misreading and not a matter of taste: leap
//! seconds, nesting of exactly the permitted depth, empty methods, numbers beyond 2^53, two `payment_key` in one object.

mod entries;
mod material;
mod order;
mod poison;
mod questions;
mod spelling;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use order::all_permutations;
pub use questions::{Asked, Question, random_queries};

use crate::oracle::{Oracle, Zones};
use material::Draw;

/// The merchants of every history, with their zones; each boundary of a day is another instant for each of them.
pub fn zones() -> Zones {
    let merchants = [
        ("m_ny".to_owned(), chrono_tz::America::New_York),
        ("m_utc".to_owned(), chrono_tz::UTC),
    ];
    Zones {
        default: chrono_tz::Asia::Seoul,
        merchants: merchants.into(),
    }
}

/// Some messages in some order; print the seed when something fails.
#[derive(Debug, Clone)]
pub struct History {
    /// What the history was made from.
    pub seed: u64,
    /// Structured-mode messages.
    pub messages: Vec<Vec<u8>>,
    /// The payments that the messages are about.
    pub payment_keys: Vec<String>,
}

impl History {
    /// One to four payments of one to twelve messages each, and some refused messages.
    pub fn random(seed: u64) -> Self {
        Self::made(seed, 4, 12, usize::MAX)
    }

    /// At most six messages, about one or two payments: few enough for every permutation.
    pub fn small(seed: u64) -> Self {
        Self::made(seed, 2, 6, 6)
    }

    fn made(seed: u64, payments_max: usize, messages_max: usize, total_max: usize) -> Self {
        let mut draw = Draw::new(seed);
        let payment_keys = material::payment_keys(&mut draw, payments_max);
        let mut data = Vec::new();
        for key in &payment_keys {
            let count = draw.between(1, messages_max);
            data.extend(entries::about_one_payment(&mut draw, key, count));
        }
        let mut messages: Vec<Vec<u8>> = data.iter().map(|entry| spelling::message(&mut draw, entry)).collect();
        messages.extend(poison::some(&mut draw, &payment_keys));
        draw.shuffle(&mut messages);
        messages.truncate(total_max);
        Self {
            seed,
            messages,
            payment_keys,
        }
    }

    /// The same messages in another order, some of them doubled.
    pub fn shuffled(&self, order_seed: u64) -> Vec<Vec<u8>> {
        order::shuffled(&self.messages, self.seed ^ order_seed.rotate_left(32))
    }

    /// The same history about other payments: each key gets the suffix. Digests change with the keys, so a renamed
    /// history has its own answers.
    pub fn renamed(&self, suffix: &str) -> Self {
        let rename = |text: &str| {
            self.payment_keys.iter().fold(text.to_owned(), |text, key| {
                text.replace(&format!("\"{key}\""), &format!("\"{key}{suffix}\""))
            })
        };
        // Bytes that are no text hold no key.
        let renamed = |raw: &Vec<u8>| match std::str::from_utf8(raw) {
            Ok(text) => rename(text).into_bytes(),
            Err(_) => raw.clone(),
        };
        Self {
            seed: self.seed,
            messages: self.messages.iter().map(renamed).collect(),
            payment_keys: self.payment_keys.iter().map(|key| format!("{key}{suffix}")).collect(),
        }
    }

    /// The oracle of this history.
    pub fn oracle(&self) -> Oracle {
        let mut oracle = Oracle::new(zones());
        for message in &self.messages {
            // A refused message is part of the history, not a failure.
            let _judged = oracle.feed(message);
        }
        oracle
    }
}
