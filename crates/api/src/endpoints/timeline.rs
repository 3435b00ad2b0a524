//! `GET /v1/payments/{payment_key}/timeline`: every message of one payment.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;

use super::payment::{key_in_address, not_found};
use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::json::timeline::MomentJson;
use crate::json::{AsOfJson, answer};
use crate::keys::Principal;
use crate::params::Params;
use crate::problem::Problem;

#[derive(Serialize)]
struct TimelineJson<'a> {
    data: Vec<MomentJson<'a>>,
    as_of: AsOfJson,
}

pub(crate) async fn get_timeline(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
    payment_key: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&[], &mut mistakes);
    mistakes.finish()?;
    let payment_key = key_in_address(payment_key)?;
    ask(&app, Cost::Page, move |app| {
        let found = app.lookup.timeline(&payment_key, &principal.scope)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let Some(timeline) = found.value else {
            return Err(not_found(&token));
        };
        let sees_all = principal.sees_provider_figures();
        let body = TimelineJson {
            data: timeline
                .moments
                .iter()
                .map(|moment| MomentJson::of(moment, sees_all))
                .collect(),
            as_of,
        };
        answer(&body, &token)
    })
    .await
}
