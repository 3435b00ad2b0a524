//! Where messages come from, and why none is lost or applied twice.
//!
//! # The promise of a source
//!
//! The input is a set of partitions, and the messages of one partition are totally ordered by their position: an offset
//! of a Kafka partition, a line number of a file. A [`Source`] is opened with [`Positions`], the ledger's own map from
//! partition to the next position to read, and promises for each partition:
//!
//! 1. **Start.** The first message it delivers is the first visible one at or after the given position; of a partition
//!    that is not in the map, the first that still exists.
//! 2. **Order.** The positions it delivers strictly increase.
//! 3. **No hole.** Between two messages that it delivers one after the other, nothing visible was left out. What it
//!    cannot read stops the partition, or the source; it is never stepped over.
//! 4. **Names.** A position names the same message for good: an offset does until a topic is deleted, a line does
//!    because a file is named by the SHA-256 of its bytes.
//! 5. **No memory.** It keeps nothing durable of its own. In particular the broker's group offsets are written for those
//!    who watch the group's lag, and never read.
//!
//! Positions may have gaps (aborted transactions, markers, blank lines), so they are compared and never counted.
//!
//! # The proof
//!
//! Let `L` be the ledger's map. The apply loop takes what a source has delivered as one [`Batch`](crate::batch::Batch)
//! and commits it together with the map `L'`, in which each partition of the batch stands at the position after its last
//! delivered message. We show that at every commit *all visible messages before `L` have been applied, each in exactly
//! one committed transaction*:
//!
//! - At first `L` is empty and nothing is before it.
//! - One batch further: by 1, or by 2 and 3 if the source has run on, the batch holds exactly the visible messages from
//!   `L` up to `L'`. Data and map become durable in one transaction, so either both sides of the claim move or none.
//! - A crash, a failed commit or an error of the source: everything in memory is thrown away, the map is read back from
//!   the ledger (a commit that failed may be durable, so no other copy of it counts), and the sources are opened anew
//!   with it. By 5 nothing else decides where they begin, and by 1 we are in the case before.
//!
//! Where 4 does not hold (a topic deleted and created anew, an input given a second time under another name) the same
//! fact comes twice. Then the rules of the domain decide by entry and version, and the answer is the same. Positions make
//! the work cheap, versions make it right.
//!
//! # Back-pressure
//!
//! A source is polled, it never pushes. Who does not poll is not sent anything: what a source reads ahead is bounded by
//! itself ([`KafkaOptions::queue_bytes_max`](crate::kafka::KafkaOptions), one line of a file), so memory is bounded by
//! that and by one batch. No message needs more than its [`Content`] says: of one over [`HELD_BYTES_MAX`] only the beginning is held.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use domain::decode::{HELD_BYTES_MAX, MESSAGE_BYTES_MAX};
use domain::message::Encoding;
use domain::position::{PartitionId, Positions};
use ledger::BEGINNING_BYTES;
use sha2::{Digest, Sha256};

use crate::error::SourceError;

/// A message as it came, before anyone has looked into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMessage {
    pub partition: Arc<PartitionId>,
    pub position: u64,
    pub content: Content,
    /// The timestamp that the broker keeps with the message: the producer's or its own, as the topic is configured.
    pub appended_at: Option<DateTime<Utc>>,
}

/// What a message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Of headers those of a CloudEvent (`ce_*`) and `content-type` alone are kept.
    Value { bytes: Vec<u8>, headers: Headers },
    /// A value over [`HELD_BYTES_MAX`].
    Oversize(Oversize),
    /// A null value, a tombstone of a compacted topic: legal, counted, and without meaning here.
    Null,
}

/// Names and values in the order of the message; a name may come twice.
pub type Headers = Vec<(String, Vec<u8>)>;

/// What identifies a message that is too large to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oversize {
    /// The first [`BEGINNING_BYTES`].
    pub beginning: Vec<u8>,
    /// Of the whole value, in bytes.
    pub length: u64,
    /// Of the whole value.
    pub sha256: [u8; 32],
}

impl Content {
    /// Keeps a value within the limits.
    pub(crate) fn of_value(value: &[u8], headers: Headers) -> Self {
        if value.len() <= HELD_BYTES_MAX {
            return Content::Value {
                bytes: value.to_vec(),
                headers,
            };
        }
        Content::Oversize(Oversize {
            beginning: value[..BEGINNING_BYTES].to_vec(),
            length: value.len() as u64,
            sha256: Sha256::digest(value).into(),
        })
    }

    /// What it costs a batch: the bytes held in memory.
    pub fn held_bytes(&self) -> usize {
        match self {
            Content::Value { bytes, headers } => {
                bytes.len()
                    + headers
                        .iter()
                        .map(|(name, value)| name.len() + value.len())
                        .sum::<usize>()
            }
            Content::Oversize(oversize) => oversize.beginning.len(),
            Content::Null => 0,
        }
    }
}

impl RawMessage {
    /// How the value carries its CloudEvent, by the Kafka binding of CloudEvents: a content type that begins with
    /// `application/cloudevents` says structured; else a header `ce_specversion` says binary; else it is structured,
    /// because JSON without any header is what a file holds and what most producers send.
    pub fn encoding(&self) -> MessageEncoding<'_> {
        let Content::Value { headers, .. } = &self.content else {
            return MessageEncoding::Structured;
        };
        let structured = headers
            .iter()
            .any(|(name, value)| is_content_type(name) && names_a_cloud_event(value));
        let binary = headers.iter().any(|(name, _)| name == "ce_specversion");
        if structured || !binary {
            return MessageEncoding::Structured;
        }
        let attributes = headers
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(ATTRIBUTE_PREFIX)?, value.as_slice())))
            .collect();
        MessageEncoding::Binary(attributes)
    }
}

/// The owner of what [`Encoding`] borrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageEncoding<'a> {
    Structured,
    /// The attributes, names without their prefix.
    Binary(Vec<(&'a str, &'a [u8])>),
}

impl MessageEncoding<'_> {
    pub fn as_encoding(&self) -> Encoding<'_> {
        match self {
            MessageEncoding::Structured => Encoding::Structured,
            MessageEncoding::Binary(attributes) => Encoding::Binary(attributes),
        }
    }
}

const ATTRIBUTE_PREFIX: &str = "ce_";

/// Whether a header says anything about the event.
pub(crate) fn is_event_header(name: &str) -> bool {
    name.starts_with(ATTRIBUTE_PREFIX) || is_content_type(name)
}

fn is_content_type(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-type")
}

fn names_a_cloud_event(content_type: &[u8]) -> bool {
    const STRUCTURED: &[u8] = b"application/cloudevents";
    content_type
        .get(..STRUCTURED.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(STRUCTURED))
}

/// How much one poll may bring, and until when it may wait.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub messages: usize,
    /// Of [`Content::held_bytes`]; the message that reaches it is still delivered.
    pub bytes: usize,
    /// Until when to wait for a first message. What is there is taken even if this instant has passed.
    pub until: Instant,
}

/// How a poll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The budget is used up; there may be more at once.
    More,
    /// Nothing more is there at the moment.
    Idle,
    /// Everything has been delivered and nothing will ever follow.
    Ended,
}

/// Something that messages are read from. The module documentation says what an implementation promises.
pub trait Source: Send {
    /// For logs and progress bars: the brokers, or the file.
    fn name(&self) -> &str;

    /// Appends what there is to `out`. Waits for the first message, at most until `budget.until`, and then takes what
    /// is there without waiting for more. After an error the source delivers nothing any more: open it anew.
    fn poll(&mut self, budget: &Budget, out: &mut Vec<RawMessage>) -> Result<Polled, SourceError>;

    /// Moves `positions` on over what was passed without anything to deliver, such as the markers of transactions.
    /// Everything before these positions has been handed out by [`poll`](Self::poll). To keep them is not needed for
    /// correctness; not to keep them makes a quiet partition look behind for ever, and lost once its log is cut.
    fn passed(&mut self, positions: &mut Positions);

    /// Everything before `positions` is durable. Nothing that the source does with it may decide anything.
    fn applied(&mut self, positions: &Positions);

    fn partitions(&self) -> Vec<PartitionStatus>;

    /// Whether it has heard of everything that is to be read, so that partitions are all there are.
    fn is_complete(&self) -> bool {
        true
    }

    /// What concerns the source as a whole and needs an operator: brokers that do not answer, topics that do not exist.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }

    fn counters(&self) -> Counters;
}

/// What is known of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatus {
    pub partition: Arc<PartitionId>,
    /// The next position to deliver.
    pub next: u64,
    /// The position after the last visible message, as far as known.
    pub end: Option<u64>,
    /// Positions between `next` and `end`: an upper bound of the messages that wait, as positions have gaps.
    pub lag: Option<u64>,
    /// Where it is not, nobody knows yet whether anything waits in it.
    pub is_looked_at: bool,
    /// Why nothing is read from it, and what to do.
    pub problem: Option<String>,
}

/// What a source has delivered since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Null values included.
    pub messages: u64,
    /// Of values, at their full length.
    pub bytes: u64,
    pub nulls: u64,
    /// Over [`MESSAGE_BYTES_MAX`].
    pub oversize: u64,
}

impl Counters {
    pub(crate) fn count(&mut self, content: &Content) {
        self.messages += 1;
        match content {
            Content::Value { bytes, .. } => {
                self.bytes += bytes.len() as u64;
                self.oversize += u64::from(bytes.len() > MESSAGE_BYTES_MAX);
            }
            Content::Oversize(oversize) => {
                self.bytes += oversize.length;
                self.oversize += 1;
            }
            Content::Null => self.nulls += 1,
        }
    }

    /// The sum of two.
    pub fn plus(self, other: Counters) -> Counters {
        Counters {
            messages: self.messages + other.messages,
            bytes: self.bytes + other.bytes,
            nulls: self.nulls + other.nulls,
            oversize: self.oversize + other.oversize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: &[(&str, &str)]) -> RawMessage {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        RawMessage {
            partition: Arc::new(PartitionId::Kafka {
                topic: "t".to_owned(),
                partition: 0,
            }),
            position: 0,
            content: Content::Value {
                bytes: b"{}".to_vec(),
                headers,
            },
            appended_at: None,
        }
    }

    #[test]
    fn headers_decide_how_an_event_is_carried() {
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[], false),
            (&[("content-type", "application/json")], false),
            (&[("content-type", "application/json"), ("ce_specversion", "1.0")], true),
            (&[("ce_specversion", "1.0")], true),
            (&[("ce_id", "1")], false),
            (
                &[
                    ("ce_specversion", "1.0"),
                    ("content-type", "application/cloudevents+json"),
                ],
                false,
            ),
            (
                &[
                    ("Content-Type", "Application/CloudEvents+json; charset=utf-8"),
                    ("ce_specversion", "1.0"),
                ],
                false,
            ),
        ];
        for (headers, binary) in cases {
            let message = message(headers);
            assert_eq!(
                matches!(message.encoding(), MessageEncoding::Binary(_)),
                *binary,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn binary_attributes_lose_their_prefix_and_nothing_else_is_an_attribute() {
        let message = message(&[
            ("ce_specversion", "1.0"),
            ("content-type", "application/json"),
            ("ce_id", "e1"),
        ]);
        let expected = MessageEncoding::Binary(vec![("specversion", b"1.0".as_slice()), ("id", b"e1".as_slice())]);
        assert_eq!(message.encoding(), expected);
    }

    #[test]
    fn a_value_is_held_whole_up_to_the_limit_and_by_its_beginning_beyond() {
        let at_limit = vec![b'x'; HELD_BYTES_MAX];
        assert!(matches!(Content::of_value(&at_limit, Vec::new()), Content::Value { bytes, .. } if bytes == at_limit));
        let beyond = vec![b'x'; HELD_BYTES_MAX + 1];
        let Content::Oversize(oversize) = Content::of_value(&beyond, Vec::new()) else {
            panic!("kept whole")
        };
        assert_eq!(oversize.beginning.len(), BEGINNING_BYTES);
        assert_eq!(oversize.length, HELD_BYTES_MAX as u64 + 1);
        assert_eq!(oversize.sha256, <[u8; 32]>::from(Sha256::digest(&beyond)));
    }
}
