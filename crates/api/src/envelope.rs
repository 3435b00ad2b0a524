//! What every answer has, whoever gave it: an id, safe headers, a line in the log, counts, and problems in one shape.

use std::convert::Infallible;
use std::time::Instant;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use headers::{ContentLength, HeaderMapExt as _};
use tracing::{Instrument, field, info_span};
use uuid::Uuid;

use crate::problem::{Problem, kinds, rendered};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const REFERRER_POLICY: HeaderName = HeaderName::from_static("referrer-policy");
const CONTENT_SECURITY_POLICY: HeaderName = HeaderName::from_static("content-security-policy");

/// Bytes of an address with its parameters. What needs more goes into the body of a POST.
const ADDRESS_BYTES_MAX: usize = 32 * 1024;

/// The list behind a report's row repeats the report's filters and says more precisely what it means.
const ENTRIES_ADDRESS_BYTES_MAX: usize = 48 * 1024;

/// The path of the route that answered, for logs and metrics: the path itself holds payment keys and is unbounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template(pub(crate) &'static str);

/// The outermost layer.
pub(crate) async fn envelope(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = Uuid::now_v7().to_string();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let trace_id = trace_id(request.headers());
    let span = info_span!("request", request.id = %request_id, trace.id = trace_id, key.id = field::Empty);
    let bytes_max = match path.as_str() {
        "/v1/entries" => ENTRIES_ADDRESS_BYTES_MAX,
        _ => ADDRESS_BYTES_MAX,
    };
    let response = if address_bytes(request.uri()) > bytes_max {
        let detail = format!("the address with its parameters has more than {bytes_max} bytes");
        Problem::new(&kinds::URI_TOO_LONG, detail).into_response()
    } else {
        next.run(request).instrument(span.clone()).await
    };
    let template = response.extensions().get().copied().unwrap_or(Template("unmatched"));
    let mut response = rendered(response, &path, &request_id);
    if method == Method::HEAD {
        take_body(&mut response);
    }
    let status = response.status().as_u16();
    count(&method, template, status, started);
    span.in_scope(|| {
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(http.method = %method, http.route = template.0, http.status = status, duration_ms, "answered");
    });
    secure(response.headers_mut(), path.starts_with("/v1/"));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Leaves of the answer what a HEAD is given: its length is said where it is known, and nothing is said of a streamed one.
fn take_body(response: &mut Response) {
    match response.body().size_hint().exact() {
        Some(length) => {
            response.headers_mut().typed_insert(ContentLength(length));
            *response.body_mut() = Body::empty();
        }
        None => *response.body_mut() = Body::from_stream(stream::empty::<Result<Bytes, Infallible>>()),
    }
}

fn address_bytes(uri: &Uri) -> usize {
    uri.path_and_query().map_or(0, |address| address.as_str().len())
}

/// The trace that the caller's request belongs to (W3C Trace Context): `00-<32 hex>-<16 hex>-<2 hex>`.
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get(TRACEPARENT)?.to_str().ok()?;
    let mut parts = sent.split('-');
    let lengths = [2, 32, 16, 2];
    let mut read = lengths.map(|length| {
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        parts
            .next()
            .filter(|part| part.len() == length && part.bytes().all(lower_hex))
    });
    let [version, trace, parent, flags] = &mut read;
    let known = version.is_some_and(|version| version != "ff") && parent.is_some() && flags.is_some();
    trace.filter(|trace| known && trace.bytes().any(|byte| byte != b'0'))
}

/// Routes and methods are taken from closed lists, so that nobody can make the number of series grow.
fn count(method: &Method, template: Template, status: u16, started: Instant) {
    let method = match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    };
    let labels = [
        ("method", method.to_owned()),
        ("route", template.0.to_owned()),
        ("status", status.to_string()),
    ];
    metrics::counter!("ledgerlens_http_requests_total", &labels).increment(1);
    metrics::histogram!("ledgerlens_http_request_duration_seconds", &labels).record(started.elapsed());
}

fn secure(headers: &mut HeaderMap, is_personal: bool) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if is_personal {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let is_page = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sent: &str, expect: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(
            TRACEPARENT,
            HeaderValue::from_str(sent).expect("the case is a header value"),
        );
        assert_eq!(trace_id(&headers), expect, "{sent}");
    }

    #[test]
    fn a_trace_is_taken_from_a_well_formed_header_only() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        check(&format!("00-{trace}-00f067aa0ba902b7-01"), Some(trace));
        check(&format!("cc-{trace}-00f067aa0ba902b7-01-more"), Some(trace));
        check(&format!("ff-{trace}-00f067aa0ba902b7-01"), None);
        check(&format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()), None);
        check(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), None);
        check(&format!("00-{trace}-00f067aa0ba902b7"), None);
        check("", None);
    }
}
