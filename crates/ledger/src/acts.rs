//! What operators do to quarantine, and how it is handed to the one writer.
//!
//! Whoever is asked (the API) only hands an [`Act`] over and waits; the thread that holds the writer takes it between two
//! batches and does it in a transaction of its own. So there is one writer, and an act is as durable as a batch.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::dossier::Verdict;
use domain::position::{PartitionId, Positions};
use domain::refusal::Refusal;
use thiserror::Error;

use crate::error::LedgerError;
use crate::fold::{Batch, Incoming, Prepared, Touched, Works};
use crate::quarantine::QuarantineChange;
use crate::quarantine_list::QuarantineFilter;
use crate::reader::Head;
use crate::replay::{Judged, Kept, ReplaySummary, selected};
use crate::status::Counts;
use crate::writer::Writer;

/// Acts that wait for the writer; more are turned away at once.
const WAITING_MAX: usize = 64;

/// Something that an operator wants done.
#[derive(Clone, Debug)]
pub enum Act {
    /// Reads one refused message again.
    Replay { n: u64 },
    /// Reads every open refused message of a filter again, behind row `after`.
    ReplayMatching { filter: QuarantineFilter, after: u64 },
    /// Ends a row without applying it.
    Close { n: u64, reason: String },
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// `Quarantined`: it is still refused, and the row holds today's reason.
    Replayed(Verdict),
    ReplayedMatching(ReplaySummary),
    Closed,
}

/// What became of an act that the stores could take.
pub type ActOutcome = Result<Acted, ActError>;

/// Why an act was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ActError {
    #[error("there is no such row in quarantine")]
    NoSuchRow,
    #[error("the row is closed already")]
    RowClosed,
    #[error("the row cannot be replayed: {0}")]
    NotReplayable(&'static str),
    #[error("the row cannot be closed: {0}")]
    NotClosable(&'static str),
    /// The store failed; the cause is in the log. The act may be done or not.
    #[error("the ledger failed while it was done")]
    Failed,
    /// Nobody takes acts, too many wait, or its time had passed before its turn came.
    #[error("the writer did not take it")]
    NotTaken,
}

/// How an act is answered.
pub type Reply = Box<dyn FnOnce(ActOutcome) + Send>;

struct Waiting {
    act: Act,
    until: Instant,
    reply: Reply,
}

/// Where acts are handed over.
#[derive(Clone)]
pub struct Acts(SyncSender<Waiting>);

/// Where the writer's thread takes them.
pub struct ActQueue(Receiver<Waiting>);

/// A bounded channel from whoever is asked to the writer.
pub fn act_channel() -> (Acts, ActQueue) {
    let (sender, receiver) = sync_channel(WAITING_MAX);
    (Acts(sender), ActQueue(receiver))
}

impl Acts {
    /// Hands an act over; it is not begun after `until`.
    pub fn hand_over(&self, act: Act, until: Instant, reply: Reply) {
        if let Err(TrySendError::Full(waiting) | TrySendError::Disconnected(waiting)) =
            self.0.try_send(Waiting { act, until, reply })
        {
            (waiting.reply)(Err(ActError::NotTaken));
        }
    }
}

impl ActQueue {
    /// Does what waits now. An error of the store ends it: the writer must be reloaded.
    pub fn serve<E>(&self, act: &mut dyn FnMut(&Act) -> Result<ActOutcome, E>) -> Result<(), E> {
        while let Ok(waiting) = self.0.try_recv() {
            serve_one(waiting, act)?;
        }
        Ok(())
    }

    /// The same, after waiting for a first one. False once nobody can hand anything over any more.
    pub fn serve_within<E>(
        &self,
        within: Duration,
        act: &mut dyn FnMut(&Act) -> Result<ActOutcome, E>,
    ) -> Result<bool, E> {
        match self.0.recv_timeout(within) {
            Ok(waiting) => serve_one(waiting, act)?,
            Err(RecvTimeoutError::Timeout) => return Ok(true),
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
        }
        self.serve(act)?;
        Ok(true)
    }
}

fn serve_one<E>(waiting: Waiting, act: &mut dyn FnMut(&Act) -> Result<ActOutcome, E>) -> Result<(), E> {
    if Instant::now() > waiting.until {
        (waiting.reply)(Err(ActError::NotTaken));
        return Ok(());
    }
    match act(&waiting.act) {
        Ok(outcome) => {
            (waiting.reply)(outcome);
            Ok(())
        }
        Err(error) => {
            (waiting.reply)(Err(ActError::Failed));
            Err(error)
        }
    }
}

/// A row to close with a batch.
pub(crate) struct Closing {
    n: u64,
    /// The payment that the row flags.
    payment_key: Option<String>,
    how: &'static str,
    reason: Option<String>,
}

/// What an act changes in quarantine, beside the messages that it applies.
#[derive(Default)]
pub(crate) struct Orders {
    /// Messages of an act were counted when they came.
    pub(crate) is_act: bool,
    closings: Vec<Closing>,
    refused_again: Vec<(u64, Box<Refusal>)>,
}

impl Orders {
    /// Payments whose flags change.
    pub(crate) fn payment_keys(&self) -> impl Iterator<Item = &str> {
        self.closings
            .iter()
            .filter_map(|closing| closing.payment_key.as_deref())
    }

    /// Takes the closed rows out of their payments' flags and tells quarantine.
    pub(crate) fn carry_out(self, works: &mut Works, out: &mut Prepared) {
        for closing in self.closings {
            let work = closing.payment_key.as_deref().and_then(|key| works.get_mut(key));
            if let Some(work) = work {
                work.dossier.refused = work.dossier.refused.saturating_sub(1);
                work.changed = true;
            }
            out.quarantine.push(QuarantineChange::Closed {
                n: closing.n,
                how: closing.how,
                reason: closing.reason,
            });
        }
        let again = self.refused_again.into_iter();
        out.quarantine
            .extend(again.map(|(n, refusal)| QuarantineChange::RefusedAgain { n, refusal }));
    }

    fn close(&mut self, kept: &Kept, how: &'static str, reason: Option<String>) {
        self.closings.push(Closing {
            n: kept.n,
            // Only a refused message leaves a flag on its payment that goes with the row.
            payment_key: kept
                .payment_key
                .clone()
                .filter(|_| kept.seq.is_some() && kept.is_message()),
            how,
            reason,
        });
    }
}

/// What is announced before anything becomes visible.
type Announce<'a> = &'a mut dyn FnMut(&Head, Vec<Touched>);

impl Writer {
    /// Does one act, in a transaction of its own.
    ///
    /// # Errors
    /// Of the store, as [`Writer::apply`]. An act that cannot be done is no such error and changes nothing.
    pub fn act(&mut self, act: &Act, at: DateTime<Utc>, announce: Announce<'_>) -> Result<ActOutcome, LedgerError> {
        match act {
            Act::Replay { n } => self.replay_one(*n, at, announce),
            Act::ReplayMatching { filter, after } => {
                let summary = self.replay_matching(filter, *after, at, announce)?;
                Ok(Ok(Acted::ReplayedMatching(summary)))
            }
            Act::Close { n, reason } => self.close(*n, reason, at, announce),
        }
    }

    fn replay_one(&mut self, n: u64, at: DateTime<Utc>, announce: Announce<'_>) -> Result<ActOutcome, LedgerError> {
        let kept = match self.open_row(n)? {
            Ok(kept) => kept,
            Err(error) => return Ok(Err(error)),
        };
        let mut replay = Replay::default();
        if let Some(why) = replay.take(kept) {
            return Ok(Err(ActError::NotReplayable(why)));
        }
        let counts = self.carry_out(replay, at, announce)?;
        let verdict = Verdict::ALL.into_iter().find(|verdict| counts.of(*verdict) > 0);
        Ok(Ok(Acted::Replayed(verdict.unwrap_or(Verdict::Quarantined))))
    }

    fn replay_matching(
        &mut self,
        filter: &QuarantineFilter,
        after: u64,
        at: DateTime<Utc>,
        announce: Announce<'_>,
    ) -> Result<ReplaySummary, LedgerError> {
        let (chunks, next_after) = selected(self.connection(), filter, after)?;
        let mut summary = ReplaySummary {
            next_after,
            ..ReplaySummary::default()
        };
        for chunk in chunks {
            let mut replay = Replay::default();
            for n in chunk {
                let Some(kept) = Kept::read(self.connection(), n)? else {
                    continue;
                };
                summary.matched += 1;
                summary.not_replayable += u64::from(replay.take(kept).is_some());
            }
            summary.counts.add(&self.carry_out(replay, at, announce)?);
        }
        Ok(summary)
    }

    fn close(
        &mut self,
        n: u64,
        reason: &str,
        at: DateTime<Utc>,
        announce: Announce<'_>,
    ) -> Result<ActOutcome, LedgerError> {
        let kept = match self.open_row(n)? {
            Ok(kept) => kept,
            Err(error) => return Ok(Err(error)),
        };
        if !kept.is_message() && !kept.is_conflict() {
            let why = "it stands there as long as the entry names another merchant or currency than its payment; a corrected \
                       message ends it";
            return Ok(Err(ActError::NotClosable(why)));
        }
        let mut replay = Replay::default();
        replay.orders.close(&kept, "closed", Some(reason.to_owned()));
        self.carry_out(replay, at, announce)?;
        Ok(Ok(Acted::Closed))
    }

    fn open_row(&self, n: u64) -> Result<Result<Kept, ActError>, LedgerError> {
        Ok(match Kept::read(self.connection(), n)? {
            None => Err(ActError::NoSuchRow),
            Some(kept) if !kept.open => Err(ActError::RowClosed),
            Some(kept) => Ok(kept),
        })
    }

    fn carry_out(&mut self, replay: Replay, at: DateTime<Utc>, announce: Announce<'_>) -> Result<Counts, LedgerError> {
        let still_refused = replay.orders.refused_again.len() as u64;
        let batch = Batch {
            items: replay.items,
            positions: Positions::default(),
            nulls: 0,
            appended_at: None,
            applied_at: at,
        };
        let orders = Orders {
            is_act: true,
            ..replay.orders
        };
        let mut counts = self.write(batch, orders, announce)?.counts;
        counts.quarantined += still_refused;
        Ok(counts)
    }
}

/// Kept messages on their way back into the ledger.
#[derive(Default)]
struct Replay {
    items: Vec<Incoming>,
    orders: Orders,
}

impl Replay {
    /// Says why a row cannot be replayed, if so.
    fn take(&mut self, kept: Kept) -> Option<&'static str> {
        match kept.judge() {
            Judged::Impossible(why) => return Some(why),
            Judged::Refused(refusal) => self.orders.refused_again.push((kept.n, refusal)),
            Judged::Accepted(message) => {
                self.orders.close(&kept, "replayed", None);
                self.items.push(Incoming {
                    // The place where the message came first.
                    source: kept
                        .source
                        .clone()
                        .unwrap_or_else(|| Arc::new(PartitionId::File { sha256: "0".repeat(64) })),
                    position: kept.position,
                    content: Ok(message),
                });
            }
        }
        None
    }
}
