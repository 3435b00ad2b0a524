//! `GET /v1/quarantine/{n}`: one row of quarantine, with the message as it was kept.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::response::Response;
use ledger::{QuarantineRow, Raw};

use crate::app::App;
use crate::as_of::LEDGER_AS_OF;
use crate::audit::Act;
use crate::blocking::{Cost, ask};
use crate::json::answer;
use crate::json::quarantine::{QuarantineJson, QuarantineRowJson, RawJson};
use crate::keys::{Principal, Role};
use crate::params::Params;
use crate::problem::{Problem, kinds};

pub(crate) async fn get_quarantine_row(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
    n: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&[], &mut mistakes);
    mistakes.finish()?;
    let n = number(n)?;
    ask(&app, Cost::Page, move |app| {
        let found = app.lookup.quarantine_row(n)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let Some((row, raw)) = found.value else {
            return Err(not_found(&token));
        };
        // What was kept may hold names and numbers in full, so it is for those who may unmask, and leaves a trace.
        let raw = match (principal.role, raw) {
            (Role::Operator, None) => entry_data(app, &row),
            (Role::Operator, raw) => raw,
            _ => None,
        };
        if raw.is_some() {
            app.record(&principal, Act::ReadRaw, &target(n), None)?;
        }
        let body = QuarantineRowJson {
            row: QuarantineJson::from(row),
            raw: RawJson::of(raw),
            as_of,
        };
        answer(&body, &token)
    })
    .await
}

/// Of a row about an entry what that says. A body that cannot be read leaves the row to be shown without it.
fn entry_data(app: &App, row: &QuarantineRow) -> Option<Raw> {
    let bytes = app.lookup.quarantined_entry(row).unwrap_or_else(|error| {
        tracing::error!(n = row.n, %error, "the entry of a row of quarantine cannot be read");
        None
    })?;
    Some(Raw {
        bytes,
        attributes: Vec::new(),
    })
}

/// The number of a row in an address.
pub(super) fn number(n: Result<Path<String>, PathRejection>) -> Result<u64, Problem> {
    let sent = n.map(|Path(sent)| sent).unwrap_or_default();
    let is_number = !sent.is_empty() && sent.bytes().all(|byte| byte.is_ascii_digit());
    let n = sent.parse().ok().filter(|n| is_number && i64::try_from(*n).is_ok());
    n.ok_or_else(no_row)
}

/// What the audit log calls a row.
pub(super) fn target(n: u64) -> String {
    format!("quarantine/{n}")
}

fn no_row() -> Problem {
    Problem::new(
        &kinds::QUARANTINE_ROW_NOT_FOUND,
        "quarantine has no row with this number",
    )
}

fn not_found(token: &str) -> Problem {
    match HeaderValue::from_str(token) {
        Ok(token) => no_row().header(LEDGER_AS_OF, token),
        Err(_) => no_row(),
    }
}
