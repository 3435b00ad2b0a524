//! `GET /v1/reports/sales`: payments and cancellations, added up.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::rollup::Basis;
use query::ParamSet;

use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::json::answer;
use crate::json::report::{ReportJson, SalesRowJson};
use crate::keys::Principal;
use crate::params::Params;
use crate::problem::Problem;
use crate::report_params::{self, source_name};
use crate::rows_url::RowsUrls;

const BASES: &[Basis] = &[Basis::EventDay, Basis::SaleDay];

pub(crate) async fn get_sales_report(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
) -> Result<Response, Problem> {
    let request = report_params::read(&params, ParamSet::SALES_REPORT, BASES)?;
    ask(&app, Cost::Report, move |app| {
        let found = app.lookup.report(&request, &principal.scope)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let urls = RowsUrls::new(&request, found.value.rows.len())?;
        let row = |row| SalesRowJson::of(row, &urls);
        let report = ReportJson {
            data: found.value.rows.iter().map(row).collect(),
            totals: found.value.totals.iter().map(row).collect(),
            orphans_left_out: found.value.orphans_left_out,
            source: source_name(request.source),
            as_of,
        };
        answer(&report, &token)
    })
    .await
}
