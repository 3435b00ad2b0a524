//! Cursors: where the next page begins, signed.
//!
//! A cursor holds the place of the last row and a MAC over that place and everything the page depends on: the list, the
//! filters, the order and the key. So a cursor works only for the very question and key that it was given to, and what
//! is inside needs no further check. Nothing is stored on the server.

mod sealed;

use chrono::DateTime;
use domain::record::Kind;
use ledger::{EntryPlace, Order};
use lookup::SortKey;
use sha2::{Digest, Sha256};

use crate::cursor::sealed::Seal;
use crate::params::Params;

/// What a cursor is bound to.
pub(crate) struct Binding([u8; 32]);

impl Binding {
    /// `list` names the kind of rows. The page's size may change from page to page, so `limit` is left out, and so are
    /// `total` and `explain`, which most clients want once, and how the answer is written; `order` is given apart, because the default
    /// and its spelling are one.
    pub(crate) fn new(list: &str, key_id: &str, order: Order, params: &Params) -> Self {
        let order = match order {
            Order::NewestFirst => "desc",
            Order::OldestFirst => "asc",
        };
        let mut filters: Vec<(&str, &str)> = params
            .pairs()
            .filter(|(name, _)| !["cursor", "limit", "order", "total", "explain", "format", "manifest"].contains(name))
            .collect();
        filters.sort_unstable();
        let mut hash = Sha256::new();
        let texts = [list, key_id, order]
            .into_iter()
            .chain(filters.iter().flat_map(|(name, value)| [*name, *value]));
        for text in texts {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        Binding(hash.finalize().into())
    }
}

/// Signs and reads cursors.
pub(crate) struct Cursors(Seal);

impl Cursors {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Cursors(Seal::new(secret))
    }

    pub(crate) fn of_payment(&self, binding: &Binding, key: &SortKey) -> String {
        let place = sealed::write_payment(key.occurred_at.timestamp_micros(), &key.payment_key);
        self.0.close(&binding.0, place)
    }

    pub(crate) fn read_payment(&self, binding: &Binding, cursor: &str) -> Option<SortKey> {
        let (micros, payment_key) = sealed::read_payment(&self.0.open(&binding.0, cursor)?)?;
        let occurred_at = DateTime::from_timestamp_micros(micros)?;
        Some(SortKey {
            occurred_at,
            payment_key,
        })
    }

    pub(crate) fn of_entry(&self, binding: &Binding, place: &EntryPlace) -> String {
        let kind = Kind::ALL
            .iter()
            .position(|kind| *kind == place.kind)
            .unwrap_or_default() as u8;
        let place = sealed::write_entry(kind, &place.payment_key, &place.entry_id);
        self.0.close(&binding.0, place)
    }

    pub(crate) fn read_entry(&self, binding: &Binding, cursor: &str) -> Option<EntryPlace> {
        let (kind, payment_key, entry_id) = sealed::read_entry(&self.0.open(&binding.0, cursor)?)?;
        Some(EntryPlace {
            payment_key,
            kind: *Kind::ALL.get(usize::from(kind))?,
            entry_id,
        })
    }

    pub(crate) fn of_number(&self, binding: &Binding, number: u64) -> String {
        self.0.close(&binding.0, sealed::write_number(number))
    }

    pub(crate) fn read_number(&self, binding: &Binding, cursor: &str) -> Option<u64> {
        sealed::read_number(&self.0.open(&binding.0, cursor)?)
    }
}
