//! Partitions side by side: their messages are taken in the order in which they were appended.
//!
//! A broker answers a fetch with about as many bytes of each partition, so a backlog that is read as it comes runs through
//! a quiet topic long before a busy one: the cancellations of a year before the payments of its first months. Every answer
//! is the same then, but what belongs together comes far apart, and a payment is read, written and indexed more often.
//! Therefore each partition has a queue of its own, and of their first messages the oldest is taken.
//!
//! - **What has just been appended goes first** ([`LIVE_WITHIN`]), so that a partition which has fallen behind does not
//!   hold up the others.
//! - **An empty queue is waited for** only if its partition has much left ([`BEHIND_MIN`]), and not for long
//!   ([`PATIENCE`]): a broker that is away holds up its own partitions alone.
//!
//! The order is a matter of speed: nothing depends on it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use rdkafka::consumer::BaseConsumer;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;

use crate::kafka::context::Context;

/// What was appended so short a time ago counts as live.
const LIVE_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// A partition with less left than this is not waited for: one that ends with a transaction's marker is never at its end.
const BEHIND_MIN: u64 = 1_000;

/// So long is an empty queue waited for, until it delivers again.
const PATIENCE: Duration = Duration::from_millis(100);

/// The queues, and the first message `T` of each that has one.
pub(super) struct Lanes<T> {
    lanes: Vec<Lane<T>>,
    /// Of the lanes that have a first message, the one whose turn it is on top.
    turns: BinaryHeap<Reverse<Turn>>,
    /// Rung by the client's thread when a queue stops being empty.
    bell: Receiver<()>,
    ring: SyncSender<()>,
}

struct Lane<T> {
    topic: String,
    number: i32,
    queue: PartitionQueue<Context>,
    /// Whether to look into the queue.
    is_filled: Arc<AtomicBool>,
    first: Option<T>,
    awaited: Awaited,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Not,
    Since(Instant),
    /// Long enough.
    InVain,
}

/// When it is a lane's turn: what is live goes before a backlog, then what was appended earlier, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    is_backlog: bool,
    appended_ms: i64,
    lane: usize,
}

/// What comes next.
pub(super) enum Next<'a, T> {
    /// Of this topic and partition.
    Message(&'a str, i32, T),
    Failure(KafkaError),
    /// A partition with much left has nothing here yet.
    Awaited,
    /// All queues were found empty, and of no partition is anything held here.
    Empty,
}

impl<T> Lanes<T> {
    pub(super) fn new() -> Self {
        let (ring, bell) = sync_channel(1);
        Lanes {
            lanes: Vec::new(),
            turns: BinaryHeap::new(),
            bell,
            ring,
        }
    }

    /// Gives a partition a queue of its own. It must not be assigned yet: what the client has put into the common queue
    /// would be overtaken. Should it get none, its messages come through the common queue.
    pub(super) fn open(&mut self, consumer: &Arc<BaseConsumer<Context>>, topic: &str, number: i32) {
        let Some(mut queue) = consumer.split_partition_queue(topic, number) else {
            return;
        };
        let is_filled = Arc::new(AtomicBool::new(true));
        let (filled, ring) = (Arc::clone(&is_filled), self.ring.clone());
        queue.set_nonempty_callback(move || {
            filled.store(true, Ordering::Release);
            // One that has not been heard yet is enough.
            let _ = ring.try_send(());
        });
        self.lanes.push(Lane {
            topic: topic.to_owned(),
            number,
            queue,
            is_filled,
            first: None,
            awaited: Awaited::Not,
        });
    }

    /// Forgets a partition, and what was taken of it and not delivered.
    pub(super) fn close(&mut self, topic: &str, number: i32) {
        let Some(closed) = self
            .lanes
            .iter()
            .position(|lane| lane.number == number && lane.topic == topic)
        else {
            return;
        };
        self.lanes.remove(closed);
        let turns = std::mem::take(&mut self.turns);
        let moved = |Reverse(mut turn): Reverse<Turn>| {
            turn.lane -= usize::from(turn.lane > closed);
            Reverse(turn)
        };
        let others = turns.into_iter().filter(|Reverse(turn)| turn.lane != closed);
        self.turns = others.map(moved).collect();
    }

    /// Has every queue looked into, whatever the client has told of it.
    pub(super) fn look(&self) {
        for lane in &self.lanes {
            lane.is_filled.store(true, Ordering::Release);
        }
    }

    /// Waits until a queue stops being empty.
    pub(super) fn wait(&self, at_most: Duration) {
        // Either way the queues are looked into next.
        let _ = self.bell.recv_timeout(at_most);
    }

    /// The message whose turn it is. `hold` copies one from the client and says when it was appended, `left` how much of
    /// a partition is left.
    pub(super) fn next(
        &mut self,
        now: DateTime<Utc>,
        hold: impl Fn(&BorrowedMessage<'_>) -> (T, Option<DateTime<Utc>>),
        left: impl Fn(&str, i32) -> u64,
    ) -> Next<'_, T> {
        let mut is_any_awaited = false;
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            if lane.first.is_some() {
                continue;
            }
            match lane.take(&hold) {
                Some(Ok(appended_at)) => self.turns.push(Reverse(Turn::of(at, appended_at, now))),
                Some(Err(error)) => return Next::Failure(error),
                None => is_any_awaited |= lane.is_awaited(&left),
            }
        }
        if is_any_awaited {
            return Next::Awaited;
        }
        let turn = self.turns.pop();
        let lane = turn.and_then(|Reverse(turn)| self.lanes.get_mut(turn.lane));
        lane.and_then(|lane| Some(Next::Message(&lane.topic, lane.number, lane.first.take()?)))
            .unwrap_or(Next::Empty)
    }
}

impl<T> Lane<T> {
    /// Takes the first message of the queue if there is one, and says when it was appended.
    fn take(
        &mut self,
        hold: &impl Fn(&BorrowedMessage<'_>) -> (T, Option<DateTime<Utc>>),
    ) -> Option<Result<Option<DateTime<Utc>>, KafkaError>> {
        // Taken back before the look, so that what comes meanwhile is told anew.
        if !self.is_filled.swap(false, Ordering::AcqRel) {
            return None;
        }
        let taken = self.queue.poll(Duration::ZERO)?;
        self.is_filled.store(true, Ordering::Release);
        Some(taken.map(|message| {
            let (first, appended_at) = hold(&message);
            self.first = Some(first);
            self.awaited = Awaited::Not;
            appended_at
        }))
    }

    /// Whether the others are to wait for it.
    fn is_awaited(&mut self, left: &impl Fn(&str, i32) -> u64) -> bool {
        match self.awaited {
            Awaited::Not if left(&self.topic, self.number) >= BEHIND_MIN => {
                self.awaited = Awaited::Since(Instant::now());
                true
            }
            Awaited::Since(since) if since.elapsed() >= PATIENCE => {
                self.awaited = Awaited::InVain;
                false
            }
            Awaited::Since(_) => true,
            Awaited::Not | Awaited::InVain => false,
        }
    }
}

impl Turn {
    fn of(lane: usize, appended_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        // A clock that is ahead does not put its messages off.
        let appended_at = appended_at.map_or(DateTime::UNIX_EPOCH, |at| at.min(now));
        Turn {
            is_backlog: now - appended_at > LIVE_WITHIN,
            appended_ms: appended_at.timestamp_millis(),
            lane,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_messages_go_first_and_a_backlog_by_its_age() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let turn = |lane, seconds: i64| Turn::of(lane, Some(now + TimeDelta::seconds(seconds)), now);
        let mut turns = [
            turn(0, -3_600),
            turn(1, -7_200),
            turn(2, -1),
            turn(3, 86_400),
            turn(4, -59),
        ];
        turns.sort();
        assert_eq!(turns.map(|turn| turn.lane), [4, 2, 3, 1, 0]);
        // Without a time there is nothing to wait for.
        assert!(Turn::of(5, None, now) < turn(1, -7_200));
    }
}
