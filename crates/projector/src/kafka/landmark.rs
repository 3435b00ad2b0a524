//! Whether a log is still the one that was read: the last message applied is read again and compared.
//!
//! A client cannot see that a topic was deleted and created anew, or that a name now leads to another cluster: offsets
//! look alike everywhere. Before a partition is read on, the message at its remembered position is fetched by a client
//! of its own, and nothing of the partition is delivered until it was compared.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::position::{Landmark, PartitionId};
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use xxhash_rust::xxh3::Xxh3;

use crate::kafka::context::Context;
use crate::kafka::options::KafkaOptions;
use crate::kafka::start::Log;

/// Topic and partition.
pub(super) type Place = (String, i32);

/// The last message delivered of each partition, shared by the source, which notes it, and the looks, which compare it.
pub(super) type Remembered = Arc<Mutex<HashMap<Place, Landmark>>>;

/// What the remembered message shows of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recognised {
    /// No message is remembered.
    Unasked,
    /// The message lies where it lay. `moved` names the cluster if it calls itself otherwise than before.
    Same { moved: Option<String> },
    /// Another message lies there, or none.
    Other { position: u64 },
    /// The log ends before that position.
    Ends { position: u64 },
    /// Retention has deleted it. `moved` as above.
    Deleted { moved: Option<String> },
}

/// A log that is the same under another cluster's name is read on, as after a move of the brokers, but not in silence.
pub(super) fn note_moved(partition: &PartitionId, seen: &Recognised) {
    match seen {
        Recognised::Same { moved: Some(cluster) } => tracing::warn!(
            %partition,
            cluster,
            "the cluster calls itself otherwise than before; its log is the one that was read, and is read on"
        ),
        Recognised::Deleted { moved: None } => tracing::info!(
            %partition,
            "the last message applied is deleted from the log, so the log cannot be compared; it is read on"
        ),
        _ => {}
    }
}

/// What identifies a message: its timestamp, its key and its value. Headers are left out, which brokers and mirrors may
/// add to.
pub(super) fn checksum(message: &BorrowedMessage<'_>) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(&message.timestamp().to_millis().unwrap_or(-1).to_le_bytes());
    for part in [message.key(), message.payload()] {
        // The length tells a missing part from an empty one, and where one part ends.
        let length = part.map_or(-1, |bytes| bytes.len() as i64);
        hash.update(&length.to_le_bytes());
        hash.update(part.unwrap_or_default());
    }
    hash.digest128()
}

/// A partition to be recognised.
pub(super) struct Wanted {
    pub(super) place: Place,
    pub(super) log: Log,
    pub(super) landmark: Landmark,
}

/// Reads the remembered messages of all these partitions. What is not in the answer could not be found out in time.
pub(super) fn recognise(
    options: &KafkaOptions,
    wanted: Vec<Wanted>,
    cluster_id: Option<&str>,
) -> KafkaResult<HashMap<Place, Recognised>> {
    let mut known = HashMap::new();
    let mut open: HashMap<Place, Landmark> = HashMap::new();
    for Wanted { place, log, landmark } in wanted {
        if landmark.position < log.first {
            let moved = moved(&landmark, cluster_id);
            known.insert(place, Recognised::Deleted { moved });
        } else {
            open.insert(place, landmark);
        }
    }
    if open.is_empty() {
        return Ok(known);
    }
    let consumer = options.connect_consumer(1).map_err(|error| {
        tracing::warn!(%error, "no client can be made to compare logs with");
        KafkaError::Canceled
    })?;
    let mut list = TopicPartitionList::new();
    for ((topic, partition), landmark) in &open {
        let offset = i64::try_from(landmark.position).map_or(Offset::End, Offset::Offset);
        list.add_partition_offset(topic, *partition, offset)?;
    }
    consumer.assign(&list)?;
    let until = Instant::now() + options.request_timeout;
    while !open.is_empty() && Instant::now() < until {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let place = (message.topic().to_owned(), message.partition());
                if let Some(landmark) = open.remove(&place) {
                    known.insert(place, compare(&message, &landmark, cluster_id));
                }
            }
            Some(Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange,
            ))) => {
                // The error does not say which partition it is about.
                for place in ended(&consumer, &open, options.request_timeout) {
                    if let Some(landmark) = open.remove(&place) {
                        let position = landmark.position;
                        known.insert(place, Recognised::Ends { position });
                    }
                }
            }
            _ => {}
        }
    }
    Ok(known)
}

fn moved(landmark: &Landmark, cluster_id: Option<&str>) -> Option<String> {
    match (&landmark.cluster_id, cluster_id) {
        (Some(before), Some(now)) if before != now => Some(now.to_owned()),
        _ => None,
    }
}

fn compare(message: &BorrowedMessage<'_>, landmark: &Landmark, cluster_id: Option<&str>) -> Recognised {
    let position = landmark.position;
    let lies_there = u64::try_from(message.offset()).is_ok_and(|offset| offset == position);
    if lies_there && checksum(message) == landmark.checksum {
        let moved = moved(landmark, cluster_id);
        Recognised::Same { moved }
    } else {
        Recognised::Other { position }
    }
}

/// Of these partitions the ones whose logs end before the remembered message.
fn ended(consumer: &BaseConsumer<Context>, open: &HashMap<Place, Landmark>, timeout: Duration) -> Vec<Place> {
    let ends_before = |(place, landmark): &(&Place, &Landmark)| {
        let watermarks = consumer.fetch_watermarks(&place.0, place.1, timeout);
        watermarks.is_ok_and(|(_, end)| u64::try_from(end).is_ok_and(|end| end <= landmark.position))
    };
    let ended = open.iter().filter(ends_before);
    ended.map(|(place, _)| place.clone()).collect()
}
