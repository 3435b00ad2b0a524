//! Prints how many messages one core decodes in a second.

use std::io::Write;
use std::time::{Duration, Instant};

use domain::decode::decode;
use domain::message::Encoding;

const PAYMENT: &str = include_str!("../../../fixtures/messages/valid/payment-card.json");
const CANCELLATION: &str = include_str!("../../../fixtures/messages/valid/cancellation-done.json");
const SETTLEMENT: &str = include_str!("../../../fixtures/messages/valid/settlement-paid.json");

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    for (name, text) in [
        ("payment", PAYMENT),
        ("cancellation", CANCELLATION),
        ("settlement", SETTLEMENT),
    ] {
        let event: serde_json::Value = serde_json::from_str(text)?;
        let text = event.to_string();
        let started = Instant::now();
        let mut count = 0_u64;
        while started.elapsed() < Duration::from_secs(2) {
            for _ in 0..1000 {
                let message = decode(std::hint::black_box(text.as_bytes()), Encoding::Structured);
                std::hint::black_box(message).map_err(std::io::Error::other)?;
                count += 1;
            }
        }
        let per_second = u128::from(count) * 1_000_000 / started.elapsed().as_micros();
        writeln!(out, "{name}: {} bytes, {per_second} messages/s", text.len())?;
    }
    Ok(())
}
