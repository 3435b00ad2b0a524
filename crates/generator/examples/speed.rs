//! Measures the stream: `cargo run --release -p generator --example speed -- [payments] [lean|full] [hostile] [FILE]`.

#![allow(clippy::print_stdout)]

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use generator::{Mix, Plan, Progress, Stream, write_file, write_ndjson};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut plan = Plan {
        payments: 500_000,
        ..Plan::default()
    };
    let mut file = None;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "lean" => plan.mix = Mix::Lean,
            "full" => plan.mix = Mix::Full,
            "hostile" => plan = plan.hostile(),
            text => match text.parse() {
                Ok(payments) => plan.payments = payments,
                Err(_) => file = Some(PathBuf::from(text)),
            },
        }
    }
    let started = Instant::now();
    let mut stream = Stream::with_expect(plan)?;
    let on_progress = &mut |_: Progress| ControlFlow::Continue(());
    let progress = match &file {
        Some(path) => write_file(&mut stream, path, on_progress)?,
        None => write_ndjson(&mut stream, &mut std::io::sink(), on_progress)?,
    };
    let millis = u64::try_from(started.elapsed().as_millis())?.max(1);
    let counts = stream.into_expect().map(|expect| expect.counts());
    println!("{counts:?}");
    println!(
        "{{\"messages\": {}, \"payments\": {}, \"bytes_per_message\": {}, \"messages_per_1000_payments\": {}, \"ms\": {millis}, \"messages_per_s\": {}}}",
        progress.messages,
        progress.payments,
        progress.bytes / progress.messages.max(1),
        progress.messages * 1_000 / progress.payments.max(1),
        progress.messages * 1_000 / millis,
    );
    Ok(())
}
