//! Every entry that satisfies a question, as of one position of the ledger, without the limit of a page.

use domain::scope::Scope;
use ledger::{EntryRow, Head, Joint};
use query::Filter;

use crate::error::LookupError;
use crate::lookup::Lookup;

/// Entries in list order; see [`Lookup::entries_stream`].
pub struct EntriesStream {
    joint: Joint,
    filter: Filter,
    scope: Scope,
}

impl EntriesStream {
    /// The position that every row is of.
    pub fn head(&self) -> &Head {
        self.joint.head()
    }

    /// Hands them out, a range of payment keys at a time.
    pub fn rows(&mut self) -> Result<impl Iterator<Item = Result<EntryRow, LookupError>>, LookupError> {
        let stream = self.joint.entry_stream(&self.filter, &self.scope)?;
        Ok(stream.map(|row| row.map_err(LookupError::from)))
    }
}

impl Lookup {
    /// All entries that satisfy `filter`, a condition on the entry itself. The stream holds a read connection for as long
    /// as it lives.
    pub fn entries_stream(&self, filter: &Filter, scope: &Scope) -> Result<EntriesStream, LookupError> {
        Ok(EntriesStream {
            joint: self.reader.joint()?,
            filter: filter.clone(),
            scope: scope.clone(),
        })
    }
}
