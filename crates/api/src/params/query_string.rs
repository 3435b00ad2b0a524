//! The query string of an address, `a=1&b=%20`.
//!
//! Common readers repair what is broken in it (a `%` without digits stays, bytes that are no UTF-8 become U+FFFD), and a
//! repaired filter selects something else than its writer meant. So this one refuses.

use crate::problem::{Mistake, Problem, kinds};

/// Names and values, decoded. A name without `=` has the empty value.
pub(super) fn parse(raw: &str) -> Result<Vec<(String, String)>, Problem> {
    let pieces = raw.split('&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let name = decoded(name).ok_or_else(|| refused("a name in the query string"))?;
            let value = decoded(value).ok_or_else(|| refused(&name))?;
            Ok((name, value))
        })
        .collect()
}

/// The values of the parameter `name` and the query string without it; `None` where it does not stand there.
pub(crate) fn split_off(raw: Option<&str>, name: &str) -> Result<Option<(Vec<String>, String)>, Problem> {
    let raw = raw.unwrap_or_default();
    let is_it = |piece: &&str| decoded(piece.split_once('=').unwrap_or((piece, "")).0).as_deref() == Some(name);
    let (taken, left): (Vec<&str>, Vec<&str>) = raw.split('&').partition(is_it);
    if taken.is_empty() {
        return Ok(None);
    }
    let values = taken.iter().map(|piece| {
        let value = piece.split_once('=').map_or("", |(_, value)| value);
        decoded(value).ok_or_else(|| refused(name))
    });
    Ok(Some((values.collect::<Result<_, _>>()?, left.join("&"))))
}

/// The text that a percent-encoded piece stands for; `+` is a space.
fn decoded(piece: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, tail) = rest.split_first_chunk::<2>()?;
                rest = tail;
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn refused(what: &str) -> Problem {
    let detail = format!(
        "{what} is not percent-encoded UTF-8: % is followed by two hexadecimal digits, and the bytes that they stand for are UTF-8"
    );
    Problem::of_mistakes(vec![Mistake::new(what, &kinds::BAD_ENCODING, detail)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expect: Option<&[(&str, &str)]>) {
        let found = parse(raw).ok();
        let found: Option<Vec<(&str, &str)>> = found.as_ref().map(|pairs| {
            pairs
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect()
        });
        assert_eq!(found.as_deref(), expect, "{raw}");
    }

    #[test]
    fn texts_are_decoded_or_refused_never_repaired() {
        check("", Some(&[]));
        check("&&", Some(&[]));
        check("a", Some(&[("a", "")]));
        check("a=", Some(&[("a", "")]));
        check("=b", Some(&[("", "b")]));
        check("a=b=c", Some(&[("a", "b=c")]));
        check("a=1&a=2", Some(&[("a", "1"), ("a", "2")]));
        check("a+b=%2B%20c", Some(&[("a b", "+ c")]));
        check(
            "amount%5Bgte%5D=10&amount[lt]=20",
            Some(&[("amount[gte]", "10"), ("amount[lt]", "20")]),
        );
        check("q=%EC%BB%A4%ED%94%BC", Some(&[("q", "커피")]));
        check("q=커피", Some(&[("q", "커피")]));
        for broken in [
            "a=%",
            "a=%4",
            "a=%zz",
            "a=%-1",
            "a=%+1",
            "%=a",
            "a=%ff",
            "a=%C0%80",
            "a=%ED%A0%80",
            "%FF=1",
        ] {
            check(broken, None);
        }
    }
}
