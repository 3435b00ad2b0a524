//! The seeded, deterministic stream of messages behind `ledgerlens generate`, the demo, the tests and the benchmarks.
//!
//! A [`Plan`] says what to generate: a seed, how many payments, over which span, with which disturbances. A [`Stream`]
//! draws its messages one by one in the order in which readers of the topics meet them, each a complete event of the
//! message contract. [`write_file`], [`write_ndjson`], [`write_topic_files`] and [`kafka::produce`] bring it somewhere.
//! [`Expect`] is its ground truth, so that anyone can check a store's sums without trusting the store.
//!
//! # How it works
//!
//! A payment's messages lie days or years apart, so a stream in the order of publishing is a simulation. It stays small
//! and fast because **nothing is remembered that can be drawn again**: a payment's whole life (who, how much, when,
//! and every message) follows from the seed and the payment's number in about a microsecond. The stream keeps one queue
//! entry of 24 bytes for each payment still under way. Payments are numbered in the order of their arrival, and a
//! number alone gives its instant, so nothing is sorted either.
//!
//! Every disturbance stays within one payment's life. A duplicate, a swapped pair, a contradicting content or an orphan
//! is a change to the list of that payment's deliveries, and so the ground truth can be computed for the payment at
//! once by the contract's rules, exactly, whatever the switches.
//!
//! All draws are whole numbers from a portable generator; there is no float, no clock and no order of a hash map in
//! any byte. A test pins the digest of small streams.
//!
//! # The shapes, and why
//!
//! | shape | value | why |
//! |---|---|---|
//! | merchants | 5,000, the n-th sells 1/n of the first | a few sellers carry a payment provider; reports of one merchant range from ten rows to a tenth of everything |
//! | time | growth by half over the span, a weekly and a daily curve, pay days, two great sales | days differ in size by a factor of three, hours of one day by fifteen |
//! | methods | twelve, two thirds of payments on cards and wallets | deposits at a bank or a counter take hours or days, others seconds; each has its own member in the message, its own fee and costs |
//! | currencies | KRW nine in ten, then USD, JPY and a little BHD | 0, 2 and 3 fraction digits; a payment has one, a merchant a home |
//! | payment | READY, DONE; some by way of `IN_PROGRESS`, AUTHORIZED or `WAITING_FOR_DEPOSIT`; 5 % ABORTED or EXPIRED | most versions change no searchable word |
//! | settlement | SCHEDULED two to seven days after the sale by contract, in the nightly batch; PAID on the next banking day, under one `payout_id` for each merchant, day and currency; one in 400 HELD for weeks | most messages are about payments a few days old; a payout joins many payments |
//! | cancellation | 8 % of approved payments, half of them in one to three parts, most within a day, with settlement lines of their own | balance and settlement of a payment change after the fact |
//! | late | 1 % of all messages concern a payment over a year old | what is filed away must still be cheap to change |
//! | words | Korean, Latin and Japanese, combined from small lists; shoppers come back eight times | two letters find many payments, a name several, a whole identifier one |
//! | fees | a rate by method and contract plus a fixed part, VAT of a tenth on it in KRW, all rounded in whole minor units | `payout_amount = amount - fees - vat` to the unit |
//!
//! Half a kilobyte and a little a message, some four messages a payment ([`Mix::Full`]), or final states only, some 1.3
//! ([`Mix::Lean`]). What would be published after the span is not part of the stream: the last days' sales are not
//! yet settled, as in life.

mod calendar;
mod cancellation_data;
mod cells;
mod disturbance;
mod expect;
mod files;
mod fold;
pub mod kafka;
mod life;
mod merchant;
mod message;
mod method;
mod payment_data;
mod pen;
mod person;
mod plan;
mod poison;
mod random;
mod respelling;
mod settlement_data;
mod single;
mod stream;
mod tally;
mod vocabulary;
mod world;

pub use cells::{Grouping, SalesSums, SettlementSums};
pub use expect::{Counts, Expect, Flags, Row};
pub use files::{Compression, FileError, OnProgress, Progress, write_file, write_ndjson, write_topic_files};
pub use message::Topic;
pub use plan::{Mix, Plan, PlanError, Rate};
pub use single::{Single, SingleMessage};
pub use stream::{Message, Stream};
