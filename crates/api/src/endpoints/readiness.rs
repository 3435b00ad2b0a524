//! `GET /readyz`: both stores are open and the ledger is caught up within a limit.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::App;
use crate::problem::{Problem, kinds};

#[derive(Serialize)]
pub(crate) struct ReadinessJson {
    status: &'static str,
    lag_ms: u64,
}

pub(crate) async fn get_readiness(State(app): State<Arc<App>>) -> Result<Json<ReadinessJson>, Problem> {
    let progress = &app.progress;
    let (lag_ms, lag_ms_max) = (progress.lag_ms(), app.limits.ready_lag_ms_max);
    let mut missing = Vec::new();
    if !progress.ledger_open() {
        missing.push("the ledger is not open yet".to_owned());
    }
    if !progress.index_open() {
        missing.push("the search index is not open yet".to_owned());
    }
    missing.extend(progress.store_problem());
    if progress.input_unknown() {
        missing.push("how far the ledger is behind its input is not known yet".to_owned());
    }
    if lag_ms > lag_ms_max {
        missing.push(format!(
            "the ledger is {lag_ms} ms behind its input, the limit is {lag_ms_max} ms"
        ));
    }
    if missing.is_empty() {
        Ok(Json(ReadinessJson {
            status: "ready",
            lag_ms,
        }))
    } else {
        Err(Problem::new(&kinds::NOT_READY, missing.join("; ")).retry_after(1))
    }
}
