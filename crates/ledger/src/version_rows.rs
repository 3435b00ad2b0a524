//! The versions of a batch, and what they say.

use std::collections::HashSet;
use std::sync::Arc;

use domain::dossier::Verdict;
use domain::message::Digest;
use domain::position::PartitionId;
use domain::record::Kind;

use crate::bodies::{Blocks, Packed, Place, without_key};
use crate::error::LedgerError;
use crate::fold::Work;

/// A version to be kept.
pub(crate) struct VersionRow {
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    pub(crate) merchant_id: String,
    pub(crate) verdict: Verdict,
    pub(crate) source: Arc<PartitionId>,
    pub(crate) position: u64,
    pub(crate) zone: &'static str,
    /// Of the data as sent.
    pub(crate) digest: Digest,
    /// The body is not what was sent.
    pub(crate) redacted: bool,
    /// Canonical data after redaction, until it is packed with the batch's others.
    pub(crate) body: Vec<u8>,
    /// Where its body lies: see [`Blocks::add`].
    pub(crate) place: Place,
}

impl VersionRow {
    /// Bodies of one kind and merchant have much in common, those of one payment even more: 56 instead of 65 bytes a body.
    fn by_likeness(&self) -> (Kind, &str, u64) {
        (self.kind, &self.merchant_id, self.seq)
    }
}

/// Packs what the versions say, alike beside alike. Only the first body of a payment spells its key. `works` are in seq order.
pub(crate) fn pack_bodies(versions: &mut [VersionRow], works: &[Work]) -> Result<Packed, LedgerError> {
    versions.sort_by(|a, b| a.by_likeness().cmp(&b.by_likeness()));
    let mut blocks = Blocks::default();
    let mut told = HashSet::new();
    for version in versions {
        let body = std::mem::take(&mut version.body);
        let work = works
            .binary_search_by_key(&version.seq, |work| work.seq)
            .map(|at| &works[at]);
        let work = work.map_err(|_| LedgerError::Damaged("a version's payment has not changed".to_owned()))?;
        version.place = match !work.is_told && told.insert(version.seq) {
            true => blocks.add(&body),
            false => blocks.add(&without_key(&body, &work.dossier.payment_key)),
        };
    }
    blocks.packed()
}
