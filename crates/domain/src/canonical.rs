//! The canonical form of `data` (RFC 8785, JCS) and its digest: what makes two messages have the same content.
//!
//! The tree of a message already has its members in canonical order, so the form is one walk that writes into one buffer.
//! Integers up to 2^53 print as themselves; every other number goes through the library `serde_json_canonicalizer`,
//! which is also what the tests compare the whole form with. The library alone would parse every name
//! again and copy every level of nesting, which costs more than all the rest of decoding.

use sha2::{Digest as _, Sha256};

use crate::json::{Json, Object};
use crate::message::Digest;

/// The integers up to here are the same number as a double and in print.
const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// SHA-256 of a canonical form.
pub fn digest(canonical: &[u8]) -> Digest {
    Digest(Sha256::digest(canonical).into())
}

/// Appends the canonical form of a value.
pub(crate) fn write(value: &Json<'_>, out: &mut Vec<u8>) {
    match value {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(true) => out.extend_from_slice(b"true"),
        Json::Bool(false) => out.extend_from_slice(b"false"),
        Json::Number(number) => write_number(*number, out),
        Json::String(text) => write_string(text, out),
        Json::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Json::Object(object) => write_object(object, out),
    }
}

/// Appends the canonical form of an object.
pub(crate) fn write_object(object: &Object<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (name, value)) in object.members().iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(name, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// The canonical form of a value as text.
pub(crate) fn to_text(value: &Json<'_>) -> String {
    let mut out = Vec::new();
    write(value, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn write_number(number: f64, out: &mut Vec<u8>) {
    if number.fract() == 0.0 && number.abs() <= EXACT_INTEGER_MAX {
        // Negative zero becomes 0 here, as RFC 8785 wants it.
        out.extend_from_slice((number as i64).to_string().as_bytes());
        return;
    }
    // Writing into a vector cannot fail, and the parser lets no infinity in.
    let _ = serde_json_canonicalizer::to_writer(&number, out);
}

/// Escapes only what JSON cannot hold as it is, in the shortest way, as RFC 8785 section 3.2.2.2 says.
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[written..at]);
        written = at + 1;
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x09 => b't',
            0x0A => b'n',
            0x0C => b'f',
            0x0D => b'r',
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.extend_from_slice(&text.as_bytes()[written..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let tree = crate::json::parse(text.as_bytes()).unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
        let mut canonical = Vec::new();
        write(&tree, &mut canonical);
        assert_eq!(String::from_utf8_lossy(&canonical), expect, "{text}");
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let library = serde_json_canonicalizer::to_string(&value).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(library, expect, "the library, {text}");
    }

    #[test]
    fn the_form_is_that_of_rfc_8785() {
        check(
            "{ \"b\" : 1.0, \"a\" : [ 1e2, -0, -0.0, 0.1 ] }",
            r#"{"a":[100,0,0,0.1],"b":1}"#,
        );
        check(
            "[333333333.33333329, 1E30, 4.50, 2e-3, 1e-27]",
            "[333333333.3333333,1e+30,4.5,0.002,1e-27]",
        );
        check(
            "[9007199254740993, 9007199254740991, 1e21, 123456789012345678901234567890]",
            "[9007199254740992,9007199254740991,1e+21,1.2345678901234568e+29]",
        );
        check(
            r#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/\u0000\u007f""#,
            "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\u0000\u{7f}\"",
        );
        check(
            r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#,
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}",
        );
        check(
            "{\"\":null,\"a\":{\"a\":{}},\"b\":[]}",
            r#"{"":null,"a":{"a":{}},"b":[]}"#,
        );
    }
}
