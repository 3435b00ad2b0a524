//! What can go wrong with a source, a variant for each situation that someone handles differently.

use std::io;

use thiserror::Error;

/// After one of these a source delivers nothing any more. Positions are in the ledger, so it can be opened anew at once.
#[derive(Debug, Error)]
pub enum SourceError {
    /// At the start only: later outages are survived and shown in the status.
    #[error("no Kafka broker answered at {brokers} within {seconds} s: {reason}")]
    Unreachable {
        brokers: String,
        seconds: u64,
        reason: String,
    },

    /// A setting that Kafka's client does not know, cannot use, or that is not the operator's to set.
    #[error("the Kafka option `{key}` cannot be used: {reason}")]
    Option { key: String, reason: String },

    /// The client refuses its settings as a whole, or lacks what they need.
    #[error("the Kafka client cannot be set up: {reason}")]
    Client { reason: String },

    /// The log itself cannot be read on (a failed checksum, an unknown compression, a fatal error of the client).
    /// The client would go on behind the unreadable part, which would leave a hole. Damage on the way is gone when the
    /// source is opened anew, so that is worth trying, with a pause.
    #[error("the Kafka log at {brokers} cannot be read on: {reason}")]
    Broken { brokers: String, reason: String },

    #[error("{file} cannot be opened: {reason}")]
    Open { file: String, reason: io::Error },

    /// Everything before this line was delivered. Lines are counted from 1, as editors do.
    #[error("{file} cannot be read on at line {line}: {reason}")]
    Read { file: String, line: u64, reason: io::Error },

    /// The name of a file is the SHA-256 of its bytes, so its positions would be those of another one.
    #[error("{file} changed while it was read: read it again when it is complete")]
    Changed { file: String },
}
