//! Kafka topics as a source.
//!
//! **One consumer, assigned by hand.** One process writes the ledger and so reads every partition; there is nothing to
//! share out. A consumer group would add what can only harm: rebalances that take partitions away while a batch is
//! open, a heartbeat that a long transaction could miss, and a second map of positions. So the partitions are assigned
//! with the ledger's positions, and the group is a name under which the applied positions are published.
//!
//! **What stops a partition.** A position that is older than the log (messages were deleted before they were read) or
//! beyond its end (the topic was created anew) is a question for an operator: that partition stops with a problem that
//! says what to do, and the others go on. An unreadable batch (a failed checksum) stops the source, because the client
//! would step over it.
//!
//! **What is passed.** The client hands transaction markers to nobody, but its position moves on when it takes them from
//! its queue, in order with the messages. So once the queue was found empty, that position is reported by
//! [`Source::passed`], and a quiet partition ends at its end.
//!
//! **In which order.** Partitions are read side by side by the time of their messages ([`lanes`]).
//!
//! **Whose log it is.** A topic that was deleted and created anew with more messages than before looks like one that went
//! on, and so does another cluster's. The last message applied is therefore remembered with the position and compared
//! with the log before anything is delivered ([`landmark`]).

mod context;
mod discovery;
mod landmark;
mod lanes;
mod options;
mod partitions;
mod publish;
mod start;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::position::{PartitionId, Positions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::types::RDKafkaErrorCode;

use crate::error::SourceError;
use crate::kafka::context::{Context, Ends};
use crate::kafka::discovery::{Ask, Discovery};
use crate::kafka::landmark::{Remembered, checksum};
use crate::kafka::lanes::{Lanes, Next};
use crate::kafka::partitions::Partitions;
use crate::kafka::publish::Publisher;
use crate::source::{Budget, Content, Counters, Headers, PartitionStatus, Polled, RawMessage, Source, is_event_header};

pub use crate::kafka::options::{FETCH_BYTES_MAX, KafkaOptions};

/// While it waits for a message, a poll looks this often for newly found partitions.
const WAIT_SLICE: Duration = Duration::from_millis(100);

/// While logs are compared, a poll looks this often whether they were.
const HOLD_SLICE: Duration = Duration::from_millis(10);

/// A message that was taken from the client.
struct Taken {
    position: u64,
    checksum: u128,
    content: Content,
    appended_at: Option<DateTime<Utc>>,
}

impl Taken {
    /// `None` for one at a negative offset, which no log has.
    fn of(message: &BorrowedMessage<'_>) -> Option<Self> {
        let content = match message.payload() {
            Some(value) => Content::of_value(value, event_headers(message)),
            None => Content::Null,
        };
        let appended_at = message.timestamp().to_millis();
        Some(Taken {
            position: u64::try_from(message.offset()).ok()?,
            checksum: checksum(message),
            content,
            appended_at: appended_at.and_then(DateTime::from_timestamp_millis),
        })
    }

    /// A message of a partition that is read, at or after its next position.
    fn accept(self, topic: &str, number: i32, partitions: &mut Partitions) -> Option<RawMessage> {
        Some(RawMessage {
            partition: partitions.accept(topic, number, self.position, self.checksum)?,
            position: self.position,
            content: self.content,
            appended_at: self.appended_at,
        })
    }
}

/// All partitions of the configured topics.
pub struct KafkaSource {
    name: String,
    consumer: Arc<BaseConsumer<Context>>,
    discovery: Discovery,
    partitions: Partitions,
    lanes: Lanes<Option<Taken>>,
    publisher: Publisher,
    counters: Counters,
    brokers: String,
    /// Why no broker answers, in the words of the client.
    outage: Option<String>,
    /// What the last look at the cluster could not find out.
    unseen: Option<String>,
    /// Why nothing is read any more.
    broken: Option<String>,
    /// Checks that were asked for.
    checks: u64,
    /// A topic went away, and with it the certainty of whose log is read: nothing is taken until a look that began after this check has told
    /// which logs are the same.
    held_until: Option<u64>,
    /// Topics to be read.
    topics: usize,
}

impl KafkaSource {
    /// Connects, finds the partitions and assigns them at `held`. Topics that do not exist are waited for.
    pub fn connect(options: &KafkaOptions, held: &Positions) -> Result<Self, SourceError> {
        let remembered = remembered(held);
        // The bound of a queue is set when a client is made, and how many queues share the memory is known after a look.
        let found = discovery::first_look(&options.connect_consumer(1)?, options, &remembered)?;
        let partitions = found.topics.iter().map(|topic| topic.partitions.len()).sum();
        let consumer = Arc::new(options.connect_consumer(partitions)?);
        let mut source = KafkaSource {
            name: format!("Kafka at {}", options.brokers),
            discovery: Discovery::start(&consumer, options, &remembered, &found),
            publisher: Publisher::new(options),
            partitions: Partitions::new(held, &remembered, options.continue_after_loss),
            lanes: Lanes::new(),
            consumer,
            counters: Counters::default(),
            brokers: options.brokers.clone(),
            outage: None,
            unseen: None,
            broken: None,
            checks: 0,
            held_until: None,
            topics: options.topics.len(),
        };
        source.take(&found)?;
        Ok(source)
    }

    /// Acts on what a look at the cluster has found.
    fn take(&mut self, found: &discovery::Found) -> Result<(), SourceError> {
        if found.failure.is_none() {
            self.outage = None;
        }
        let checked = found.check.as_ref().map(|(number, _)| *number);
        self.held_until = self
            .held_until
            .filter(|wanted| checked.is_none_or(|checked| checked < *wanted));
        self.unseen.clone_from(&found.failure);
        self.partitions
            .take(found, &self.consumer, &mut self.lanes)
            .map_err(|reason| self.broken(reason.to_string()))
    }

    /// Has all logs looked at; the number of that check.
    fn check(&mut self) -> u64 {
        self.checks += 1;
        self.discovery.ask(Ask::Check(self.checks));
        self.checks
    }

    fn broken(&mut self, reason: String) -> SourceError {
        self.broken = Some(reason.clone());
        SourceError::Broken {
            brokers: self.brokers.clone(),
            reason,
        }
    }

    /// An error that came between two messages. Whatever is not known to leave the log whole ends the source.
    fn judge(&mut self, error: &KafkaError) -> Result<(), SourceError> {
        use RDKafkaErrorCode as Code;
        let reason = self
            .consumer
            .context()
            .take_reason()
            .unwrap_or_else(|| error.to_string());
        let KafkaError::MessageConsumption(code) = error else {
            return Err(self.broken(reason));
        };
        match code {
            Code::AutoOffsetReset | Code::LogTruncation | Code::OffsetOutOfRange => {
                tracing::warn!(%reason, "a partition cannot be read at its position: the logs are looked at");
                self.check();
            }
            Code::AllBrokersDown | Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL => {
                if self.outage.is_none() {
                    tracing::warn!(%reason, "no Kafka broker answers: it is tried again until one does");
                }
                self.outage = Some(reason);
            }
            Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicOrPartition | Code::UnknownTopicId => {
                tracing::warn!(%reason, "a Kafka topic has gone: the logs are compared before anything more is read");
                self.held_until = Some(self.check());
            }
            Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed | Code::GroupAuthorizationFailed => {
                tracing::warn!(%reason, "Kafka refuses a topic");
                self.discovery.ask(Ask::Look);
            }
            Code::BrokerTransportFailure
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::NotCoordinator
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::BrokerNotAvailable
            | Code::ReplicaNotAvailable
            | Code::KafkaStorageError
            | Code::NetworkException
            | Code::Retry => tracing::debug!(%reason, "the Kafka client goes on by itself"),
            _ => return Err(self.broken(reason)),
        }
        Ok(())
    }

    /// Takes what is in the common queue: news of the client, errors, and the messages of partitions that have no queue of
    /// their own. Returns the bytes of these.
    fn serve(&mut self, out: &mut Vec<RawMessage>) -> Result<usize, SourceError> {
        let consumer = Arc::clone(&self.consumer);
        let mut bytes = 0;
        while let Some(polled) = consumer.poll(Duration::ZERO) {
            match polled {
                Ok(message) => {
                    self.outage = None;
                    let (topic, number) = (message.topic(), message.partition());
                    let taken = Taken::of(&message);
                    let message = taken.and_then(|taken| taken.accept(topic, number, &mut self.partitions));
                    bytes += deliver(message, &mut self.counters, out);
                }
                Err(error) => self.judge(&error)?,
            }
        }
        Ok(bytes)
    }

    /// All queues were found empty: whatever the client has passed, it has passed for good.
    fn note_passed(&mut self) {
        match self.consumer.position() {
            Ok(list) => self.partitions.note_passed(&list),
            Err(error) => tracing::debug!(%error, "the Kafka client does not tell its positions"),
        }
    }
}

impl Source for KafkaSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn poll(&mut self, budget: &Budget, out: &mut Vec<RawMessage>) -> Result<Polled, SourceError> {
        if let Some(reason) = self.broken.clone() {
            return Err(self.broken(reason));
        }
        let taken_before = out.len();
        let mut bytes = 0;
        let ends = self.consumer.context().ends();
        let now = Utc::now();
        self.lanes.look();
        let mut is_served = false;
        loop {
            while let Some(found) = self.discovery.found() {
                self.take(&found)?;
            }
            self.publisher.publish_if_due(&self.consumer);
            let messages = out.len() - taken_before;
            if messages >= budget.messages || bytes >= budget.bytes {
                return Ok(Polled::More);
            }
            let left = budget.until.saturating_duration_since(Instant::now());
            if self.held_until.is_some() {
                if messages > 0 || left.is_zero() {
                    return Ok(Polled::Idle);
                }
                std::thread::sleep(left.min(HOLD_SLICE));
                continue;
            }
            if !is_served {
                is_served = true;
                bytes += self.serve(out)?;
                continue;
            }
            let hold = |message: &BorrowedMessage<'_>| {
                let taken = Taken::of(message);
                let appended_at = taken.as_ref().and_then(|taken| taken.appended_at);
                (taken, appended_at)
            };
            let partitions = &self.partitions;
            let is_all = match self
                .lanes
                .next(now, hold, |topic, number| partitions.left(topic, number, &ends))
            {
                Next::Message(topic, number, taken) => {
                    self.outage = None;
                    let message = taken.and_then(|taken| taken.accept(topic, number, &mut self.partitions));
                    bytes += deliver(message, &mut self.counters, out);
                    continue;
                }
                Next::Failure(error) => {
                    self.judge(&error)?;
                    continue;
                }
                Next::Awaited => false,
                Next::Empty => true,
            };
            if messages > 0 || left.is_zero() {
                if is_all {
                    self.note_passed();
                }
                return Ok(Polled::Idle);
            }
            self.lanes.wait(left.min(WAIT_SLICE));
            is_served = false;
        }
    }

    fn passed(&mut self, positions: &mut Positions) {
        self.partitions.passed(positions);
    }

    fn applied(&mut self, positions: &Positions) {
        self.publisher.applied(positions);
        self.publisher.publish_if_due(&self.consumer);
    }

    fn partitions(&self) -> Vec<PartitionStatus> {
        let ends: Ends = self.consumer.context().ends();
        self.partitions.status(&ends)
    }

    fn is_complete(&self) -> bool {
        self.partitions.topics() >= self.topics
    }

    fn problems(&self) -> Vec<String> {
        let outage = self
            .outage
            .iter()
            .map(|reason| format!("no broker of {} answers: {reason}", self.brokers));
        let unseen = self.unseen.iter().map(|reason| {
            format!(
                "new partitions cannot be looked for at {}, which is tried again: {reason}",
                self.brokers
            )
        });
        let unpublished = self.consumer.context().publish_failure();
        let unpublished = unpublished.map(|reason| {
            format!("the group's offsets cannot be written, which only those who watch them will miss: {reason}")
        });
        outage
            .chain(unseen)
            .chain(self.partitions.problems())
            .chain(unpublished)
            .collect()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

/// Hands a message out, and returns what it holds in memory.
fn deliver(message: Option<RawMessage>, counters: &mut Counters, out: &mut Vec<RawMessage>) -> usize {
    let Some(message) = message else { return 0 };
    counters.count(&message.content);
    let bytes = message.content.held_bytes();
    out.push(message);
    bytes
}

fn remembered(held: &Positions) -> Remembered {
    let known = held.iter().filter_map(|(id, _)| match id {
        PartitionId::Kafka { topic, partition } => Some(((topic.clone(), *partition), held.landmark(id)?.clone())),
        PartitionId::File { .. } => None,
    });
    Remembered::new(parking_lot::Mutex::new(known.collect()))
}

/// The headers that say something about the event, copied only if there are any.
fn event_headers(message: &BorrowedMessage<'_>) -> Headers {
    let Some(headers) = message.headers() else {
        return Headers::new();
    };
    headers
        .iter()
        .filter(|header| is_event_header(header.key))
        .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
        .collect()
}
