//! Logs on standard error, metrics for Prometheus.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
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

/// Installs the process's recorder.
pub(crate) fn start_metrics() -> Result<PrometheusHandle, Failure> {
    PrometheusBuilder::new()
        .install_recorder()
        .map_err(|cause| Failure::Store(format!("metrics cannot be recorded: {cause}")))
}
