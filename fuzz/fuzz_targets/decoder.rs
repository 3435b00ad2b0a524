//! The decoder on any bytes, in both ways that an event is carried. The first byte chooses.
//!
//! It must not panic; what it accepts it must read back from the body that is kept, without a card number and with the same
//! digest for the same content; what it refuses it must refuse within the bounds of quarantine's columns.

#![no_main]

use domain::decode::{data_as_sent, decode, decode_body, event_of_refused};
use domain::message::Encoding;
use libfuzzer_sys::fuzz_target;

const HEADERS: [(&str, &[u8]); 4] = [
    ("specversion", b"1.0"),
    ("id", b"evt-1"),
    ("source", b"/fuzz"),
    ("time", b"2026-03-01T10:00:02+09:00"),
];
const TYPES: [&[u8]; 4] = [
    b"payment.recorded.v1",
    b"cancellation.recorded.v1",
    b"settlement.recorded.v1",
    b"\xff",
];

fuzz_target!(|input: &[u8]| {
    // A message of the corpus begins with `{`, so it is read in structured mode as it is.
    match input.split_first() {
        Some((choice @ 0..=3, value)) => {
            let mut headers = HEADERS.to_vec();
            headers.push(("type", TYPES[usize::from(*choice)]));
            check(value, Encoding::Binary(&headers));
        }
        _ => check(input, Encoding::Structured),
    }
});

fn check(value: &[u8], encoding: Encoding<'_>) {
    match decode(value, encoding) {
        Ok(message) => {
            let again = decode_body(message.record.kind(), &message.body).expect("a body that was kept can be read");
            assert_eq!(again, message.record);
            let sent = data_as_sent(value, encoding).expect("an accepted message is readable");
            assert_eq!((sent.digest, sent.redacted), (message.digest, message.redacted));
        }
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            let _ = (data_as_sent(value, encoding), event_of_refused(value, encoding));
        }
    }
}
