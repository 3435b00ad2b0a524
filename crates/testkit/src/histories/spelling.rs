//! How a fact is written down: other key orders, white space, number spellings and escapes for the same content.

use super::entries::Content;
use super::material::{self as pool, Draw};
use serde_json::{Value, json};

/// A structured-mode message in an envelope of its own.
pub(super) fn message(draw: &mut Draw, content: &Content) -> Vec<u8> {
    let envelope = envelope(draw, content.kind, content.data.clone());
    spelled(draw, &envelope).into_bytes()
}

/// An envelope with the contract's attributes, and sometimes others.
pub(super) fn envelope(draw: &mut Draw, kind: &str, data: Value) -> Value {
    let at = pool::instant(draw);
    let mut envelope = json!({
        "specversion": "1.0",
        "id": format!("e-{:08x}{:08x}", draw.bits(), draw.bits()),
        "source": draw.text(&["payments-api", "urn:domain:settlement"]),
        "type": format!("{kind}.recorded.v1"),
        "time": pool::spelled_instant(draw, at),
        "data": data,
    });
    if draw.chance(30) {
        envelope["subject"] = envelope["data"]["payment_key"].clone();
        envelope["datacontenttype"] = json!("application/json");
    }
    if draw.chance(10) {
        envelope["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    }
    envelope
}

/// One of many texts of the same JSON value.
pub(super) fn spelled(draw: &mut Draw, value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            draw.shuffle(&mut members);
            let mut parts = Vec::new();
            for (name, value) in members {
                let (before, after) = (space(draw), space(draw));
                parts.push(format!(
                    "{before}{}:{after}{}",
                    quoted(draw, name),
                    spelled(draw, value)
                ));
            }
            format!("{{{}{}}}", parts.join(","), space(draw))
        }
        Value::Array(items) => {
            let parts: Vec<_> = items.iter().map(|item| spelled(draw, item)).collect();
            format!("[{}{}]", space(draw), parts.join(","))
        }
        Value::String(text) => quoted(draw, text),
        Value::Number(number) if number.is_u64() => match draw.between(0, 9) {
            0 => format!("{number}.0"),
            1 => format!("{number}e0"),
            // Not of zero: `00E-1` is no JSON.
            2 if number.as_u64() != Some(0) => format!("{number}0E-1"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn space(draw: &mut Draw) -> &'static str {
    if draw.chance(90) {
        ""
    } else {
        draw.one::<&str>(&[" ", "\n", "\t", "\r\n  "])
    }
}

/// Characters beyond ASCII sometimes stand as escapes. ASCII never does, so that keys can be renamed in the bytes.
fn quoted(draw: &mut Draw, text: &str) -> String {
    let plain = Value::from(text).to_string();
    let mut out = String::new();
    for c in plain.chars() {
        if !c.is_ascii() && draw.chance(10) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else if c == '/' && draw.chance(20) {
            out.push_str("\\/");
        } else {
            out.push(c);
        }
    }
    out
}
