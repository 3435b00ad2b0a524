//! `ingest`: messages that already lie in a real Kafka, end to end into ledger and index; then questions; then what the
//! parts alone allow, so that the rate can be read as a share of it.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, json};

use crate::arguments::Load;
use crate::asking;
use crate::disk::Disk;
use crate::feed::{Feed, Filled};
use crate::http::Client;
use crate::parts::{self, Parts};
use crate::prometheus;
use crate::questions::Group;
use crate::report::{Bar, Report, mib, number, rounded};
use crate::sample::{Sampler, Seen};
use crate::server::{self, Server};
use crate::status::{self, CaughtUp};

const EVENTS_PER_SECOND: f64 = 40_000.0;
const SHARE_OF_CEILING: f64 = 0.6;

/// What one run of ingestion gave.
pub(crate) struct Run {
    pub(crate) filled: Filled,
    pub(crate) caught_up: CaughtUp,
    pub(crate) seen: Seen,
    pub(crate) disk: Disk,
    pub(crate) documents: f64,
}

impl Run {
    pub(crate) fn events_per_second(&self) -> f64 {
        self.filled.messages as f64 / self.caught_up.indexed.as_secs_f64()
    }

    fn documents_per_event(&self) -> f64 {
        self.documents / self.filled.messages as f64
    }

    fn processor_micros_per_event(&self, seconds: f64) -> f64 {
        seconds * 1e6 / self.filled.messages as f64
    }

    pub(crate) fn bytes_per_payment(&self) -> f64 {
        self.disk.total() as f64 / self.filled.payments as f64
    }
}

pub(crate) fn run(name: &'static str, load: &Load, groups: &[Group]) -> Result<Report> {
    let mut report = Report::new(name);
    let live = asking::takes(groups, load.seconds);
    let mut feed = Feed::prepare(&load.store, load.live_rate, live)?;
    let filled = feed.fill()?;
    let vantage = feed.vantage(filled.payments)?;
    let data_dir = feed.data_dir();
    let key = server::make_key(&data_dir, "operator")?;
    let server = Server::start(&data_dir, Some(&feed.kafka.brokers))?;
    let client = server.client(&key);
    let ingested = measure(&server, &client, filled, &data_dir)?;
    describe(&mut report, &ingested, load);

    let mut live = feed.trickle(load.live_rate);
    asking::ask(&mut report, &vantage, groups, &client, load.seconds, &live)?;
    let arrived = live.stop()?;
    report.member(
        "live_events_per_second",
        number(arrived.messages as f64 / arrived.took.as_secs_f64().max(1e-9)),
    );
    status::await_no_lag(&client)?;
    let read = status::await_read(&client, filled.messages + arrived.messages)?;
    if read != filled.messages + arrived.messages {
        report.wrong(format!(
            "{read} messages were read, {} published",
            filled.messages + arrived.messages
        ));
    }
    let stopped = server.stop()?;
    report.member("stopped_within_s", number(stopped.as_secs_f64()));
    if load.verify {
        server::verify(&mut report, &data_dir);
    }
    drop(live);
    let ceiling_payments = load.ceiling_payments.unwrap_or(load.store.payments);
    if ceiling_payments > 0 && groups == Group::ALL {
        let parts = parts::measure(ceiling_payments, load.store.seed, load.store.mix)?;
        compare_with_ceiling(&mut report, &ingested, &parts);
    }
    Ok(report)
}

/// From the start of the process until everything is applied and indexed.
pub(crate) fn measure(server: &Server, client: &Client, filled: Filled, data_dir: &Path) -> Result<Run> {
    let sampler = Sampler::start(server.pid())?;
    let caught_up = status::await_caught_up(client, filled.messages, server.started_at)?;
    let seen = sampler.seen();
    let metrics = client.text("/metrics")?;
    let documents = prometheus::value(&metrics, "ledgerlens_index_documents_total", "outcome=\"written\"");
    Ok(Run {
        filled,
        caught_up,
        seen,
        disk: Disk::of(data_dir),
        documents,
    })
}

fn describe(report: &mut Report, run: &Run, load: &Load) {
    let filled = &run.filled;
    let rate = run.events_per_second();
    let row = |name: &str, value: String, unit: &str| vec![name.to_owned(), value, unit.to_owned()];
    let seconds = |duration: Duration| rounded(duration.as_secs_f64());
    report.table(
        format!(
            "ingest: {} payments ({:?} mix, seed {})",
            filled.payments, load.store.mix, load.store.seed
        ),
        &["what", "value", "unit"],
        vec![
            row("messages before the clock started", filled.messages.to_string(), ""),
            row(
                "bytes a message",
                (filled.bytes / filled.messages.max(1)).to_string(),
                "B",
            ),
            row("filling Kafka", seconds(filled.took), "s"),
            row("all in the ledger after", seconds(run.caught_up.applied), "s"),
            row("all in the index after", seconds(run.caught_up.indexed), "s"),
            row("events a second, end to end", rounded(rate), "1/s"),
            row("documents an event", rounded(run.documents_per_event()), ""),
            row("peak memory, anonymous and shared", mib(run.seen.peak.own), "MiB"),
            row("peak of mapped pages", mib(run.seen.peak.mapped), "MiB"),
            row(
                "batch, median of the slowest minute",
                rounded(run.caught_up.batch_p50 * 1e3),
                "ms",
            ),
            row(
                "batch, p99 of the slowest minute",
                rounded(run.caught_up.batch_p99 * 1e3),
                "ms",
            ),
        ],
    );
    describe_processor(report, run);
    describe_disk(report, run);
    report.member("payments", filled.payments);
    report.member("messages", filled.messages);
    report.member("seconds", number(run.caught_up.indexed.as_secs_f64()));
    report.member("events_per_second", number(rate));
    report.member("documents_per_event", number(run.documents_per_event()));
    report.member("peak_memory_mib", number(run.seen.peak.own as f64 / f64::from(1 << 20)));
    report.bar("ingest, end to end", rate, "events/s", Bar::AtLeast(EVENTS_PER_SECOND));
    let gib = run.seen.peak.own as f64 / f64::from(1 << 30);
    report.bar("peak memory", gib, "GiB", Bar::AtMost(memory_bar_gib(filled.payments)));
    let bytes_bar = if load.store.mix == generator::Mix::Full {
        900.0
    } else {
        450.0
    };
    report.bar(
        "disk",
        run.bytes_per_payment(),
        "bytes a payment",
        Bar::AtMost(bytes_bar),
    );
}

/// 2 GiB at a million payments, 4 at 30, 6 at 100.
pub(crate) fn memory_bar_gib(payments: u64) -> f64 {
    match payments {
        0..3_000_000 => 2.0,
        3_000_000..50_000_000 => 4.0,
        _ => 6.0,
    }
}

fn describe_processor(report: &mut Report, run: &Run) {
    let micros = |seconds| run.processor_micros_per_event(seconds);
    let total = run.seen.processor_seconds;
    let line = |(name, seconds): (String, f64)| vec![name, rounded(seconds), rounded(micros(seconds))];
    let mut rows: Vec<_> = run.seen.by_thread().into_iter().map(line).collect();
    rows.push(line(("all".to_owned(), total)));
    report.table(
        "processor time of the server, by thread",
        &["threads", "s", "µs an event"],
        rows,
    );
    report.member("processor_us_per_event", number(micros(total)));
}

pub(crate) fn describe_disk(report: &mut Report, run: &Run) {
    let payments = run.filled.payments.max(1) as f64;
    let classes = run.disk.classes();
    let rows = classes.map(|(name, bytes)| vec![name.to_owned(), mib(bytes), rounded(bytes as f64 / payments)]);
    report.table("bytes on disk", &["class", "MiB", "bytes a payment"], rows.to_vec());
    let members: Map<_, _> = classes
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), number(*bytes as f64 / payments)))
        .collect();
    report.member("bytes_per_payment", members);
}

fn compare_with_ceiling(report: &mut Report, run: &Run, parts: &Parts) {
    parts.describe(report);
    let share = run.events_per_second() / parts.ceiling();
    report.member("ceiling_events_per_second", number(parts.ceiling()));
    report.member("share_of_ceiling", number(share));
    report.member("parts", json!(parts.members()));
    report.bar("share of the parts' ceiling", share, "", Bar::AtLeast(SHARE_OF_CEILING));
}
