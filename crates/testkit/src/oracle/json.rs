//! A strict JSON reader, written for the oracle alone.
//!
//! It reads the grammar of RFC 8259 and nothing else, and it notes what the contract refuses although the grammar
//! allows it: the same name twice in one object, lone surrogates, numbers no `f64` can hold, and the depth. Those notes
//! are kept apart from the tree, because a refused message may still tell which payment it belongs to.

use serde_json::{Map, Number, Value};

/// Deeper than any test nests containers: this reader calls itself for each of them.
const DEPTH_MAX: usize = 1_000;

/// A JSON value as it was sent: members in their order, repeated names included.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    /// `None` for a string that holds a lone surrogate: it has no value as text.
    Text(Option<String>),
    List(Vec<Json>),
    Object(Vec<(Option<String>, Json)>),
}

/// A document and what is odd about it.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Json,
    /// Nested containers, the outermost counted as 1.
    pub(crate) depth: usize,
    pub(crate) repeated_name: bool,
    pub(crate) lone_surrogate: bool,
    pub(crate) number_too_large: bool,
}

impl Json {
    /// The one member of this name; `None` when it is missing or stands there twice.
    pub(crate) fn only_member(&self, name: &str) -> Option<&Json> {
        let Json::Object(members) = self else {
            return None;
        };
        let mut found = members.iter().filter(|(n, _)| n.as_deref() == Some(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The plain value; only for documents without oddities.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => number_value(*n),
            Json::Text(text) => Value::String(text.clone().unwrap_or_default()),
            Json::List(items) => Value::Array(items.iter().map(Json::to_value).collect()),
            Json::Object(members) => {
                let mut map = Map::new();
                for (name, value) in members {
                    map.insert(name.clone().unwrap_or_default(), value.to_value());
                }
                Value::Object(map)
            }
        }
    }
}

/// `3.0` is 3: whole numbers that an `f64` holds exactly become integers.
fn number_value(n: f64) -> Value {
    let whole = n.trunc() == n && n.abs() <= 9_007_199_254_740_992.0;
    if whole {
        Value::from(n as i64)
    } else {
        Number::from_f64(n).map_or(Value::Null, Value::Number)
    }
}

/// Reads one document; `None` when the bytes are not JSON or nested deeper than [`DEPTH_MAX`].
pub(crate) fn read(bytes: &[u8]) -> Option<Document> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader {
        rest: text,
        depth: 0,
        deepest: 0,
        repeated_name: false,
        lone_surrogate: false,
        number_too_large: false,
    };
    let root = reader.value()?;
    reader.skip_space();
    if !reader.rest.is_empty() {
        return None;
    }
    Some(Document {
        root,
        depth: reader.deepest,
        repeated_name: reader.repeated_name,
        lone_surrogate: reader.lone_surrogate,
        number_too_large: reader.number_too_large,
    })
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
    deepest: usize,
    repeated_name: bool,
    lone_surrogate: bool,
    number_too_large: bool,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, expected: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    fn value(&mut self) -> Option<Json> {
        self.skip_space();
        match self.rest.chars().next()? {
            '{' => self.object(),
            '[' => self.list(),
            '"' => self.text().map(Json::Text),
            't' => self.take("true").map(|()| Json::Bool(true)),
            'f' => self.take("false").map(|()| Json::Bool(false)),
            'n' => self.take("null").map(|()| Json::Null),
            _ => self.number(),
        }
    }

    fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        (self.depth <= DEPTH_MAX).then_some(())
    }

    fn list(&mut self) -> Option<Json> {
        self.take("[")?;
        self.enter()?;
        let mut items = Vec::new();
        self.skip_space();
        if self.take("]").is_none() {
            loop {
                items.push(self.value()?);
                self.skip_space();
                if self.take(",").is_none() {
                    self.take("]")?;
                    break;
                }
            }
        }
        self.depth -= 1;
        Some(Json::List(items))
    }

    fn object(&mut self) -> Option<Json> {
        self.take("{")?;
        self.enter()?;
        let mut members: Vec<(Option<String>, Json)> = Vec::new();
        self.skip_space();
        if self.take("}").is_none() {
            loop {
                self.skip_space();
                let name = self.text()?;
                self.skip_space();
                self.take(":")?;
                let value = self.value()?;
                self.repeated_name |= members.iter().any(|(n, _)| *n == name);
                members.push((name, value));
                self.skip_space();
                if self.take(",").is_none() {
                    self.take("}")?;
                    break;
                }
            }
        }
        self.depth -= 1;
        Some(Json::Object(members))
    }

    fn number(&mut self) -> Option<Json> {
        let length = number_length(self.rest)?;
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        let n: f64 = digits.parse().ok()?;
        self.number_too_large |= !n.is_finite();
        Some(Json::Number(n))
    }

    fn text(&mut self) -> Option<Option<String>> {
        self.take("\"")?;
        let mut units: Vec<u16> = Vec::new();
        loop {
            let c = self.rest.chars().next()?;
            self.rest = &self.rest[c.len_utf8()..];
            match c {
                '"' => break,
                '\\' => units.extend(self.escape()?),
                c if c < ' ' => return None,
                c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
            }
        }
        let text = String::from_utf16(&units).ok();
        self.lone_surrogate |= text.is_none();
        Some(text)
    }

    fn escape(&mut self) -> Option<Vec<u16>> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        let plain = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let hex = self.rest.get(..4)?;
                if !hex.chars().all(|h| h.is_ascii_hexdigit()) {
                    return None;
                }
                self.rest = &self.rest[4..];
                return u16::from_str_radix(hex, 16).ok().map(|unit| vec![unit]);
            }
            _ => return None,
        };
        Some(plain.encode_utf16(&mut [0; 2]).to_vec())
    }
}

/// How many bytes the number at the front takes: `-? (0|[1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`.
fn number_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && bytes[at] == b'0') {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = bytes
            .get(at + 1 + sign..)
            .map_or(0, |r| r.iter().take_while(|b| b.is_ascii_digit()).count());
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
}
