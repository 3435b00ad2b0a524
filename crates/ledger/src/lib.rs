//! The ledger: the truth of the service, on DuckDB, with ready-made payment rows beside it.
//!
//! # Shape
//!
//! DuckDB holds, in one transaction a batch: every version of every entry (`versions`), the unified ledger as signed
//! rows (`entries`, `payments`), signed changes of the rollup cells (`sales_cells`,
//! `settlement_cells`), quarantine and positions. These tables
//! are only appended to. A change to a payment takes its old rows out with sign -1 and puts the new ones in with sign
//! +1, so its cost does not depend on the payment's age or on the size of the tables.
//!
//! A page of payments and the state that a message is folded into are point reads, which a column store is slow at
//! (the figures stand in ARCHITECTURE.md). So each payment's dossier also lies ready-made, by seq, in a log-structured
//! row store ([`rows`]). It holds nothing that the ledger cannot reproduce: it is written after the ledger's commit and
//! carries the number of the batch it has reached; at open it is caught up from `versions`.
//!
//! # Order of a batch
//!
//! 1. fold the messages into dossiers;
//! 2. announce what will be touched;
//! 3. commit DuckDB;
//! 4. commit the rows, which is what readers see.
//!
//! A reader takes its snapshot of the rows and, where it needs sums or lists, a DuckDB transaction at the same batch
//! ([`joint::Joint`]). So no answer mixes two positions.

pub mod acts;
mod append;
mod bodies;
mod candidates;
mod catch_up;
mod cells;
mod codec;
mod columns;
mod compaction;
mod condition;
mod copy;
pub mod data_dir;
mod engine;
mod entries;
mod entry_condition;
mod entry_stream;
mod error;
mod event_find;
mod events;
mod fold;
mod folding;
mod generations;
pub mod joint;
mod keymap;
mod late;
mod list_row;
mod loose;
mod meta;
mod pack;
mod payment_sums;
mod positions;
mod quarantine;
mod quarantine_list;
mod quarantine_rows;
mod quoted;
mod reached;
pub mod reader;
mod refused;
mod replay;
pub mod reports;
mod rows;
mod sealing;
mod status;
mod step;
mod timeline;
mod trace;
pub mod verify;
mod version_rows;
mod writer;

pub use candidates::{Asked, Candidate, Order};
pub use copy::LedgerCopy;
pub use engine::Options;
pub use entries::{EntryPlace, EntryRow, EntrySums};
pub use entry_stream::EntryStream;
pub use error::LedgerError;
pub use event_find::{Awaited, Delivery, EventFound};
pub use fold::{Batch, Incoming, Touched};
pub use generations::Generations;
pub use joint::Joint;
pub use payment_sums::PaymentSums;
pub use quarantine_list::{Closed, QuarantineFilter, QuarantineRow, Raw, RowAndRaw};
pub use reached::Reached;
pub use reader::{Head, Reader, Rows};
pub use refused::{Attributes, BEGINNING_BYTES, Refused};
pub use replay::{REPLAY_ROWS_MAX, ReplaySummary};
pub use status::{Counts, Status};
pub use step::{OnStep, Step};
pub use timeline::HeldVersion;
pub use trace::{Look, Scan, spent_counting, traced};
pub use writer::{Applied, Writer, open};
