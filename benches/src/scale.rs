//! `scale`: does an event cost the same at the end as at the beginning?
//!
//! Through Kafka the stream is produced while it is read, some way ahead, because tens of millions of payments would not
//! lie in a broker of 5 GiB; into `backfill -` it is piped. Both cost the generator's share of the machine, all along the
//! same.

use std::ops::ControlFlow;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use generator::kafka::{Target, produce};
use generator::{Mix, Plan, Stream, write_ndjson};
use serde_json::{Value, json};

use crate::arguments::{ScaleLoad, Through, plan};
use crate::disk::Disk;
use crate::feed;
use crate::http::Client;
use crate::ingest::memory_bar_gib;
use crate::interrupt;
use crate::kafka::Kafka;
use crate::progress::{Progress, say};
use crate::prometheus;
use crate::report::{Bar, Report, mib, number, rounded};
use crate::sample::{Sampler, Seen};
use crate::server::{self, Server};
use crate::status;
use crate::sums;

/// So many messages the producer is ahead at most.
const AHEAD: u64 = 1_000_000;
const LOOK_EVERY: Duration = Duration::from_millis(200);
const RETENTION_BYTES: u64 = 5 << 30;

/// What stood when another million payments had been read.
struct Mark {
    payments: u64,
    at: Duration,
    seen: Seen,
    disk: u64,
    /// Of a recent minute, in seconds; through Kafka only.
    batch_p50: f64,
    batch_p99: f64,
}

struct Course {
    marks: Vec<Mark>,
    messages: u64,
    took: Duration,
    stream: Stream,
}

pub(crate) fn run(load: &ScaleLoad) -> Result<Report> {
    let scratch = feed::scratch(&load.store)?;
    let data_dir = scratch.path().join("data");
    let plan = plan(load.store.payments, load.store.seed, load.store.mix);
    let stream = Stream::with_expect(plan.clone())?;
    let key = server::make_key(&data_dir, "operator")?;
    let course = match load.through {
        Through::Kafka => {
            let kafka = Kafka::start(scratch.path())?;
            kafka.make_topics(Some(RETENTION_BYTES))?;
            let server = Server::start(&data_dir, Some(&kafka.brokers))?;
            let course = through_kafka(&kafka, &server, &server.client(&key), stream, &data_dir)?;
            server.stop()?;
            course
        }
        Through::Pipe => through_pipe(&data_dir, stream)?,
    };
    let mut report = Report::new(match load.through {
        Through::Kafka => "scale",
        Through::Pipe => "scale by pipe",
    });
    describe(&mut report, load, &course, Disk::of(&data_dir));
    judge(&mut report, load, course, &plan, &data_dir, &key)?;
    Ok(report)
}

/// Marks ten times in a small run, else every million payments.
fn every(payments: u64) -> u64 {
    (payments / 10).clamp(1, 1_000_000)
}

fn through_kafka(
    kafka: &Kafka,
    server: &Server,
    client: &Client,
    mut stream: Stream,
    data_dir: &std::path::Path,
) -> Result<Course> {
    let (read, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (produced, arrived) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let payments = stream.plan().payments;
    let target = Target::new(&kafka.brokers);
    let producer = {
        let (read, done, produced, arrived) = (read.clone(), done.clone(), produced.clone(), arrived.clone());
        thread::spawn(move || {
            let outcome = produce(&mut stream, &target, &mut |now| {
                produced.store(now.messages, Ordering::Release);
                arrived.store(now.payments, Ordering::Release);
                while now.messages > read.load(Ordering::Acquire) + AHEAD && !interrupt::is_interrupted() {
                    thread::sleep(Duration::from_millis(5));
                }
                if interrupt::is_interrupted() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            done.store(true, Ordering::Release);
            (stream, outcome)
        })
    };
    let sampler = Sampler::start(server.pid())?;
    let mut progress = Progress::new("ingesting", "payments", payments);
    let mut marks: Vec<Mark> = Vec::new();
    let step = every(payments);
    let mut next = step;
    let messages_a_payment = |arrived: u64, messages: u64| messages as f64 / arrived.max(1) as f64;
    loop {
        interrupt::check()?;
        let over = done.load(Ordering::Acquire);
        let text = client.text("/metrics")?;
        let count = prometheus::value(&text, "ledgerlens_messages_total", "") as u64;
        read.store(count, Ordering::Release);
        let sent = produced.load(Ordering::Acquire);
        let per = messages_a_payment(arrived.load(Ordering::Acquire), sent);
        let now = (count as f64 / per.max(1.0)) as u64;
        progress.set(now);
        if now >= next || (over && count >= sent) {
            next = (now / step + 1) * step;
            let quantile = |label| prometheus::value(&text, "ledgerlens_batch_seconds", label);
            marks.push(Mark {
                payments: now,
                at: server.started_at.elapsed(),
                seen: sampler.seen(),
                disk: Disk::of(data_dir).total(),
                batch_p50: quantile("quantile=\"0.5\""),
                batch_p99: quantile("quantile=\"0.99\""),
            });
        }
        if over && count >= sent {
            break;
        }
        thread::sleep(LOOK_EVERY);
    }
    status::await_no_lag(client)?;
    let took = server.started_at.elapsed();
    let (stream, outcome) = producer.join().map_err(|_| anyhow!("the producer's thread failed"))?;
    Ok(Course {
        marks,
        messages: outcome?.messages,
        took,
        stream,
    })
}

fn through_pipe(data_dir: &std::path::Path, mut stream: Stream) -> Result<Course> {
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
    let payments = stream.plan().payments;
    let mut progress = Progress::new("backfilling", "payments", payments);
    let mut marks: Vec<Mark> = Vec::new();
    let step = every(payments);
    let mut next = step;
    let done = write_ndjson(&mut stream, &mut pipe, &mut |now| {
        progress.set(now.payments);
        if now.payments >= next {
            next = (now.payments / step + 1) * step;
            marks.push(Mark {
                payments: now.payments,
                at: started.elapsed(),
                seen: sampler.seen(),
                disk: Disk::of(data_dir).total(),
                batch_p50: 0.0,
                batch_p99: 0.0,
            });
        }
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
        marks,
        messages,
        took: started.elapsed(),
        stream,
    })
}

fn describe(report: &mut Report, load: &ScaleLoad, course: &Course, disk: Disk) {
    let mut before = (Duration::ZERO, 0);
    let mut rows = Vec::new();
    let mut seconds = Vec::new();
    for mark in &course.marks {
        let took = (mark.at - before.0).as_secs_f64();
        let payments = mark.payments.saturating_sub(before.1).max(1);
        let per_million = took * 1e6 / payments as f64;
        seconds.push(per_million);
        rows.push(vec![
            mark.payments.to_string(),
            rounded(per_million),
            rounded(mark.batch_p50 * 1e3),
            rounded(mark.batch_p99 * 1e3),
            mib(mark.seen.peak.own),
            mib(mark.seen.peak.mapped),
            rounded(mark.disk as f64 / mark.payments.max(1) as f64),
        ]);
        before = (mark.at, mark.payments);
    }
    let payments = load.store.payments;
    report.table(
        format!(
            "{payments} payments ({:?} mix) through {:?}",
            load.store.mix, load.through
        ),
        &[
            "payments",
            "s a million",
            "batch p50 ms",
            "batch p99 ms",
            "peak own MiB",
            "peak mapped MiB",
            "bytes a payment",
        ],
        rows,
    );
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
    // The first one opens files and fills caches; the last may be a part of a million.
    let whole: Vec<f64> = if seconds.len() > 2 {
        seconds[1..seconds.len() - 1].to_vec()
    } else {
        seconds
    };
    if let [second, .., last] = whole[..] {
        report.bar("last million / second million", last / second, "", Bar::AtMost(1.2));
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

/// Sums against the ground truth, and the program's own verification.
fn judge(
    report: &mut Report,
    load: &ScaleLoad,
    course: Course,
    plan: &Plan,
    data_dir: &std::path::Path,
    key: &str,
) -> Result<()> {
    let server = Server::start(data_dir, None)?;
    let client = server.client(key);
    server.await_ready(&client)?;
    say("comparing sums with the ground truth ...");
    if let Some(expect) = course.stream.into_expect() {
        match sums::compare(&client, plan, &expect) {
            Ok(rows) => report.member("sums_compared", rows),
            Err(error) => report.wrong(format!("sums: {error:#}")),
        }
    }
    server.stop()?;
    if load.verify {
        server::verify(report, data_dir);
    }
    Ok(())
}
