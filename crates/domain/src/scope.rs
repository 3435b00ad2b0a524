//! Whose payments a reader may see.

use std::collections::BTreeSet;

/// The merchants that a reader may see. Every read of the ledger takes one, so a query cannot be built without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every merchant: finance, operators, the service itself.
    All,
    /// These merchants only.
    Merchants(BTreeSet<String>),
}

impl Scope {
    pub fn allows(&self, merchant_id: &str) -> bool {
        match self {
            Scope::All => true,
            Scope::Merchants(merchants) => merchants.contains(merchant_id),
        }
    }
}
