//! `GET /openapi.yaml`: the contract of this very binary.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

pub(crate) async fn get_openapi() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "application/yaml")],
        include_str!("../../../../openapi.yaml"),
    )
}
