//! Making the search index again: beside the one in use, compared with the ledger, and only then put in its place.
//!
//! A new index is written in a directory of its own from a snapshot of the ledger, brought up to what was committed
//! meanwhile, and every document's digest is compared with the ledger's. Then the file that names the directory in use
//! is replaced. A crash before that leaves the old index, after it the new one; what is in neither is removed at the next
//! start.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ledger::{Generations, Reader, Rows};
use rayon::prelude::*;
use search::{Document, IndexSnapshot, IndexWriter, Options, Part, SearchError};

use crate::pipeline::PipelineError;
use crate::reconcile::catch_up;

/// Documents made at once: bounds the memory.
pub(crate) const DOCUMENTS_AT_ONCE: usize = 10_000;

/// Documents written until they are committed: the writer remembers the keys of those that are not, 20 to 40 bytes each.
pub(crate) const UNCOMMITTED_MAX: usize = 1_000_000;

/// Payments whose digests are held at once while they are compared: some 60 bytes each.
const COMPARED_AT_ONCE: u64 = 2_000_000;

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuildProgress {
    /// `written` or `compared`.
    pub stage: &'static str,
    /// Payments.
    pub done: u64,
    pub total: u64,
}

/// A complete index that is not in use yet.
pub struct Built {
    pub(crate) writer: IndexWriter,
    pub(crate) dir: PathBuf,
    /// Payments that can be found in it.
    pub payments: u64,
}

type Progress<'a> = &'a mut dyn FnMut(RebuildProgress);

/// Makes an index from the ledger beside the one in use, and compares it.
///
/// # Errors
/// Those of the stores, and [`PipelineError::IndexDiffers`] where the comparison finds a difference: nothing was changed
/// then.
pub fn build(
    ledger: &Reader,
    generations: &Generations,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Built, PipelineError> {
    let dir = generations.fresh().map_err(SearchError::Io)?;
    let built = build_in(ledger, &dir, options, progress);
    if built.is_err() {
        // What is left is removed at the next start.
        let _ = std::fs::remove_dir_all(&dir);
    }
    built
}

fn build_in(ledger: &Reader, dir: &Path, options: &Options, progress: Progress<'_>) -> Result<Built, PipelineError> {
    let mut writer = IndexWriter::create(dir, ledger.store_id(), options)?;
    let total = ledger.status()?.payments;
    {
        let rows = ledger.rows()?;
        write_all(&rows, &mut writer, total, progress)?;
    }
    // Beside a running server the ledger has gone on.
    let rows = ledger.rows()?;
    let writer = catch_up(ledger, &rows, writer)?;
    let snapshot = writer.reader().snapshot();
    compare(&rows, &snapshot, ledger.status()?.payments, progress)?;
    Ok(Built {
        payments: snapshot.payment_count(),
        writer,
        dir: dir.to_owned(),
    })
}

/// Makes an index without a server, and puts it in the place of the one in `root`. Returns the payments in it.
pub fn rebuild_index(
    ledger: &Reader,
    root: &Path,
    options: &Options,
    progress: Progress<'_>,
) -> Result<u64, PipelineError> {
    let generations = Generations::new(root);
    generations.sweep();
    let built = build(ledger, &generations, options, progress)?;
    generations.switch(&built.dir).map_err(SearchError::Io)?;
    generations.sweep();
    Ok(built.payments)
}

fn write_all(rows: &Rows, writer: &mut IndexWriter, total: u64, progress: Progress<'_>) -> Result<(), PipelineError> {
    let mut scan = rows.scan(0);
    let mut done = 0;
    loop {
        let part: Vec<_> = scan.by_ref().take(DOCUMENTS_AT_ONCE).collect::<Result<_, _>>()?;
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
        if writer.uncommitted() >= UNCOMMITTED_MAX {
            // Of no batch: should this end early, nobody goes on with it.
            writer.commit(0)?;
        }
        done += part.len() as u64;
        progress(RebuildProgress {
            stage: "written",
            done,
            total,
        });
    }
    writer.commit(rows.head().batch_no)?;
    Ok(())
}

/// Every document's digest against that of the row, both at one batch.
fn compare(rows: &Rows, index: &IndexSnapshot, total: u64, progress: Progress<'_>) -> Result<(), PipelineError> {
    let mut from = 0;
    while from < total {
        let to = from + COMPARED_AT_ONCE;
        let keys = Part::Payment.key(from)..Part::Payment.key(to);
        let mut held: HashMap<u64, u64> = index.digests().filter(|(key, _)| keys.contains(key)).collect();
        let mut scan = rows.scan(from);
        let mut done = from;
        while done < to {
            let part: Vec<_> = scan.by_ref().take(DOCUMENTS_AT_ONCE).collect::<Result<_, _>>()?;
            let Some((last, _)) = part.last() else { break };
            done = last + 1;
            let expected: Vec<(u64, [Option<u64>; 3])> = part
                .par_iter()
                .filter(|(seq, _)| *seq < to)
                .map(|(seq, dossier)| {
                    let document = Document::of(*seq, dossier);
                    let digest = |part| document.as_ref().and_then(|document| document.digest(part));
                    (*seq, Part::ALL.map(digest))
                })
                .collect();
            for (seq, expected) in expected {
                let are_held = Part::ALL.map(|part| held.remove(&part.key(seq)));
                if are_held != expected {
                    return Err(PipelineError::IndexDiffers { seq });
                }
            }
            progress(RebuildProgress {
                stage: "compared",
                done: done.min(total),
                total,
            });
        }
        if let Some(key) = held.keys().min() {
            return Err(PipelineError::IndexDiffers {
                seq: Part::seq_of(*key),
            });
        }
        from = to;
    }
    Ok(())
}
