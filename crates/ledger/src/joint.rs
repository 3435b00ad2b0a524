//! One batch in both stores: what lists, entries and reports are read from.

use std::sync::Arc;

use domain::scope::Scope;
use duckdb::Connection;
use query::Filter;

use crate::bodies::BodyFile;
use crate::candidates::{self, Asked, Candidate};
use crate::entries::{self, EntryPlace, EntryRow, EntrySums};
use crate::entry_stream::EntryStream;
use crate::error::LedgerError;
use crate::payment_sums::{self, PaymentSums};
use crate::quoted::quoted;
use crate::reader::{Head, Rows, Shared};
use crate::reports::{self, Report, ReportRequest, ReportRow};
use crate::timeline::{self, HeldVersion};

/// A connection that goes back to the pool.
pub(crate) struct Pooled {
    connection: Option<Connection>,
    shared: Arc<Shared>,
}

impl Pooled {
    pub(crate) fn take(shared: Arc<Shared>) -> Result<Self, LedgerError> {
        Ok(Pooled {
            connection: Some(shared.connection()?),
            shared,
        })
    }

    pub(crate) fn get(&self) -> &Connection {
        // Taken in `drop` only.
        self.connection
            .as_ref()
            .unwrap_or_else(|| unreachable!("a pooled connection is there until it is dropped"))
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        // A connection that cannot end its transaction is not to be used again.
        if let Some(connection) = self.connection.take()
            && connection.execute_batch("rollback").is_ok()
        {
            self.shared.give_back(connection);
        }
    }
}

/// Rows and DuckDB as of one batch.
pub struct Joint {
    connection: Pooled,
    rows: Rows,
}

impl Joint {
    pub(crate) fn new(connection: Pooled, rows: Rows) -> Self {
        Joint { connection, rows }
    }

    pub fn head(&self) -> &Head {
        self.rows.head()
    }

    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.connection.get()
    }

    pub(crate) fn bodies(&self) -> &BodyFile {
        self.rows.bodies()
    }

    /// Payments that may satisfy the filter, in the order of lists: see [`candidates::list`].
    pub fn candidates(&self, asked: &Asked<'_>) -> Result<Vec<Candidate>, LedgerError> {
        candidates::list(self.connection(), asked, self.rows.payments())
    }

    /// Up to `limit` entries behind `after`, in the order of lists.
    pub fn entries(
        &self,
        filter: &Filter,
        scope: &Scope,
        after: Option<&EntryPlace>,
        limit: usize,
    ) -> Result<Vec<EntryRow>, LedgerError> {
        entries::page(self.connection(), filter, scope, after, limit)
    }

    /// How many payments satisfy the filter, and the sums of those that have arrived: see [`payment_sums::sums`].
    pub fn payment_sums(
        &self,
        filter: &Filter,
        scope: &Scope,
        apart: &[u64],
    ) -> Result<Option<(u64, Vec<PaymentSums>)>, LedgerError> {
        payment_sums::sums(self.connection(), filter, scope, apart)
    }

    /// Every version and content held of a payment, with how often it was repeated.
    pub fn versions(&self, seq: u64) -> Result<Vec<HeldVersion>, LedgerError> {
        timeline::versions(self.connection(), self.bodies(), seq)
    }

    /// Payments with a settlement line of exactly this payout, now or once.
    pub fn payout_seqs(&self, payout_id: &str) -> Result<Vec<u64>, LedgerError> {
        let doing = "looked for a payout";
        let mut statement = self
            .connection()
            .prepare(&format!(
                "select distinct seq from entries where kind = 2 and payout_id = {} order by seq",
                quoted(payout_id)
            ))
            .map_err(LedgerError::engine(doing))?;
        let rows = statement
            .query_map([], |row| row.get::<_, i64>(0))
            .map_err(LedgerError::engine(doing))?;
        rows.map(|seq| seq.map(i64::unsigned_abs))
            .collect::<Result<_, _>>()
            .map_err(LedgerError::engine(doing))
    }

    /// How many entries satisfy the filter and what they add up to, by currency.
    pub fn entry_sums(&self, filter: &Filter, scope: &Scope) -> Result<Vec<EntrySums>, LedgerError> {
        entries::sums(self.connection(), filter, scope)
    }

    /// All entries that satisfy the filter, in the order of lists. One stream at a time.
    pub fn entry_stream(&mut self, filter: &Filter, scope: &Scope) -> Result<EntryStream<'_>, LedgerError> {
        EntryStream::begin(self.connection(), filter, scope)
    }

    /// Sums by group: see [`reports`].
    pub fn report(&self, request: &ReportRequest, scope: &Scope) -> Result<Report, LedgerError> {
        reports::report(self.connection(), request, scope)
    }

    /// Up to `take` rows of a report after the first `skip`.
    pub fn report_rows(
        &self,
        request: &ReportRequest,
        scope: &Scope,
        skip: usize,
        take: usize,
    ) -> Result<Vec<ReportRow>, LedgerError> {
        reports::rows(self.connection(), request, scope, reports::Window { skip, take })
    }

    /// What the report leaves out.
    pub fn orphans_left_out(&self, request: &ReportRequest, scope: &Scope) -> Result<i64, LedgerError> {
        reports::orphans_left_out(self.connection(), request, scope)
    }
}
