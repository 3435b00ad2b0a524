//! The payment that a refused message speaks of.
//!
//! A refused message still flags its payment, so the key is read with less demands than the message: the text must be
//! JSON by its grammar, and from the root to `payment_key` each name must stand once and hold what it should. Size and depth, other
//! names, and escapes and numbers elsewhere do not matter: what reads here neither recurses nor copies.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::decode::fields::IDENTIFIER_CHARS_MAX;
use crate::json::is_json;
use crate::message::Encoding;

/// `data.payment_key`, where it can be read and is an identifier.
pub(super) fn payment_key(bytes: &[u8], encoding: Encoding<'_>) -> Option<String> {
    if !is_json(bytes) {
        return None;
    }
    let root = std::str::from_utf8(bytes).ok()?;
    let data = match encoding {
        Encoding::Structured => member(root, "data")?,
        Encoding::Binary(_) => root,
    };
    let key: String = serde_json::from_str(member(data, "payment_key")?).ok()?;
    (1..=IDENTIFIER_CHARS_MAX).contains(&key.chars().count()).then_some(key)
}

/// `id` and `source` of the event, where the id can be read and is one.
pub(super) fn event(bytes: &[u8], encoding: Encoding<'_>) -> Option<(String, String)> {
    let text = |name: &str| -> Option<String> {
        match encoding {
            Encoding::Structured => serde_json::from_str(member(std::str::from_utf8(bytes).ok()?, name)?).ok(),
            Encoding::Binary(headers) => {
                let mut values = headers.iter().filter(|(header, _)| *header == name);
                let (_, value) = values.next()?;
                match values.next() {
                    None => Some(std::str::from_utf8(value).ok()?.to_owned()),
                    Some(_) => None,
                }
            }
        }
    };
    if matches!(encoding, Encoding::Structured) && !is_json(bytes) {
        return None;
    }
    let id = text("id").filter(|id| (1..=IDENTIFIER_CHARS_MAX).contains(&id.chars().count()))?;
    Some((id, text("source").unwrap_or_default()))
}

/// The text of the one member with this name, if the text is an object and has exactly one.
fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer
        .deserialize_map(OnlyMember { name })
        .ok()
        .flatten()
        .map(RawValue::get)
}

struct OnlyMember<'n> {
    name: &'n str,
}

impl<'de> Visitor<'de> for OnlyMember<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut count) = (None, 0);
        while let Some(is_wanted) = entries.next_key_seed(IsName(self.name))? {
            let value: &RawValue = entries.next_value()?;
            if is_wanted {
                found = Some(value);
                count += 1;
            }
        }
        Ok(found.filter(|_| count == 1))
    }
}

/// Compares a name as bytes, because a name with a lone surrogate is no string.
struct IsName<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<bool, E> {
        Ok(name == self.0.as_bytes())
    }
}
