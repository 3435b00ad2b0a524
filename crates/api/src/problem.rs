//! Problem details (RFC 9457): every answer that is not the one asked for.
//!
//! A handler says what is wrong; the outermost layer adds what it knows of the request (`instance`, `request_id`) and
//! prints it, see [`render`]. So a problem looks the same wherever it arose, also where no handler was reached.

pub(crate) mod kinds;
mod render;

use std::sync::Arc;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use query::ParamError;
use serde::Serialize;

use kinds::Kind;
pub(crate) use render::rendered;

/// One mistake in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mistake {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<String>,
    /// Into the body, RFC 6901.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// In a search text: characters from its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<usize>,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suggestion: Option<String>,
}

impl Mistake {
    /// A mistake in the parameter `name`.
    pub(crate) fn new(name: &str, kind: &'static Kind, detail: impl Into<String>) -> Self {
        Mistake {
            parameter: Some(name.to_owned()),
            pointer: None,
            position: None,
            code: kind.code,
            detail: detail.into(),
            expected: None,
            suggestion: None,
        }
    }

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn suggesting(mut self, suggestion: Option<&str>) -> Self {
        self.suggestion = suggestion.map(str::to_owned);
        self
    }

    /// The same mistake where the parameters are the members of a JSON object. `below` leads on from the member.
    pub(crate) fn in_body(mut self, below: &str) -> Self {
        self.pointer = self
            .parameter
            .take()
            .map(|name| format!("{}{below}", pointer_to(&name)));
        self
    }
}

/// The JSON pointer to a member of the body.
fn pointer_to(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl From<ParamError> for Mistake {
    fn from(error: ParamError) -> Self {
        Mistake {
            parameter: Some(error.parameter),
            pointer: None,
            position: error.position,
            code: error.code,
            detail: error.detail,
            expected: error.expected,
            suggestion: error.suggestion,
        }
    }
}

/// An answer that is not the one asked for.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: &'static Kind,
    detail: String,
    mistakes: Vec<Mistake>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Problem(Box::new(Parts {
            kind,
            detail: detail.into(),
            mistakes: Vec::new(),
            headers: Vec::new(),
        }))
    }

    /// A request with mistakes, at least one; it is named after the first.
    pub(crate) fn of_mistakes(mistakes: Vec<Mistake>) -> Self {
        let kind = mistakes
            .first()
            .and_then(|first| kinds::find(first.code))
            .unwrap_or(&kinds::BAD_REQUEST);
        let detail = match mistakes.as_slice() {
            [] => "the request cannot be understood".to_owned(),
            [only] => only.detail.clone(),
            [first, rest @ ..] => format!("{} (and {} more)", first.detail, rest.len()),
        };
        Problem(Box::new(Parts {
            kind,
            detail,
            mistakes,
            headers: Vec::new(),
        }))
    }

    /// Something that its reader can do nothing about and is told nothing about; the cause is in the log.
    pub(crate) fn internal() -> Self {
        Problem::new(
            &kinds::INTERNAL_ERROR,
            "the request could not be answered; its id helps to find out why",
        )
    }

    pub(crate) fn unauthenticated(detail: &str, presented: bool) -> Self {
        let challenge = match presented {
            true => HeaderValue::from_static("Bearer error=\"invalid_token\""),
            false => HeaderValue::from_static("Bearer"),
        };
        Problem::new(&kinds::UNAUTHENTICATED, detail).header(WWW_AUTHENTICATE, challenge)
    }

    /// What a bare status of the router or of a layer means.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match kinds::ALL
            .iter()
            .find(|kind| kind.status == status.as_u16() && kind.stands_for_status)
        {
            Some(kind) => Problem::new(kind, kind.title),
            None if status.is_client_error() => Problem::new(&kinds::BAD_REQUEST, "the request cannot be understood"),
            None => Problem::internal(),
        }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    pub(crate) fn retry_after(self, seconds: u16) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response
            .headers_mut()
            .extend(self.0.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
