//! What exists and who may ask it. `openapi.yaml` and the table of roles in `docs/rest.md` are tested against this table.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Uri, header};
use axum::routing::{MethodRouter, get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use crate::app::App;
use crate::blocking::Cost;
use crate::endpoints::{
    entries, health, ingest_event, ingest_status, lookup, metrics, openapi, payment, payments, payout_report,
    problem_page, quarantine, quarantine_acts, quarantine_row, readiness, sales_report, search, search_explain,
    search_fields, settlements_report, suggest, timeline,
};
use crate::envelope::envelope;
use crate::export;
use crate::guard::{guard, panicked};
use crate::keys::Role;
use crate::params::{BODY_BYTES_MAX, IDS_BYTES_MAX};
use crate::problem::{Problem, kinds};

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a key.
    Open,
    /// Everybody, or operators and admins, as configured.
    Metrics,
    /// Any key; what it sees is its scope's.
    Payments,
    /// Keys that see all merchants: what an answer took tells how much there is of others.
    AllMerchants,
    /// Operators and admins.
    Operations,
}

impl Access {
    /// Whether a key of this role is let in.
    pub fn allows(self, role: Role) -> bool {
        match (self, role) {
            (Access::Open | Access::Payments, _) => true,
            (Access::AllMerchants, role) => role != Role::Merchant,
            (Access::Metrics | Access::Operations, Role::Operator | Role::Admin) => true,
            (Access::Metrics | Access::Operations, Role::Merchant | Role::Finance) => false,
        }
    }
}

/// One method of one path.
pub struct Route {
    pub method: &'static str,
    /// As OpenAPI writes it.
    pub path: &'static str,
    pub access: Access,
    /// What a request costs, which decides how often a key may send it.
    pub(crate) cost: Cost,
    handler: fn() -> MethodRouter<Arc<App>>,
}

const fn route(
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: fn() -> MethodRouter<Arc<App>>,
) -> Route {
    Route {
        method,
        path,
        access,
        cost: Cost::Page,
        handler,
    }
}

impl Route {
    /// The route, at another cost than that of a page.
    const fn at(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }
}

/// Every route.
pub const ROUTES: &[Route] = &[
    route("GET", "/v1/payments", Access::Payments, || get(payments::list_payments)),
    route("GET", "/v1/payments/search", Access::Payments, || {
        get(search::search_payments)
    }),
    route("POST", "/v1/payments/search", Access::Payments, || {
        post(search::post_search_payments).layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
    }),
    route("GET", "/v1/payments/{payment_key}", Access::Payments, || {
        get(payment::get_payment)
    })
    .at(Cost::Lookup),
    route("GET", "/v1/payments/{payment_key}/timeline", Access::Payments, || {
        get(timeline::get_timeline)
    })
    .at(Cost::Lookup),
    route("GET", "/v1/entries", Access::Payments, || get(entries::list_entries)),
    route("POST", "/v1/lookup", Access::Payments, || {
        post(lookup::look_up).layer(DefaultBodyLimit::max(IDS_BYTES_MAX))
    }),
    route("GET", "/v1/search/suggest", Access::Payments, || {
        get(suggest::list_suggestions)
    }),
    route("POST", "/v1/search/explain", Access::AllMerchants, || {
        post(search_explain::explain_search).layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
    }),
    route("GET", "/v1/search/fields", Access::Payments, || {
        get(search_fields::list_search_fields)
    })
    .at(Cost::Lookup),
    route("GET", "/v1/reports/sales", Access::Payments, || {
        get(sales_report::get_sales_report)
    })
    .at(Cost::Report),
    route("GET", "/v1/reports/settlements", Access::Payments, || {
        get(settlements_report::get_settlements_report)
    })
    .at(Cost::Report),
    route("GET", "/v1/reports/payouts/{payout_id}", Access::Payments, || {
        get(payout_report::get_payout_report)
    })
    .at(Cost::Report),
    route("GET", "/v1/ingest/status", Access::Operations, || {
        get(ingest_status::get_ingest_status)
    }),
    route("GET", "/v1/ingest/events/{id}", Access::Operations, || {
        get(ingest_event::get_ingest_event)
    }),
    route("GET", "/v1/quarantine", Access::Operations, || {
        get(quarantine::list_quarantine)
    }),
    route("GET", "/v1/quarantine/{n}", Access::Operations, || {
        get(quarantine_row::get_quarantine_row)
    }),
    route("POST", "/v1/quarantine/{n}/replay", Access::Operations, || {
        post(quarantine_acts::replay_quarantine_row).layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
    }),
    route("POST", "/v1/quarantine/{n}/close", Access::Operations, || {
        post(quarantine_acts::close_quarantine_row).layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
    }),
    route("POST", "/v1/quarantine/replay", Access::Operations, || {
        post(quarantine_acts::replay_quarantine).layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
    }),
    route("GET", "/healthz", Access::Open, || get(health::get_health)),
    route("GET", "/readyz", Access::Open, || get(readiness::get_readiness)),
    route("GET", "/metrics", Access::Metrics, || get(metrics::get_metrics)),
    route("GET", "/openapi.yaml", Access::Open, || get(openapi::get_openapi)),
    route("GET", "/problems/{code}", Access::Open, || {
        get(problem_page::get_problem_page)
    }),
];

/// The service: every route behind its guard, all of it in the envelope.
pub fn router(app: Arc<App>) -> Router {
    let routes = ROUTES.iter().fold(Router::new(), |router, route| {
        let guarded = (route.handler)()
            .route_layer(CatchPanicLayer::custom(panicked))
            .route_layer(middleware::from_fn_with_state((app.clone(), route), guard));
        router.route(route.path, guarded)
    });
    // These are compressed already.
    let compressible = DefaultPredicate::new()
        .and(NotForContentType::const_new(export::Format::Xlsx.content_type()))
        .and(NotForContentType::const_new(export::Format::Parquet.content_type()));
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(middleware::from_fn(envelope))
        .layer(CompressionLayer::new().compress_when(compressible))
        .with_state(app)
}

async fn not_found() -> Problem {
    Problem::new(
        &kinds::NOT_FOUND,
        "there is nothing at this address; openapi.yaml lists what there is",
    )
}

async fn method_not_allowed(uri: Uri) -> Problem {
    let methods = methods_of(uri.path());
    let problem = Problem::new(&kinds::METHOD_NOT_ALLOWED, format!("this address takes {methods}"));
    match HeaderValue::from_str(&methods) {
        Ok(value) => problem.header(header::ALLOW, value),
        Err(_) => problem,
    }
}

/// The methods that the route of this path takes. A path that fits two templates is the one without variables.
fn methods_of(path: &str) -> String {
    let fitting: Vec<&Route> = ROUTES.iter().filter(|route| fits(route.path, path)).collect();
    let best = fitting
        .iter()
        .map(|route| route.path)
        .min_by_key(|template| template.contains('{'));
    let mut methods = Vec::new();
    for route in fitting.iter().filter(|route| Some(route.path) == best) {
        methods.push(route.method);
        if route.method == "GET" {
            methods.push("HEAD");
        }
    }
    methods.join(", ")
}

fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(segment)) if wanted == segment || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_takes_the_methods_of_its_own_template() {
        for (path, expect) in [
            ("/v1/payments", "GET, HEAD"),
            ("/v1/payments/search", "GET, HEAD, POST"),
            ("/v1/payments/P1", "GET, HEAD"),
            ("/v1/payments/P1/more", ""),
            ("/v1/payments/P1/timeline", "GET, HEAD"),
            ("/metrics", "GET, HEAD"),
        ] {
            assert_eq!(methods_of(path), expect, "{path}");
        }
    }
}
