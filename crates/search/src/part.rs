//! The parts of a payment's document, each a document of the engine.
//!
//! A payment is found by sixty terms, of which all but one or two come with its first messages. Its settlement line comes days
//! later and brings an identifier, its payout another one. Were they all one document, each of them would have everything written
//! again and the old document looked for in every segment to be removed: most of what the index costs. So identifiers of lines
//! and payouts are documents of their own beside the payment's, which stays as it is. A question for such an identifier is first
//! asked of these parts; the payments that they belong to then take its place in the question: see
//! [`snapshot`](crate::snapshot).

use crate::term::Class;

/// A part of a document, with terms of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// All but the others.
    Payment,
    /// What settlement lines are identified by.
    Lines,
    /// What their payouts are identified by.
    Payouts,
}

/// Keys of a payment's parts lie together and in the order of payments.
const KEYS: u64 = 4;

impl Part {
    pub const ALL: [Part; 3] = [Part::Payment, Part::Lines, Part::Payouts];

    /// What its document is replaced by, among those of all payments.
    #[must_use]
    pub const fn key(self, seq: u64) -> u64 {
        seq * KEYS
            + match self {
                Part::Payment => 0,
                Part::Lines => 1,
                Part::Payouts => 2,
            }
    }

    /// The payment of a key.
    #[must_use]
    pub const fn seq_of(key: u64) -> u64 {
        key / KEYS
    }

    /// That a term belongs to.
    pub(crate) const fn of_term(term: &str) -> Part {
        const LINE: u8 = Class::Line.letter() as u8;
        const PAYOUT: u8 = Class::Payout.letter() as u8;
        match term.as_bytes() {
            [LINE, ..] => Part::Lines,
            [PAYOUT, ..] => Part::Payouts,
            _ => Part::Payment,
        }
    }
}

/// Whether a key is that of a [`Part::Payment`].
pub(crate) const fn is_payment(key: u64) -> bool {
    key.is_multiple_of(KEYS)
}
