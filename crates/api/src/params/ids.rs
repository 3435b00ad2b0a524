//! The body of a lookup: `{"ids": ["…", …]}`.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use query::nearest;
use serde_json::Value;

use super::body::{Members, media_type};
use super::{MISTAKES_MAX, Params};
use crate::problem::{Mistake, Problem, kinds};

/// Bytes of a body: a thousand identifiers of 200 characters of four bytes each, and the JSON around them.
pub(crate) const IDS_BYTES_MAX: usize = 1024 * 1024;

/// Identifiers of one lookup.
const IDS_MAX: usize = 1_000;

/// Bytes of one identifier, as of a search text.
const ID_BYTES_MAX: usize = 1_024;

/// The identifiers in their order.
pub(crate) struct Ids(pub(crate) Vec<String>);

impl<S: Send + Sync> FromRequest<S> for Ids {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let in_address = Params::of_query(request.uri().query())?;
        let mut mistakes = in_address.mistakes();
        in_address.only(&[], &mut mistakes);
        mistakes.finish()?;
        media_type(&request)?;
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                    &kinds::BODY_TOO_LARGE,
                    format!("the body has more than {IDS_BYTES_MAX} bytes"),
                ),
                _ => Problem::new(&kinds::BAD_REQUEST, "the body ended early"),
            })?;
        let members = serde_json::from_slice(&body).map_err(|error| match error.is_data() {
            true => Problem::new(&kinds::WRONG_TYPE, "the body is a JSON object with the member ids"),
            false => {
                let (line, column) = (error.line(), error.column());
                let detail = format!("the body is not JSON from line {line}, column {column} on");
                Problem::new(&kinds::NOT_JSON, detail)
            }
        })?;
        read(members).map(Ids).map_err(Problem::of_mistakes)
    }
}

fn read(Members(members): Members) -> Result<Vec<String>, Vec<Mistake>> {
    let mut ids = None;
    for (name, value) in members {
        let mistake = match (name.as_str(), ids.is_some()) {
            ("ids", false) => {
                ids = Some(texts(value)?);
                continue;
            }
            ("ids", true) => Mistake::new("ids", &kinds::DUPLICATE_MEMBER, "the member ids stands twice"),
            (name, _) => {
                let shown: String = name.chars().take(64).collect();
                Mistake::new(
                    name,
                    &kinds::UNKNOWN_PARAMETER,
                    format!("there is no member {shown:?} here"),
                )
                .expected("ids")
                .suggesting(nearest(name, ["ids"]))
            }
        };
        return Err(vec![mistake.in_body("")]);
    }
    ids.ok_or_else(|| {
        let detail = "the member ids is missing";
        vec![Mistake::new("ids", &kinds::MISSING_PARAMETER, detail).in_body("")]
    })
}

fn texts(value: Value) -> Result<Vec<String>, Vec<Mistake>> {
    let Value::Array(items) = value else {
        let detail = "ids: an array of strings is expected";
        return Err(vec![Mistake::new("ids", &kinds::WRONG_TYPE, detail).in_body("")]);
    };
    if items.len() > IDS_MAX {
        let detail = format!("ids takes at most {IDS_MAX} identifiers, and has {}", items.len());
        return Err(vec![Mistake::new("ids", &kinds::TOO_MANY_VALUES, detail).in_body("")]);
    }
    let (mut texts, mut mistakes) = (Vec::with_capacity(items.len()), Vec::new());
    for (place, item) in items.into_iter().enumerate() {
        let mut wrong = |kind, detail: &str| {
            if mistakes.len() < MISTAKES_MAX {
                mistakes.push(Mistake::new("ids", kind, detail).in_body(&format!("/{place}")));
            }
        };
        match item {
            Value::String(text) if text.len() > ID_BYTES_MAX => {
                wrong(&kinds::BAD_VALUE, "an identifier has up to 1,024 bytes of UTF-8");
            }
            Value::String(text) if query::ident(&text).is_empty() => {
                wrong(&kinds::BAD_VALUE, "this holds no character of an identifier");
            }
            Value::String(text) => texts.push(text),
            _ => wrong(&kinds::WRONG_TYPE, "an identifier is a string"),
        }
    }
    if mistakes.is_empty() { Ok(texts) } else { Err(mistakes) }
}
