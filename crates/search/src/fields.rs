//! The engine's fields. A change here is a change of [`FORMAT`](crate::position::FORMAT).

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};

use crate::document::Document;
use crate::error::SearchError;

pub(crate) const SEQ: &str = "seq";
pub(crate) const HOUR: &str = "hour";
pub(crate) const DIGEST: &str = "digest";
const TERMS: &str = "terms";

#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) seq: Field,
    pub(crate) hour: Field,
    digest: Field,
    pub(crate) terms: Field,
}

/// Documents are found by `seq` to be replaced, by `hour` to be walked in order, and by `terms`, of which nothing but
/// the documents is kept: no frequencies, positions or lengths, for nothing is scored (scores would tell a merchant
/// about the data of others). Nothing is stored; a hit is a `seq` and an `hour` from their columns.
pub(crate) fn schema() -> Schema {
    let number: NumericOptions = (INDEXED | FAST).into();
    let whole = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    let mut schema = Schema::builder();
    schema.add_u64_field(SEQ, number.clone());
    schema.add_u64_field(HOUR, number);
    schema.add_u64_field(DIGEST, FAST);
    schema.add_text_field(TERMS, TextOptions::default().set_indexing_options(whole));
    schema.build()
}

impl Fields {
    pub(crate) fn of(schema: &Schema) -> Result<Fields, SearchError> {
        let field = |name| schema.get_field(name).map_err(SearchError::from);
        Ok(Fields {
            seq: field(SEQ)?,
            hour: field(HOUR)?,
            digest: field(DIGEST)?,
            terms: field(TERMS)?,
        })
    }

    pub(crate) fn engine_document(&self, document: &Document) -> TantivyDocument {
        let mut engine = TantivyDocument::new();
        engine.add_u64(self.seq, document.seq);
        engine.add_u64(self.hour, u64::from(document.hour));
        engine.add_u64(self.digest, document.digest());
        for term in document.terms.iter() {
            engine.add_text(self.terms, term);
        }
        engine
    }
}
