//! Questions: plan, candidates, join, recheck, page.
//!
//! A question about payments is answered in four steps. Candidates come from the search index or from the ledger's
//! list table, whichever reads less; both return a superset. Each candidate is joined with its ready-made row. The
//! whole filter is checked again on that row, as the asking key sees the payment. The page is topped up until it is
//! full. So an answer holds nothing that does not satisfy its question, and it is as of one position of the ledger.

mod error;
mod lookup;
mod page;
mod plan;
mod recheck;
mod report_stream;
mod sort_key;
mod stream;
mod token;

pub use error::LookupError;
pub use lookup::{Answer, Lookup, Options};
pub use page::{Page, PageRequest};
pub use recheck::satisfies;
pub use report_stream::ReportStream;
pub use sort_key::SortKey;
pub use stream::{PaymentStream, StreamRequest};
pub use token::AsOf;
