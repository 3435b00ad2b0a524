//! Asking everything of a loaded server, with events arriving meanwhile, and what it gave.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, json};

use crate::feed::Trickle;
use crate::http::Client;
use crate::interrupt;
use crate::pace::{Outcome, at_rate, closed_loop};
use crate::progress::say;
use crate::questions::{self, Group};
use crate::report::{Bar, LATENCY_COLUMNS, Report, latency_cells, number, rounded};
use crate::vantage::Vantage;

/// As many clients as the bar for mixed reads names.
const CLIENTS: usize = 8;
const MIXED_PER_SECOND: f64 = 300.0;
/// So many spans go by before the first question: what catching up left to be done is done by then, and what serves a
/// steady stream (the broker's compiler too) has warmed up.
const SETTLING: f64 = 1.5;
/// What asking takes beside the questions at their rate: a warm-up, setting up deep pages, the last answers.
const ABOUT: f64 = 1.3;

/// How long [`ask`] takes, about: so long must events go on arriving.
pub(crate) fn takes(groups: &[Group], span: Duration) -> Duration {
    // Each kind once at its rate and once in a closed loop for a third of that, then the mixed reads.
    let kinds = questions::count(groups) as f64;
    span.mul_f64((SETTLING + kinds * 4.0 / 3.0 + 1.0) * ABOUT) + Duration::from_secs(5)
}

/// Asks each kind for `span` at its rate, then as fast as one client gets answers, then all kinds mixed.
pub(crate) fn ask(
    report: &mut Report,
    vantage: &Vantage,
    groups: &[Group],
    client: &Client,
    span: Duration,
    live: &Trickle,
) -> Result<()> {
    let kinds = questions::kinds(vantage, groups, client)?;
    say("letting the stream settle");
    interrupt::pause(span.mul_f64(SETTLING))?;
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    let mut members = Map::new();
    for kind in &kinds {
        interrupt::check()?;
        say(&format!("asking: {}", kind.name));
        let outcome = at_rate(client, &kind.questions, kind.rate, span);
        note_failures(report, kind.name, &outcome);
        if let Some(bar_ms) = kind.bar_ms {
            report.bar(
                format!("{}, p99", kind.name),
                outcome.latencies.percentile_ms(99),
                "ms",
                Bar::AtMost(bar_ms),
            );
        }
        let mut cells = row(kind.name, kind.rate, &outcome);
        cells.push(rounded(outcome.asked_late.percentile_ms(99)));
        // Said at once: a long run that is broken off has told something.
        say(&cells.join("  "));
        open.push(cells);
        let alone = closed_loop(client, &kind.questions, 1, span / 3);
        note_failures(report, kind.name, &alone);
        closed.push(row(kind.name, alone.per_second(), &alone));
        members.insert(
            kind.name.to_owned(),
            json!({"at_rate": outcome.latencies.as_json(), "asked_late": outcome.asked_late.as_json(), "closed_loop": alone.latencies.as_json()}),
        );
    }
    let mixed = questions::mixed(&kinds);
    if groups == Group::ALL && !mixed.is_empty() {
        say("asking: mixed reads");
        let outcome = closed_loop(client, &mixed, CLIENTS, span);
        note_failures(report, "mixed reads", &outcome);
        let name = format!("mixed reads, {CLIENTS} clients");
        closed.push(row(&name, outcome.per_second(), &outcome));
        report.bar(
            "mixed reads",
            outcome.per_second(),
            "requests/s",
            Bar::AtLeast(MIXED_PER_SECOND),
        );
        report.member("mixed_requests_per_second", number(outcome.per_second()));
    }
    if live.is_over() {
        say(
            "the stream of arriving events ended before the questions did: ask for fewer --seconds or a lower --live-rate",
        );
        report.member("live_ended_early", true);
    }
    let header = |second| [&["question", second, "asked"], &LATENCY_COLUMNS[..]].concat();
    let of_open = [&header("per s")[..], &["asked late, p99 ms"]].concat();
    report.table(
        "latencies at a fixed rate, from the instant a question was due",
        &of_open,
        open,
    );
    report.table("latencies in a closed loop, one client", &header("reached/s"), closed);
    report.member("questions", members);
    Ok(())
}

fn row(name: &str, per_second: f64, outcome: &Outcome) -> Vec<String> {
    let count = outcome.latencies.count().to_string();
    let head = [name.to_owned(), rounded(per_second), count];
    head.into_iter().chain(latency_cells(&outcome.latencies)).collect()
}

fn note_failures(report: &mut Report, name: &str, outcome: &Outcome) {
    if let Some(first) = &outcome.first_failure {
        report.wrong(format!(
            "{name}: {} of {} failed; the first: {first}",
            outcome.failures,
            outcome.latencies.count()
        ));
    }
}
