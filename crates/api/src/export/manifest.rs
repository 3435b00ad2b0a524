//! The manifest: by what a reader proves that a file is whole and what it is.

use std::collections::BTreeMap;

use domain::money::Currency;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest, Sha256};

use super::table::{Kind, Sum};
use crate::json::{AsOfJson, money};
use crate::params::Params;

/// What has been written so far.
pub(super) struct Tally {
    rows: u64,
    sums: BTreeMap<Currency, Vec<i128>>,
    hash: Sha256,
}

impl Tally {
    pub(super) fn new() -> Self {
        Tally {
            rows: 0,
            sums: BTreeMap::new(),
            hash: Sha256::new(),
        }
    }

    /// `line` is the row as NDJSON, its newline included. `None` where the sums would not fit any more, which 10^20 rows
    /// of the largest amounts there are would do.
    pub(super) fn add(&mut self, line: &[u8], currency: Option<Currency>, figures: &[Option<i128>]) -> Option<()> {
        self.rows += 1;
        self.hash.update(line);
        let Some(currency) = currency else { return Some(()) };
        let sums = self.sums.entry(currency).or_insert_with(|| vec![0; figures.len()]);
        for (sum, figure) in sums.iter_mut().zip(figures) {
            *sum = sum.checked_add(figure.unwrap_or(0))?;
        }
        Some(())
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// `{rows, control_sums, sha256, as_of, query}` and what the export adds.
    pub(super) fn manifest(
        &self,
        sums: &[Sum],
        as_of: &AsOfJson,
        query: &Value,
        notes: &[(&'static str, Value)],
    ) -> serde_json::Result<Members> {
        let control_sums: Vec<Members> = self
            .sums
            .iter()
            .map(|(currency, figures)| control_sums(*currency, sums, figures))
            .collect::<serde_json::Result<_>>()?;
        let digest = self.hash.clone().finalize();
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut manifest = Members::default();
        manifest.add("rows", &self.rows)?;
        manifest.add("control_sums", &control_sums)?;
        manifest.add("sha256", &digest)?;
        manifest.add("as_of", as_of)?;
        manifest.add("query", query)?;
        for (name, value) in notes {
            manifest.add(name, value)?;
        }
        Ok(manifest)
    }
}

fn control_sums(currency: Currency, sums: &[Sum], figures: &[i128]) -> serde_json::Result<Members> {
    let mut row = Members::default();
    row.add("currency", currency.code())?;
    for (sum, figure) in sums.iter().zip(figures) {
        match sum.kind {
            Kind::Number => row.add(sum.name, figure)?,
            _ => row.add(sum.name, &money(*figure, currency))?,
        }
    }
    Ok(row)
}

/// An object whose members stand in the order in which they were added, each printed already.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(&'static str, Box<RawValue>)>);

impl Members {
    fn add<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> serde_json::Result<()> {
        self.0.push((name, to_raw_value(value)?));
        Ok(())
    }

    /// Names and values as JSON, without a line break in them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.get()))
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The parameters in the form of a search's body: a string, or an array of those that were repeated.
pub(super) fn query_of(params: &Params) -> Value {
    let mut query: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (name, value) in params.pairs() {
        query.entry(name).or_default().push(value.into());
    }
    let members = query.into_iter().map(|(name, mut values)| {
        let value = match values.len() {
            1 => values.remove(0),
            _ => values.into(),
        };
        (name.to_owned(), value)
    });
    Value::Object(members.collect())
}
