//! The contract of one message: accepted whole, or refused.

use super::json::{self, Json};
use super::message::{Kind, Message};
use super::{instant, redact, rules};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A longer message is refused, whatever is in it.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Objects and lists within each other, the outermost counted as 1.
const DEPTH_MAX: usize = 32;

/// Why a message was refused, in words, and the payment it belongs to where that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For the reader of a failing test; not compared with anything.
    pub reason: String,
    /// `data.payment_key` where it is readable.
    pub payment_key: Option<String>,
}

/// A rule's outcome: the words say which rule was broken.
pub(crate) type Rule<T> = Result<T, String>;

pub(crate) fn broken<T>(what: impl Into<String>) -> Rule<T> {
    Err(what.into())
}

/// Judges a structured-mode message.
pub(crate) fn structured(raw: &[u8]) -> Result<Message, Refusal> {
    let document = read(raw)?;
    let data = document.root.only_member("data");
    let payment_key = data.and_then(readable_key);
    let refuse = |reason| Refusal {
        reason,
        payment_key: payment_key.clone(),
    };
    within_size(raw).map_err(refuse)?;
    no_oddities(&document).map_err(refuse)?;
    let Value::Object(envelope) = document.root.to_value() else {
        return Err(refuse("not an object".into()));
    };
    let attribute = |name: &str| envelope.get(name).cloned();
    let kind = envelope_kind(&attribute).map_err(refuse)?;
    message(kind, envelope.get("data")).map_err(refuse)
}

/// Judges a binary-mode message: `ce_*` headers without the prefix, and the value.
pub(crate) fn binary(attributes: &[(String, String)], raw: &[u8]) -> Result<Message, Refusal> {
    let document = read(raw)?;
    let payment_key = readable_key(&document.root);
    let refuse = |reason| Refusal {
        reason,
        payment_key: payment_key.clone(),
    };
    within_size(raw).map_err(refuse)?;
    no_oddities(&document).map_err(refuse)?;
    let attribute = |name: &str| {
        attributes
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| Value::String(value.clone()))
    };
    let kind = envelope_kind(&attribute).map_err(refuse)?;
    message(kind, Some(&document.root.to_value())).map_err(refuse)
}

fn read(raw: &[u8]) -> Result<json::Document, Refusal> {
    json::read(raw).ok_or_else(|| Refusal {
        reason: "not JSON".into(),
        payment_key: None,
    })
}

fn within_size(raw: &[u8]) -> Rule<()> {
    match raw.len() {
        ..=MESSAGE_BYTES_MAX => Ok(()),
        _ => broken("over 1 MiB"),
    }
}

/// The key of the payment a refused message belongs to: a string of 1 to 200 characters.
fn readable_key(data: &Json) -> Option<String> {
    match data.only_member("payment_key")? {
        Json::Text(Some(key)) if (1..=200).contains(&key.chars().count()) => Some(key.clone()),
        _ => None,
    }
}

fn no_oddities(document: &json::Document) -> Rule<()> {
    if document.depth > DEPTH_MAX {
        return broken("nested too deep");
    }
    if document.repeated_name {
        return broken("a name stands twice in one object");
    }
    if document.lone_surrogate {
        return broken("lone surrogate");
    }
    if document.number_too_large {
        return broken("number too large");
    }
    Ok(())
}

fn envelope_kind(attribute: &dyn Fn(&str) -> Option<Value>) -> Rule<Kind> {
    let text = |name: &str| match attribute(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => broken(format!("envelope: {name}")),
    };
    if text("specversion")? != "1.0" {
        return broken("envelope: specversion");
    }
    text("id")?;
    text("source")?;
    if instant::instant(&text("time")?).is_none() {
        return broken("envelope: time");
    }
    if !matches!(
        attribute("datacontenttype"),
        None | Some(Value::Null | Value::String(_))
    ) {
        return broken("envelope: datacontenttype");
    }
    Kind::of_type(&text("type")?).ok_or_else(|| "envelope: type".into())
}

fn message(kind: Kind, data: Option<&Value>) -> Rule<Message> {
    let Some(Value::Object(sent)) = data else {
        return broken("data is not an object");
    };
    let canonical = serde_json_canonicalizer::to_vec(sent).map_err(|error| error.to_string())?;
    let digest: [u8; 32] = Sha256::digest(&canonical).into();
    // Redaction comes before the rules: a full number in `number_masked` is a mask afterwards and costs nothing.
    let mut kept = Value::Object(sent.clone());
    let had_card_number = redact::redact_data(&mut kept);
    let Value::Object(data) = kept else {
        return broken("data is not an object");
    };
    let data = without_nulls(data);
    let version = rules::check(kind, &data)?;
    Ok(Message {
        kind,
        version,
        digest,
        had_card_number,
        data,
    })
}

/// `null` in an optional field means absent, and in a required one it is missing: either way it is not there.
fn without_nulls(data: Map<String, Value>) -> Map<String, Value> {
    data.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            // The pairs of metadata are the producer's own, not fields: a null there is a mistyped value.
            Value::Object(inner) if name != "metadata" => (name, Value::Object(without_nulls(inner))),
            other => (name, other),
        })
        .collect()
}
