//! Parameters in the body of a POST: a JSON object whose members are the query parameters by name.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

use super::{MISTAKES_MAX, Params, Place};
use crate::app::App;
use crate::freshness::{Patience, WAIT_FOR, reach_of_body};
use crate::keys::Principal;
use crate::problem::{Mistake, Problem, kinds};

/// Bytes of a body: a thousand values of an identifier fit.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// The parameters of a POST. Its query string must be empty: two places for one question would leave open which counts.
pub(crate) struct BodyParams(pub(crate) Params);

impl FromRequest<Arc<App>> for BodyParams {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<App>) -> Result<Self, Problem> {
        let asking = request.extensions().get::<Principal>().cloned();
        let patience = request.extensions().get::<Patience>().cloned();
        let in_address = Params::of_query(request.uri().query())?;
        if let Some((name, _)) = in_address.pairs().next() {
            let detail = "the parameters of a POST stand in its body, not in the address";
            return Err(Problem::of_mistakes(vec![Mistake::new(
                name,
                &kinds::UNKNOWN_PARAMETER,
                detail,
            )]));
        }
        media_type(&request)?;
        let body = bytes_of(request, state).await?;
        let (wanted, pairs): (Vec<_>, Vec<_>) = pairs_of(&body)?.into_iter().partition(|(name, _)| name == WAIT_FOR);
        if let (Some(principal), Some(patience)) = (&asking, &patience) {
            let values = wanted.iter().map(|(_, value)| value.as_str());
            reach_of_body(state, principal, patience, values).await?;
        }
        Ok(BodyParams(Params {
            pairs,
            place: Place::Body,
        }))
    }
}

/// The body of a POST that takes none: nothing, or an empty object.
pub(crate) struct EmptyBody;

impl<S: Send + Sync> FromRequest<S> for EmptyBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = bytes_of(request, state).await?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(EmptyBody);
        }
        let params = Params {
            pairs: pairs_of(&body)?,
            place: Place::Body,
        };
        let mut mistakes = params.mistakes();
        params.only(&[], &mut mistakes);
        mistakes.finish()?;
        Ok(EmptyBody)
    }
}

async fn bytes_of<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                &kinds::BODY_TOO_LARGE,
                format!("the body has more than {BODY_BYTES_MAX} bytes"),
            ),
            _ => Problem::new(&kinds::BAD_REQUEST, "the body ended early"),
        })
}

pub(super) fn media_type(request: &Request) -> Result<(), Problem> {
    let refused = |detail: &str| Err(Problem::new(&kinds::UNSUPPORTED_MEDIA_TYPE, detail));
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_ascii_lowercase();
    let encoded = request.headers().get(CONTENT_ENCODING).map(text);
    if encoded.is_some_and(|coding| coding != "identity") {
        return refused("the body is read as it is; send it without Content-Encoding");
    }
    let sent = request.headers().get(CONTENT_TYPE).map(text);
    let essence = sent.as_deref().and_then(|sent| sent.split(';').next()).map(str::trim);
    match essence {
        Some("application/json") => Ok(()),
        Some(_) => refused("the body must be application/json"),
        None => refused("the header Content-Type is missing; it is application/json"),
    }
}

/// Members in their order. `serde_json`'s own map would drop all but the last of one name.
pub(super) struct Members(pub(super) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn pairs_of(body: &[u8]) -> Result<Vec<(String, String)>, Problem> {
    let Members(members) = serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Problem::new(
            &kinds::WRONG_TYPE,
            "the body is a JSON object whose members are the parameters",
        ),
        Category::Io | Category::Syntax | Category::Eof => {
            let (line, column) = (error.line(), error.column());
            Problem::new(
                &kinds::NOT_JSON,
                format!("the body is not JSON from line {line}, column {column} on"),
            )
        }
    })?;
    let mut mistakes = Vec::new();
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut seen = HashSet::new();
    for (name, value) in &members {
        if mistakes.len() == MISTAKES_MAX {
            break;
        }
        if !seen.insert(name) {
            let detail = "the member stands twice; an array gives alternatives";
            mistakes.push(Mistake::new(name, &kinds::DUPLICATE_MEMBER, detail).in_body(""));
            continue;
        }
        match texts_of(name, value) {
            Ok(texts) => pairs.extend(texts.into_iter().map(|text| (name.clone(), text))),
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    if mistakes.is_empty() {
        Ok(pairs)
    } else {
        Err(Problem::of_mistakes(mistakes))
    }
}

fn texts_of(name: &str, value: &Value) -> Result<Vec<String>, Box<Mistake>> {
    let mistake = |below: &str, detail: &str| {
        Box::new(Mistake::new(name, &kinds::WRONG_TYPE, format!("{name}: {detail}")).in_body(below))
    };
    let wrong = |detail: &str| Err(mistake("", detail));
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Number(number) if name == "limit" => Ok(vec![number.to_string()]),
        Value::Bool(wanted) if matches!(name, "total" | "explain") => Ok(vec![wanted.to_string()]),
        Value::Number(_) => wrong("a number is written as a string, exactly as in an address"),
        Value::Null => wrong("null means nothing here; leave the member out"),
        Value::Bool(_) => wrong("true and false are written as strings, exactly as in an address"),
        Value::Object(_) => wrong("an object means nothing here; the brackets belong to the name: \"amount[gte]\""),
        Value::Array(items) if items.is_empty() => wrong("an empty array gives no alternative; leave the member out"),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(place, item)| match item {
                Value::String(text) => Ok(text.clone()),
                _ => Err(mistake(&format!("/{place}"), "an array holds strings")),
            })
            .collect(),
    }
}
