//! What stands before every handler: the key, its role and its rate, what the answer must cover, the time limit, what the
//! client holds already, and panics.

use std::any::Any;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response};
use axum::middleware::Next;
use axum::response::IntoResponse;
use tokio::time::timeout;

use crate::app::App;
use crate::envelope::Template;
use crate::etag;
use crate::freshness::{Patience, reach_first};
use crate::keys::{Principal, Role};
use crate::problem::{Problem, kinds};
use crate::rate::Admitted;
use crate::routes::{Access, Route};

/// Lets a request in or not, and waits for its answer only so long.
pub(crate) async fn guard(
    State((app, route)): State<(Arc<App>, &'static Route)>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let mut response = match admit(&app, route, &mut request) {
        Err(problem) => problem.into_response(),
        Ok(admitted) => {
            let mut response = answer(&app, route.access, request, next).await;
            admitted.write_to(response.headers_mut());
            response
        }
    };
    response.extensions_mut().insert(Template(route.path));
    response
}

/// For whoever may ask: first what the answer must cover. The time spent waiting for that is the client's own choice and
/// does not count as time spent answering.
async fn answer(app: &Arc<App>, access: Access, mut request: Request, next: Next) -> Response<Body> {
    let patience = match reach(app, access, &mut request).await {
        Ok(patience) => patience,
        Err(problem) => return problem.into_response(),
    };
    let condition = etag::Condition::of(&request);
    let within = app.limits.answer_within;
    let mut response = match timeout(within, next.run(request)).await {
        Ok(response) => condition.answer(response),
        Err(_) => {
            let detail = format!("the answer was not there after {} seconds", within.as_secs());
            Problem::new(&kinds::TIMED_OUT, detail).retry_after(5).into_response()
        }
    };
    if let Some(patience) = patience {
        patience.note(response.headers_mut());
    }
    response
}

async fn reach(app: &Arc<App>, access: Access, request: &mut Request) -> Result<Option<Patience>, Problem> {
    let reads_the_ledger = matches!(access, Access::Payments | Access::AllMerchants | Access::Operations);
    match request.extensions().get::<Principal>().cloned() {
        Some(principal) if reads_the_ledger => Ok(Some(reach_first(app, &principal, request).await?)),
        _ => Ok(None),
    }
}

/// Key, role and rate.
fn admit(app: &App, route: &Route, request: &mut Request) -> Result<Admitted, Problem> {
    let access = route.access;
    let needs_key = match access {
        Access::Open => false,
        Access::Metrics => app.limits.metrics_need_key,
        Access::Payments | Access::AllMerchants | Access::Operations => true,
    };
    if !needs_key {
        return Ok(Admitted::default());
    }
    let key = bearer(request.headers())?;
    let Some(principal) = app.keys.authenticate(key, app.lookup.now()) else {
        return Err(Problem::unauthenticated("this key is unknown or revoked", true));
    };
    if !access.allows(principal.role) {
        let allowed = Role::ALL.into_iter().filter(|role| access.allows(*role));
        let allowed: Vec<&str> = allowed.map(Role::as_str).collect();
        let (role, allowed) = (principal.role, allowed.join(", "));
        let detail = format!("a key of role {role} may not ask this, one of these may: {allowed}");
        return Err(Problem::new(&kinds::FORBIDDEN, detail));
    }
    tracing::Span::current().record("key.id", principal.key_id.as_str());
    let admitted = app.rates.admit(&principal.key_id, route.cost)?;
    request.extensions_mut().insert(principal);
    Ok(admitted)
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = sent.next() else {
        return Err(Problem::unauthenticated(
            "send the header Authorization: Bearer KEY",
            false,
        ));
    };
    let unreadable = || Problem::unauthenticated("the header Authorization is not: Bearer KEY", true);
    if sent.next().is_some() {
        return Err(unreadable());
    }
    let text = value.to_str().map_err(|_| unreadable())?;
    let (scheme, key) = text.split_once(' ').ok_or_else(unreadable)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unreadable());
    }
    Ok(key.trim())
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    /// The principal that [`admit`] found. Without one the route asks for no key, and nothing may be read for it.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Principal>()
            .cloned()
            .ok_or_else(Problem::internal)
    }
}

/// A handler panicked: the connection lives on, and nobody is told what was in the message.
pub(crate) fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let said = payload.downcast_ref::<&str>().copied();
    let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = said.unwrap_or("no message"), "a handler panicked");
    Problem::internal().into_response()
}
