//! Questions: plan, candidates, join, recheck, page.
//!
//! A question about payments is answered in four steps. Candidates come from the search index or from the ledger's
//! list table, whichever reads less; both return a superset. Each candidate is joined with its ready-made row. The
//! whole filter is checked again on that row, as the asking key sees the payment. The page is topped up until it is
//! full. So an answer holds nothing that does not satisfy its question, and it is as of one position of the ledger.

mod entries;
mod entries_stream;
mod error;
mod explained;
mod keywords;
mod lookup;
mod many;
mod page;
mod payout;
mod plan;
mod question;
mod recently;
mod recheck;
mod report_stream;
mod sort_key;
mod span;
mod stream;
mod timeline;
mod token;
mod total;

pub use entries::{EntriesPage, EntriesRequest};
pub use entries_stream::EntriesStream;
pub use error::LookupError;
pub use explained::{Explained, Source};
pub use keywords::keywords;
pub use lookup::{Answer, Lookup, Options, threads};
pub use many::{Match, Matched};
pub use page::{Page, PageRequest};
pub use payout::{Payout, PayoutSums};
pub use recheck::satisfies;
pub use report_stream::ReportStream;
pub use sort_key::SortKey;
pub use stream::{PaymentStream, StreamRequest};
pub use timeline::{Moment, Timeline};
pub use token::{AsOf, TokenError};
pub use total::Total;
