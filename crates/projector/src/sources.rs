//! Several sources behind one: what is live comes before what is old.
//!
//! A backfill of years must not delay the payment of this minute, so the old is read only while nothing live waits, and
//! in batches of the usual size: the live input waits for one of them at most. While the live input never pauses, the
//! backfill stands still; that is meant, and its progress shows it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use domain::position::Positions;

use crate::error::SourceError;
use crate::source::{Budget, Counters, PartitionStatus, Polled, RawMessage, Source};

/// While nothing is there at all, each of several live sources is waited for in turns of this length.
const TURN: Duration = Duration::from_millis(20);

/// Live sources, and others to read when these are idle.
#[derive(Default)]
pub struct LiveFirst {
    live: Vec<Box<dyn Source>>,
    /// One after the other, in the order given.
    backfill: VecDeque<Box<dyn Source>>,
    /// How many of `backfill`, from the front, are at their end. They are kept until `passed` has asked them.
    finished: usize,
    /// The live source that is asked first, so that none is always last.
    turn: usize,
    /// Of sources that are not kept any more.
    gone: Counters,
}

impl LiveFirst {
    pub fn new(live: Vec<Box<dyn Source>>, backfill: Vec<Box<dyn Source>>) -> Self {
        LiveFirst {
            live,
            backfill: backfill.into(),
            ..LiveFirst::default()
        }
    }

    /// Adds a source to be read after the others that are old.
    pub fn push_backfill(&mut self, source: Box<dyn Source>) {
        self.backfill.push_back(source);
    }

    fn all(&self) -> impl Iterator<Item = &dyn Source> {
        self.live.iter().chain(&self.backfill).map(|source| &**source)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn Source>> {
        self.live.iter_mut().chain(&mut self.backfill)
    }

    /// Asks every live source once, until one has something. `Ended` if none will ever have anything.
    fn poll_live(&mut self, budget: &Budget, out: &mut Vec<RawMessage>) -> Result<Polled, SourceError> {
        let before = out.len();
        let mut all = Polled::Ended;
        for _ in 0..self.live.len() {
            self.turn = (self.turn + 1) % self.live.len();
            let polled = self.live[self.turn].poll(budget, out)?;
            if out.len() > before {
                return Ok(Polled::More);
            }
            if polled != Polled::Ended {
                all = Polled::Idle;
            }
        }
        Ok(all)
    }

    /// Asks the first old source that is not at its end.
    fn poll_backfill(&mut self, budget: &Budget, out: &mut Vec<RawMessage>) -> Result<Polled, SourceError> {
        let before = out.len();
        while let Some(source) = self.backfill.get_mut(self.finished) {
            let polled = source.poll(budget, out)?;
            if polled != Polled::Ended {
                return Ok(polled);
            }
            self.finished += 1;
            if out.len() > before {
                return Ok(Polled::More);
            }
        }
        Ok(Polled::Ended)
    }

    /// Nothing old is left: waits for the live ones.
    fn wait_for_live(&mut self, budget: &Budget, out: &mut Vec<RawMessage>) -> Result<Polled, SourceError> {
        let before = out.len();
        loop {
            let turn = if self.live.len() == 1 {
                budget.until
            } else {
                budget.until.min(Instant::now() + TURN)
            };
            let polled = self.poll_live(&Budget { until: turn, ..*budget }, out)?;
            if out.len() > before || polled == Polled::Ended || Instant::now() >= budget.until {
                return Ok(polled);
            }
        }
    }
}

impl Source for LiveFirst {
    fn name(&self) -> &str {
        self.all().next().map_or("no source", |source| source.name())
    }

    fn poll(&mut self, budget: &Budget, out: &mut Vec<RawMessage>) -> Result<Polled, SourceError> {
        let before = out.len();
        let at_once = Budget {
            until: Instant::now(),
            ..*budget
        };
        let live = self.poll_live(&at_once, out)?;
        if out.len() > before {
            return Ok(live);
        }
        match self.poll_backfill(budget, out)? {
            Polled::Ended if live == Polled::Ended => Ok(Polled::Ended),
            Polled::Ended => self.wait_for_live(budget, out),
            polled => Ok(polled),
        }
    }

    fn passed(&mut self, positions: &mut Positions) {
        self.all_mut().for_each(|source| source.passed(positions));
        for source in self.backfill.drain(..std::mem::take(&mut self.finished)) {
            self.gone = self.gone.plus(source.counters());
        }
    }

    fn applied(&mut self, positions: &Positions) {
        self.all_mut().for_each(|source| source.applied(positions));
    }

    fn partitions(&self) -> Vec<PartitionStatus> {
        self.all().flat_map(|source| source.partitions()).collect()
    }

    fn problems(&self) -> Vec<String> {
        self.all().flat_map(|source| source.problems()).collect()
    }

    fn counters(&self) -> Counters {
        self.all()
            .map(|source| source.counters())
            .fold(self.gone, Counters::plus)
    }
}
