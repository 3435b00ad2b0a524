//! A page of entries with, if wanted, what all pages add up to.

use domain::scope::Scope;
use ledger::{EntryPlace, EntryRow, EntrySums};
use query::Filter;

use crate::error::LookupError;
use crate::lookup::{Answer, Lookup};

/// What is asked.
#[derive(Clone, Debug)]
pub struct EntriesRequest {
    pub scope: Scope,
    /// A condition on the entry itself.
    pub filter: Filter,
    /// The last row of the page before.
    pub after: Option<EntryPlace>,
    /// Rows wanted, 1 to 100.
    pub limit: usize,
    /// The sums of all pages are wanted.
    pub total: bool,
}

/// A page by payment key, kind and entry id.
#[derive(Clone, Debug)]
pub struct EntriesPage {
    pub rows: Vec<EntryRow>,
    /// Where the next page begins, if there is more.
    pub next: Option<EntryPlace>,
    /// Of all pages, by currency.
    pub total: Option<Vec<EntrySums>>,
}

pub(crate) fn entries(lookup: &Lookup, request: &EntriesRequest) -> Result<Answer<EntriesPage>, LookupError> {
    let joint = lookup.reader.joint()?;
    let (filter, scope) = (&request.filter, &request.scope);
    let mut rows = joint.entries(filter, scope, request.after.as_ref(), request.limit + 1)?;
    let more = rows.len() > request.limit;
    rows.truncate(request.limit);
    let next = rows.last().filter(|_| more).map(EntryRow::place);
    let total = match request.total {
        true => Some(joint.entry_sums(filter, scope)?),
        false => None,
    };
    Ok(Answer {
        value: EntriesPage { rows, next, total },
        head: joint.head().clone(),
    })
}
