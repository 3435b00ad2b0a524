//! Every benchmark at a tiny size: that it runs, that what it asks is answered rightly, and that its last line can be
//! read. No figure decides anything here.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const KAFKA_HOME: &str = "LEDGERLENS_KAFKA_HOME";

fn bench(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    // As `./run bench` does: in the root of the checkout.
    command
        .args(args)
        .current_dir("..")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    // The program lies beside the benchmarks.
    command.env_remove("LEDGERLENS_BIN");
    command
}

/// The last line of a benchmark that found nothing wrong.
fn last_line(args: &[&str]) -> Value {
    let output = bench(args).output().expect("the benchmark can be run");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{said}", output.status);
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn assert_bars(line: &Value) {
    let bars = line["bars"].as_array().expect("bars");
    assert!(!bars.is_empty());
    for bar in bars {
        for name in ["name", "unit", "bar"] {
            assert!(bar[name].is_string(), "{bar}");
        }
        assert!(bar["value"].is_number() && bar["met"].is_boolean(), "{bar}");
    }
}

#[test]
#[ignore = "needs a real Kafka"]
fn every_benchmark_runs_and_is_answered_rightly() {
    if std::env::var_os(KAFKA_HOME).is_none() {
        // Written past the test harness, which would swallow it.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED every_benchmark_runs_and_is_answered_rightly: it needs a real Kafka, and {KAFKA_HOME} is not set"
        );
        return;
    }
    let program = Path::new(env!("CARGO_BIN_EXE_bench")).with_file_name("ledgerlens");
    assert!(
        program.exists(),
        "test the whole workspace: {} is missing",
        program.display()
    );
    let line = last_line(&["quick", "--payments", "1500", "--seconds", "0.2"]);
    assert_eq!(line["bench"], "quick");
    assert_bars(&line);
    let ingest = &line["ingest"];
    for name in ["events_per_second", "ceiling_events_per_second", "documents_per_event"] {
        assert!(
            ingest[name].as_f64().is_some_and(|value| value > 0.0),
            "{name}: {ingest}"
        );
    }
    assert_eq!(ingest["verify"], "clean");
    for name in ["fresh", "start", "scale", "scale by pipe"] {
        assert!(line[name].is_object(), "{name}");
    }
    assert!(line["scale"]["sums_compared"].as_u64().is_some_and(|rows| rows > 1_000));
}

#[test]
fn wrong_use_is_said_and_exits_with_2() {
    for args in [
        &["nothing"][..],
        &["ingest", "--seconds", "0"],
        &["parts", "--mix", "rich"],
    ] {
        let output = bench(args)
            .stderr(Stdio::piped())
            .output()
            .expect("the benchmark can be run");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn the_parts_need_no_kafka() {
    let line = last_line(&["parts", "--payments", "300"]);
    assert_eq!(line["bench"], "parts");
    assert!(
        line["ceiling_events_per_second"]
            .as_f64()
            .is_some_and(|ceiling| ceiling > 0.0)
    );
}
