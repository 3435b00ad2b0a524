//! `GET /v1/entries`: the unified ledger row by row, as pages of JSON or all of it in another format.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::Order;
use lookup::{EntriesPage, EntriesRequest};
use query::{Filter, ParamSet, filter_from_params};

use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::cursor::Binding;
use crate::explain::{self, ExplainJson};
use crate::export::format::vary;
use crate::export::{self, Accept, Export, Output, tables};
use crate::json::answer;
use crate::json::entry::{EntryJson, total_of};
use crate::json::list::List;
use crate::keys::Principal;
use crate::page_params;
use crate::params::Params;
use crate::problem::Problem;

const PARAMETERS: ParamSet = ParamSet::ENTRIES.with_others(&[
    "limit", "cursor", "total", "explain", "format", "bom", "manifest", "wait_for",
]);

/// What cursors of entries are bound to besides the question.
const LIST: &str = "entries";

pub(crate) async fn list_entries(
    State(app): State<Arc<App>>,
    principal: Principal,
    accept: Accept,
    params: Params,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    let output = Output::read(&params, &accept, &mut mistakes)?;
    let filter = mistakes.take(filter_from_params(params.pairs(), PARAMETERS));
    let limit = page_params::limit(&params, &mut mistakes);
    let total = page_params::flag("total", &params, &mut mistakes);
    let explain = explain::wanted(&params, &principal, &mut mistakes)?;
    if !output.is_json() {
        output.refuse_paging(&params, &mut mistakes);
        mistakes.finish()?;
        let filter = filter.ok_or_else(Problem::internal)?;
        return export_entries(&app, &principal, &params, output, filter)
            .await
            .map(vary);
    }
    let binding = Binding::new(LIST, &principal.key_id, Order::OldestFirst, &params);
    let after = page_params::cursor(&params, mistakes, |sent| app.cursors.read_entry(&binding, sent))?;
    let filter = filter.ok_or_else(Problem::internal)?;
    ask(&app, Cost::Page, move |app| {
        let request = EntriesRequest {
            scope: principal.scope.clone(),
            filter,
            after,
            limit,
            total,
        };
        let (found, explained) = match explain {
            true => app.lookup.explain_entries(&request)?.split(),
            false => (app.lookup.entries(&request)?, None),
        };
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let provider_figures = principal.sees_provider_figures();
        let EntriesPage { rows, next, total } = found.value;
        let explain = explained.map(|explained| ExplainJson::of(&request.filter, explained, rows.len()));
        let list = List {
            data: rows.iter().map(|row| EntryJson::of(row, provider_figures)).collect(),
            has_more: next.is_some(),
            next_cursor: next.map(|place| app.cursors.of_entry(&binding, &place)),
            total: total.map(|sums| total_of(&sums, provider_figures)),
            explain,
            as_of,
        };
        answer(&list, &token)
    })
    .await
    .map(vary)
}

/// All entries that satisfy the filter, in list order. `limit` does not apply.
async fn export_entries(
    app: &Arc<App>,
    principal: &Principal,
    params: &Params,
    output: Output,
    filter: Filter,
) -> Result<Response, Problem> {
    let provider_figures = principal.sees_provider_figures();
    let export = Export {
        name: "entries",
        path: "/v1/entries",
        output,
        table: tables::entries(provider_figures),
    };
    let scope = principal.scope.clone();
    export::send(app, principal, params, export, move |app, rows| {
        let mut stream = app.lookup.entries_stream(&filter, &scope)?;
        rows.start(app.as_of(stream.head()))?;
        for entry in stream.rows()? {
            let entry = entry?;
            let row = &entry.row;
            let money = i128::from;
            let figures = [money(row.amount), row.fee, money(row.vat), money(row.payout), row.cost].map(Some);
            // The table has sums for as many of them as the key sees.
            let seen = if provider_figures { 5 } else { 4 };
            let printed = EntryJson::of(&entry, provider_figures);
            rows.row(&printed, Some(row.currency), &figures[..seen])?;
        }
        Ok(())
    })
    .await
}
