//! Cursors: where the next page begins, signed.
//!
//! A cursor holds the place of the last row and a MAC over that place and everything the page depends on: the list, the
//! filters, the order and the key. So a cursor works only for the very question and key that it was given to, and what
//! is inside needs no further check. Nothing is stored on the server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use domain::record::Kind;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ledger::{EntryPlace, Order};
use lookup::SortKey;
use sha2::{Digest, Sha256};

use crate::params::Params;

/// 128 bits of the MAC: out of reach for guessing, half as long in a URL.
const MAC_BYTES: usize = 16;

/// What a cursor is bound to.
pub(crate) struct Binding([u8; 32]);

impl Binding {
    /// `list` names the kind of rows. The page's size may change from page to page, so `limit` is left out, and so are
    /// `total`, which most clients want once, and how the answer is written; `order` is given apart, because the default
    /// and its spelling are one.
    pub(crate) fn new(list: &str, key_id: &str, order: Order, params: &Params) -> Self {
        let order = match order {
            Order::NewestFirst => "desc",
            Order::OldestFirst => "asc",
        };
        let mut filters: Vec<(&str, &str)> = params
            .pairs()
            .filter(|(name, _)| !["cursor", "limit", "order", "total", "format", "manifest"].contains(name))
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
pub(crate) struct Cursors {
    secret: [u8; 32],
}

impl Cursors {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Cursors { secret }
    }

    pub(crate) fn of_payment(&self, binding: &Binding, key: &SortKey) -> String {
        let mut place = key.occurred_at.timestamp_micros().to_be_bytes().to_vec();
        place.extend_from_slice(key.payment_key.as_bytes());
        self.sign(binding, place)
    }

    pub(crate) fn read_payment(&self, binding: &Binding, cursor: &str) -> Option<SortKey> {
        let place = self.verify(binding, cursor)?;
        let (micros, key) = place.split_first_chunk()?;
        let occurred_at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?;
        Some(SortKey {
            occurred_at,
            payment_key: String::from_utf8(key.to_vec()).ok()?,
        })
    }

    pub(crate) fn of_entry(&self, binding: &Binding, place: &EntryPlace) -> String {
        let kind = Kind::ALL
            .iter()
            .position(|kind| *kind == place.kind)
            .unwrap_or_default() as u8;
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&(place.payment_key.len() as u32).to_be_bytes());
        bytes.extend_from_slice(place.payment_key.as_bytes());
        bytes.extend_from_slice(place.entry_id.as_bytes());
        self.sign(binding, bytes)
    }

    pub(crate) fn read_entry(&self, binding: &Binding, cursor: &str) -> Option<EntryPlace> {
        let bytes = self.verify(binding, cursor)?;
        let (kind, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (key, id) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        Some(EntryPlace {
            payment_key: String::from_utf8(key.to_vec()).ok()?,
            kind: *Kind::ALL.get(usize::from(*kind))?,
            entry_id: String::from_utf8(id.to_vec()).ok()?,
        })
    }

    pub(crate) fn of_number(&self, binding: &Binding, number: u64) -> String {
        self.sign(binding, number.to_be_bytes().to_vec())
    }

    pub(crate) fn read_number(&self, binding: &Binding, cursor: &str) -> Option<u64> {
        let place = self.verify(binding, cursor)?;
        Some(u64::from_be_bytes(place.try_into().ok()?))
    }

    fn sign(&self, binding: &Binding, mut place: Vec<u8>) -> String {
        if let Some(mac) = self.mac(binding, &place) {
            place.extend_from_slice(&mac.finalize().into_bytes()[..MAC_BYTES]);
        }
        URL_SAFE_NO_PAD.encode(place)
    }

    fn verify(&self, binding: &Binding, cursor: &str) -> Option<Vec<u8>> {
        let mut place = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let sent = place.split_off(place.len().checked_sub(MAC_BYTES)?);
        // Compares in constant time.
        self.mac(binding, &place)?.verify_truncated_left(&sent).ok()?;
        Some(place)
    }

    /// HMAC takes a key of any length, so there always is one.
    fn mac(&self, binding: &Binding, place: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        mac.update(&binding.0);
        mac.update(place);
        Some(mac)
    }
}
