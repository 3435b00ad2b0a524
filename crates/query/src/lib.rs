//! The questions of Ledgerlens: the search language, the typed filter parameters, and the one filter both become.
//!
//! ```text
//! q text ──parse──▶ Ast ──bind──▶ Filter ◀──filter_from_params── parameters of a list, a search or a report
//!           ▲        │
//!           └─print──┘
//! ```
//!
//! The grammar knows nothing about fields and the filter nothing about text, so each can be read and tested alone:
//!
//! - [`parse`] decides what the text says and refuses what it cannot read, within the bounds of [`limits`];
//! - [`bind`] gives each name and value its meaning from the [`catalogue`];
//! - [`filter_from_params`] does the same for `status=DONE`, `amount[gte]=100` and their like;
//! - [`Filter`] is what lists, search and reports evaluate. Whoever evaluates it compares values that went through the
//!   normal forms of [`normalize`], which the stores use as well: a word is found because both sides were written alike.
//!
//! This crate does no I/O and never panics on input.

pub mod limits;
pub mod normalize;

mod ast;
mod bind;
mod catalogue;
mod error;
mod fields;
mod filter;
mod interval;
mod nearest;
mod param_set;
mod params;
mod parse;
mod print;
mod term;
mod value;

pub use ast::{Ast, Comparison, Condition, RangeEnd, Span, Value};
pub use bind::{bind, compile};
pub use catalogue::{FieldInfo, FieldKind, Holder, Operator, Target, Vocabulary, catalogue, field};
pub use error::{ParamError, QueryError, code};
pub use filter::{AmountField, DayField, Filter, IdentField, KeywordField, TextField, TimeField, Word};
pub use interval::Interval;
pub use nearest::nearest;
pub use normalize::{fold, ident};
pub use param_set::ParamSet;
pub use params::filter_from_params;
pub use parse::parse;
