//! `GET /v1/reports/payouts/{payout_id}`: what one bank transfer is made of.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::response::Response;
use domain::money::Currency;
use lookup::PayoutSums;
use serde::Serialize;

use super::payment::key_in_address;
use crate::app::App;
use crate::as_of::LEDGER_AS_OF;
use crate::blocking::{Cost, ask};
use crate::json::entry::EntryJson;
use crate::json::{AsOfJson, answer, money};
use crate::keys::Principal;
use crate::params::Params;
use crate::problem::{Problem, kinds};

#[derive(Serialize)]
struct PayoutJson<'a> {
    payout_id: &'a str,
    data: Vec<SumsJson<'a>>,
    lines: Vec<EntryJson<'a>>,
    as_of: AsOfJson,
}

#[derive(Serialize)]
struct SumsJson<'a> {
    currency: &'static str,
    gross: String,
    cancellations: String,
    fees: Vec<FeeJson<'a>>,
    vat: String,
    payout: String,
    residual: String,
}

#[derive(Serialize)]
struct FeeJson<'a> {
    r#type: &'a str,
    amount: String,
}

impl<'a> SumsJson<'a> {
    fn of(currency: Currency, sums: &'a PayoutSums) -> Self {
        let print = |minor: i128| money(minor, currency);
        let fees = sums.fees.iter().map(|(charge_type, amount)| FeeJson {
            r#type: charge_type,
            amount: print(*amount),
        });
        SumsJson {
            currency: currency.code(),
            gross: print(sums.gross),
            cancellations: print(sums.cancellations),
            fees: fees.collect(),
            vat: print(sums.vat),
            payout: print(sums.payout),
            residual: print(sums.residual()),
        }
    }
}

pub(crate) async fn get_payout_report(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
    payout_id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&[], &mut mistakes);
    mistakes.finish()?;
    let payout_id = key_in_address(payout_id)?;
    ask(&app, Cost::Report, move |app| {
        let found = app.lookup.payout(&payout_id, &principal.scope)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let Some(payout) = found.value else {
            return Err(not_found(&token));
        };
        let provider_figures = principal.sees_provider_figures();
        let line = |line| EntryJson::of(line, provider_figures);
        let body = PayoutJson {
            payout_id: &payout_id,
            data: payout
                .sums
                .values()
                .map(|(currency, sums)| SumsJson::of(*currency, sums))
                .collect(),
            lines: payout.lines.iter().map(line).collect(),
            as_of,
        };
        answer(&body, &token)
    })
    .await
}

fn not_found(token: &str) -> Problem {
    let problem = Problem::new(
        &kinds::PAYOUT_NOT_FOUND,
        "no settlement line that your key may see names this payout",
    );
    match HeaderValue::from_str(token) {
        Ok(token) => problem.header(LEDGER_AS_OF, token),
        Err(_) => problem,
    }
}
