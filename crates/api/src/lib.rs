//! The REST API: questions about payments over HTTP.
//!
//! A request passes, from the outside in: the [`envelope`] (id, span, headers, the printing of problems), the route's
//! guard (key and role, time limit, panics), and one handler in [`endpoints`], which reads its parameters, asks
//! [`lookup::Lookup`] on a blocking thread and prints the answer. [`routes::ROUTES`] is the one table of what exists and
//! who may ask it; `openapi.yaml` is tested against it.
//!
//! What a handler cannot do: see a payment outside the key's scope (a [`Principal`](keys::Principal) is the only way to a
//! scope, and every question takes one), write to the ledger (the crate holds readers only), or say what went wrong
//! inside (`error` gives each failure words of its own).

mod acts;
mod app;
mod as_of;
pub mod audit;
mod blocking;
mod cursor;
mod endpoints;
mod envelope;
mod error;
mod etag;
mod explain;
mod export;
mod freshness;
mod guard;
mod json;
pub mod keys;
mod page_params;
mod params;
mod problem;
mod progress;
mod rate;
mod report_params;
mod routes;
mod rows_url;

pub use app::{App, AppParts, Limits};
pub use progress::{PartitionProgress, Progress};
pub use rate::Rates;
pub use routes::{Access, ROUTES, Route, router};
