//! A measurement's surroundings: a scratch directory, a broker, and the stream that fills it and goes on arriving.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use chrono::{Days, NaiveDate, NaiveDateTime};
use generator::kafka::{Target, produce};
use generator::{Plan, PlanError, Stream};
use tempfile::TempDir;

use crate::arguments::{StoreLoad, messages_a_payment, plan};
use crate::interrupt;
use crate::kafka::Kafka;
use crate::progress::Progress;
use crate::vantage::Vantage;

/// The generator's shape: days near the end of the span are busier than the average one.
const END_BUSIER: f64 = 1.2;
const KOREA_AHEAD_MS: i64 = 9 * 3_600_000;

/// Dropped in this order: the broker goes before its directory.
pub(crate) struct Feed {
    pub(crate) kafka: Kafka,
    scratch: TempDir,
    pub(crate) stream: Stream,
    plan: Plan,
    /// The first day of what arrives later.
    live_from: Option<NaiveDate>,
}

/// What was published before the clock started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filled {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) payments: u64,
    pub(crate) took: Duration,
}

impl Feed {
    /// Starts a broker. The stream holds the payments asked for and, after them, as many as arrive in `live` at
    /// `live_rate` events a second.
    pub(crate) fn prepare(load: &StoreLoad, live_rate: u64, live: Duration) -> Result<Self> {
        Self::start(load, live_rate, live, None, Stream::new)
    }

    /// The same with a broker that keeps no more than so many bytes, and a stream that adds up what a store must answer after it.
    pub(crate) fn prepare_judged(load: &StoreLoad, live_rate: u64, live: Duration, retention: u64) -> Result<Self> {
        Self::start(load, live_rate, live, Some(retention), Stream::with_expect)
    }

    fn start(
        load: &StoreLoad,
        live_rate: u64,
        live: Duration,
        retention: Option<u64>,
        stream: fn(Plan) -> Result<Stream, PlanError>,
    ) -> Result<Self> {
        let plan = plan_with(load, live_rate, live);
        let live_from = (plan.payments > load.payments).then(|| live_from(&plan, load.payments));
        let mut feed = Self::with(load, plan, retention, stream)?;
        feed.stream.pause_before(live_from);
        feed.live_from = live_from;
        Ok(feed)
    }

    /// A stream of which nothing is there before the clock starts.
    pub(crate) fn of(load: &StoreLoad, plan: Plan) -> Result<Self> {
        Self::with(load, plan, None, Stream::new)
    }

    fn with(
        load: &StoreLoad,
        plan: Plan,
        retention: Option<u64>,
        stream: fn(Plan) -> Result<Stream, PlanError>,
    ) -> Result<Self> {
        let scratch = scratch(load)?;
        let kafka = Kafka::start(scratch.path())?;
        kafka.make_topics(retention)?;
        Ok(Feed {
            kafka,
            scratch,
            stream: stream(plan.clone())?,
            plan,
            live_from: None,
        })
    }

    /// What an asker knows of the `loaded` payments before the pause.
    pub(crate) fn vantage(&self, loaded: u64) -> Result<Vantage> {
        let until_ms = match self.live_from {
            // The stream's days begin at midnight in Korea.
            Some(day) => NaiveDateTime::from(day).and_utc().timestamp_millis() - KOREA_AHEAD_MS,
            None => i64::MAX,
        };
        Vantage::draw(&self.plan, loaded, until_ms)
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Stops the broker; what it left and the stores stay until the directory is dropped.
    pub(crate) fn without_broker(self) -> TempDir {
        self.scratch
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// Publishes everything up to the pause.
    pub(crate) fn fill(&mut self) -> Result<Filled> {
        let started = Instant::now();
        let mut progress = Progress::new("filling Kafka", "payments", self.plan.payments);
        let target = Target::new(&self.kafka.brokers);
        let done = produce(&mut self.stream, &target, &mut |now| {
            progress.set(now.payments);
            go_on(&AtomicBool::new(false))
        })?;
        interrupt::check()?;
        Ok(Filled {
            messages: done.messages,
            bytes: done.bytes,
            payments: done.payments,
            took: started.elapsed(),
        })
    }

    /// The rest of the stream at a steady rate, beside whatever is measured; the feed itself stays.
    pub(crate) fn trickle(self, rate: u64) -> Trickle {
        let Feed {
            kafka,
            scratch,
            mut stream,
            ..
        } = self;
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let target = Target {
            rate: Some(rate),
            ..Target::new(&kafka.brokers)
        };
        let (told, counts) = (stop.clone(), sent.clone());
        let started_at = Instant::now();
        stream.pause_before(None);
        let thread = thread::spawn(move || {
            if rate > 0 {
                produce(&mut stream, &target, &mut |now| {
                    counts.store(now.messages, Ordering::Relaxed);
                    go_on(&told)
                })?;
            }
            Ok((started_at.elapsed(), stream))
        });
        Trickle {
            stop,
            sent,
            thread: Some(thread),
            rest: None,
            kafka,
            _scratch: scratch,
        }
    }
}

/// A feed whose stream goes on arriving.
pub(crate) struct Trickle {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<Result<(Duration, Stream)>>>,
    /// What was not published, once it was stopped.
    rest: Option<Stream>,
    pub(crate) kafka: Kafka,
    _scratch: TempDir,
}

/// What arrived meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    pub(crate) messages: u64,
    pub(crate) took: Duration,
}

impl Trickle {
    /// The stream came to its end although it was to last.
    pub(crate) fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Stops publishing; what is sent is delivered.
    pub(crate) fn stop(&mut self) -> Result<Arrived> {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.take().context("it was stopped before")?;
        let (took, rest) = thread.join().map_err(|_| anyhow!("the producer's thread failed"))??;
        self.rest = Some(rest);
        Ok(Arrived {
            messages: self.sent.load(Ordering::Relaxed),
            took,
        })
    }
}

impl Trickle {
    /// Publishes what is left of the stream as fast as the broker takes it, and gives back the stream.
    pub(crate) fn exhaust(&mut self) -> Result<Stream> {
        let mut stream = self.rest.take().context("it was not stopped, or exhausted before")?;
        let target = Target::new(&self.kafka.brokers);
        produce(&mut stream, &target, &mut |_| go_on(&AtomicBool::new(false)))?;
        interrupt::check()?;
        Ok(stream)
    }
}

impl Drop for Trickle {
    fn drop(&mut self) {
        if self.thread.is_some() {
            let _ = self.stop();
        }
    }
}

pub(crate) fn scratch(load: &StoreLoad) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("ledgerlens-bench-");
    match &load.scratch {
        Some(dir) => builder
            .tempdir_in(dir)
            .with_context(|| format!("{} cannot be used", dir.display())),
        None => builder.tempdir().context("no temporary directory"),
    }
}

fn go_on(stop: &AtomicBool) -> ControlFlow<()> {
    if stop.load(Ordering::Acquire) || interrupt::is_interrupted() {
        return ControlFlow::Break(());
    }
    ControlFlow::Continue(())
}

/// The payments asked for and, after them, as many as arrive in `live` at `live_rate` events a second.
pub(crate) fn plan_with(load: &StoreLoad, live_rate: u64, live: Duration) -> Plan {
    let live_messages = live_rate as f64 * live.as_secs_f64();
    let more = (live_messages / messages_a_payment(load.mix)).ceil() as u64;
    plan(load.payments + more, load.seed, load.mix)
}

/// The day with which the payments beyond `loaded` begin, about.
fn live_from(plan: &Plan, loaded: u64) -> NaiveDate {
    let live = plan.payments.saturating_sub(loaded) as f64 / plan.payments.max(1) as f64;
    let days = (f64::from(plan.days) * (1.0 - live / END_BUSIER)).floor() as u64;
    plan.start + Days::new(days)
}
