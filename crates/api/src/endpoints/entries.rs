//! `GET /v1/entries`: the unified ledger row by row.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::Order;
use lookup::{EntriesPage, EntriesRequest};
use query::{ParamSet, filter_from_params};

use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::cursor::Binding;
use crate::json::answer;
use crate::json::entry::{EntryJson, total_of};
use crate::json::list::List;
use crate::keys::Principal;
use crate::page_params;
use crate::params::Params;
use crate::problem::Problem;

const PARAMETERS: ParamSet = ParamSet::ENTRIES.with_others(&["limit", "cursor", "total", "wait_for"]);

/// What cursors of entries are bound to besides the question.
const LIST: &str = "entries";

pub(crate) async fn list_entries(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    let filter = mistakes.take(filter_from_params(params.pairs(), PARAMETERS));
    let limit = page_params::limit(&params, &mut mistakes);
    let total = page_params::total(&params, &mut mistakes);
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
        let found = app.lookup.entries(&request)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let provider_figures = principal.sees_provider_figures();
        let EntriesPage { rows, next, total } = found.value;
        let list = List {
            data: rows.iter().map(|row| EntryJson::of(row, provider_figures)).collect(),
            has_more: next.is_some(),
            next_cursor: next.map(|place| app.cursors.of_entry(&binding, &place)),
            total: total.map(|sums| total_of(&sums, provider_figures)),
            as_of,
        };
        answer(&list, &token)
    })
    .await
}
