//! One page of a list or a search.

use domain::dossier::Dossier;
use domain::scope::Scope;
use ledger::Order;
use query::Filter;

use crate::error::LookupError;
use crate::lookup::{Answer, Lookup};
use crate::sort_key::SortKey;

/// What is asked.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub scope: Scope,
    pub filter: Filter,
    pub order: Order,
    /// The last row of the page before.
    pub after: Option<SortKey>,
    /// Rows wanted, 1 to 100.
    pub limit: usize,
}

/// A page, in list order.
#[derive(Clone, Debug)]
pub struct Page {
    pub rows: Vec<Dossier>,
    /// The last row's place, if there are more.
    pub next: Option<SortKey>,
}

pub(crate) fn page(_lookup: &Lookup, _request: &PageRequest) -> Result<Answer<Page>, LookupError> {
    unreachable!()
}
