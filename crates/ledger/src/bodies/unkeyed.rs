//! A payment's key is spelled in the first of its bodies alone.
//!
//! Its other messages come days later, where nothing near them has the key, which is as good as random: it would be a fifth of
//! what a settlement line takes. A byte that no body has stands for it.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::{memchr, memmem};
use serde::Deserialize;

/// Stands for a key and its quotation marks. Canonical JSON escapes control characters, so it stands for nothing else.
const KEY: u8 = 1;

/// A key as canonical JSON spells it.
fn spelled(payment_key: &str) -> Vec<u8> {
    serde_json::Value::from(payment_key).to_string().into_bytes()
}

/// A body as it is kept behind the first one of its payment.
pub(crate) fn without_key(body: &[u8], payment_key: &str) -> Vec<u8> {
    let key = spelled(payment_key);
    match memmem::find(body, &key) {
        Some(at) => [&body[..at], &[KEY], &body[at + key.len()..]].concat(),
        // Spelled in another way, which takes room and nothing else.
        None => body.to_vec(),
    }
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    payment_key: Cow<'a, str>,
}

/// The keys of the payments whose first bodies were read.
#[derive(Default)]
pub(crate) struct Keys(HashMap<u64, Vec<u8>>);

impl Keys {
    /// A body as it was before [`without_key`]; None where its payment's first one was not read before it.
    pub(crate) fn whole<'a>(&mut self, seq: u64, kept: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let Some(at) = memchr(KEY, kept) else {
            if !self.0.contains_key(&seq)
                && let Ok(named) = serde_json::from_slice::<Named<'_>>(kept)
            {
                self.0.insert(seq, spelled(&named.payment_key));
            }
            return Some(kept.into());
        };
        let key = self.0.get(&seq)?;
        Some([&kept[..at], key, &kept[at + 1..]].concat().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_comes_back_as_it_was_spelled() {
        for key in ["k1", "a\"b\\c\u{1}\n", "결제", "\u{1f}", "payment_key", ""] {
            let first = serde_json::json!({"amount": "1", "payment_key": key, "z": key}).to_string();
            let later = serde_json::json!({"amount": "2", "a": format!("\"{key}\""), "payment_key": key}).to_string();
            let kept = without_key(later.as_bytes(), key);
            assert!(kept.len() < later.len());
            let mut keys = Keys::default();
            assert_eq!(keys.whole(7, &kept), None, "its first body was not read");
            assert_eq!(keys.whole(7, first.as_bytes()).as_deref(), Some(first.as_bytes()));
            assert_eq!(keys.whole(7, &kept).as_deref(), Some(later.as_bytes()));
            assert_eq!(keys.whole(8, &kept), None, "another payment");
        }
    }

    #[test]
    fn a_body_without_its_key_is_kept_as_it_is() {
        let body = br#"{"payment_key":"\u006b1"}"#;
        assert_eq!(without_key(body, "k1"), body);
    }
}
