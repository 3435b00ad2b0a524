//! What is done now and then between two batches, and what goes on beside them.

use super::Writer;
use crate::error::LedgerError;
use crate::folding::FoldSettings;
use crate::positions;
use crate::step::Step;

/// Batches after which the heads and positions of old ones are removed. Reading the newest looks at all that are there.
const PRUNED_EVERY: u32 = 256;

impl Writer {
    /// Packs rows at rest, removes what newer batches have replaced, and has the log folded, each now and then.
    pub(super) fn tidy(&mut self) -> Result<(), LedgerError> {
        if self.shared.rows.pack_idle()? {
            self.reached(Step::RowsPacked);
        }
        self.unpruned += 1;
        if self.unpruned >= PRUNED_EVERY && self.folding.is_idle() {
            positions::prune(&self.connection)?;
            self.reached(Step::HeadsPruned);
            self.unpruned = 0;
        }
        let shared = &self.shared;
        let wal_bytes = shared.engine.lock().wal_bytes();
        let old = self.events.excess();
        let settings = FoldSettings {
            events_through: old.map(|(through, _)| through),
            ..self.fold_settings
        };
        let has_begun = self
            .folding
            .tend(wal_bytes, settings, || shared.engine.lock().connection())?;
        if has_begun && let Some((through, rows)) = old {
            self.events.let_go(through, rows);
        }
        Ok(())
    }

    /// To be called while nothing is applied: an error of what goes on beside the batches is noticed at once.
    ///
    /// # Errors
    /// As those of [`Writer::apply`].
    pub fn check(&mut self) -> Result<(), LedgerError> {
        self.folding.check()
    }

    /// Folds DuckDB's log into its file.
    pub fn checkpoint(&mut self) -> Result<(), LedgerError> {
        self.folding.wait()?;
        self.shared.engine.lock().checkpoint()
    }
}
