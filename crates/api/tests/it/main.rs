//! The API over HTTP, on a real ledger in a temporary directory.

mod app;
mod conditional;
mod conventions;
mod export_delivery;
mod export_readers;
mod exports;
mod malformed;
mod malformed_cases;
mod messages;
mod mutations;
mod openapi;
mod operations;
mod oracle;
mod paging;
mod rates;
mod reports;
mod roles;
mod scenarios;
