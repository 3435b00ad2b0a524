//! Cursors: any text that is sent, and any place behind a right seal.
//!
//! Nothing may panic. What was sealed opens to itself; a seal changed in one place, a binding other than the cursor's or another
//! server's secret opens nothing; a place that can be read is written as it was read.

#![no_main]

#[allow(dead_code, unreachable_pub)]
#[path = "../../crates/api/src/cursor/sealed.rs"]
mod sealed;

use libfuzzer_sys::fuzz_target;
use sealed::{Seal, read_entry, read_number, read_payment, write_entry, write_number, write_payment};

const BINDING: [u8; 32] = [7; 32];

fuzz_target!(|input: &[u8]| {
    let seal = Seal::new([1; 32]);
    if let Ok(sent) = std::str::from_utf8(input) {
        assert_eq!(seal.open(&BINDING, sent), None, "a seal was guessed");
    }
    let cursor = seal.close(&BINDING, input.to_vec());
    assert_eq!(seal.open(&BINDING, &cursor).as_deref(), Some(input));
    assert_eq!(seal.open(&[8; 32], &cursor), None);
    assert_eq!(Seal::new([2; 32]).open(&BINDING, &cursor), None);
    let changed = input.len() % cursor.len();
    let mut other = cursor.into_bytes();
    other[changed] = if other[changed] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).expect("ASCII");
    assert_eq!(seal.open(&BINDING, &other), None);

    if let Some((micros, key)) = read_payment(input) {
        assert_eq!(write_payment(micros, &key), input);
    }
    if let Some((kind, key, id)) = read_entry(input) {
        assert_eq!(write_entry(kind, &key, &id), input);
    }
    if let Some(number) = read_number(input) {
        assert_eq!(write_number(number), input);
    }
});
