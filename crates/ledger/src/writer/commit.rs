//! What one batch writes into DuckDB, in one transaction.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::message::Digest;
use domain::position::{PartitionId, Positions};
use duckdb::params;

use super::Writer;
use crate::append::{self, micros};
use crate::error::LedgerError;
use crate::fold::Prepared;
use crate::quarantine_rows::Stored;
use crate::reader::Head;
use crate::step::Step;
use crate::version_rows::VersionRow;
use crate::{positions, quarantine_rows};

impl Writer {
    /// Returns the next seq and the next number of quarantine.
    pub(super) fn commit(
        &mut self,
        head: &Head,
        prepared: Prepared,
        keys: &[(u64, u64)],
        known: &HashMap<Digest, u64>,
        reached: &Positions,
        nulls: u64,
    ) -> Result<(u64, u64), LedgerError> {
        let at = head.applied_at.unwrap_or_default();
        self.connection
            .execute_batch("begin")
            .map_err(LedgerError::engine("began a batch"))?;
        let bodies_end = self.shared.bodies.append(self.bodies_end, &prepared.packed)?;
        positions::write(&self.connection, head.batch_no, &mut self.source_ids, reached)?;
        // Folding takes the tables in the order in which the schema makes them. In the opposite order a batch waits for
        // one of them at most, in the same order it would follow the folding from table to table.
        let batch_no = head.batch_no;
        self.write_events(batch_no, at, &prepared)?;
        let ids = &self.source_ids;
        let source_id = |partition: &PartitionId| ids.get(partition).copied().unwrap_or(-1);
        let place_of = |row: &VersionRow| prepared.packed.settle(row.place, self.bodies_end);
        self.late.follow(&prepared.entries);
        append::cells(&self.connection, batch_no, &prepared.cells)?;
        append::payments(&self.connection, &prepared.payments, &self.late)?;
        append::entries(&self.connection, &prepared.entries, &self.late)?;
        append::repeats(&self.connection, batch_no, &prepared.repeats, &source_id)?;
        append::versions(
            &self.connection,
            batch_no,
            at,
            &place_of,
            &prepared.versions,
            &source_id,
        )?;
        append::keys(&self.connection, keys)?;
        // Behind the versions, among which it looks.
        let next_n = quarantine_rows::write(
            Stored {
                connection: &self.connection,
                bodies: &self.shared.bodies,
                versions: &prepared.versions,
            },
            prepared.quarantine,
            known,
            self.next_n,
            at,
            &source_id,
        )?;
        let next_seq = self.next_seq + keys.len() as u64;
        let counts = prepared.counts;
        let written = self
            .connection
            .execute(
                "insert into heads
                 select ?, make_timestamp(?), make_timestamp(?), ?, ?, ?, applied + ?, duplicate + ?, stale + ?,
                        conflict + ?, quarantined + ?, nulls + ? from head",
                params![
                    head.batch_no as i64,
                    micros(at),
                    head.appended_at.map(micros),
                    next_seq as i64,
                    next_n as i64,
                    bodies_end as i64,
                    counts.applied as i64,
                    counts.duplicate as i64,
                    counts.stale as i64,
                    counts.conflict as i64,
                    counts.quarantined as i64,
                    nulls as i64
                ],
            )
            .map_err(LedgerError::engine("wrote its head"))?;
        if written != 1 {
            return Err(LedgerError::Damaged("its head is missing".to_owned()));
        }
        self.shared.bodies.sync()?;
        self.reached(Step::BodiesWritten);
        self.connection
            .execute_batch("commit")
            .map_err(LedgerError::engine("committed a batch"))?;
        self.reached(Step::LedgerCommitted);
        self.bodies_end = bodies_end;
        Ok((next_seq, next_n))
    }

    /// Appends the batch's events. What is kept in memory is put right again by a reload where the
    /// transaction fails.
    fn write_events(&mut self, batch_no: u64, at: DateTime<Utc>, prepared: &Prepared) -> Result<(), LedgerError> {
        let ids = &self.source_ids;
        let source_id = |partition: &PartitionId| ids.get(partition).copied().unwrap_or(-1);
        append::events(&self.connection, batch_no, at, &prepared.events, &source_id)?;
        append::event_sources(&self.connection, &prepared.event_sources)?;
        self.events
            .sources
            .extend(prepared.event_sources.iter().map(|(hash, _)| *hash));
        self.events.add(batch_no, prepared.events.len() as u64);
        Ok(())
    }
}
