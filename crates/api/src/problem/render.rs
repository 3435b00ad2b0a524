//! Printing a problem.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use serde::Serialize;

use super::{Mistake, Problem};

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[Mistake]>::is_empty")]
    errors: &'a [Mistake],
}

/// The response with its body, if it is a problem or a bare error status; else as it was.
pub(crate) fn rendered(mut response: Response, instance: &str, request_id: &str) -> Response {
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Arc<Problem>>() {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => Arc::new(Problem::of_status(status)),
        None => return response,
    };
    let parts = &problem.0;
    let document = Document {
        r#type: format!("/problems/{}", parts.kind.code),
        title: parts.kind.title,
        status: status.as_u16(),
        detail: &parts.detail,
        instance,
        code: parts.kind.code,
        request_id,
        errors: &parts.mistakes,
    };
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response.body_mut() = match serde_json::to_vec(&document) {
        Ok(text) => Body::from(text),
        Err(_) => Body::empty(),
    };
    response
}
