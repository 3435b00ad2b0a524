//! Checking all derived state, the search index included, against the versions.

use std::sync::atomic::{AtomicU64, Ordering};

use ledger::Reader;
use ledger::verify::{Difference, Verified};
use parking_lot::Mutex;
use search::{Document, IndexReader, Part, SearchError};

use crate::index_place::IndexPlace;
use crate::pipeline::PipelineError;

/// Recomputes everything and names each difference. `progress` is told payments done and payments in all.
///
/// The index is compared where it has reached the ledger, as it has after [`crate::pipeline::Pipeline::start`]. One that was
/// damaged then and has been made again counts as a difference too: its files had not been what was written.
pub fn verify(
    ledger: &Reader,
    place: &IndexPlace,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Verified, PipelineError> {
    let index = place.reader.read().clone();
    let snapshot = index.as_ref().map(IndexReader::snapshot);
    let old_documents = AtomicU64::new(0);
    let done = Mutex::new((0, progress));
    let mut verified = ledger::verify::verify(ledger, &|seq, dossier, total| {
        {
            let mut done = done.lock();
            done.0 += 1;
            let payments = done.0;
            (done.1)(payments, total);
        }
        let snapshot = snapshot.as_ref()?;
        let document = Document::of(seq, dossier);
        Part::ALL.into_iter().find_map(|part| {
            let wanted = document.as_ref().and_then(|document| document.digest(part));
            let found = match snapshot.digests_of(part.key(seq)) {
                Ok(found) => found,
                Err(error) => return Some(unreadable(&dossier.payment_key, &error)),
            };
            let current = wanted.is_none_or(|wanted| found.contains(&wanted));
            let old = found.len() as u64 - u64::from(current && wanted.is_some());
            old_documents.fetch_add(old, Ordering::Relaxed);
            (!current).then(|| difference(&dossier.payment_key, found.is_empty()))
        })
    })?;
    verified.old_documents = old_documents.into_inner();
    if place.was_damaged() {
        verified.differences.push(Difference {
            store: "index",
            about: "all".to_owned(),
            detail: "the search index was damaged; it has been made again from the ledger".to_owned(),
        });
    }
    Ok(verified)
}

fn unreadable(payment_key: &str, error: &SearchError) -> Difference {
    Difference {
        store: "index",
        about: payment_key.to_owned(),
        detail: format!("the search index cannot be read: {error}"),
    }
}

fn difference(payment_key: &str, missing: bool) -> Difference {
    let detail = if missing {
        "the payment is missing from the search index"
    } else {
        "the search index holds other words than the payment has"
    };
    Difference {
        store: "index",
        about: payment_key.to_owned(),
        detail: detail.to_owned(),
    }
}
