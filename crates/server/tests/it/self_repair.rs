//! Stores that were deleted, damaged or put back from another time: the service says what it found, repairs what it can
//! from the ledger, and answers right meanwhile or not at all.
//!
//! Each case starts the real binary on a directory of hostile messages and compares its answers with the reference model,
//! from the first instant that it answers.

mod backup;
mod disk_full;
mod fed;
mod index;
mod rebuild;
mod rows;
mod topics;
