//! Full card numbers in text.

use serde_json::Value;

/// Redacts every string value of `data` that may hold a card number; tells whether one did.
pub(crate) fn redact_data(data: &mut Value) -> bool {
    redact_member("", data)
}

fn redact_member(name: &str, value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            if is_exempt(name) {
                return false;
            }
            let redacted = redact_text(text);
            let found = redacted != *text;
            *text = redacted;
            found
        }
        // An element of a list answers to the name of its list.
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |found, item| redact_member(name, item) | found),
        Value::Object(members) => members
            .iter_mut()
            .fold(false, |found, (n, v)| redact_member(n, v) | found),
        _ => false,
    }
}

/// Identifiers, money, times and URLs, by the name of the member.
fn is_exempt(name: &str) -> bool {
    let identifier = ["_id", "_key", "_no"].iter().any(|end| name.ends_with(end)) || name == "account_number";
    let money = [
        "total",
        "supplied",
        "vat",
        "tax_free",
        "discount",
        "amount",
        "payout_amount",
        "fee_rate",
    ]
    .contains(&name);
    let time = name.ends_with("_at") || name.ends_with("_on");
    let url = name.ends_with("_url");
    identifier || money || time || url
}

/// Every run of digits, single spaces or hyphens between them, that is a card number keeps its last four digits only.
pub(crate) fn redact_text(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = chars.clone();
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let mut digits_at = vec![at];
        let mut last = at;
        loop {
            let next = last + 1;
            if chars.get(next).is_some_and(char::is_ascii_digit) {
                last = next;
            } else if matches!(chars.get(next), Some(' ' | '-'))
                && chars.get(next + 1).is_some_and(char::is_ascii_digit)
            {
                last = next + 1;
            } else {
                break;
            }
            digits_at.push(last);
        }
        let digits: Vec<u32> = digits_at.iter().filter_map(|i| chars[*i].to_digit(10)).collect();
        if is_card_number(&digits) {
            for i in &digits_at[..digits_at.len() - 4] {
                out[*i] = '*';
            }
        }
        at = last + 1;
    }
    out.into_iter().collect()
}

fn is_card_number(digits: &[u32]) -> bool {
    (13..=19).contains(&digits.len()) && matches!(digits[0], 2..=6 | 9) && passes_luhn(digits)
}

fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            if place % 2 == 0 {
                *digit
            } else {
                digit * 2 / 10 + digit * 2 % 10
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
