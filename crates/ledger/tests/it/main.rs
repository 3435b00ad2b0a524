//! The ledger on real files: batches, reopening, verification.

mod batches;
mod feed;
mod tampered;
