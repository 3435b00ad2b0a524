//! Asking again only for what has changed: a weak `ETag` on every answer in JSON, and 304 for who holds it already.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use sha2::{Digest, Sha256};

/// How the last member of an answer begins. What stands in `as_of` is never this text.
const AS_OF: &[u8] = b",\"as_of\":{";

/// The tag of a printed answer: of everything but `as_of`, which moves on while the rest stays as it is. Weak, because of
/// that, and because the body may be compressed on its way.
pub(crate) fn of(body: &[u8]) -> Option<HeaderValue> {
    let end = body.windows(AS_OF.len()).rposition(|window| window == AS_OF);
    let digest = Sha256::digest(&body[..end.unwrap_or(body.len())]);
    // 128 bits: two answers never share one by chance.
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("W/\"{digest}\"")).ok()
}

/// What the client holds already.
pub(crate) struct Condition(Option<IfNoneMatch>);

impl Condition {
    pub(crate) fn of(request: &Request) -> Self {
        let asks = matches!(*request.method(), Method::GET | Method::HEAD);
        Condition(request.headers().typed_get().filter(|_| asks))
    }

    /// The answer, or that it is what the client holds. The other headers stay: `Ledger-As-Of` says that it still holds
    /// at a later position.
    pub(crate) fn answer(self, mut response: Response) -> Response {
        let (Some(held), Some(tag)) = (self.0, response.headers().typed_get::<ETag>()) else {
            return response;
        };
        if response.status() == StatusCode::OK && !held.precondition_passes(&tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            response.headers_mut().remove(CONTENT_TYPE);
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_no_part_of_the_tag() {
        let tag = |body: &str| of(body.as_bytes());
        let first = tag("{\"data\":[1],\"as_of\":{\"token\":\"a-1\"}}");
        assert_eq!(first, tag("{\"data\":[1],\"as_of\":{\"token\":\"a-2\",\"lag_ms\":3}}"));
        assert_ne!(first, tag("{\"data\":[2],\"as_of\":{\"token\":\"a-1\"}}"));
        // A text inside that looks like it is a part of the answer.
        let quoted = |value: &str| tag(&format!("{{\"x\":\",\\\"as_of\\\":{{{value}\",\"as_of\":{{}}}}"));
        assert_ne!(quoted("1"), quoted("2"));
        assert!(first.is_some_and(|tag| tag.as_bytes().starts_with(b"W/\"")));
    }
}
