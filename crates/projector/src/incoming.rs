//! From what a source delivered to what the ledger takes.

use chrono::{DateTime, Utc};
use domain::decode::decode;
use domain::message::Digest;
use domain::position::Positions;
use ledger::{Incoming, Refused};
use rayon::prelude::*;

use crate::batch::Batch;
use crate::card_numbers::CardNumbers;
use crate::source::{Content, MessageEncoding, RawMessage};

/// A batch whose messages have been read.
#[derive(Debug)]
pub(crate) struct Decoded {
    items: Vec<Incoming>,
    positions: Positions,
    nulls: u64,
    appended_at: Option<DateTime<Utc>>,
    full: bool,
    card_numbers: CardNumbers,
}

impl Decoded {
    /// Decodes on all threads, in order; messages without a value are only counted.
    pub(crate) fn of(batch: Batch) -> Self {
        let read = batch.messages.len();
        let appended_at = batch.messages.iter().filter_map(|message| message.appended_at).max();
        let items: Vec<Incoming> = batch.messages.into_par_iter().filter_map(decode_one).collect();
        let card_numbers = CardNumbers::of(&items);
        Decoded {
            nulls: (read - items.len()) as u64,
            items,
            positions: batch.positions,
            appended_at,
            full: batch.full,
            card_numbers,
        }
    }

    pub(crate) fn positions(&self) -> &Positions {
        &self.positions
    }

    /// More was waiting behind it.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn nulls(&self) -> u64 {
        self.nulls
    }

    pub(crate) fn take_card_numbers(&mut self) -> CardNumbers {
        std::mem::take(&mut self.card_numbers)
    }

    /// What the ledger is given `now`.
    pub(crate) fn at(self, now: DateTime<Utc>) -> ledger::Batch {
        ledger::Batch {
            items: self.items,
            positions: self.positions,
            nulls: self.nulls,
            // A producer's clock may be ahead, and what lies in the future would hide every lag until then.
            appended_at: self.appended_at.map(|at| at.min(now)),
            applied_at: now,
        }
    }
}

fn decode_one(message: RawMessage) -> Option<Incoming> {
    let encoding = message.encoding();
    let binary_mode = matches!(encoding, MessageEncoding::Binary(_));
    let content = match &message.content {
        Content::Null => return None,
        Content::Value { bytes, .. } => match decode(bytes, encoding.as_encoding()) {
            Ok(accepted) => Ok(Box::new(accepted)),
            Err(refusal) => Err(Box::new(Refused::of(refusal, bytes, encoding.as_encoding()))),
        },
        Content::Oversize(oversize) => Err(Box::new(Refused::oversize(
            &oversize.beginning,
            oversize.length,
            Digest(oversize.sha256),
            binary_mode,
        ))),
    };
    drop(encoding);
    Some(Incoming {
        source: message.partition,
        position: message.position,
        content,
    })
}
