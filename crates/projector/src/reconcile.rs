//! Bringing the index to the ledger: at start, and after it failed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ledger::{Generations, Reader, Rows};
use rayon::prelude::*;
use search::{Document, IndexWriter, Options, SearchError};

use crate::index_place::IndexPlace;
use crate::pipeline::PipelineError;
use crate::rebuild::{self, Built, DOCUMENTS_AT_ONCE, UNCOMMITTED_MAX};

/// Opens the index for writing, at the ledger's position, and gives it to readers.
///
/// Behind the ledger it is caught up with what was touched since. Ahead of the ledger (a restored backup), of another
/// store, damaged or missing it is made again. Every file is compared with its checksum first: a damaged one that can
/// still be read would leave payments out of answers.
pub(crate) fn open(ledger: &Reader, place: &IndexPlace, options: &Options) -> Result<IndexWriter, PipelineError> {
    let generations = Generations::new(&place.dir);
    generations.sweep();
    let opened = open_current(&generations, place, ledger, options);
    let rows = ledger.rows()?;
    let writer = match opened {
        Ok(writer) if writer.reader().position().batch_no <= rows.head().batch_no => catch_up(ledger, &rows, writer)?,
        Ok(writer) => {
            let index = writer.reader().position().batch_no;
            tracing::warn!(
                index,
                ledger = rows.head().batch_no,
                "the search index is ahead of the ledger and is made again; lists and searches are answered from the \
                 ledger meanwhile"
            );
            drop(writer);
            rebuild_in_place(ledger, place, options)?
        }
        Err(error) if error.needs_rebuild() => {
            if matches!(error, SearchError::Corrupt { .. }) {
                place.note_damage();
            }
            if rows.head().batch_no > 0 {
                tracing::warn!(
                    %error,
                    "the search index cannot be used and is made again; lists and searches are answered from the \
                     ledger meanwhile"
                );
            }
            rebuild_in_place(ledger, place, options)?
        }
        Err(error) => return Err(error.into()),
    };
    let reached = writer.reader().position().batch_no;
    *place.reader.write() = Some(writer.reader());
    place.recent.cut(reached);
    Ok(writer)
}

fn open_current(
    generations: &Generations,
    place: &IndexPlace,
    ledger: &Reader,
    options: &Options,
) -> Result<IndexWriter, SearchError> {
    let Some(dir) = generations.current().map_err(SearchError::Io)? else {
        return Err(SearchError::Missing {
            dir: PathBuf::from("index"),
        });
    };
    match place.checked_ahead(&dir) {
        Some(checked) => checked?,
        None => search::check_files(&dir)?,
    }
    IndexWriter::open(&dir, ledger.store_id(), options)
}

/// Brings an index to the position of `rows`.
pub(crate) fn catch_up(ledger: &Reader, rows: &Rows, mut writer: IndexWriter) -> Result<IndexWriter, PipelineError> {
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
    for part in touched.chunks(DOCUMENTS_AT_ONCE) {
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
        if writer.uncommitted() >= UNCOMMITTED_MAX {
            // Should this end early, all of it is done once more.
            writer.commit(from)?;
        }
    }
    writer.commit(to)?;
    Ok(writer)
}

/// Makes the index again where there is none to be asked. Readers ask the ledger meanwhile.
fn rebuild_in_place(ledger: &Reader, place: &IndexPlace, options: &Options) -> Result<IndexWriter, PipelineError> {
    *place.reader.write() = None;
    let generations = Generations::new(&place.dir);
    let mut told_at = Instant::now();
    let Built { writer, dir, .. } = rebuild::build(ledger, &generations, options, &mut |progress| {
        if told_at.elapsed() > Duration::from_secs(5) {
            told_at = Instant::now();
            tracing::info!(
                "search index: {} {} of {}",
                progress.stage,
                progress.done,
                progress.total
            );
        }
    })?;
    generations.switch(&dir).map_err(SearchError::Io)?;
    generations.sweep();
    Ok(writer)
}
