//! The frame around a page of rows.

use serde::Serialize;

use super::AsOfJson;

#[derive(Serialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    pub(crate) has_more: bool,
    pub(crate) next_cursor: Option<String>,
    pub(crate) as_of: AsOfJson,
}
