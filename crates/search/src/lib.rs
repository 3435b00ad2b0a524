//! The keyword index of Ledgerlens: words and identifiers → payments.
//!
//! # The theory
//!
//! The index is derived and may be behind the ledger, so it never answers anything. It proposes candidates, and the
//! ledger's row decides each of them. That leaves it one duty: **everything that satisfies a filter satisfies the filter's
//! [`TermQuery`]**. Three choices follow:
//!
//! - One payment is one [`Document`], and a document is one flat list of terms ([`term`](term_query)): a class letter and
//!   a text. Texts are there as bigrams, which find any two or more characters inside them in any script. What comes days after
//!   the payment (identifiers of settlement lines and payouts) is a [`Part`] beside it, so that it is not written again.
//! - Only what hardly ever changes is in a document. Statuses, sums and flags are the row's, so most messages of a payment
//!   leave its document alone ([`Document::digest`] tells).
//! - Candidates come in whole hours of `occurred_at`, newest or oldest first ([`Walk`]), because lists are sorted so and a
//!   broad word must not cost its whole hit list.
//!
//! Payments touched since the index's position carry their terms in memory; [`TermQuery::matches`] is the same condition
//! there.
//!
//! # Durability
//!
//! A commit carries the [`IndexPosition`] it covers in its payload, in one act with the documents. A directory whose
//! position cannot be read, or is that of another store or format, is refused with an error that says so
//! ([`SearchError::needs_rebuild`]); it holds nothing that the ledger cannot write again.

mod cursor;
mod document;
mod error;
mod fields;
mod hours;
mod merging;
mod part;
mod position;
mod prefix;
mod reader;
mod recent;
mod screen;
mod segment;
mod snapshot;
mod term;
mod term_query;
mod terms;
pub mod values;
mod walk;
mod when;
mod writer;

pub use document::{Document, terms};
pub use error::SearchError;
pub use part::Part;
pub use position::IndexPosition;
pub use reader::{IndexReader, check_files};
pub use recent::{Announced, Recent};
pub use screen::Screen;
pub use snapshot::IndexSnapshot;
pub use term_query::{TermQuery, identifier_query, term_query};
pub use terms::Terms;
pub use walk::{Hit, Order, Walk};
pub use when::{SaleDay, When, Within, minute_of};
pub use writer::{IndexWriter, Options};
