//! The open keywords of a payment, for completion.

use domain::derive::Payment;
use query::KeywordField;
use search::values::{self, StableKeyword};

/// Calls `take` with each value that messages gave a keyword field, but for last four digits.
pub fn keywords<'p>(payment: &Payment<'p>, mut take: impl FnMut(KeywordField, &'p str)) {
    let fields = [
        (StableKeyword::Issuer, KeywordField::Issuer),
        (StableKeyword::Provider, KeywordField::Provider),
        (StableKeyword::Bank, KeywordField::Bank),
        (StableKeyword::ReasonCode, KeywordField::ReasonCode),
        (StableKeyword::Channel, KeywordField::Channel),
    ];
    for (stable, field) in fields {
        values::keywords(payment, stable, |value| take(field, value));
    }
}
