//! One file per endpoint.

pub(crate) mod entries;
pub(crate) mod health;
pub(crate) mod ingest_event;
pub(crate) mod ingest_status;
pub(crate) mod lookup;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod payment;
pub(crate) mod payments;
pub(crate) mod payout_report;
pub(crate) mod problem_page;
pub(crate) mod quarantine;
pub(crate) mod quarantine_acts;
pub(crate) mod quarantine_row;
pub(crate) mod readiness;
mod report_export;
pub(crate) mod sales_report;
pub(crate) mod search;
pub(crate) mod search_explain;
pub(crate) mod search_fields;
pub(crate) mod settlements_report;
pub(crate) mod suggest;
pub(crate) mod timeline;
