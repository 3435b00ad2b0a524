//! Checking all derived state, the search index included, against the versions.

use ledger::Reader;
use ledger::verify::{Difference, Verified};
use search::{Document, IndexReader, IndexSnapshot};

use crate::pipeline::PipelineError;

/// Recomputes everything and names each difference. `progress` is told payments done and payments in all.
///
/// The index is compared where it has reached the ledger, as it has after [`crate::pipeline::Pipeline::start`].
pub fn verify(
    ledger: &Reader,
    index: Option<&IndexReader>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verified, PipelineError> {
    let snapshot = index.map(IndexReader::snapshot);
    let mut expected_documents = 0;
    let mut verified = ledger::verify::verify(ledger, &mut |seq, dossier, total| {
        progress(seq + 1, total);
        let document = Document::of(seq, dossier);
        expected_documents += u64::from(document.is_some());
        let snapshot = snapshot.as_ref()?;
        let wanted = document.map(|document| document.digest());
        let found = snapshot.digest_of(seq).ok()?;
        (found != wanted).then(|| difference(&dossier.payment_key, found, wanted))
    })?;
    if let Some(found) = snapshot.as_ref().map(IndexSnapshot::document_count)
        && found != expected_documents
    {
        verified.differences.push(Difference {
            store: "index",
            about: "all payments".to_owned(),
            detail: format!("it holds {found} payments, {expected_documents} can be found"),
        });
    }
    Ok(verified)
}

fn difference(payment_key: &str, found: Option<u64>, wanted: Option<u64>) -> Difference {
    let detail = match (found, wanted) {
        (None, _) => "the payment is missing from the search index",
        (Some(_), None) => "the search index holds a payment that nobody can find",
        _ => "the search index holds other words than the payment has",
    };
    Difference {
        store: "index",
        about: payment_key.to_owned(),
        detail: detail.to_owned(),
    }
}
