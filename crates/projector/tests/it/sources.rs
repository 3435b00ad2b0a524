//! Live before backfill.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use domain::position::{PartitionId, Positions};
use projector::batch::{BatchLimits, collect};
use projector::error::SourceError;
use projector::file::{FileSource, Progress};
use projector::source::{Budget, Counters, PartitionStatus, Polled, RawMessage, Source};
use projector::sources::LiveFirst;

use crate::inputs::{kafka_partition, plain};
use crate::reading::limits;

/// A live source that has one of its portions each time it is asked.
struct Script {
    partition: Arc<PartitionId>,
    portions: VecDeque<usize>,
    next: u64,
    applied: Positions,
}

impl Script {
    fn new(topic: &str, portions: &[usize]) -> Box<Self> {
        let partition = Arc::new(kafka_partition(topic, 0));
        Box::new(Script {
            partition,
            portions: portions.iter().copied().collect(),
            next: 0,
            applied: Positions::default(),
        })
    }
}

impl Source for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn poll(&mut self, _budget: &Budget, out: &mut Vec<RawMessage>) -> Result<Polled, SourceError> {
        for _ in 0..self.portions.pop_front().unwrap_or(0) {
            let (partition, content) = (Arc::clone(&self.partition), plain("live"));
            out.push(RawMessage {
                partition,
                position: self.next,
                content,
                appended_at: None,
            });
            self.next += 1;
        }
        Ok(Polled::Idle)
    }

    fn passed(&mut self, _positions: &mut Positions) {}

    fn applied(&mut self, positions: &Positions) {
        self.applied = positions.clone();
    }

    fn partitions(&self) -> Vec<PartitionStatus> {
        Vec::new()
    }

    fn counters(&self) -> Counters {
        Counters {
            messages: self.next,
            ..Counters::default()
        }
    }
}

fn old(lines: &str) -> Box<dyn Source> {
    let reader = Box::new(Cursor::new(lines.to_owned()));
    Box::new(FileSource::from_pipe("old", reader, &Arc::new(Progress::default())).unwrap())
}

/// One letter a message: `l`ive, or the line of an old one.
fn letters(messages: &[RawMessage]) -> String {
    let live = |message: &RawMessage| message.content == plain("live");
    messages
        .iter()
        .map(|message| if live(message) { 'l' } else { 'o' })
        .collect()
}

#[test]
fn the_old_is_read_only_when_nothing_live_is_there() {
    let mut sources = LiveFirst::new(vec![Script::new("a", &[2, 1, 0, 1])], vec![old("1\n2\n3\n")]);
    let mut polls = Vec::new();
    for _ in 0..4 {
        let mut found = Vec::new();
        let budget = Budget {
            messages: 2,
            bytes: usize::MAX,
            until: std::time::Instant::now(),
        };
        sources.poll(&budget, &mut found).unwrap();
        polls.push(letters(&found));
    }
    assert_eq!(polls, ["ll", "l", "oo", "l"]);
}

#[test]
fn live_sources_take_turns() {
    let mut sources = LiveFirst::new(vec![Script::new("a", &[1; 4]), Script::new("b", &[1; 4])], vec![]);
    let mut found = Vec::new();
    for _ in 0..4 {
        let budget = Budget {
            messages: 1,
            bytes: usize::MAX,
            until: std::time::Instant::now(),
        };
        sources.poll(&budget, &mut found).unwrap();
    }
    let of_a = found
        .iter()
        .filter(|message| *message.partition == kafka_partition("a", 0))
        .count();
    assert_eq!((of_a, found.len()), (2, 4));
}

#[test]
fn old_sources_are_read_one_after_the_other_and_end() {
    let mut sources = LiveFirst::new(vec![], vec![old("1\n2\n"), old(""), old("3\n\n")]);
    sources.push_backfill(old("4"));
    let batch = collect(&mut sources, &limits(100)).unwrap();
    assert!(batch.ended);
    assert_eq!(
        batch
            .messages
            .iter()
            .map(|message| &message.content)
            .collect::<Vec<_>>(),
        [&plain("1"), &plain("2"), &plain("3"), &plain("4")]
    );
    // The blank line at the end of the third was passed.
    let positions: Vec<u64> = batch.positions.iter().map(|(_, next)| next).collect();
    assert_eq!(positions.iter().sum::<u64>(), 2 + 2 + 1);
    assert_eq!(sources.counters().messages, 4);
}

#[test]
fn with_a_live_source_it_never_ends() {
    let mut sources = LiveFirst::new(vec![Script::new("a", &[])], vec![old("1\n")]);
    let first = collect(&mut sources, &limits(100)).unwrap();
    assert_eq!((letters(&first.messages).as_str(), first.ended), ("o", false));
    let second = collect(
        &mut sources,
        &BatchLimits {
            wait_max: Duration::ZERO,
            ..limits(100)
        },
    )
    .unwrap();
    assert!(second.is_empty() && !second.ended);
}
