//! `GET /v1/quarantine`: what could not be applied, and why.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::decode::code;
use ledger::{Order, QuarantineFilter};
use query::nearest;

use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::cursor::Binding;
use crate::json::answer;
use crate::json::list::List;
use crate::json::quarantine::QuarantineJson;
use crate::keys::Principal;
use crate::page_params;
use crate::params::{Mistakes, Params};
use crate::problem::{Mistake, Problem, kinds};

const PARAMETERS: &[&str] = &["code", "payment_key", "open", "limit", "cursor"];

/// What cursors of quarantine are bound to besides the question.
const LIST: &str = "quarantine";

/// Codes that are no refusals of a message.
const OTHER_CODES: [&str; 3] = ["conflict", "merchant_mismatch", "currency_mismatch"];

/// Values of one repeated filter, as of the filters of payments.
const VALUES_MAX: usize = 1000;

pub(crate) async fn list_quarantine(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(PARAMETERS, &mut mistakes);
    let filter = filter(&params, &mut mistakes);
    let limit = page_params::limit(&params, &mut mistakes);
    let binding = Binding::new(LIST, &principal.key_id, Order::NewestFirst, &params);
    let before = page_params::cursor(&params, mistakes, |sent| app.cursors.read_number(&binding, sent))?;
    ask(&app, Cost::Page, move |app| {
        let found = app.lookup.quarantine(&filter, before, limit + 1)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let mut rows = found.value;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| row.n).filter(|_| has_more);
        let list = List::<_> {
            data: rows.into_iter().map(QuarantineJson::from).collect(),
            has_more,
            next_cursor: last.map(|n| app.cursors.of_number(&binding, n)),
            total: None,
            explain: None,
            as_of,
        };
        answer(&list, &token)
    })
    .await
}

/// Of the list, and of a replay of what it lists.
pub(super) fn filter(params: &Params, mistakes: &mut Mistakes) -> QuarantineFilter {
    let known: Vec<&'static str> = code::ALL.iter().copied().chain(OTHER_CODES).collect();
    for sent in params.all("code").filter(|sent| !known.contains(sent)) {
        let shown: String = sent.chars().take(64).collect();
        let mistake = Mistake::new("code", &kinds::UNKNOWN_VALUE, format!("there is no code {shown:?}"))
            .expected(format!("one of {}", known.join(", ")))
            .suggesting(nearest(sent, known.iter().copied()));
        mistakes.add(mistake);
    }
    let mut values = |name: &'static str| {
        let mut values: Vec<String> = params.all(name).map(str::to_owned).collect();
        values.sort_unstable();
        values.dedup();
        if values.len() > VALUES_MAX {
            let detail = format!("{name} takes at most {VALUES_MAX} different values");
            mistakes.add(Mistake::new(name, &kinds::TOO_MANY_VALUES, detail));
        }
        values
    };
    QuarantineFilter {
        codes: values("code"),
        payment_keys: values("payment_key"),
        open: is_true(params, "open", mistakes),
    }
}

/// A parameter that is `true` or `false`, if it was sent.
pub(super) fn is_true(params: &Params, name: &'static str, mistakes: &mut Mistakes) -> Option<bool> {
    match params.one(name, mistakes) {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => {
            let mistake = Mistake::new(name, &kinds::UNKNOWN_VALUE, format!("{name} is true or false"))
                .expected("one of true, false")
                .suggesting(nearest(other, ["true", "false"]));
            mistakes.add(mistake);
            None
        }
    }
}
