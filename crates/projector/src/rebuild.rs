//! Making the search index again at an operator's request.

use std::path::Path;

use ledger::Reader;
use search::Options;

use crate::pipeline::PipelineError;
use crate::reconcile;

/// Makes the index in `dir` again from the ledger and returns how many payments it holds. `progress` is told the
/// payments done.
pub fn rebuild_index(
    ledger: &Reader,
    dir: &Path,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, PipelineError> {
    let writer = reconcile::rebuild_with(ledger, dir, options, progress)?;
    let payments = writer.reader().snapshot().document_count();
    Ok(payments)
}
