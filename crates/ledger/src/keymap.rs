//! Payment key to seq, in memory.
//!
//! Every payment key ever seen has one seq. The map holds 32 bits of the key's hash and the seq, 8 bytes a key and 9 to
//! 20 with the table's free places (about 2 GB at 100 million keys); the shard holds 8 more bits of the hash. Two keys
//! can share all 40 bits, so a hit is a *candidate*: the caller compares the full key of the row. The hash is seeded per
//! store, so that nobody outside can choose keys that collide.

use hashbrown::HashTable;
use parking_lot::RwLock;
use xxhash_rust::xxh3::xxh3_64_with_seed;

const SHARDS: usize = 256;

#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    seq: u32,
}

/// The map. Reads and inserts may run side by side.
pub(crate) struct KeyMap {
    seed: u64,
    shards: Box<[RwLock<HashTable<Slot>>]>,
}

/// The most payments one store can hold: seqs are kept in 32 bits.
pub(crate) const SEQ_MAX: u64 = u32::MAX as u64;

impl KeyMap {
    pub(crate) fn new(seed: u64) -> Self {
        KeyMap {
            seed,
            shards: (0..SHARDS).map(|_| RwLock::new(HashTable::new())).collect(),
        }
    }

    /// The 40 bits of a key's hash that the ledger keeps beside its seq.
    pub(crate) fn hash(&self, payment_key: &str) -> u64 {
        xxh3_64_with_seed(payment_key.as_bytes(), self.seed) >> 24
    }

    /// Every seq whose key may be the one hashed.
    pub(crate) fn candidates(&self, hash: u64) -> Vec<u64> {
        let (shard, tag) = place(hash);
        let table = self.shards[shard].read();
        table
            .iter_hash(spread(tag))
            .filter(|slot| slot.tag == tag)
            .map(|slot| u64::from(slot.seq))
            .collect()
    }

    pub(crate) fn insert(&self, hash: u64, seq: u64) {
        let (shard, tag) = place(hash);
        let slot = Slot {
            tag,
            seq: u32::try_from(seq).unwrap_or(u32::MAX),
        };
        self.shards[shard]
            .write()
            .insert_unique(spread(tag), slot, |slot| spread(slot.tag));
    }

    /// Many at once, one shard after the other: each then lies in the processor's cache while it grows.
    pub(crate) fn extend(&self, keys: &[(u64, u64)]) {
        let mut by_shard: Vec<Vec<Slot>> = vec![Vec::new(); SHARDS];
        for (hash, seq) in keys {
            let (shard, tag) = place(*hash);
            let seq = u32::try_from(*seq).unwrap_or(u32::MAX);
            by_shard[shard].push(Slot { tag, seq });
        }
        for (shard, slots) in self.shards.iter().zip(by_shard) {
            let mut table = shard.write();
            table.reserve(slots.len(), |slot| spread(slot.tag));
            for slot in slots {
                table.insert_unique(spread(slot.tag), slot, |slot| spread(slot.tag));
            }
        }
    }

    /// Number of keys.
    pub(crate) fn len(&self) -> u64 {
        self.shards.iter().map(|shard| shard.read().len() as u64).sum()
    }
}

/// The shard takes the upper 8 of 40 bits, the tag the lower 32.
fn place(hash: u64) -> (usize, u32) {
    (usize::from((hash >> 32) as u8), hash as u32)
}

/// The table takes its probe start from the low and its control byte from the high bits: spread 32 bits over 64.
fn spread(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
