//! `scale`: does an event cost the same at the end as at the beginning?
//!
//! Through Kafka the stream is produced while it is read, some way ahead, because tens of millions of payments would not
//! lie in a broker of 5 GiB; into `backfill -` it is piped. Both cost the generator's share of the machine, all along the
//! same.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use generator::kafka::{Target, produce};
use generator::{Mix, Plan, Stream, write_ndjson};
use serde_json::{Value, json};

use crate::arguments::{ScaleLoad, StoreLoad, Through, plan};
use crate::asking;
use crate::disk::Disk;
use crate::feed::{self, Feed};
use crate::http::Client;
use crate::ingest::memory_bar_gib;
use crate::interrupt;
use crate::marks::{HEADER, Mark, Marks};
use crate::process::own_processor_seconds;
use crate::progress::say;
use crate::prometheus;
use crate::questions::Group;
use crate::report::{Bar, Report, mib, number, rounded};
use crate::restart::{self, Restarts};
use crate::sample::Sampler;
use crate::server::{self, Server};
use crate::status;
use crate::sums;

/// So many messages the producer is ahead at most.
const AHEAD: u64 = 1_000_000;
const LOOK_EVERY: Duration = Duration::from_millis(200);
const RETENTION_BYTES: u64 = 5 << 30;
/// Events a second that go on arriving while questions are asked, and for how long each kind of question is.
const LIVE_RATE: u64 = 5_000;
const ASKED_FOR: Duration = Duration::from_secs(10);

struct Course {
    marks: Vec<Mark>,
    messages: u64,
    payments: u64,
    took: Duration,
}

pub(crate) fn run(load: &ScaleLoad) -> Result<Report> {
    match load.through {
        Through::Kafka => run_through_kafka(load),
        Through::Pipe => run_through_pipe(load),
    }
}

fn run_through_kafka(load: &ScaleLoad) -> Result<Report> {
    let mut report = Report::new("scale");
    let live = match load.ask {
        true => live(),
        false => Duration::ZERO,
    };
    let mut feed = Feed::prepare_judged(&load.store, LIVE_RATE, live, RETENTION_BYTES)?;
    let data_dir = feed.data_dir();
    let key = server::make_key(&data_dir, "operator")?;
    let server = Server::start(&data_dir, Some(&feed.kafka.brokers))?;
    let course = through_kafka(&mut feed, &server, &server.client(&key), &data_dir)?;
    describe(&mut report, load, &course, Disk::of(&data_dir));
    let plan = feed.plan().clone();
    let mut vantage = None;
    if load.ask {
        vantage = Some(feed.vantage(course.payments)?);
    }
    let mut live = feed.trickle(LIVE_RATE);
    let (mut server, mut restarts) = (server, Restarts::default());
    if let Some(vantage) = vantage {
        let client = server.client(&key);
        asking::ask(&mut report, &vantage, &Group::ALL, &client, ASKED_FOR, &live)?;
        server = restarts.kill(server, &live.kafka.brokers, &data_dir, &key)?;
    }
    live.stop()?;
    let stream = live.exhaust()?;
    status::await_no_lag(&server.client(&key))?;
    compare_sums(&mut report, &server.client(&key), &plan, stream);
    if load.ask {
        server = restarts.stop(server, &live.kafka.brokers, &data_dir, &key)?;
    }
    server.stop()?;
    if load.ask {
        restarts.rebuild(&data_dir)?;
        restarts.describe(&mut report, course.payments);
    }
    if load.verify {
        server::verify(&mut report, &data_dir);
    }
    if let Some(keep) = &load.keep {
        fs::rename(&data_dir, keep).with_context(|| format!("the store cannot be moved to {}", keep.display()))?;
    }
    Ok(report)
}

/// So long must events go on arriving.
fn live() -> Duration {
    asking::takes(&Group::ALL, ASKED_FOR) + restart::takes()
}

/// What a store that `scale --ask` has filled through Kafka holds at its end.
pub(crate) fn plan_of(load: &StoreLoad) -> Plan {
    feed::plan_with(load, LIVE_RATE, live())
}

fn run_through_pipe(load: &ScaleLoad) -> Result<Report> {
    let mut report = Report::new("scale by pipe");
    let scratch = feed::scratch(&load.store)?;
    let data_dir = scratch.path().join("data");
    let plan = plan(load.store.payments, load.store.seed, load.store.mix);
    let mut stream = Stream::with_expect(plan.clone())?;
    let key = server::make_key(&data_dir, "operator")?;
    let course = through_pipe(&data_dir, &mut stream)?;
    describe(&mut report, load, &course, Disk::of(&data_dir));
    let server = Server::start(&data_dir, None)?;
    let client = server.client(&key);
    server.await_ready(&client)?;
    compare_sums(&mut report, &client, &plan, stream);
    server.stop()?;
    if load.verify {
        server::verify(&mut report, &data_dir);
    }
    Ok(report)
}

/// How far producer and server are.
#[derive(Default)]
struct Ways {
    produced: AtomicU64,
    /// Payments among them.
    arrived: AtomicU64,
    read: AtomicU64,
    stop: AtomicBool,
}

impl Ways {
    /// Told by the producer; waits where it is too far ahead.
    fn note(&self, now: generator::Progress) -> ControlFlow<()> {
        self.produced.store(now.messages, Ordering::Release);
        self.arrived.store(now.payments, Ordering::Release);
        loop {
            if self.stop.load(Ordering::Acquire) || interrupt::is_interrupted() {
                return ControlFlow::Break(());
            }
            if now.messages <= self.read.load(Ordering::Acquire) + AHEAD {
                return ControlFlow::Continue(());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Payments to so many messages, about.
    fn payments(&self, messages: u64) -> u64 {
        let (arrived, produced) = (
            self.arrived.load(Ordering::Acquire),
            self.produced.load(Ordering::Acquire),
        );
        (messages as f64 * arrived as f64 / produced.max(1) as f64) as u64
    }
}

fn through_kafka(feed: &mut Feed, server: &Server, client: &Client, data_dir: &Path) -> Result<Course> {
    let ways = Ways::default();
    let target = Target::new(&feed.kafka.brokers);
    let expected = feed.plan().payments;
    let stream = &mut feed.stream;
    let (marks, messages) = thread::scope(|scope| {
        let producer = scope.spawn(|| produce(stream, &target, &mut |now| ways.note(now)));
        let marks = follow(&ways, &|| producer.is_finished(), server, client, data_dir, expected);
        ways.stop.store(true, Ordering::Release);
        let done = producer.join().map_err(|_| anyhow!("the producer's thread failed"))?;
        Ok::<_, anyhow::Error>((marks?, done?.messages))
    })?;
    status::await_no_lag(client)?;
    Ok(Course {
        marks,
        messages,
        payments: feed.stream.payments_arrived(),
        took: server.started_at.elapsed(),
    })
}

/// Looks at the server until it has read what a producer that is through has published.
fn follow(
    ways: &Ways,
    is_through: &dyn Fn() -> bool,
    server: &Server,
    client: &Client,
    data_dir: &Path,
    expected: u64,
) -> Result<Vec<Mark>> {
    let sampler = Sampler::start(server.pid())?;
    let mut course = Marks::new("ingesting", expected);
    loop {
        interrupt::check()?;
        let is_through = is_through();
        let text = client.text("/metrics")?;
        let read = prometheus::value(&text, "ledgerlens_messages_total", "") as u64;
        ways.read.store(read, Ordering::Release);
        let is_over = is_through && read >= ways.produced.load(Ordering::Acquire);
        let quantile = |label| prometheus::value(&text, "ledgerlens_batch_seconds", label);
        course.note(ways.payments(read), is_over, |payments| Mark {
            payments,
            at: server.started_at.elapsed(),
            seen: sampler.seen(),
            disk: Disk::of(data_dir).total(),
            generating: own_processor_seconds().unwrap_or_default(),
            batch_p50: quantile("quantile=\"0.5\""),
            batch_p99: quantile("quantile=\"0.99\""),
        });
        if is_over {
            return Ok(course.marks);
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn through_pipe(data_dir: &Path, stream: &mut Stream) -> Result<Course> {
    let mut command = server::ledgerlens();
    command.arg("backfill").arg("--data-dir").arg(data_dir).arg("-");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let started = Instant::now();
    let mut child = command.spawn().context("ledgerlens cannot be started")?;
    let sampler = Sampler::start(child.id())?;
    let mut pipe = child.stdin.take().context("no pipe")?;
    let mut course = Marks::new("backfilling", stream.plan().payments);
    let done = write_ndjson(stream, &mut pipe, &mut |now| {
        course.note(now.payments, false, |payments| Mark {
            payments,
            at: started.elapsed(),
            seen: sampler.seen(),
            disk: Disk::of(data_dir).total(),
            generating: own_processor_seconds().unwrap_or_default(),
            batch_p50: 0.0,
            batch_p99: 0.0,
        });
        if interrupt::is_interrupted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    drop(pipe);
    let output = child.wait_with_output()?;
    interrupt::check()?;
    if !output.status.success() {
        bail!("backfill ended with {}", output.status);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let verdicts: Value =
        serde_json::from_str(said.lines().last().unwrap_or_default()).context("what backfill said")?;
    let messages = done?.messages;
    if verdicts["read"].as_u64() != Some(messages) {
        bail!("{messages} messages were piped, backfill says {verdicts}");
    }
    Ok(Course {
        marks: course.marks,
        messages,
        payments: stream.payments_arrived(),
        took: started.elapsed(),
    })
}

fn describe(report: &mut Report, load: &ScaleLoad, course: &Course, disk: Disk) {
    let befores = std::iter::once(None).chain(course.marks.iter().map(Some));
    let steps: Vec<(&Mark, Option<&Mark>)> = course.marks.iter().zip(befores).collect();
    let rows = steps.iter().map(|(mark, before)| mark.cells(*before)).collect();
    let seconds: Vec<f64> = steps
        .iter()
        .map(|(mark, before)| mark.seconds_per_million(*before))
        .collect();
    let generating: Vec<f64> = steps.iter().map(|(mark, before)| mark.generating_us(*before)).collect();
    let payments = course.payments;
    let title = format!(
        "{payments} payments ({:?} mix) through {:?}",
        load.store.mix, load.through
    );
    report.table(title, &HEADER, rows);
    let per_payment = |bytes: u64| bytes as f64 / payments.max(1) as f64;
    let classes = disk
        .classes()
        .map(|(name, bytes)| vec![name.to_owned(), mib(bytes), rounded(per_payment(bytes))]);
    report.table(
        "bytes on disk after the end",
        &["class", "MiB", "bytes a payment"],
        classes.to_vec(),
    );
    let rate = course.messages as f64 / course.took.as_secs_f64();
    report.member("payments", payments);
    report.member("messages", course.messages);
    report.member("events_per_second", number(rate));
    report.member(
        "seconds_per_million",
        json!(seconds.iter().map(|value| number(*value)).collect::<Vec<_>>()),
    );
    report.member(
        "generating_us_per_payment",
        json!(generating.iter().map(|value| number(*value)).collect::<Vec<_>>()),
    );
    if let Some(ratio) = last_to_second(&seconds) {
        report.bar("last million / second million", ratio, "", Bar::AtMost(1.2));
    }
    // The same work at both times: what it lost, by a slower machine or by contended memory, is in the ratio above too.
    if let Some(ratio) = last_to_second(&generating) {
        report.member("generating_last_to_second", number(ratio));
    }
    let worst = |of: fn(&Mark) -> f64| course.marks.iter().map(of).fold(0.0, f64::max);
    let medians = course.marks.iter().map(|mark| mark.batch_p50).sum::<f64>() / course.marks.len().max(1) as f64;
    if medians > 0.0 {
        let ratio = worst(|mark| mark.batch_p99) / medians;
        report.bar("batch, p99 of the slowest minute / median", ratio, "", Bar::AtMost(3.0));
    }
    let peak = worst(|mark| mark.seen.peak.own as f64 / f64::from(1 << 30));
    report.bar("peak memory", peak, "GiB", Bar::AtMost(memory_bar_gib(payments)));
    let bar = if load.store.mix == Mix::Full { 900.0 } else { 450.0 };
    report.bar("disk", per_payment(disk.total()), "bytes a payment", Bar::AtMost(bar));
}

/// Sums against the ground truth of a stream that has ended.
fn compare_sums(report: &mut Report, client: &Client, plan: &Plan, stream: Stream) {
    say("comparing sums with the ground truth ...");
    if let Some(expect) = stream.into_expect() {
        match sums::compare(client, plan, &expect) {
            Ok(rows) => report.member("sums_compared", rows),
            Err(error) => report.wrong(format!("sums: {error:#}")),
        }
    }
}

/// The first one opens files and fills caches; the last may be a part of a million.
fn last_to_second(values: &[f64]) -> Option<f64> {
    let whole = if values.len() > 2 {
        &values[1..values.len() - 1]
    } else {
        values
    };
    match whole {
        [second, .., last] => Some(last / second),
        _ => None,
    }
}
