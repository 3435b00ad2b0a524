//! One JSON text as one tree, with what the contract asks of every text: no duplicate names, no lone surrogates, at most
//! [`DEPTH_MAX`] levels, and numbers that a double can hold.
//!
//! Strings borrow from the text where they need no unescaping. An object keeps its members sorted by the UTF-16 units
//! of their names, which is the order of RFC 8785: duplicates become neighbours, a member is found by halving, and
//! the canonical form is one walk. Numbers are doubles because RFC 8785 says that JSON numbers are.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::decode::code;
use crate::decode::pointer::Segment;
use crate::refusal::Refusal;

/// How many objects and arrays may stand inside one another, the outermost included.
pub(crate) const DEPTH_MAX: usize = 32;

/// Objects down to here (the envelope and its data) mostly have so many members: room for them is made at once.
const SPACIOUS_DEPTH: usize = 2;
const SPACIOUS_MEMBERS: usize = 16;

/// Any JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(f64),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// The members of an object, sorted by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.find(name).and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    /// Takes the value of a member and leaves `null` in its place.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json<'a>> {
        let at = self.find(name)?;
        self.0
            .get_mut(at)
            .map(|(_, value)| std::mem::replace(value, Json::Null))
    }

    pub(crate) fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        &self.0
    }

    pub(crate) fn members_mut(&mut self) -> impl Iterator<Item = (&str, &mut Json<'a>)> {
        self.0.iter_mut().map(|(name, value)| (&**name, value))
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|(member, _)| utf16_order(member, name)).ok()
    }
}

/// The order of two strings by their UTF-16 code units. It differs from the order of their bytes only where a
/// character beyond the basic plane meets one from U+E000 to U+FFFF, both of which begin with a byte from 0xEE on.
fn utf16_order(left: &str, right: &str) -> Ordering {
    let mut bytes = left.bytes().zip(right.bytes());
    match bytes.find(|(left, right)| left != right) {
        None => left.len().cmp(&right.len()),
        Some((0xEE.., 0xEE..)) => left.encode_utf16().cmp(right.encode_utf16()),
        Some((left, right)) => left.cmp(&right),
    }
}

/// Reads a whole text, whose size was checked before.
pub(crate) fn parse(bytes: &[u8]) -> Result<Json<'_>, Refusal> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(Refusal::new(
            code::NOT_JSON,
            "",
            "the message is not UTF-8: send JSON text encoded as UTF-8",
        ));
    };
    let reading = Reading::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = Value {
        reading: &reading,
        depth: 1,
    }
    .deserialize(&mut deserializer);
    match parsed.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => Err(reading.explain(bytes, &error)),
    }
}

/// Whether the bytes are one JSON text by the grammar alone, whatever its depth, names, surrogates and numbers.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && grammar_error(bytes).is_none()
}

/// What is wrong with the grammar. `IgnoredAny` neither recurses nor looks into escapes, so it judges nothing else.
fn grammar_error(bytes: &[u8]) -> Option<serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    de::Deserialize::deserialize(&mut deserializer)
        .and_then(|IgnoredAny| deserializer.end())
        .err()
}

/// What is remembered of a reading that fails: which rule was broken, and the way up from there to the root.
#[derive(Default)]
struct Reading {
    broken: Cell<Option<Broken>>,
    trail: RefCell<Vec<Segment>>,
}

#[derive(Clone, Copy)]
enum Broken {
    Depth,
    Duplicate,
}

impl Reading {
    fn climb<T, E>(&self, result: Result<T, E>, segment: impl FnOnce() -> Segment) -> Result<T, E> {
        if result.is_err() {
            self.trail.borrow_mut().push(segment());
        }
        result
    }

    fn breaks<T, E: de::Error>(&self, broken: Broken) -> Result<T, E> {
        self.broken.set(Some(broken));
        Err(E::custom("refused"))
    }

    fn explain(&self, bytes: &[u8], error: &serde_json::Error) -> Refusal {
        // A text that is no JSON at all is called that, even if another rule was broken before its end.
        if let Some(error) = grammar_error(bytes) {
            let detail = format!(
                "the message is not JSON: the text breaks off or goes wrong at line {}, column {}; send one CloudEvent as JSON",
                error.line(),
                error.column()
            );
            return Refusal::new(code::NOT_JSON, "", detail);
        }
        let pointer = Segment::pointer(self.trail.borrow().iter().rev());
        match self.broken.get() {
            Some(Broken::Depth) => {
                let detail = format!("objects and arrays are nested deeper than {DEPTH_MAX} levels: flatten the data");
                Refusal::new(code::TOO_DEEP, pointer, detail)
            }
            Some(Broken::Duplicate) => {
                let detail = "this name stands twice in one object: send each name once";
                Refusal::new(code::DUPLICATE_NAME, pointer, detail)
            }
            // The grammar is sound, so what is left is a number or an escape without a value.
            None if error.to_string().starts_with("number out of range") => {
                let detail = "this number is beyond what a double can hold: send it as a string";
                Refusal::new(code::NUMBER_OUT_OF_RANGE, pointer, detail)
            }
            None => {
                let detail = "a \\u escape names half of a surrogate pair: send whole characters";
                Refusal::new(code::LONE_SURROGATE, pointer, detail)
            }
        }
    }
}

/// Reads one value that stands inside `depth - 1` containers.
struct Value<'r> {
    reading: &'r Reading,
    depth: usize,
}

impl Value<'_> {
    fn inner(&self) -> Value<'_> {
        Value {
            reading: self.reading,
            depth: self.depth + 1,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        if self.depth > DEPTH_MAX {
            return self.reading.breaks(Broken::Depth);
        }
        let mut array = Vec::new();
        loop {
            let next = items.next_element_seed(self.inner());
            match self.reading.climb(next, || Segment::Index(array.len()))? {
                Some(item) => array.push(item),
                None => return Ok(Json::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        if self.depth > DEPTH_MAX {
            return self.reading.breaks(Broken::Depth);
        }
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::new();
        while let Some(name) = entries.next_key_seed(Name)? {
            let value = entries.next_value_seed(self.inner());
            let value = self.reading.climb(value, || Segment::name(&name))?;
            if members.is_empty() && self.depth <= SPACIOUS_DEPTH {
                members.reserve(SPACIOUS_MEMBERS);
            }
            members.push((name, value));
        }
        members.sort_unstable_by(|(left, _), (right, _)| utf16_order(left, right));
        let twice = members.windows(2).find(|pair| pair[0].0 == pair[1].0);
        if let Some([(name, _), _]) = twice {
            let refused = self.reading.breaks(Broken::Duplicate);
            return self.reading.climb(refused, || Segment::name(name));
        }
        Ok(Json::Object(Object(members)))
    }
}

/// Reads the name of a member, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
