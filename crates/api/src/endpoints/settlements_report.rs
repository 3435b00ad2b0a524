//! `GET /v1/reports/settlements`: settlement lines, added up.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::rollup::Basis;
use ledger::reports::ReportRequest;
use query::ParamSet;

use super::report_export::write_report;
use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::explain::ExplainJson;
use crate::export::format::vary;
use crate::export::{self, Accept, Export, Output, tables};
use crate::json::answer;
use crate::json::report::{ReportJson, SettlementsRowJson};
use crate::keys::Principal;
use crate::params::Params;
use crate::problem::Problem;
use crate::report_params::{self, ReportParams, source_name};
use crate::rows_url::RowsUrls;

const BASES: &[Basis] = &[Basis::SoldOn, Basis::PaidOutOn];

pub(crate) async fn get_settlements_report(
    State(app): State<Arc<App>>,
    principal: Principal,
    accept: Accept,
    params: Params,
) -> Result<Response, Problem> {
    let ReportParams {
        request,
        output,
        explain,
    } = report_params::read(&params, &accept, &principal, ParamSet::SETTLEMENTS_REPORT, BASES)?;
    if !output.is_json() {
        return export_report(&app, &principal, &params, output, request)
            .await
            .map(vary);
    }
    ask(&app, Cost::Report, move |app| {
        let (found, explained) = match explain {
            Some(_) => app.lookup.explain_report(&request, &principal.scope)?.split(),
            None => (app.lookup.report(&request, &principal.scope)?, None),
        };
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let shows_provider = principal.sees_provider_figures();
        let urls = RowsUrls::new(&request, found.value.rows.len())?;
        let row = |row| SettlementsRowJson::of(row, shows_provider, &urls);
        let report = ReportJson {
            data: found.value.rows.iter().map(row).collect(),
            totals: found.value.totals.iter().map(row).collect(),
            orphans_left_out: found.value.orphans_left_out,
            source: source_name(request.source),
            explain: explain
                .zip(explained)
                .map(|(filter, explained)| ExplainJson::of(&filter, explained, found.value.rows.len())),
            as_of,
        };
        answer(&report, &token)
    })
    .await
    .map(vary)
}

async fn export_report(
    app: &Arc<App>,
    principal: &Principal,
    params: &Params,
    output: Output,
    request: ReportRequest,
) -> Result<Response, Problem> {
    let shows_provider = principal.sees_provider_figures();
    let export = Export {
        name: "settlements",
        path: "/v1/reports/settlements",
        output,
        table: tables::settlements(&request.group_by, shows_provider),
    };
    let scope = principal.scope.clone();
    export::send(app, principal, params, export, move |app, rows| {
        write_report(app, request, &scope, rows, |rows, row, urls| {
            let sums = &row.measures;
            let figures = [
                sums.settlement_count.into(),
                sums.gross,
                sums.fee,
                sums.vat,
                sums.payout,
                sums.cost,
                sums.fee - sums.cost,
            ];
            // The table has sums for as many of them as the key sees.
            let seen = if shows_provider { 7 } else { 5 };
            let printed = SettlementsRowJson::of(row, shows_provider, urls);
            rows.row(&printed, Some(row.currency), &figures.map(Some)[..seen])
        })
    })
    .await
}
