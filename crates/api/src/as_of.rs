//! Freshness: every answer read from the ledger names the position it is of.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use domain::scope::Scope;
use ledger::Head;

use crate::app::App;
use crate::json::AsOfJson;
use crate::problem::Problem;

/// Carries the same token as `as_of` in the body.
pub(crate) const LEDGER_AS_OF: HeaderName = HeaderName::from_static("ledger-as-of");

impl App {
    pub(crate) fn as_of(&self, head: &Head) -> AsOfJson {
        self.lookup.as_of(head, self.progress.lag_ms()).into()
    }

    /// The position that readers see now. A look-up of a key that no payment can have reads nothing else.
    pub(crate) fn as_of_now(&self) -> Result<AsOfJson, Problem> {
        Ok(self.as_of(&self.lookup.payment("", &Scope::Merchants(Default::default()))?.head))
    }
}

pub(crate) fn with_token(mut response: Response, token: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(token) {
        response.headers_mut().insert(LEDGER_AS_OF, value);
    }
    response
}
