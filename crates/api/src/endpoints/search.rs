//! `GET` and `POST /v1/payments/search`: the same question as a list, made for the search language.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::payments::page_of_payments;
use crate::app::App;
use crate::keys::Principal;
use crate::params::{BodyParams, Params};
use crate::problem::Problem;

pub(crate) async fn search_payments(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
) -> Result<Response, Problem> {
    page_of_payments(app, principal, params).await
}

pub(crate) async fn post_search_payments(
    State(app): State<Arc<App>>,
    principal: Principal,
    BodyParams(params): BodyParams,
) -> Result<Response, Problem> {
    page_of_payments(app, principal, params).await
}
