//! `POST /v1/search/explain`: how a search is understood and what its first page takes, without the page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use query::ParamSet;
use serde::Serialize;

use super::payments::Question;
use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::explain::ExplainJson;
use crate::json::{AsOfJson, answer};
use crate::keys::Principal;
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
    let question = Question::read(&params, PARAMETERS, &mut mistakes);
    let (request, _) = question.page(&app, &principal, &params, mistakes)?;
    ask(&app, Cost::Page, move |app| {
        let found = app.lookup.explain_page(&request)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let (page, explained) = found.value;
        let explain = ExplainJson::of(&request.filter, explained, page.rows.len());
        answer(&ExplanationJson { explain, as_of }, &token)
    })
    .await
}
