//! The shapes of answers. A struct for each, so that members stand in the order of the contract.

pub(crate) mod ast;
pub(crate) mod entry;
pub(crate) mod list;
pub(crate) mod mask;
pub(crate) mod payment;
mod payment_groups;
pub(crate) mod position;
pub(crate) mod quarantine;
pub(crate) mod report;
pub(crate) mod settlement;
pub(crate) mod timeline;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::money::{Currency, format_minor};
use domain::time::format_time;
use lookup::AsOf;
use serde::Serialize;

use crate::as_of::with_token;
use crate::etag;
use crate::problem::Problem;

/// The position that an answer is of.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AsOfJson {
    pub(crate) token: String,
    watermark_time: String,
    lag_ms: u64,
}

impl From<AsOf> for AsOfJson {
    fn from(as_of: AsOf) -> Self {
        AsOfJson {
            token: as_of.token,
            watermark_time: format_time(as_of.watermark_time),
            lag_ms: as_of.lag_ms,
        }
    }
}

/// An amount as text in major units.
pub(crate) fn money(minor: impl Into<i128>, currency: Currency) -> String {
    format_minor(minor.into(), currency)
}

pub(crate) fn time(at: Option<DateTime<Utc>>) -> Option<String> {
    at.map(format_time)
}

/// An answer in JSON, with the position it is of as a header too. `as_of` is the last member of `body`.
pub(crate) fn answer(body: &impl Serialize, token: &str) -> Result<Response, Problem> {
    let text = serde_json::to_vec(body).map_err(|error| {
        tracing::error!(error = %error, "an answer could not be printed");
        Problem::internal()
    })?;
    let tag = etag::of(&text);
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.extend(tag.map(|tag| (ETAG, tag)));
    Ok(with_token(response, token))
}
