//! How one order of messages comes in: batches of any size, several partitions, either mode of an event, null values,
//! restarts, and derived stores that are gone or old after one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::position::PartitionId;
use domain::time::Zones;
use projector::index_keeper::IndexLimits;
use projector::source::Headers;
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::chance::Chance;
use crate::product::{Product, Sent, index_limits};

/// How rough the way in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// One batch of structured messages, nothing between.
    Plain,
    /// Everything that [`self`] names.
    Rough,
}

pub(crate) fn zones() -> Zones {
    let zones = testkit::histories::zones();
    Zones {
        default: zones.default,
        merchants: zones.merchants,
    }
}

/// A product that has taken `messages` in their order, the same way for the same seed.
pub(crate) fn fed(messages: &[Vec<u8>], seed: u64, way: Way) -> Product {
    let mut chance = Chance::new(seed);
    let mut product = Product::new(zones(), commit_interval(&mut chance));
    let mut feeder = Feeder::new(chance, way);
    match way {
        Way::Plain => feeder.batch(&mut product, messages),
        Way::Rough => feeder.rough(&mut product, messages),
    }
    product
}

/// An index that is always as far as the ledger, somewhat behind, or where it was at the last start.
fn commit_interval(chance: &mut Chance) -> IndexLimits {
    index_limits(match chance.between(0, 2) {
        0 => Duration::ZERO,
        1 => Duration::from_millis(3),
        _ => Duration::from_secs(3600),
    })
}

struct Feeder {
    chance: Chance,
    way: Way,
    next: BTreeMap<Arc<PartitionId>, u64>,
    partitions: Vec<Arc<PartitionId>>,
    /// Copies of derived stores from an earlier stop.
    copies: TempDir,
}

impl Feeder {
    fn new(chance: Chance, way: Way) -> Self {
        let kafka = |topic: &str, partition| PartitionId::Kafka {
            topic: topic.to_owned(),
            partition,
        };
        let partitions = vec![
            kafka("payments", 0),
            kafka("payments", 1),
            kafka("settlements", 0),
            PartitionId::File { sha256: "0".repeat(64) },
        ];
        Feeder {
            chance,
            way,
            next: BTreeMap::new(),
            partitions: partitions.into_iter().map(Arc::new).collect(),
            copies: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    fn rough(&mut self, product: &mut Product, messages: &[Vec<u8>]) {
        let largest = [1, 3, 8, 100][self.chance.between(0, 3)];
        let mut rest = messages;
        while !rest.is_empty() {
            let size = self.chance.between(1, largest).min(rest.len());
            let (batch, later) = rest.split_at(size);
            self.batch(product, batch);
            if self.chance.percent(10) {
                // Once more, as after a rebalance that lost the offsets.
                self.batch(product, batch);
            }
            rest = later;
            match self.chance.between(0, 99) {
                0..=7 => self.restart(product),
                8..=9 => product.recover(),
                _ => {}
            }
        }
        if self.chance.percent(50) {
            self.restart(product);
        }
    }

    fn batch(&mut self, product: &mut Product, messages: &[Vec<u8>]) {
        let mut sent: Vec<Sent> = messages.iter().map(|message| self.sent(message)).collect();
        if self.way == Way::Rough && self.chance.percent(10) {
            let at = self.chance.between(0, sent.len());
            let (partition, position) = self.place();
            sent.insert(
                at,
                Sent {
                    partition,
                    position,
                    value: None,
                },
            );
        }
        product.apply(sent);
    }

    fn sent(&mut self, message: &[u8]) -> Sent {
        let (partition, position) = self.place();
        let binary = self.way == Way::Rough && self.chance.percent(20);
        let value = binary.then(|| binary_mode(message)).flatten();
        Sent {
            partition,
            position,
            value: Some(value.unwrap_or_else(|| (message.to_vec(), Vec::new()))),
        }
    }

    /// The next position of any partition, sometimes behind a gap.
    fn place(&mut self) -> (Arc<PartitionId>, u64) {
        let last = if self.way == Way::Rough {
            self.partitions.len() - 1
        } else {
            0
        };
        let partition = self.partitions[self.chance.between(0, last)].clone();
        let gap = u64::from(self.chance.percent(10)) * 7;
        let next = self.next.entry(partition.clone()).or_default();
        let position = *next + gap;
        *next = position + 1;
        (partition, position)
    }

    fn restart(&mut self, product: &mut Product) {
        let loss = self.chance.between(0, 7);
        let keeps_copy = self.chance.percent(40);
        let copies = self.copies.path();
        product.restart(|product| {
            match loss {
                0 => product.remove("index"),
                1 => product.remove("rows"),
                2 => {
                    product.remove("index");
                    product.remove("rows");
                }
                3 => older(product, "index", copies),
                4 => older(product, "rows", copies),
                _ => {}
            }
            if keeps_copy {
                for name in ["index", "rows"] {
                    let copy = copies.join(name);
                    // Where there is none yet, there is nothing to remove.
                    fs::remove_dir_all(&copy).ok();
                    copied(&product.store(name), &copy);
                }
            }
        });
    }
}

/// Puts the copy of a store in its place, if there is one.
fn older(product: &Product, name: &str, copies: &Path) {
    let copy = copies.join(name);
    if copy.exists() {
        product.remove(name);
        copied(&copy, &product.store(name));
    }
}

fn copied(from: &Path, to: &Path) {
    if !from.exists() {
        return;
    }
    fs::create_dir_all(to).expect("a directory");
    for item in fs::read_dir(from).expect("a store").filter_map(Result::ok) {
        let target = to.join(item.file_name());
        if item.file_type().is_ok_and(|kind| kind.is_dir()) {
            copied(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).expect("a file is copied");
        }
    }
}

/// The same event in binary mode, where it is one that can be sent so.
fn binary_mode(message: &[u8]) -> Option<(Vec<u8>, Headers)> {
    // A refused message is another one in binary mode, with another payment to be told from it.
    testkit::oracle::Oracle::new(testkit::histories::zones())
        .feed(message)
        .ok()?;
    let event: BTreeMap<String, &RawValue> = serde_json::from_slice(message).ok()?;
    let mut headers: Headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
    for (name, value) in &event {
        match serde_json::from_str(value.get()).ok()? {
            _ if name == "data" || name == "datacontenttype" => {}
            Value::String(text) => headers.push((format!("ce_{name}"), text.into_bytes())),
            _ => {}
        }
    }
    Some((event.get("data")?.get().as_bytes().to_vec(), headers))
}
