//! Logs on standard error, metrics for Prometheus.

use std::io::IsTerminal as _;
use std::time::Duration;

use api::PartitionProgress;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// Lines on standard error: sentences with fields, as JSON where `LEDGERLENS_LOG_FORMAT=json`; `LEDGERLENS_LOG` filters
/// (default `info`).
pub(crate) fn start_logs(default: &str) {
    // The engines' own lines are about their files, not about payments.
    let default = format!("{default},fjall=warn,lsm_tree=warn,tantivy=warn");
    let filter = EnvFilter::try_from_env("LEDGERLENS_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let json = std::env::var("LEDGERLENS_LOG_FORMAT").is_ok_and(|format| format == "json");
    // A second call, as tests make it, changes nothing.
    let _ = if json {
        lines.json().try_init()
    } else {
        lines.try_init()
    };
}

/// Upper bounds of how long answers take, in seconds: from a payment by its key to an export of an hour. Batches and
/// commits are summaries with quantiles: there is one process, so nothing is added up over several.
const SECONDS: [f64; 16] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 300.0, 3600.0,
];

/// Installs the process's recorder.
pub(crate) fn start_metrics() -> Result<PrometheusHandle, Failure> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Prefix("ledgerlens_http_".to_owned()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|cause| Failure::Store(format!("metrics cannot be recorded: {cause}")))?;
    describe();
    Ok(handle)
}

fn describe() {
    describe_counter!("ledgerlens_messages_total", "Messages applied, by what became of them.");
    describe_counter!(
        "ledgerlens_card_numbers_redacted_total",
        "Messages in which a full card number was redacted, by the source that published them."
    );
    describe_histogram!(
        "ledgerlens_batch_seconds",
        Unit::Seconds,
        "How long one batch took to be committed to the ledger."
    );
    describe_gauge!("ledgerlens_ledger_batch", "The ledger's newest batch.");
    describe_gauge!(
        "ledgerlens_index_batch",
        "The ledger's batch that the search index has reached."
    );
    describe_counter!(
        "ledgerlens_index_documents_total",
        "Documents of the search index, by whether they had to be written."
    );
    describe_histogram!(
        "ledgerlens_index_commit_seconds",
        Unit::Seconds,
        "How long one commit of the search index took."
    );
    describe_gauge!(
        "ledgerlens_lag_seconds",
        Unit::Seconds,
        "0 when nothing is left in any partition; else the time since the newest message applied was appended, or nothing was left."
    );
    describe_gauge!(
        "ledgerlens_partition_lag_messages",
        "Offsets between what is applied of a partition and its end, where the broker has told it."
    );
    describe_gauge!(
        "ledgerlens_partition_stopped",
        "1 while nothing is read from the partition; /v1/ingest/status says why."
    );
    describe_counter!(
        "ledgerlens_http_requests_total",
        "Answers, by route, method and status."
    );
    describe_histogram!(
        "ledgerlens_http_request_duration_seconds",
        Unit::Seconds,
        "How long an answer took until its head was ready."
    );
    describe_counter!(
        "ledgerlens_exports_total",
        "Exports ended, by format and how they ended."
    );
    describe_counter!("ledgerlens_export_rows_total", "Rows of exports, by format.");
}

/// Shows how far ingestion is.
pub(crate) fn show_progress(partitions: &[PartitionProgress], lag_ms: Option<u64>) {
    if let Some(lag_ms) = lag_ms {
        gauge!("ledgerlens_lag_seconds").set(Duration::from_millis(lag_ms).as_secs_f64());
    }
    for known in partitions {
        let labels = [
            ("topic", known.topic.clone()),
            ("partition", known.partition.to_string()),
        ];
        if let Some(end) = known.end {
            gauge!("ledgerlens_partition_lag_messages", &labels).set(end.saturating_sub(known.applied) as f64);
        }
        gauge!("ledgerlens_partition_stopped", &labels).set(if known.problem.is_some() { 1.0 } else { 0.0 });
    }
}
