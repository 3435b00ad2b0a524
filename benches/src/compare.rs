//! `compare`: Ledgerlens and PostgreSQL on the same log, the same questions, the same machine, one after the other.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use postgres::Client as RivalClient;
use serde_json::{Map, json};

use crate::arguments::CompareLoad;
use crate::disk::Disk;
use crate::feed::Feed;
use crate::http::Client;
use crate::ingest;
use crate::interrupt;
use crate::latency::Latencies;
use crate::progress::say;
use crate::report::{Bar, Report, mib, number, rounded};
use crate::rival::ask::{self, Kind};
use crate::rival::{Rival, load};
use crate::server::{self, Server};

const INGEST_RATIO: f64 = 5.0;
/// Each question is asked at least once for the comparison and then at most this often.
const ASKED_MAX: usize = 2_000;

pub(crate) fn run(args: &CompareLoad) -> Result<Report> {
    let mut report = Report::new("compare");
    let mut feed = Feed::prepare(&args.store, 0, Duration::ZERO)?;
    let filled = feed.fill()?;
    let vantage = feed.vantage(filled.payments)?;
    let plan = feed.plan().clone();
    let data_dir = feed.data_dir();
    let key = server::make_key(&data_dir, "operator")?;
    let server = Server::start(&data_dir, Some(&feed.kafka.brokers))?;
    let ours = ingest::measure(&server, &server.client(&key), filled, &data_dir)?;
    server.stop()?;
    // The broker is done; its memory belongs to whoever answers.
    let scratch = feed.without_broker();
    let server = Server::start(&data_dir, None)?;
    let client = server.client(&key);
    server.await_ready(&client)?;

    let rival = Rival::start(args.store.scratch.as_deref())?;
    let mut rival_client = rival.connect()?;
    let theirs = load::load(&mut rival_client, plan)?;
    rival_client.batch_execute("checkpoint")?;
    let their_rate = theirs.messages as f64 / theirs.took.as_secs_f64();
    let our_rate = ours.events_per_second();
    if theirs.messages != filled.messages {
        report.wrong(format!(
            "{} messages for one, {} for the other",
            filled.messages, theirs.messages
        ));
    }
    let their_bytes = Disk::all(&rival.data().join("base"));
    let row =
        |name: &str, ours: String, theirs: String, ratio: f64| vec![name.to_owned(), ours, theirs, rounded(ratio)];
    let our_bytes = Disk::of(&data_dir).total();
    report.table(
        format!("{} payments, {} messages", filled.payments, filled.messages),
        &["", "Ledgerlens", "PostgreSQL", "ratio"],
        vec![
            row(
                "events a second",
                rounded(our_rate),
                rounded(their_rate),
                our_rate / their_rate,
            ),
            row(
                "MiB on disk",
                mib(our_bytes),
                mib(their_bytes),
                their_bytes as f64 / our_bytes.max(1) as f64,
            ),
        ],
    );
    report.bar(
        "ingest, times PostgreSQL",
        our_rate / their_rate,
        "x",
        Bar::AtLeast(INGEST_RATIO),
    );
    report.member("payments", filled.payments);
    report.member("events_per_second", number(our_rate));
    report.member("postgresql_events_per_second", number(their_rate));
    ask_both(
        &mut report,
        &ask::kinds(&vantage),
        &client,
        &mut rival_client,
        args.seconds,
    )?;
    server.stop()?;
    drop(scratch);
    Ok(report)
}

fn ask_both(
    report: &mut Report,
    kinds: &[Kind],
    client: &Client,
    rival: &mut RivalClient,
    span: Duration,
) -> Result<()> {
    let mut rows = Vec::new();
    let mut members = Map::new();
    for kind in kinds {
        interrupt::check()?;
        say(&format!("comparing: {}", kind.name));
        let mut differing = 0;
        for pair in &kind.pairs {
            let ours = client.send(&pair.request)?;
            if let Err(error) = pair.compare(kind.shape, &ours, &pair.ask_rival(rival)?) {
                differing += 1;
                if differing == 1 {
                    report.wrong(format!("{}: {error:#}", kind.name));
                }
            }
        }
        let ours = timed(kind, span, |pair| client.send(&pair.request).map(drop))?;
        let theirs = timed(kind, span, |pair| pair.ask_rival(rival).map(drop))?;
        let ratio = theirs.percentile_ms(50) / ours.percentile_ms(50).max(f64::EPSILON);
        rows.push(vec![
            kind.name.to_owned(),
            kind.pairs.len().to_string(),
            differing.to_string(),
            rounded(ours.percentile_ms(50)),
            rounded(ours.percentile_ms(99)),
            rounded(theirs.percentile_ms(50)),
            rounded(theirs.percentile_ms(99)),
            rounded(ratio),
        ]);
        // Not slower, or within the bar that is set for it alone.
        let within = kind.ratio <= 1.0 && ours.percentile_ms(99) <= kind.bar_ms;
        if within {
            report.bar(
                format!("{}, p99", kind.name),
                ours.percentile_ms(99),
                "ms",
                Bar::AtMost(kind.bar_ms),
            );
        } else {
            report.bar(
                format!("{}, times PostgreSQL", kind.name),
                ratio,
                "x",
                Bar::AtLeast(kind.ratio),
            );
        }
        members.insert(
            kind.name.to_owned(),
            json!({"ours": ours.as_json(), "postgresql": theirs.as_json(), "ratio": number(ratio), "differing": differing}),
        );
    }
    report.table(
        "the same questions, one client, answers compared first",
        &[
            "question",
            "asked",
            "differing",
            "our p50 ms",
            "our p99",
            "their p50 ms",
            "their p99",
            "ratio",
        ],
        rows,
    );
    report.member("questions", members);
    Ok(())
}

fn timed(kind: &Kind, span: Duration, mut ask: impl FnMut(&ask::Pair) -> Result<()>) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    let started = Instant::now();
    for pair in kind.pairs.iter().cycle().take(ASKED_MAX) {
        if started.elapsed() >= span && latencies.count() >= kind.pairs.len().min(5) {
            break;
        }
        let asked_at = Instant::now();
        ask(pair).with_context(|| kind.name)?;
        latencies.record(asked_at.elapsed());
    }
    Ok(latencies)
}
