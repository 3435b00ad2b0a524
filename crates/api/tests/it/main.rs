//! The API over HTTP, on a real ledger in a temporary directory.

mod app;
mod beneath;
mod conditional;
mod conventions;
mod entry_exports;
mod events;
mod export_delivery;
mod export_readers;
mod exports;
mod freshness;
mod malformed;
mod malformed_cases;
mod messages;
mod mutations;
mod openapi;
mod operations;
mod oracle;
mod paging;
mod quarantine_acts;
mod rates;
mod reports;
mod roles;
mod scenarios;
mod unmask;
