//! Broken messages, one rule of the contract at a time.
//!
//! Each rule takes a sound message and breaks exactly one thing in it, so that what a reader says about it can be
//! compared with what was done. A broken message is one line without line breaks, never blank, and never repeats
//! another byte for byte (it keeps the identifiers of the message it came from).

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::life::Entry;
use crate::random::Draws;

/// A member and what to write for it; nothing leaves it out.
type Edit = (&'static str, Option<&'static str>);

enum Break {
    Bytes(fn(&[u8]) -> Vec<u8>),
    Envelope(&'static [Edit]),
    Data(&'static [Edit]),
}

#[derive(PartialEq, Eq)]
enum Kind {
    Any,
    Payment,
    Cancellation,
    Line,
}

pub(crate) struct Rule {
    pub(crate) name: &'static str,
    kind: Kind,
    breaks: Break,
}

const fn rule(name: &'static str, kind: Kind, breaks: Break) -> Rule {
    Rule { name, kind, breaks }
}

const fn envelope(name: &'static str, edits: &'static [Edit]) -> Rule {
    rule(name, Kind::Any, Break::Envelope(edits))
}

const fn data(name: &'static str, edits: &'static [Edit]) -> Rule {
    rule(name, Kind::Any, Break::Data(edits))
}

const fn payment(name: &'static str, edits: &'static [Edit]) -> Rule {
    rule(name, Kind::Payment, Break::Data(edits))
}

const fn cancellation(name: &'static str, edits: &'static [Edit]) -> Rule {
    rule(name, Kind::Cancellation, Break::Data(edits))
}

const fn line(name: &'static str, edits: &'static [Edit]) -> Rule {
    rule(name, Kind::Line, Break::Data(edits))
}

const fn bytes(name: &'static str, breaks: fn(&[u8]) -> Vec<u8>) -> Rule {
    rule(name, Kind::Any, Break::Bytes(breaks))
}

macro_rules! fifty {
    () => {
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    };
}

/// Longer than any identifier may be.
const LONG: &str = concat!("\"", fifty!(), fifty!(), fifty!(), fifty!(), "x\"");
const KRW: Edit = ("currency", Some("\"KRW\""));

/// In a fixed order: a rule's place is part of what a seed means, so new rules go to the end.
pub(crate) const RULES: &[Rule] = &[
    // The largest, drawn more rarely than the others.
    bytes("over_one_mebibyte", |sound| with_note(sound, &"x".repeat(1 << 20))),
    bytes("truncated", |sound| sound[..sound.len() * 2 / 3].to_vec()),
    bytes("plain_text", |sound| [b"approved ", &sound[24..60]].concat()),
    bytes("invalid_utf8", |sound| {
        replaced(sound, b"\"data\":{", b"\"data\":{\"note\":\"\xff\xfe\",")
    }),
    bytes("array", |sound| [b"[", sound, b"]"].concat()),
    bytes("trailing_text", |sound| [sound, b" {}"].concat()),
    bytes("no_envelope", data_alone),
    bytes("duplicate_member", |sound| {
        replaced(sound, b"\"version\":", b"\"version\":7,\"version\":")
    }),
    bytes("lone_surrogate", |sound| {
        replaced(sound, b"\"data\":{", b"\"data\":{\"note\":\"\\ud83d\",")
    }),
    bytes("nested_too_deep", |sound| {
        with_raw_note(sound, &["[".repeat(40), "]".repeat(40)].concat())
    }),
    bytes("raw_control_character", |sound| {
        replaced(sound, b"\"data\":{", b"\"data\":{\"note\":\"\x01\",")
    }),
    envelope("no_specversion", &[("specversion", None)]),
    envelope("other_specversion", &[("specversion", Some("\"0.3\""))]),
    envelope("no_id", &[("id", None)]),
    envelope("numeric_id", &[("id", Some("17"))]),
    envelope("no_source", &[("source", None)]),
    envelope("no_type", &[("type", None)]),
    envelope("unknown_type", &[("type", Some("\"refund.recorded.v1\""))]),
    envelope("reserved_type", &[("type", Some("\"payout.recorded.v1\""))]),
    envelope("no_time", &[("time", None)]),
    envelope("time_without_offset", &[("time", Some("\"2026-03-01T10:00:00\""))]),
    envelope("no_data", &[("data", None)]),
    envelope("data_is_text", &[("data", Some("\"{}\""))]),
    data("no_payment_key", &[("payment_key", None)]),
    data("empty_payment_key", &[("payment_key", Some("\"\""))]),
    data("long_payment_key", &[("payment_key", Some(LONG))]),
    data("numeric_payment_key", &[("payment_key", Some("20260301"))]),
    data("no_merchant", &[("merchant_id", None)]),
    data("long_merchant", &[("merchant_id", Some(LONG))]),
    data("null_merchant", &[("merchant_id", Some("null"))]),
    data("no_version", &[("version", None)]),
    data("version_zero", &[("version", Some("0"))]),
    data("version_negative", &[("version", Some("-1"))]),
    data("version_fraction", &[("version", Some("1.5"))]),
    data("version_text", &[("version", Some("\"1\""))]),
    data("version_too_large", &[("version", Some("9007199254740992"))]),
    data("deleted_text", &[("deleted", Some("\"yes\""))]),
    data("no_status", &[("status", None)]),
    data("unknown_status", &[("status", Some("\"CANCELED\""))]),
    data("no_currency", &[("currency", None)]),
    data("unknown_currency", &[("currency", Some("\"WON\""))]),
    data("small_currency", &[("currency", Some("\"krw\""))]),
    data("no_amount", &[("amount", None)]),
    data("amount_is_number", &[("amount", Some("15000"))]),
    data("metadata_number", &[("metadata", Some("{\"floor\":3}"))]),
    data("metadata_list", &[("metadata", Some("[\"s1\"]"))]),
    payment("no_order", &[("order_id", None)]),
    payment("no_method", &[("method", None)]),
    payment("no_total", &[("amount", Some("{\"vat\":\"10\"}"))]),
    payment("total_is_number", &[("amount", Some("{\"total\":15000}"))]),
    payment("total_negative", &[("amount", Some("{\"total\":\"-15000\"}"))]),
    payment("total_with_plus", &[("amount", Some("{\"total\":\"+5\"}"))]),
    payment("total_with_zeros", &[("amount", Some("{\"total\":\"007\"}"))]),
    payment("total_without_whole", &[("amount", Some("{\"total\":\".5\"}"))]),
    payment("total_without_fraction", &[("amount", Some("{\"total\":\"1.\"}"))]),
    payment("total_exponent", &[("amount", Some("{\"total\":\"1e3\"}"))]),
    payment("total_with_comma", &[("amount", Some("{\"total\":\"15,000\"}"))]),
    payment("total_too_fine", &[KRW, ("amount", Some("{\"total\":\"10.5\"}"))]),
    payment(
        "total_too_large",
        &[KRW, ("amount", Some("{\"total\":\"9223372036854775808\"}"))],
    ),
    payment("no_requested_at", &[("requested_at", None)]),
    payment(
        "requested_at_without_offset",
        &[("requested_at", Some("\"2026-03-01T10:00:00\""))],
    ),
    payment(
        "requested_at_no_such_day",
        &[("requested_at", Some("\"2026-02-30T10:00:00+09:00\""))],
    ),
    payment(
        "done_without_approved_at",
        &[("status", Some("\"DONE\"")), ("approved_at", None)],
    ),
    payment(
        "card_hardly_masked",
        &[("card", Some("{\"number_masked\":\"123456***7890\"}"))],
    ),
    payment("customer_is_text", &[("customer", Some("\"someone\""))]),
    cancellation("no_cancellation_id", &[("cancellation_id", None)]),
    cancellation("cancels_nothing", &[("amount", Some("{\"total\":\"0\"}"))]),
    cancellation(
        "done_without_canceled_at",
        &[("status", Some("\"DONE\"")), ("canceled_at", None)],
    ),
    cancellation(
        "pending_without_requested_at",
        &[("status", Some("\"PENDING\"")), ("requested_at", None)],
    ),
    cancellation("unknown_channel", &[("requested_by", Some("{\"channel\":\"FAX\"}"))]),
    line("no_settlement_id", &[("settlement_id", None)]),
    line("no_of", &[("of", None)]),
    line("reserved_of", &[("of", Some("\"ADJUSTMENT\""))]),
    line(
        "no_cancellation_named",
        &[("of", Some("\"CANCELLATION\"")), ("cancellation_id", None)],
    ),
    line(
        "wrong_arithmetic",
        &[
            KRW,
            ("amount", Some("\"0\"")),
            ("fees", Some("[]")),
            ("vat", Some("\"0\"")),
            ("payout_amount", Some("\"1\"")),
            ("costs", None),
        ],
    ),
    line(
        "wrong_sign",
        &[
            KRW,
            ("of", Some("\"PAYMENT\"")),
            ("amount", Some("\"-10\"")),
            ("fees", Some("[]")),
            ("vat", Some("\"0\"")),
            ("payout_amount", Some("\"-10\"")),
            ("costs", None),
        ],
    ),
    line(
        "fee_is_number",
        &[("fees", Some("[{\"type\":\"BASE\",\"amount\":30}]"))],
    ),
    line("fee_without_type", &[("fees", Some("[{\"amount\":\"30\"}]"))]),
    line("no_payout_amount", &[("payout_amount", None)]),
    line("other_payout_currency", &[("payout_currency", Some("\"EUR\""))]),
    line("no_sold_on", &[("sold_on", None)]),
    line("sold_on_no_such_day", &[("sold_on", Some("\"2026-02-30\""))]),
    line("sold_on_is_time", &[("sold_on", Some("\"2026-02-28T00:00:00+09:00\""))]),
];

/// A rule that can be broken in a message of this kind.
pub(crate) fn draw(entry: Entry, oversize: bool, draws: &mut Draws) -> u8 {
    let own = match entry {
        Entry::Payment => Kind::Payment,
        Entry::Cancellation(_) => Kind::Cancellation,
        Entry::Line(_) => Kind::Line,
    };
    loop {
        let index = draws.index(RULES.len());
        let fits = RULES[index].kind == Kind::Any || RULES[index].kind == own;
        // A mebibyte each would be most of the stream.
        if fits && (index > 0 || oversize && draws.below(20) == 0) {
            return index as u8;
        }
    }
}

/// The sound message with one thing broken.
pub(crate) fn broken(rule: u8, sound: &[u8]) -> Vec<u8> {
    match &RULES[rule as usize].breaks {
        Break::Bytes(breaks) => breaks(sound),
        Break::Envelope(edits) => edited(sound, edits),
        Break::Data(edits) => {
            let data = data_alone(sound);
            let start = sound.len() - data.len() - 1;
            [&sound[..start], &edited(&data, edits), b"}"].concat()
        }
    }
}

fn edited(object: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(object).unwrap_or_default();
    for (name, value) in edits {
        members.remove(*name);
        if let Some(raw) = value.and_then(|text| RawValue::from_string(text.to_owned()).ok()) {
            members.insert((*name).to_owned(), raw);
        }
    }
    serde_json::to_vec(&members).unwrap_or_default()
}

/// The value of `data`, which stands last in the envelope.
fn data_alone(sound: &[u8]) -> Vec<u8> {
    let name = b"\"data\":";
    let at = sound.windows(name.len()).position(|window| window == name).unwrap_or(0);
    sound[at + name.len()..sound.len() - 1].to_vec()
}

fn with_note(sound: &[u8], note: &str) -> Vec<u8> {
    with_raw_note(sound, &["\"", note, "\""].concat())
}

fn with_raw_note(sound: &[u8], note: &str) -> Vec<u8> {
    replaced(
        sound,
        b"\"data\":{",
        ["\"data\":{\"note\":", note, ","].concat().as_bytes(),
    )
}

/// The first occurrence replaced.
fn replaced(sound: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    match sound.windows(old.len()).position(|window| window == old) {
        Some(at) => [&sound[..at], new, &sound[at + old.len()..]].concat(),
        None => sound.to_vec(),
    }
}
