//! The API over HTTP, on a real ledger in a temporary directory.

mod app;
mod beneath;
mod conditional;
mod contract_page;
mod conventions;
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
mod openapi_examples;
mod operations;
mod oracle;
mod paging;
mod quarantine_acts;
mod rates;
mod reports;
mod roles;
mod scenarios;
mod unmask;
