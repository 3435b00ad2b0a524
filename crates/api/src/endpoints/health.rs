//! `GET /healthz`: the process answers. It looks at nothing else, so that a slow store does not get it killed.

use axum::Json;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct HealthJson {
    status: &'static str,
}

pub(crate) async fn get_health() -> Json<HealthJson> {
    Json(HealthJson { status: "ok" })
}
