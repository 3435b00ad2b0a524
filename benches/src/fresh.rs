//! `fresh`: from publishing an event to seeing it in a search answer, while others arrive.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use generator::Topic;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::json;

use crate::arguments::LiveLoad;
use crate::feed::Feed;
use crate::http::{Client, Request, address};
use crate::ingest;
use crate::interrupt;
use crate::latency::Latencies;
use crate::pace::{Expects, Question};
use crate::progress::say;
use crate::report::{Bar, LATENCY_COLUMNS, Report, latency_cells, number, rounded};
use crate::server::{self, Server};
use crate::status;

/// Watchers, each with one event under way at most.
const WATCHERS: u64 = 4;
/// Each publishes an event so often.
const EVERY: Duration = Duration::from_secs(1);
/// And looks for it so often: the resolution of the figures.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Later than this it counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lets the stream reach its rate first.
const WARM_UP: Duration = Duration::from_secs(3);

pub(crate) fn run(load: &LiveLoad) -> Result<Report> {
    let mut report = Report::new("fresh");
    let span = load.seconds;
    let mut feed = Feed::prepare(&load.store, load.live_rate, span + WARM_UP + Duration::from_secs(10))?;
    let filled = feed.fill()?;
    let data_dir = feed.data_dir();
    let key = server::make_key(&data_dir, "operator")?;
    let server = Server::start(&data_dir, Some(&feed.kafka.brokers))?;
    let client = server.client(&key);
    ingest::measure(&server, &client, filled, &data_dir)?;
    let mut live = feed.trickle(load.live_rate);
    thread::sleep(WARM_UP);
    say("publishing events and looking for them ...");
    let seen = watch(&live.kafka.brokers, &client, span)?;
    if live.is_over() {
        report.member("live_ended_early", true);
    }
    let arrived = live.stop()?;
    status::await_no_lag(&client)?;
    server.stop()?;
    let rate = arrived.messages as f64 / arrived.took.as_secs_f64().max(1e-9);
    let mut cells = vec![filled.payments.to_string(), rounded(rate), seen.count().to_string()];
    cells.extend(latency_cells(&seen));
    let header = [&["payments", "events/s meanwhile", "looked for"], &LATENCY_COLUMNS[..]].concat();
    report.table("published until seen in a search answer", &header, vec![cells]);
    report.bar(
        "published until searchable, p50",
        seen.percentile_ms(50),
        "ms",
        Bar::AtMost(300.0),
    );
    report.bar(
        "published until searchable, p99",
        seen.percentile_ms(99),
        "ms",
        Bar::AtMost(1_000.0),
    );
    report.member("payments", filled.payments);
    report.member("live_events_per_second", number(rate));
    report.member("published_until_searchable", seen.as_json());
    Ok(report)
}

fn watch(brokers: &str, client: &Client, span: Duration) -> Result<Latencies> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("acks", "all")
        .set("linger.ms", "0")
        .create()
        .context("a Kafka client")?;
    // The first message of a producer pays for its connection.
    publish(&producer, "fresh-warm-up")?;
    let all = Mutex::new(Latencies::default());
    let number = AtomicU64::new(0);
    let started = Instant::now();
    thread::scope(|scope| {
        let watcher = |place: u64| {
            let client = client.apart();
            let mut due = started + EVERY.mul_f64(place as f64 / WATCHERS as f64);
            while due < started + span {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let took = see_one(&producer, &client, number.fetch_add(1, Ordering::Relaxed))?;
                all.lock().unwrap_or_else(PoisonError::into_inner).record(took);
                due = Instant::now().max(due + EVERY);
                interrupt::check()?;
            }
            Ok(())
        };
        let watchers: Vec<_> = (0..WATCHERS).map(|place| scope.spawn(move || watcher(place))).collect();
        let joined = watchers.into_iter().map(|watcher| match watcher.join() {
            Ok(outcome) => outcome,
            Err(_) => Err(anyhow!("a watcher's thread failed")),
        });
        joined.collect::<Result<()>>()
    })?;
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn see_one(producer: &BaseProducer, client: &Client, number: u64) -> Result<Duration> {
    let order_id = format!("fresh-{}-{number}", std::process::id());
    let question = Question {
        request: Request::Get(address("/v1/payments/search", &[("q", &order_id)])),
        expects: Expects::Rows,
    };
    let published_at = Instant::now();
    publish(producer, &order_id)?;
    while published_at.elapsed() < PATIENCE {
        let answer = client.send(&question.request)?;
        if question.fault(&answer).is_none() {
            return Ok(published_at.elapsed());
        }
        if answer.status != 200 {
            bail!("a search was answered with {}", answer.status);
        }
        thread::sleep(LOOK_EVERY);
    }
    bail!("{order_id} was published and not found within {PATIENCE:?}")
}

/// Hands a finished payment to the broker and waits until the broker has it.
fn publish(producer: &BaseProducer, order_id: &str) -> Result<()> {
    let now = chrono::Utc::now().to_rfc3339();
    let event = json!({
        "specversion": "1.0", "id": order_id, "source": "bench", "type": "payment.recorded.v1", "time": now,
        "data": {
            "payment_key": format!("pay-{order_id}"), "merchant_id": "m_fresh", "order_id": order_id, "version": 1,
            "status": "DONE", "method": "CARD", "currency": "KRW", "amount": {"total": "1000"},
            "requested_at": now, "approved_at": now
        }
    });
    let value = event.to_string();
    let record = BaseRecord::to(Topic::Payments.name()).key(order_id).payload(&value);
    producer.send(record).map_err(|(error, _)| anyhow!(error))?;
    producer.flush(PATIENCE).context("an event was not published")?;
    Ok(())
}
