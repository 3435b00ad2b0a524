//! The seeded, deterministic stream of messages behind `ledgerlens generate`, the demo and the benchmarks.

mod calendar;
mod cancellation_data;
mod cells;
mod disturbance;
mod expect;
mod files;
mod fold;
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
mod stream;
mod vocabulary;
mod world;

pub use cells::{Grouping, SalesSums, SettlementSums};
pub use expect::{Counts, Expect, Flags, Row};
pub use files::{Compression, FileError, OnProgress, Progress, write_file, write_ndjson, write_topic_files};
pub use message::Topic;
pub use plan::{Mix, Plan, PlanError, Rate};
pub use stream::{Message, Stream};
