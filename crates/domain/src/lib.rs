//! The domain of Ledgerlens: messages, entries, payments and the rules that turn messages into answers.
//!
//! Everything here is a function over values: no I/O, no clock, no engine, and no panic on any input.

#[macro_use]
mod spelled;

pub mod canonical;
pub mod decode;
pub mod derive;
pub mod dossier;
mod json;
pub mod message;
pub mod money;
pub mod position;
pub mod record;
pub mod redact;
pub mod refusal;
pub mod rollup;
pub mod scope;
pub mod time;
