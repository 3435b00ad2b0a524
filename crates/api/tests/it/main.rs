//! The API over HTTP, on a real ledger in a temporary directory.

mod app;
mod beneath;
mod conventions;
mod malformed;
mod malformed_cases;
mod messages;
mod mutations;
mod openapi;
mod operations;
mod oracle;
mod paging;
mod reports;
mod roles;
mod scenarios;
