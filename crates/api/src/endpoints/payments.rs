//! `GET /v1/payments`: payments that satisfy typed filters, as pages of JSON or all of them in another format.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use domain::derive::Payment;
use ledger::Order;
use lookup::{Page, PageRequest, StreamRequest};
use query::{Filter, ParamSet, filter_from_params};

use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::cursor::Binding;
use crate::explain::{self, ExplainJson};
use crate::export::format::vary;
use crate::export::{self, Accept, Export, Output, Rows, Stop, tables};
use crate::json::answer;
use crate::json::list::{List, TotalJson};
use crate::json::mask::Masking;
use crate::json::payment::{Cut, PaymentJson};
use crate::keys::Principal;
use crate::page_params;
use crate::params::{Mistakes, Params};
use crate::problem::Problem;

/// Filters, `q`, and what every list takes.
const PARAMETERS: ParamSet = ParamSet::PAYMENTS.with_others(&[
    "limit", "cursor", "order", "total", "explain", "format", "bom", "manifest", "wait_for",
]);

/// What cursors of payments are bound to besides the question.
const LIST: &str = "payments";

/// What a list of payments is asked for.
pub(super) struct Question {
    /// None if it has mistakes, which are noted then.
    filter: Option<Filter>,
    order: Order,
    limit: usize,
    total: bool,
}

impl Question {
    pub(super) fn read(params: &Params, set: ParamSet, mistakes: &mut Mistakes) -> Self {
        Question {
            filter: mistakes.take(filter_from_params(params.pairs(), set)),
            order: page_params::order(params, mistakes),
            limit: page_params::limit(params, mistakes),
            total: page_params::flag("total", params, mistakes),
        }
    }

    /// The page that is asked for, and what its cursors are bound to.
    ///
    /// # Errors
    /// The mistakes noted so far, or a cursor of another question.
    pub(super) fn page(
        self,
        app: &App,
        principal: &Principal,
        params: &Params,
        mistakes: Mistakes,
    ) -> Result<(PageRequest, Binding), Problem> {
        let binding = Binding::new(LIST, &principal.key_id, self.order, params);
        let after = page_params::cursor(params, mistakes, |sent| app.cursors.read_payment(&binding, sent))?;
        let request = PageRequest {
            scope: principal.scope.clone(),
            filter: self.filter.ok_or_else(Problem::internal)?,
            order: self.order,
            after,
            limit: self.limit,
            total_until: self.total.then(|| Instant::now() + app.limits.answer_within),
        };
        Ok((request, binding))
    }
}

pub(crate) async fn list_payments(
    State(app): State<Arc<App>>,
    principal: Principal,
    accept: Accept,
    params: Params,
) -> Result<Response, Problem> {
    answer_payments(app, principal, accept, params).await.map(vary)
}

/// Lists and searches of payments differ in nothing but their addresses.
pub(super) async fn answer_payments(
    app: Arc<App>,
    principal: Principal,
    accept: Accept,
    params: Params,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    let output = Output::read(&params, &accept, &mut mistakes)?;
    let question = Question::read(&params, PARAMETERS, &mut mistakes);
    let explain = explain::wanted(&params, &principal, &mut mistakes)?;
    if !output.is_json() {
        output.refuse_paging(&params, &mut mistakes);
        mistakes.finish()?;
        let request = StreamRequest {
            scope: principal.scope.clone(),
            filter: question.filter.ok_or_else(Problem::internal)?,
            order: question.order,
        };
        return export_payments(&app, principal, &params, output, request).await;
    }
    let (request, binding) = question.page(&app, &principal, &params, mistakes)?;
    ask(&app, Cost::Page, move |app| {
        let (found, explained) = match explain {
            true => app.lookup.explain_page(&request)?.split(),
            false => (app.lookup.page(&request)?, None),
        };
        let as_of = app.as_of(&found.head);
        let Page { rows, next, total } = found.value;
        let explain = explained.map(|explained| ExplainJson::of(&request.filter, explained, rows.len()));
        let cut = app.cut(&principal);
        // A row that the key may not see is no row, whatever the page says.
        let shown = rows
            .iter()
            .filter_map(|dossier| Payment::derive(dossier, &principal.scope));
        let token = as_of.token.clone();
        let list = List {
            data: shown.map(|payment| PaymentJson::of(&payment, &cut)).collect(),
            has_more: next.is_some(),
            next_cursor: next.map(|place| app.cursors.of_payment(&binding, &place)),
            total: total.as_ref().map(TotalJson::from),
            explain,
            as_of,
        };
        answer(&list, &token)
    })
    .await
}

/// All payments that satisfy the filter, in list order. `limit` does not apply.
async fn export_payments(
    app: &Arc<App>,
    principal: Principal,
    params: &Params,
    output: Output,
    request: StreamRequest,
) -> Result<Response, Problem> {
    let export = Export {
        name: "payments",
        path: "/v1/payments",
        output,
        table: tables::payments(principal.sees_provider_figures()),
    };
    let cut = app.cut(&principal);
    export::send(app, &principal, params, export, move |app, rows| {
        write_payments(app, &request, &cut, rows)
    })
    .await
}

fn write_payments(app: &App, request: &StreamRequest, cut: &Cut, rows: &mut Rows) -> Result<(), Stop> {
    let mut stream = app.lookup.stream(request)?;
    rows.start(app.as_of(stream.head()))?;
    while let Some(dossiers) = stream.next_payments()? {
        rows.look_around()?;
        for dossier in &dossiers {
            let Some(payment) = Payment::derive(dossier, &request.scope) else {
                continue;
            };
            let total = payment.record.map(|record| i128::from(record.amount.total));
            let figures = [total, payment.canceled_amount, payment.balance_amount];
            rows.row(&PaymentJson::of(&payment, cut), payment.currency, &figures)?;
        }
    }
    Ok(())
}

impl App {
    pub(super) fn cut(&self, principal: &Principal) -> Cut {
        Cut {
            now: self.lookup.now(),
            overdue_days: self.lookup.overdue_days(),
            provider_figures: principal.sees_provider_figures(),
            masking: Masking::Masked,
        }
    }
}
