//! `GET /v1/reports/sales`: payments and cancellations, added up.

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
use crate::json::report::{ReportJson, SalesRowJson};
use crate::keys::Principal;
use crate::params::Params;
use crate::problem::Problem;
use crate::report_params::{self, ReportParams, source_name};
use crate::rows_url::RowsUrls;

const BASES: &[Basis] = &[Basis::EventDay, Basis::SaleDay];

pub(crate) async fn get_sales_report(
    State(app): State<Arc<App>>,
    principal: Principal,
    accept: Accept,
    params: Params,
) -> Result<Response, Problem> {
    let ReportParams {
        request,
        output,
        explain,
    } = report_params::read(&params, &accept, &principal, ParamSet::SALES_REPORT, BASES)?;
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
        let urls = RowsUrls::new(&request, found.value.rows.len())?;
        let row = |row| SalesRowJson::of(row, &urls);
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
    let export = Export {
        name: "sales",
        path: "/v1/reports/sales",
        output,
        table: tables::sales(&request.group_by),
    };
    let scope = principal.scope.clone();
    export::send(app, principal, params, export, move |app, rows| {
        write_report(app, request, &scope, rows, |rows, row, urls| {
            let sums = &row.measures;
            let figures = [
                sums.payment_count.into(),
                sums.payment_amount,
                sums.cancellation_count.into(),
                sums.cancellation_amount,
                sums.payment_amount - sums.cancellation_amount,
                sums.failed_count.into(),
            ];
            rows.row(&SalesRowJson::of(row, urls), Some(row.currency), &figures.map(Some))
        })
    })
    .await
}
