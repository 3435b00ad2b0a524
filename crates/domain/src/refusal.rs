//! Why a message was refused: a stable code, the place as a JSON pointer, and a sentence for its producer.

use thiserror::Error;

/// A message that breaks a rule of the contract.
///
/// `pointer` is an RFC 6901 JSON pointer into the message as it was sent: in structured mode into the CloudEvent
/// (`/data/amount/total`), in binary mode into the value, which is the `data` itself (`/amount/total`).
/// It is empty when the whole message is meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{code} at {pointer:?}: {detail}")]
pub struct Refusal {
    /// Stable, snake_case; the list stands in `docs/producers.md`.
    pub code: &'static str,
    pub pointer: String,
    /// Tells a producer what to change. Never repeats a value of the message.
    pub detail: String,
    /// `data.payment_key`, where it could be read although the message was refused.
    pub payment_key: Option<String>,
}

impl Refusal {
    /// A refusal of which the payment is not known yet.
    pub(crate) fn new(code: &'static str, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code,
            pointer: pointer.into(),
            detail: detail.into(),
            payment_key: None,
        }
    }
}
