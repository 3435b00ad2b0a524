//! Bringing the index to the ledger: at start, and after it failed.

use ledger::{Reader, Rows};
use rayon::prelude::*;
use search::{Document, IndexWriter, Options};

use crate::index_keeper::IndexPlace;
use crate::pipeline::PipelineError;

/// Documents made at once while an index is made again: bounds the memory.
const REBUILD_DOCUMENTS: usize = 10_000;

/// Opens the index for writing, at the ledger's position, and gives it to readers.
///
/// Behind the ledger it is caught up with what was touched since. Ahead of the ledger (a restored backup), of another
/// store, damaged or missing it is made again.
pub(crate) fn open(ledger: &Reader, place: &IndexPlace, options: &Options) -> Result<IndexWriter, PipelineError> {
    let opened = IndexWriter::open(&place.dir, ledger.store_id(), options);
    let rows = ledger.rows()?;
    let writer = match opened {
        Ok(writer) if writer.reader().position().batch_no <= rows.head().batch_no => catch_up(ledger, &rows, writer)?,
        Ok(writer) => {
            let index = writer.reader().position().batch_no;
            tracing::warn!(
                index,
                ledger = rows.head().batch_no,
                "the search index is ahead of the ledger and is made again"
            );
            drop(writer);
            rebuild(ledger, place, options)?
        }
        Err(error) if error.needs_rebuild() => {
            if rows.head().batch_no > 0 {
                tracing::warn!(%error, "the search index cannot be used and is made again");
            }
            rebuild(ledger, place, options)?
        }
        Err(error) => return Err(error.into()),
    };
    let reached = writer.reader().position().batch_no;
    *place.reader.write() = Some(writer.reader());
    place.recent.cut(reached);
    Ok(writer)
}

fn catch_up(ledger: &Reader, rows: &Rows, mut writer: IndexWriter) -> Result<IndexWriter, PipelineError> {
    let from = writer.reader().position().batch_no;
    let to = rows.head().batch_no;
    if from == to {
        return Ok(writer);
    }
    let touched = ledger.touched_since(from)?;
    tracing::info!(
        from,
        to,
        payments = touched.len(),
        "the search index is behind the ledger and is caught up"
    );
    for part in touched.chunks(REBUILD_DOCUMENTS) {
        let documents: Vec<(u64, Option<Document>)> = part
            .par_iter()
            .map(|seq| Ok((*seq, rows.get(*seq)?.and_then(|dossier| Document::of(*seq, &dossier)))))
            .collect::<Result<_, PipelineError>>()?;
        for (seq, document) in documents {
            match document {
                Some(document) => writer.upsert(&document)?,
                None => writer.remove(seq)?,
            }
        }
    }
    writer.commit(to)?;
    Ok(writer)
}

/// Makes the index again from the ledger's rows. Readers have none meanwhile and ask the ledger.
pub(crate) fn rebuild(ledger: &Reader, place: &IndexPlace, options: &Options) -> Result<IndexWriter, PipelineError> {
    *place.reader.write() = None;
    rebuild_with(ledger, &place.dir, options, &mut |_| {})
}

/// Makes an index in `dir` from the ledger's rows; `progress` is told the payments done.
pub(crate) fn rebuild_with(
    ledger: &Reader,
    dir: &std::path::Path,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<IndexWriter, PipelineError> {
    let mut writer = IndexWriter::create(dir, ledger.store_id(), options)?;
    let rows = ledger.rows()?;
    let mut scan = rows.scan(0);
    let mut done = 0;
    loop {
        let part: Vec<_> = scan.by_ref().take(REBUILD_DOCUMENTS).collect::<Result<_, _>>()?;
        if part.is_empty() {
            break;
        }
        let documents: Vec<Document> = part
            .par_iter()
            .filter_map(|(seq, dossier)| Document::of(*seq, dossier))
            .collect();
        for document in &documents {
            writer.upsert(document)?;
        }
        done += part.len() as u64;
        progress(done);
    }
    writer.commit(rows.head().batch_no)?;
    Ok(writer)
}
