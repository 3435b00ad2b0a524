//! `POST /v1/search/explain`: how a search is understood and what its first page takes, without the page.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use lookup::PageRequest;
use query::{ParamSet, filter_from_params};
use serde::Serialize;

use super::payments::LIST;
use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::cursor::Binding;
use crate::explain::ExplainJson;
use crate::json::{AsOfJson, answer};
use crate::keys::Principal;
use crate::page_params;
use crate::params::BodyParams;
use crate::problem::Problem;

/// Filters and `q`, and what decides how much a page reads.
const PARAMETERS: ParamSet = ParamSet::PAYMENTS.with_others(&["limit", "cursor", "order", "total", "wait_for"]);

#[derive(Serialize)]
struct ExplanationJson {
    #[serde(flatten)]
    explain: ExplainJson,
    as_of: AsOfJson,
}

pub(crate) async fn explain_search(
    State(app): State<Arc<App>>,
    principal: Principal,
    BodyParams(params): BodyParams,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    let filter = mistakes.take(filter_from_params(params.pairs(), PARAMETERS));
    let limit = page_params::limit(&params, &mut mistakes);
    let order = page_params::order(&params, &mut mistakes);
    let total = page_params::flag("total", &params, &mut mistakes);
    let binding = Binding::new(LIST, &principal.key_id, order, &params);
    let after = page_params::cursor(&params, mistakes, |sent| app.cursors.read_payment(&binding, sent))?;
    let filter = filter.ok_or_else(Problem::internal)?;
    let asked_at = Instant::now();
    ask(&app, Cost::Page, move |app| {
        let request = PageRequest {
            scope: principal.scope.clone(),
            filter,
            order,
            after,
            limit,
            total_until: total.then(|| asked_at + app.limits.answer_within),
        };
        let found = app.lookup.explain_page(&request)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let (page, explained) = found.value;
        let explain = ExplainJson::of(&request.filter, explained, page.rows.len());
        answer(&ExplanationJson { explain, as_of }, &token)
    })
    .await
}
