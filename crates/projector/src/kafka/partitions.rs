//! What the source knows of each partition: whether it is read, and up to where.

use std::collections::HashSet;
use std::sync::Arc;

use domain::position::{Landmark, PartitionId, Positions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka::context::{Context, Ends};
use crate::kafka::discovery::{FAILED_LOOKS, Found, FoundLog, FoundTopic};
use crate::kafka::landmark::{Place, Remembered, note_moved};
use crate::kafka::lanes::Lanes;
use crate::kafka::start::{Log, Stopped, recognised, restart, start};
use crate::source::PartitionStatus;

pub(super) struct Partitions {
    /// The ledger's positions at the opening.
    held: Positions,
    continue_after_loss: bool,
    /// The cluster's own name for itself, as the last look has found it.
    cluster_id: Option<String>,
    /// Told to the looks, which compare it.
    remembered: Remembered,
    /// In the order of the configuration: a handful, so a search by name is a few comparisons.
    topics: Vec<Topic>,
}

struct Topic {
    name: String,
    is_missing: bool,
    refusal: Option<String>,
    partitions: Vec<Partition>,
}

struct Partition {
    id: Arc<PartitionId>,
    number: i32,
    /// The next position to deliver.
    next: u64,
    /// Positions before this are known to the apply loop, by a message or by `passed`.
    told: u64,
    /// `next` comes from the ledger or from a delivered message, and not from the beginning of the log.
    has_begun: bool,
    /// The client had it before, so it may have been deleted in between.
    was_read: bool,
    /// A message of it was taken from the client and not delivered, so the client's own position is not ours.
    has_dropped: bool,
    /// Position and checksum of the last message delivered since it was last told.
    last: Option<(u64, u128)>,
    /// Looks at its log that failed since the last one that did not, and why the last one did.
    failed: (u32, String),
    /// The end when the log was looked at; newer ends come from the client's statistics.
    end: Option<u64>,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Found, but its log was not looked at yet.
    Found,
    Reading,
    /// For good: until the source is opened anew.
    Stopped(String),
    /// Not in the topic any more.
    Gone,
}

/// Changes to what the client reads.
#[derive(Default)]
struct Changes {
    stop: TopicPartitionList,
    read: TopicPartitionList,
}

impl Partitions {
    pub(super) fn new(held: &Positions, remembered: &Remembered, continue_after_loss: bool) -> Self {
        Partitions {
            held: held.clone(),
            continue_after_loss,
            cluster_id: None,
            remembered: Remembered::clone(remembered),
            topics: Vec::new(),
        }
    }

    /// Notes what a look has found, and has the client read what can be read.
    pub(super) fn take<T>(
        &mut self,
        found: &Found,
        consumer: &Arc<BaseConsumer<Context>>,
        lanes: &mut Lanes<T>,
    ) -> KafkaResult<()> {
        if found.cluster_id.is_some() {
            self.cluster_id.clone_from(&found.cluster_id);
        }
        let mut changes = Changes::default();
        for topic in &found.topics {
            self.take_topic(topic, &mut changes);
        }
        for one in &found.unreadable {
            if let Some(partition) = self.find(&one.place.0, one.place.1) {
                partition.failed = (partition.failed.0.saturating_add(1), one.why.clone());
                partition.end = one.log.map(|log| log.end).or(partition.end);
            }
        }
        for log in &found.logs {
            self.take_log(log, found.check.is_some(), &mut changes)?;
        }
        if let Some((_, compared)) = &found.check {
            self.stop_others(compared, &mut changes);
        }
        if changes.stop.count() > 0 {
            for stopped in changes.stop.elements() {
                lanes.close(stopped.topic(), stopped.partition());
            }
            consumer.incremental_unassign(&changes.stop)?;
        }
        if changes.read.count() > 0 {
            for read in changes.read.elements() {
                lanes.open(consumer, read.topic(), read.partition());
            }
            consumer.incremental_assign(&changes.read)?;
        }
        Ok(())
    }

    /// What a check has not come to is read on once it has: until then nobody knows whose log it is.
    fn stop_others(&mut self, compared: &HashSet<Place>, changes: &mut Changes) {
        for topic in &mut self.topics {
            for partition in &mut topic.partitions {
                let is_compared = compared.contains(&(topic.name.clone(), partition.number));
                if partition.state == State::Reading && !is_compared {
                    partition.stop(&topic.name, State::Found, changes);
                }
            }
        }
    }

    pub(super) fn topics(&self) -> usize {
        self.topics.len()
    }

    fn take_topic(&mut self, found: &FoundTopic, changes: &mut Changes) {
        let index = match self.topics.iter().position(|topic| topic.name == found.name) {
            Some(index) => index,
            None => {
                let partitions = Vec::new();
                self.topics.push(Topic {
                    name: found.name.clone(),
                    is_missing: false,
                    refusal: None,
                    partitions,
                });
                self.topics.len() - 1
            }
        };
        let topic = &mut self.topics[index];
        topic.is_missing = found.partitions.is_empty() && found.refusal.is_none();
        topic.refusal = found.refusal.clone();
        if found.refusal.is_some() {
            return;
        }
        for number in &found.partitions {
            if topic.partitions.iter().all(|partition| partition.number != *number) {
                let id = PartitionId::Kafka {
                    topic: found.name.clone(),
                    partition: *number,
                };
                topic.partitions.push(Partition::found(id, *number, &self.held));
            }
        }
        // Read once, and not there any more.
        for (id, _) in self.held.iter() {
            let PartitionId::Kafka {
                topic: of,
                partition: number,
            } = id
            else {
                continue;
            };
            let is_known = topic.partitions.iter().any(|partition| partition.number == *number);
            if *of == found.name && !topic.is_missing && !is_known {
                topic.partitions.push(Partition::found(id.clone(), *number, &self.held));
            }
        }
        for partition in &mut topic.partitions {
            if found.partitions.contains(&partition.number) {
                if partition.state == State::Gone {
                    partition.state = State::Found;
                }
            } else if matches!(partition.state, State::Found | State::Reading) {
                partition.stop(&found.name, State::Gone, changes);
            }
        }
    }

    fn take_log(&mut self, found: &FoundLog, is_check: bool, changes: &mut Changes) -> KafkaResult<()> {
        let continue_after_loss = self.continue_after_loss;
        let Some(partition) = self.find(&found.topic, found.partition) else {
            return Ok(());
        };
        partition.end = Some(found.log.end);
        partition.failed.0 = 0;
        let held = partition.has_begun.then_some(partition.next);
        let go_on: fn(Option<u64>, Log, bool) -> Result<u64, Stopped> = match partition.state {
            State::Found if partition.was_read => restart,
            State::Found => start,
            State::Reading if is_check => restart,
            State::Reading | State::Stopped(_) | State::Gone => return Ok(()),
        };
        note_moved(&partition.id, &found.seen);
        let next = recognised(&found.seen, found.log).and_then(|()| go_on(held, found.log, continue_after_loss));
        match next {
            Ok(next) => partition.read(&found.topic, next, changes),
            Err(stopped) => {
                tracing::error!(partition = %partition.id, problem = %stopped, "a Kafka partition is not read");
                partition.stop(&found.topic, State::Stopped(stopped.to_string()), changes);
                Ok(())
            }
        }
    }

    fn find(&mut self, topic: &str, number: i32) -> Option<&mut Partition> {
        let topic = self.topics.iter_mut().find(|found| found.name == topic)?;
        topic.partitions.iter_mut().find(|partition| partition.number == number)
    }

    /// Notes a message and names its partition. `None` for what the client still had of a partition that was stopped,
    /// and for what was delivered before.
    pub(super) fn accept(
        &mut self,
        topic: &str,
        number: i32,
        position: u64,
        checksum: u128,
    ) -> Option<Arc<PartitionId>> {
        let partition = self.find(topic, number)?;
        if partition.state != State::Reading {
            partition.has_dropped = true;
            return None;
        }
        if position < partition.next {
            return None;
        }
        partition.next = position + 1;
        partition.told = position + 1;
        partition.has_begun = true;
        partition.last = Some((position, checksum));
        Some(Arc::clone(&partition.id))
    }

    /// How much of a partition is left to be read, as far as `ends` says.
    pub(super) fn left(&self, topic: &str, number: i32, ends: &Ends) -> u64 {
        let found = self.topics.iter().find(|found| found.name == topic);
        let partition = found.and_then(|found| found.partitions.iter().find(|found| found.number == number));
        let newer = ends.get(topic).and_then(|ends| ends.get(&number)).copied();
        partition.map_or(0, |partition| {
            newer.max(partition.end).unwrap_or(0).saturating_sub(partition.next)
        })
    }

    /// Takes over the client's own positions, all of whose messages were taken from it.
    pub(super) fn note_passed(&mut self, positions: &TopicPartitionList) {
        for element in positions.elements() {
            let Offset::Offset(offset) = element.offset() else {
                continue;
            };
            let Ok(next) = u64::try_from(offset) else { continue };
            let Some(partition) = self.find(element.topic(), element.partition()) else {
                continue;
            };
            let is_ours = partition.state == State::Reading && !partition.has_dropped;
            if is_ours && next > partition.next {
                partition.next = next;
                partition.has_begun = true;
            }
        }
    }

    /// Positions passed without a message, and the last message of each partition that had one.
    pub(super) fn passed(&mut self, positions: &mut Positions) {
        for topic in &mut self.topics {
            for partition in &mut topic.partitions {
                if let Some((position, checksum)) = partition.last.take() {
                    let cluster_id = self.cluster_id.clone();
                    let landmark = Landmark {
                        cluster_id,
                        position,
                        checksum,
                    };
                    positions.remember(&partition.id, landmark.clone());
                    let place = (topic.name.clone(), partition.number);
                    self.remembered.lock().insert(place, landmark);
                }
                if partition.has_begun && partition.next > partition.told {
                    partition.told = partition.next;
                    positions.advance(&partition.id, partition.next);
                }
            }
        }
    }

    pub(super) fn status(&self, ends: &Ends) -> Vec<PartitionStatus> {
        let mut all = Vec::new();
        for topic in &self.topics {
            let newer = ends.get(&topic.name);
            let status = |partition: &Partition| {
                let end = newer.and_then(|ends| ends.get(&partition.number)).copied();
                partition.status(end, topic.refusal.as_deref())
            };
            all.extend(topic.partitions.iter().map(status));
        }
        all
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let problem = |topic: &Topic| {
            let name = &topic.name;
            match &topic.refusal {
                Some(refusal) => Some(format!("the topic {name} cannot be read: {refusal}")),
                None if topic.is_missing => Some(format!(
                    "the topic {name} does not exist: it is read as soon as it is created"
                )),
                None => None,
            }
        };
        self.topics.iter().filter_map(problem).collect()
    }
}

impl Partition {
    fn found(id: PartitionId, number: i32, held: &Positions) -> Self {
        let held = held.next(&id);
        let next = held.unwrap_or(0);
        Partition {
            id: Arc::new(id),
            number,
            next,
            told: next,
            has_begun: held.is_some(),
            was_read: false,
            has_dropped: false,
            last: None,
            failed: (0, String::new()),
            end: None,
            state: State::Found,
        }
    }

    /// Has the client read from `next`, anew if it did before.
    fn read(&mut self, topic: &str, next: u64, changes: &mut Changes) -> KafkaResult<()> {
        if self.state == State::Reading {
            changes.stop.add_partition(topic, self.number);
        }
        if !self.has_begun {
            // Where the log begins is nothing to tell anyone.
            self.told = next;
        }
        self.next = next;
        self.was_read = true;
        self.state = State::Reading;
        let offset = i64::try_from(next).map_or(Offset::Beginning, Offset::Offset);
        changes.read.add_partition_offset(topic, self.number, offset)
    }

    fn stop(&mut self, topic: &str, state: State, changes: &mut Changes) {
        if self.state == State::Reading {
            changes.stop.add_partition(topic, self.number);
        }
        self.state = state;
    }

    fn status(&self, newer_end: Option<u64>, refusal: Option<&str>) -> PartitionStatus {
        let end = newer_end.max(self.end);
        let problem = match &self.state {
            State::Stopped(problem) => Some(problem.clone()),
            State::Gone => {
                Some("the partition is not in its topic any more: the topic was deleted or replaced".to_owned())
            }
            State::Found if self.failed.0 == 0 => Some("its log was not looked at yet".to_owned()),
            State::Found => Some(format!(
                "its log cannot be looked at, which is tried again: {}",
                self.failed.1
            )),
            State::Reading => refusal.map(str::to_owned),
        };
        PartitionStatus {
            partition: Arc::clone(&self.id),
            next: self.next,
            end,
            lag: end.map(|end| end.saturating_sub(self.next)),
            is_looked_at: end.is_some()
                || self.failed.0 >= FAILED_LOOKS
                || (problem.is_some() && self.state != State::Found),
            problem,
        }
    }
}
