//! The projector: reads messages from its sources and writes what they say into the ledger and the index.
//!
//! [`source`] states what a source promises and proves that nothing is lost or applied twice.

pub mod batch;
mod card_numbers;
pub mod error;
pub mod file;
mod incoming;
pub mod index_keeper;
pub mod index_place;
pub mod kafka;
pub mod pipeline;
pub mod rebuild;
mod reconcile;
pub mod run;
pub mod source;
pub mod sources;
pub mod verify;
