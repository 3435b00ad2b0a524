//! `GET` and `POST /v1/payments/search`: the same question as a list, made for the search language.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::payments::answer_payments;
use crate::app::App;
use crate::export::Accept;
use crate::export::format::vary;
use crate::keys::Principal;
use crate::params::{BodyParams, Params};
use crate::problem::Problem;

pub(crate) async fn search_payments(
    State(app): State<Arc<App>>,
    principal: Principal,
    accept: Accept,
    params: Params,
) -> Result<Response, Problem> {
    answer_payments(app, principal, accept, params).await.map(vary)
}

pub(crate) async fn post_search_payments(
    State(app): State<Arc<App>>,
    principal: Principal,
    accept: Accept,
    BodyParams(params): BodyParams,
) -> Result<Response, Problem> {
    answer_payments(app, principal, accept, params).await.map(vary)
}
