//! Looks for topics, partitions, the bounds of their logs, and whether these are the logs that were read before.
//!
//! Every question here waits for a broker, and with a broker away it waits long. The apply loop must not wait with it, so
//! looks have a thread of their own; the source takes what was found at its next poll.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::SourceError;
use crate::kafka::context::Context;
use crate::kafka::landmark::{Place, Recognised, Remembered, Wanted, recognise};
use crate::kafka::options::KafkaOptions;
use crate::kafka::start::Log;

/// After a look that failed, the next one comes so soon.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A partition whose log could not be looked at so many times keeps the others' readiness waiting no longer: one without a leader may stay
/// so for days, and one slow answer at the start says nothing.
pub(super) const FAILED_LOOKS: u32 = 3;

/// What one look has brought.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) topics: Vec<FoundTopic>,
    /// Of partitions that were not known to be there, or of all if that was asked for.
    pub(super) logs: Vec<FoundLog>,
    /// Where all logs are looked at anew: the number of the newest check that had been asked for when the look began, and the logs that were
    /// looked at since.
    pub(super) check: Option<(u64, HashSet<Place>)>,
    /// The cluster's own name for itself.
    pub(super) cluster_id: Option<String>,
    /// Partitions whose logs could not be looked at, or not be compared; they are tried again.
    pub(super) unreadable: Vec<Unreadable>,
    /// What could not be found out, in words; it is tried again.
    pub(super) failure: Option<String>,
}

#[derive(Debug)]
pub(super) struct FoundTopic {
    pub(super) name: String,
    /// Empty: there is no such topic.
    pub(super) partitions: Vec<i32>,
    /// Why a topic cannot be read although it may exist.
    pub(super) refusal: Option<String>,
}

#[derive(Debug)]
pub(super) struct FoundLog {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) log: Log,
    pub(super) seen: Recognised,
}

#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) place: Place,
    pub(super) why: String,
    /// Where its bounds are known all the same.
    pub(super) log: Option<Log>,
}

/// The looks of the background.
pub(super) struct Discovery {
    /// Dropped with the source, which ends the thread.
    asks: Sender<Ask>,
    found: Receiver<Found>,
}

/// What to do before the next look is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Look,
    /// To look at the bounds of every log, because one may be another one than before. Numbered by who asks, upwards.
    Check(u64),
}

impl Discovery {
    pub(super) fn start(
        consumer: &Arc<BaseConsumer<Context>>,
        options: &KafkaOptions,
        remembered: &Remembered,
        first: &Found,
    ) -> Self {
        let (asks, asked) = channel();
        let (sender, found) = channel();
        let mut scout = Scout {
            options: options.clone(),
            remembered: Arc::clone(remembered),
            known: first
                .logs
                .iter()
                .map(|log| (log.topic.clone(), log.partition))
                .collect(),
            failed: first.unreadable.iter().map(|one| (one.place.clone(), 1)).collect(),
            looks: 1,
            checking: None,
        };
        // The thread must not keep the client alive, and with it its connections, after the source is gone.
        let consumer: Weak<_> = Arc::downgrade(consumer);
        let interval = options.discovery_interval;
        let retry = RETRY_INTERVAL.min(interval);
        let mut wait = if first.failure.is_some() { retry } else { interval };
        let work = move || {
            loop {
                let ask = match asked.recv_timeout(wait) {
                    Ok(ask) => ask,
                    Err(RecvTimeoutError::Timeout) => Ask::Look,
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                // What was asked while we were looking is one ask.
                for ask in asked.try_iter().chain([ask]) {
                    if let Ask::Check(number) = ask {
                        scout.check(number);
                    }
                }
                let Some(consumer) = consumer.upgrade() else { return };
                let found = scout.look(&consumer);
                drop(consumer);
                wait = if found.failure.is_some() { retry } else { interval };
                if sender.send(found).is_err() {
                    return;
                }
            }
        };
        let started = std::thread::Builder::new()
            .name("kafka-discovery".to_owned())
            .spawn(work);
        if let Err(error) = started {
            tracing::error!(%error, "new Kafka partitions will not be found: no thread can be started");
        }
        Discovery { asks, found }
    }

    pub(super) fn found(&self) -> Option<Found> {
        self.found.try_recv().ok()
    }

    pub(super) fn ask(&self, ask: Ask) {
        // It can only fail when the thread is gone, which was reported.
        let _ = self.asks.send(ask);
    }
}

/// The look of the start, which also finds out whether any broker answers.
pub(super) fn first_look(
    consumer: &BaseConsumer<Context>,
    options: &KafkaOptions,
    remembered: &Remembered,
) -> Result<Found, SourceError> {
    let topic = options.topics.first().map(String::as_str);
    if let Err(error) = consumer.fetch_metadata(topic, options.connect_timeout) {
        return Err(SourceError::Unreachable {
            brokers: options.brokers.clone(),
            seconds: options.connect_timeout.as_secs(),
            reason: error.to_string(),
        });
    }
    let mut scout = Scout {
        options: options.clone(),
        remembered: Arc::clone(remembered),
        known: HashSet::new(),
        failed: HashMap::new(),
        looks: 0,
        checking: None,
    };
    Ok(scout.look(consumer))
}

struct Scout {
    options: KafkaOptions,
    remembered: Remembered,
    /// Partitions whose logs the source has been told.
    known: HashSet<Place>,
    /// In which look one failed last. Those that did are looked at after the others, the one that has waited longest first: each failure
    /// takes the patience of a look and ends it.
    failed: HashMap<Place, u64>,
    looks: u64,
    /// The number of the newest check, until every log was looked at, over several looks if need be.
    checking: Option<u64>,
}

impl Scout {
    fn check(&mut self, number: u64) {
        self.known.clear();
        self.checking = Some(number);
    }

    fn look(&mut self, consumer: &BaseConsumer<Context>) -> Found {
        self.looks += 1;
        let mut found = Found::default();
        let mut bounds = Vec::new();
        for topic in self.options.topics.clone() {
            if let Err(error) = self.look_at_topic(consumer, &topic, &mut found, &mut bounds) {
                found.failure = Some(format!("topic {topic}: {error}"));
            }
        }
        if !bounds.is_empty() {
            found.cluster_id = consumer.client().fetch_cluster_id(self.options.request_timeout);
            self.recognise(bounds, &mut found);
        }
        found.check = self.checking.map(|number| (number, self.known.clone()));
        self.checking = self.checking.filter(|_| found.failure.is_some());
        found
    }

    /// Compares what is remembered of these logs; those that could not be compared are looked at again.
    fn recognise(&mut self, bounds: Vec<(Place, Log)>, found: &mut Found) {
        let remembered = self.remembered.lock().clone();
        let wanted = bounds.iter().filter_map(|(place, log)| {
            Some(Wanted {
                place: place.clone(),
                log: *log,
                landmark: remembered.get(place)?.clone(),
            })
        });
        let wanted = wanted.collect();
        let mut seen = match recognise(&self.options, wanted, found.cluster_id.as_deref()) {
            Ok(seen) => seen,
            Err(error) => {
                found.failure = Some(format!("the last messages applied cannot be read: {error}"));
                return;
            }
        };
        for (place, log) in bounds {
            let is_remembered = remembered.contains_key(&place);
            let seen = seen.remove(&place).or((!is_remembered).then_some(Recognised::Unasked));
            let Some(seen) = seen else {
                let why = "the last message applied could not be read yet, which it is compared with";
                found.failure = Some(format!("topic {}, partition {}: {why}", place.0, place.1));
                found.unreadable.push(Unreadable {
                    place,
                    why: why.to_owned(),
                    log: Some(log),
                });
                continue;
            };
            let (topic, partition) = place.clone();
            found.logs.push(FoundLog {
                topic,
                partition,
                log,
                seen,
            });
            self.known.insert(place);
        }
    }

    fn look_at_topic(
        &mut self,
        consumer: &BaseConsumer<Context>,
        name: &str,
        found: &mut Found,
        bounds: &mut Vec<(Place, Log)>,
    ) -> Result<(), KafkaError> {
        let timeout = self.options.request_timeout;
        let metadata = consumer.fetch_metadata(Some(name), timeout)?;
        let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
            return Ok(());
        };
        let error = topic.error().map(RDKafkaErrorCode::from);
        let is_missing = matches!(error, Some(RDKafkaErrorCode::UnknownTopicOrPartition));
        let refusal = error.filter(|_| !is_missing).map(|error| error.to_string());
        let mut partitions: Vec<i32> = topic.partitions().iter().map(|partition| partition.id()).collect();
        partitions.sort_unstable();
        // One that was deleted and comes back has to be looked at again.
        self.known
            .retain(|(topic, partition)| topic != name || partitions.contains(partition));
        found.topics.push(FoundTopic {
            name: name.to_owned(),
            partitions: partitions.clone(),
            refusal,
        });
        let without_leader = topic.partitions().iter().filter(|partition| partition.leader() < 0);
        let without_leader: HashSet<i32> = without_leader.map(|partition| partition.id()).collect();
        let mut unknown: Vec<Place> = partitions.iter().map(|number| (name.to_owned(), *number)).collect();
        unknown.retain(|place| !self.known.contains(place));
        in_turn(&mut unknown, &self.failed);
        for key in unknown {
            if without_leader.contains(&key.1) {
                // Nobody could be asked, so nothing is waited for.
                found.failure = Some(format!("topic {name}: partition {} has no leader", key.1));
                found.unreadable.push(unreadable(key, "the partition has no leader"));
                continue;
            }
            let (first, end) = match consumer.fetch_watermarks(name, key.1, timeout) {
                Ok(bounds) => bounds,
                Err(error) => {
                    found.unreadable.push(unreadable(key.clone(), &error.to_string()));
                    self.failed.insert(key, self.looks);
                    return Err(error);
                }
            };
            self.failed.remove(&key);
            if let (Ok(first), Ok(end)) = (u64::try_from(first), u64::try_from(end)) {
                bounds.push((key, Log { first, end }));
            }
        }
        Ok(())
    }
}

fn unreadable(place: Place, why: &str) -> Unreadable {
    Unreadable {
        place,
        why: why.to_owned(),
        log: None,
    }
}

/// First those that have not failed, then the one whose last failure is the longest ago.
fn in_turn(places: &mut [Place], failed: &HashMap<Place, u64>) {
    places.sort_by_key(|place| failed.get(place).copied().unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_that_fail_keep_no_other_from_its_turn() {
        let place = |number| ("payments".to_owned(), number);
        let unreadable = [0, 1, 4];
        let mut asked: HashMap<i32, u32> = HashMap::new();
        let mut failed = HashMap::new();
        let mut unknown: Vec<Place> = (0..6).map(place).collect();
        for look in 1..=12 {
            in_turn(&mut unknown, &failed);
            let mut known = Vec::new();
            for place in &unknown {
                *asked.entry(place.1).or_default() += 1;
                if unreadable.contains(&place.1) {
                    failed.insert(place.clone(), look);
                    break;
                }
                known.push(place.clone());
            }
            unknown.retain(|place| !known.contains(place));
        }
        assert_eq!(unknown.len(), unreadable.len(), "{unknown:?}");
        assert!(unreadable.iter().all(|number| asked[number] == 4), "{asked:?}");
        assert!([2, 3, 5].iter().all(|number| asked[number] == 1), "{asked:?}");
    }
}
