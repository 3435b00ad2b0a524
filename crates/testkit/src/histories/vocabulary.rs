//! The words that questions are made of: values of a history, other spellings of them, and near misses.

use super::History;
use super::material::{self as pool, Draw};
use serde_json::Value;

/// The values of a history, each with the field that searches it.
pub(super) struct Vocabulary {
    pub(super) identifiers: Vec<(&'static str, String)>,
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) plain: Vec<(&'static str, String)>,
    pub(super) amounts: Vec<String>,
}

const IDENTIFIERS: [(&str, &str); 11] = [
    ("/payment_key", "payment_key"),
    ("/order_id", "order_id"),
    ("/transaction_key", "transaction_key"),
    ("/cancellation_id", "cancellation_id"),
    ("/settlement_id", "settlement_id"),
    ("/payout_id", "payout_id"),
    ("/card/approve_no", "approve_no"),
    ("/virtual_account/account_number", "account_number"),
    ("/customer/email", "email"),
    ("/customer/phone", "phone"),
    ("/card/last4", "last4"),
];
const TEXTS: [(&str, &str); 7] = [
    ("/order_name", "order_name"),
    ("/customer/name", "customer_name"),
    ("/virtual_account/depositor", "depositor"),
    ("/reason", "reason"),
    ("/failure/message", "failure_message"),
    ("/metadata/store", "metadata.store"),
    ("/metadata/memo", "metadata.memo"),
];
const PLAIN: [(&str, &str); 8] = [
    ("/merchant_id", "merchant_id"),
    ("/method", "method"),
    ("/currency", "currency"),
    ("/card/issuer", "issuer"),
    ("/easy_pay/provider", "provider"),
    ("/virtual_account/bank", "bank"),
    ("/transfer/bank", "bank"),
    ("/reason_code", "reason_code"),
];
impl Vocabulary {
    pub(super) fn of(history: &History) -> Self {
        // The pools stand beside what occurs, so that no list is empty and some questions miss.
        let mut words = Self {
            identifiers: vec![
                ("order_id", "ORD-2026-0002".into()),
                ("payout_id", "po1".into()),
                ("last4", "4242".into()),
            ],
            texts: pool::ORDER_NAMES
                .iter()
                .map(|text| ("order_name", (*text).to_owned()))
                .collect(),
            plain: vec![("method", "UNKNOWN".into()), ("reason_code", "R02".into())],
            amounts: vec!["0".into(), "100000".into()],
        };
        for raw in &history.messages {
            let Ok(message) = serde_json::from_slice::<Value>(raw) else {
                continue;
            };
            let data = &message["data"];
            let found = |paths: &[(&str, &'static str)]| {
                let text = |path| data.pointer(path).and_then(Value::as_str).map(str::to_owned);
                paths
                    .iter()
                    .filter_map(|(path, field)| Some((*field, text(path)?)))
                    .collect::<Vec<_>>()
            };
            words
                .identifiers
                .extend(found(&IDENTIFIERS).into_iter().filter(|(_, id)| askable(id)));
            words.texts.extend(found(&TEXTS));
            words
                .plain
                .extend(found(&PLAIN).into_iter().filter(|(_, text)| askable(text)));
            words
                .amounts
                .extend(found(&[("/amount/total", "amount")]).into_iter().map(|(_, text)| text));
        }
        words
            .amounts
            .retain(|text| text.parse::<rust_decimal::Decimal>().is_ok() && is_plain(text));
        // Currencies and merchants of refused messages may be unknown words, which a filter has to refuse.
        words
            .plain
            .retain(|(field, text)| *field != "currency" || pool::CURRENCIES.iter().any(|(code, _)| code == text));
        words
    }
}

/// Whether a value can stand in a query: two characters to compare, nothing the language reads, not too long.
pub(super) fn askable(text: &str) -> bool {
    let compared = text.chars().filter(|c| c.is_alphanumeric()).count();
    let readable = text.chars().all(|c| !c.is_control() && !"\"\\*".contains(c));
    compared >= 2 && readable && text.chars().count() <= 60
}

pub(super) fn plain(draw: &mut Draw, words: &Vocabulary) -> (&'static str, String) {
    draw.one(&words.plain).clone()
}

/// An identifier as it is, in another spelling, or off by a character.
pub(super) fn identifier(draw: &mut Draw, words: &Vocabulary) -> (&'static str, String) {
    let (field, id) = draw.one(&words.identifiers).clone();
    let other = match draw.between(0, 3) {
        0 => respelled(draw, &id),
        1 if field != "last4" => id.replace(['-', ' '], ""),
        // Anything but four digits is refused as the last four of a card.
        2 if field == "last4" => id.chars().rev().collect(),
        2 => format!("{id}x"),
        _ => id.clone(),
    };
    (field, if askable(&other) { other } else { id })
}

/// A piece of a text of two or more characters.
pub(super) fn part_of_text(draw: &mut Draw, words: &Vocabulary) -> (&'static str, String) {
    let (field, text) = draw.one(&words.texts).clone();
    let chars: Vec<char> = text.chars().collect();
    let from = draw.between(0, chars.len().saturating_sub(2));
    let length = draw.between(2, 9);
    let piece: String = chars.iter().skip(from).take(length).collect();
    let piece = respelled(draw, piece.trim());
    // `metadata.<key>` compares the whole value: a piece of it is a near miss, which is a question too.
    if askable(&piece) {
        (field, piece)
    } else {
        (field, "커피".into())
    }
}

/// Other case or width.
pub(super) fn respelled(draw: &mut Draw, text: &str) -> String {
    match draw.between(0, 4) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        2 => text
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { wide(c) } else { c })
            .collect(),
        _ => text.to_owned(),
    }
}

fn wide(c: char) -> char {
    char::from_u32(u32::from(c) - 0x20 + 0xff00).unwrap_or(c)
}

/// Without what the decimal library takes and neither messages nor filters may spell: a plus sign, zeros in front.
fn is_plain(amount: &str) -> bool {
    let digits = amount.strip_prefix('-').unwrap_or(amount);
    let behind_zero = digits.strip_prefix('0');
    let is_led_by_zero = behind_zero.is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()));
    !digits.starts_with('+') && !is_led_by_zero
}
