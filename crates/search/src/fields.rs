//! The engine's fields. A change here is a change of [`FORMAT`](crate::position::FORMAT).

use tantivy::TantivyDocument;
use tantivy::schema::{FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};

use crate::document::Document;
use crate::error::SearchError;
use crate::part::Part;
use crate::when::hour_of;

pub(crate) const KEY: &str = "key";
pub(crate) const WHEN: &str = "when";
pub(crate) const DIGEST: &str = "digest";
pub(crate) const PART_DIGEST: &str = "part_digest";
const WALKED: &str = "walked";
const TERMS: &str = "terms";

#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) key: Field,
    when: Field,
    pub(crate) walked: Field,
    digest: Field,
    part_digest: Field,
    pub(crate) terms: Field,
}

/// Documents are found by `key` (of payment and part) to be replaced, those of payments by the hour they are `walked` in, and by
/// `terms`, of which nothing but the documents is kept: no frequencies, positions or lengths, for nothing is scored (scores would tell
/// a merchant about the data of others). Nothing is stored; a hit is a payment and a `when` from the columns, which other
/// parts do not have. The digests of payments and of other parts have each their column, because a column is as wide as its widest value.
pub(crate) fn schema() -> Schema {
    // Lengths of numbers are kept where a field is only said to be INDEXED.
    let indexed = || NumericOptions::default().set_indexed();
    let whole = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    let mut schema = Schema::builder();
    schema.add_u64_field(KEY, indexed().set_fast());
    schema.add_u64_field(WHEN, FAST);
    schema.add_u64_field(WALKED, indexed());
    schema.add_u64_field(DIGEST, FAST);
    schema.add_u64_field(PART_DIGEST, FAST);
    schema.add_text_field(TERMS, TextOptions::default().set_indexing_options(whole));
    schema.build()
}

impl Fields {
    pub(crate) fn of(schema: &Schema) -> Result<Fields, SearchError> {
        let field = |name| schema.get_field(name).map_err(SearchError::from);
        Ok(Fields {
            key: field(KEY)?,
            when: field(WHEN)?,
            walked: field(WALKED)?,
            digest: field(DIGEST)?,
            part_digest: field(PART_DIGEST)?,
            terms: field(TERMS)?,
        })
    }

    /// None of a part without terms.
    pub(crate) fn engine_document(&self, document: &Document, part: Part) -> Option<TantivyDocument> {
        let digest = document.digest(part)?;
        let mut engine = TantivyDocument::new();
        engine.add_u64(self.key, part.key(document.seq));
        match part {
            Part::Payment => {
                engine.add_u64(self.when, document.when.packed());
                engine.add_u64(self.walked, u64::from(hour_of(document.when.minute)));
                engine.add_u64(self.digest, digest);
            }
            Part::Lines | Part::Payouts => engine.add_u64(self.part_digest, digest),
        }
        for term in document.terms_of(part) {
            engine.add_text(self.terms, term);
        }
        Some(engine)
    }
}
