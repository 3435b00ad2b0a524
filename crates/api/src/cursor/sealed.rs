//! What a cursor is made of: the bytes of a place, and the seal on them. It knows nothing of the stores, so that `fuzz/`
//! can take this file alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// 128 bits of the MAC: out of reach for guessing, half as long in a URL.
const MAC_BYTES: usize = 16;

/// Puts places under a MAC, and takes them out where the MAC is right.
pub(crate) struct Seal {
    secret: [u8; 32],
}

impl Seal {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Seal { secret }
    }

    /// `binding` is the digest of everything else that the cursor depends on.
    pub(crate) fn close(&self, binding: &[u8; 32], mut place: Vec<u8>) -> String {
        if let Some(mac) = self.mac(binding, &place) {
            place.extend_from_slice(&mac.finalize().into_bytes()[..MAC_BYTES]);
        }
        URL_SAFE_NO_PAD.encode(place)
    }

    pub(crate) fn open(&self, binding: &[u8; 32], cursor: &str) -> Option<Vec<u8>> {
        let mut place = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let sent = place.split_off(place.len().checked_sub(MAC_BYTES)?);
        // Compares in constant time.
        self.mac(binding, &place)?.verify_truncated_left(&sent).ok()?;
        Some(place)
    }

    /// HMAC takes a key of any length, so there always is one.
    fn mac(&self, binding: &[u8; 32], place: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        mac.update(binding);
        mac.update(place);
        Some(mac)
    }
}

/// Microseconds since 1970 and the payment key.
pub(crate) fn write_payment(micros: i64, payment_key: &str) -> Vec<u8> {
    let mut place = micros.to_be_bytes().to_vec();
    place.extend_from_slice(payment_key.as_bytes());
    place
}

pub(crate) fn read_payment(place: &[u8]) -> Option<(i64, String)> {
    let (micros, key) = place.split_first_chunk()?;
    Some((i64::from_be_bytes(*micros), text(key)?))
}

/// The number of the kind, the payment key and the entry's id.
pub(crate) fn write_entry(kind: u8, payment_key: &str, entry_id: &str) -> Vec<u8> {
    let mut place = vec![kind];
    place.extend_from_slice(&(payment_key.len() as u32).to_be_bytes());
    place.extend_from_slice(payment_key.as_bytes());
    place.extend_from_slice(entry_id.as_bytes());
    place
}

pub(crate) fn read_entry(place: &[u8]) -> Option<(u8, String, String)> {
    let (kind, rest) = place.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (key, id) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((*kind, text(key)?, text(id)?))
}

pub(crate) fn write_number(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

pub(crate) fn read_number(place: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(place.try_into().ok()?))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
