//! The stream into Kafka: keyed by payment, compressed, batched for throughput, at a steady rate if one is asked for.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use thiserror::Error;

use crate::files::{OnProgress, Progress};
use crate::message::Topic;
use crate::stream::{Message, Stream};

/// Where to produce to, and how fast.
#[derive(Clone, Debug)]
pub struct Target {
    pub brokers: String,
    /// Names of the topics of `Topic::ALL`.
    pub topics: [String; 3],
    /// Messages a second; as fast as the broker takes them if absent.
    pub rate: Option<u64>,
}

impl Target {
    /// The default topics, without a limit.
    #[must_use]
    pub fn new(brokers: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            topics: Topic::ALL.map(|topic| topic.name().to_owned()),
            rate: None,
        }
    }
}

#[derive(Debug, Error)]
pub enum ProduceError {
    #[error("no broker answers at {brokers}")]
    NoBroker { brokers: String, source: KafkaError },
    #[error("the plan holds messages over 1 MiB, which a broker refuses: leave `oversize` out of it")]
    Oversize,
    #[error("the producer cannot be set up")]
    SetUp(#[source] KafkaError),
    #[error("topic {topic} refused a message")]
    Refused { topic: String, source: KafkaError },
    #[error("{failed} of {sent} messages were not delivered")]
    Undelivered { failed: u64, sent: u64, source: KafkaError },
}

const REPORT_EVERY: Duration = Duration::from_millis(100);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const FLUSH_WITHIN: Duration = Duration::from_secs(60);
/// Callbacks are served this often; more often costs, more rarely lets the queue fill.
const MESSAGES_PER_POLL: u64 = 256;

/// Produces the rest of the stream and waits until the broker has all of it.
///
/// # Errors
/// No broker answers, or one of the messages was not delivered.
pub fn produce(stream: &mut Stream, target: &Target, on_progress: OnProgress<'_>) -> Result<Progress, ProduceError> {
    if stream.plan().poison.parts() > 0 && stream.plan().oversize {
        return Err(ProduceError::Oversize);
    }
    let fate = Arc::new(Fate::default());
    let producer = connect(target, Arc::clone(&fate))?;
    let headers = OwnedHeaders::new().insert(Header {
        key: "content-type",
        value: Some("application/cloudevents+json"),
    });
    let mut pace = Pace::new(target.rate);
    let mut progress = Progress {
        payments_planned: stream.plan().payments,
        ..Progress::default()
    };
    while let Some(message) = stream.next_message() {
        progress.messages += 1;
        progress.bytes += message.value.len() as u64;
        send(&producer, target, message, &headers)?;
        if progress.messages.is_multiple_of(MESSAGES_PER_POLL) {
            producer.poll(Duration::ZERO);
        }
        progress.payments = stream.payments_arrived();
        if pace.keep(&producer, progress, on_progress).is_break() || fate.failed.load(Ordering::Relaxed) > 0 {
            break;
        }
    }
    progress.payments = stream.payments_arrived();
    // All is sent: there is nothing left to stop.
    let _ = on_progress(progress);
    let flushed = producer.flush(FLUSH_WITHIN);
    fate.verdict(progress.messages, flushed, producer.in_flight_count())?;
    Ok(progress)
}

fn connect(target: &Target, fate: Arc<Fate>) -> Result<BaseProducer<Context>, ProduceError> {
    let producer: BaseProducer<Context> = ClientConfig::new()
        .set("bootstrap.servers", &target.brokers)
        .set("client.id", "ledgerlens-generate")
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "zstd")
        .set("compression.level", "1")
        // The partition that a Java producer would choose for the same key.
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "20")
        .set("batch.size", "1000000")
        .set("queue.buffering.max.messages", "200000")
        .set("queue.buffering.max.kbytes", "262144")
        .set("message.timeout.ms", "60000")
        .create_with_context(Context { fate })
        .map_err(ProduceError::SetUp)?;
    match producer.client().fetch_metadata(None, CONNECT_WITHIN) {
        Ok(_) => Ok(producer),
        Err(source) => Err(ProduceError::NoBroker {
            brokers: target.brokers.clone(),
            source,
        }),
    }
}

fn send(
    producer: &BaseProducer<Context>,
    target: &Target,
    message: Message<'_>,
    headers: &OwnedHeaders,
) -> Result<(), ProduceError> {
    let topic = &target.topics[message.topic as usize];
    // No timestamp of its own: a broker would drop messages dated years back as past their retention.
    let mut record = BaseRecord::to(topic)
        .key(message.key)
        .payload(message.value)
        .headers(headers.clone());
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                record = refused;
                // Returns as soon as the broker has taken something.
                producer.poll(REPORT_EVERY);
            }
            Err((source, _)) => {
                return Err(ProduceError::Refused {
                    topic: topic.clone(),
                    source,
                });
            }
        }
    }
}

/// Spreads messages evenly over time.
struct Pace {
    started: Instant,
    reported: Instant,
    rate: Option<u64>,
}

impl Pace {
    fn new(rate: Option<u64>) -> Self {
        let now = Instant::now();
        Self {
            started: now,
            reported: now,
            rate: rate.filter(|rate| *rate > 0),
        }
    }

    /// Waits until the next message is due, reporting meanwhile.
    fn keep(
        &mut self,
        producer: &BaseProducer<Context>,
        progress: Progress,
        on_progress: OnProgress<'_>,
    ) -> ControlFlow<()> {
        if self.rate.is_none() && !progress.messages.is_multiple_of(MESSAGES_PER_POLL) {
            return ControlFlow::Continue(());
        }
        loop {
            let now = Instant::now();
            if now.duration_since(self.reported) >= REPORT_EVERY {
                self.reported = now;
                on_progress(progress)?;
            }
            let ahead = self.due(progress.messages).saturating_duration_since(now);
            if ahead < Duration::from_millis(1) {
                return ControlFlow::Continue(());
            }
            // Serves the callbacks that come in while waiting.
            producer.poll(ahead.min(REPORT_EVERY));
        }
    }

    fn due(&self, messages: u64) -> Instant {
        let Some(rate) = self.rate else { return self.started };
        let nanos = u128::from(messages) * 1_000_000_000 / u128::from(rate);
        self.started + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// What became of the messages sent.
#[derive(Default)]
struct Fate {
    failed: AtomicU64,
    first: Mutex<Option<KafkaError>>,
}

impl Fate {
    fn verdict(&self, sent: u64, flushed: Result<(), KafkaError>, in_flight: i32) -> Result<(), ProduceError> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let failed = self.failed.load(Ordering::Relaxed);
        match (first, flushed) {
            (Some(source), _) => Err(ProduceError::Undelivered { failed, sent, source }),
            (None, Err(source)) => Err(ProduceError::Undelivered {
                failed: u64::from(in_flight.unsigned_abs()),
                sent,
                source,
            }),
            (None, Ok(())) => Ok(()),
        }
    }
}

struct Context {
    fate: Arc<Fate>,
}

impl ClientContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.fate.failed.fetch_add(1, Ordering::Relaxed);
            self.fate
                .first
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| error.clone());
        }
    }
}
