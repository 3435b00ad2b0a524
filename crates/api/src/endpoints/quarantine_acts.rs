//! What operators do to quarantine: `POST /v1/quarantine/{n}/replay`, `POST /v1/quarantine/{n}/close` and
//! `POST /v1/quarantine/replay`. The writer does it; here it is put on the audit log, handed over and waited for.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use ledger::acts::{Act, Acted};
use ledger::{Counts, ReplaySummary};
use serde::Serialize;

use super::quarantine::{filter, is_true};
use super::quarantine_row::{number, target};
use crate::app::App;
use crate::audit;
use crate::blocking::{Cost, ask};
use crate::json::quarantine::{QuarantineActJson, QuarantineJson};
use crate::json::{AsOfJson, answer};
use crate::keys::Principal;
use crate::params::{BodyParams, EmptyBody, Params};
use crate::problem::{Mistake, Problem, kinds};

const REPLAY_PARAMETERS: &[&str] = &["code", "payment_key", "open", "after", "dry_run"];

/// Characters of a reason: a sentence or two, not a document.
pub(super) const REASON_CHARS_MAX: usize = 500;

#[derive(Serialize)]
struct ReplayJson {
    dry_run: bool,
    matched: u64,
    counts: CountsJson,
    not_replayable: u64,
    /// To be sent as `after` for the next rows of the same filter; null where none are left.
    next_after: Option<u64>,
    as_of: AsOfJson,
}

#[derive(Serialize)]
struct CountsJson {
    applied: u64,
    duplicate: u64,
    stale: u64,
    conflict: u64,
    quarantined: u64,
}

impl From<Counts> for CountsJson {
    fn from(counts: Counts) -> Self {
        CountsJson {
            applied: counts.applied,
            duplicate: counts.duplicate,
            stale: counts.stale,
            conflict: counts.conflict,
            quarantined: counts.quarantined,
        }
    }
}

pub(crate) async fn replay_quarantine_row(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
    n: Result<Path<String>, PathRejection>,
    EmptyBody: EmptyBody,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&[], &mut mistakes);
    mistakes.finish()?;
    let n = number(n)?;
    record(&app, principal, audit::Act::Replay, target(n), None).await?;
    let verdict = match app.act(Act::Replay { n }).await? {
        Acted::Replayed(verdict) => Some(verdict.as_str()),
        Acted::ReplayedMatching(_) | Acted::Closed => None,
    };
    row_after(&app, n, verdict).await
}

pub(crate) async fn close_quarantine_row(
    State(app): State<Arc<App>>,
    principal: Principal,
    n: Result<Path<String>, PathRejection>,
    BodyParams(params): BodyParams,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&["reason"], &mut mistakes);
    let sent = params.one("reason", &mut mistakes);
    let reason = sent.map(str::trim).unwrap_or_default().to_owned();
    if sent.is_none() {
        let detail = "say why the row is closed";
        mistakes.add(Mistake::new("reason", &kinds::MISSING_PARAMETER, detail));
    } else if !is_reason(&reason) {
        mistakes.add(bad_reason("reason"));
    }
    mistakes.finish()?;
    let n = number(n)?;
    record(&app, principal, audit::Act::Close, target(n), Some(reason.clone())).await?;
    app.act(Act::Close { n, reason }).await?;
    row_after(&app, n, None).await
}

pub(crate) async fn replay_quarantine(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
    EmptyBody: EmptyBody,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(REPLAY_PARAMETERS, &mut mistakes);
    // Of what it selects nothing is replayed that is closed, or about entries, which are in the ledger.
    let filter = filter(&params, &mut mistakes);
    let dry_run = is_true(&params, "dry_run", &mut mistakes).unwrap_or(false);
    let after = match params.one("after", &mut mistakes).map(str::parse::<u32>) {
        None => 0,
        Some(Ok(after)) => u64::from(after),
        Some(Err(_)) => {
            let detail = "after is the next_after of an earlier answer";
            mistakes.add(Mistake::new("after", &kinds::BAD_VALUE, detail).expected("a whole number"));
            0
        }
    };
    mistakes.finish()?;
    if dry_run {
        return ask(&app, Cost::Report, move |app| {
            let found = app.lookup.try_replay(&filter, after)?;
            replayed(found.value, true, app.as_of(&found.head))
        })
        .await;
    }
    let target = params.address("quarantine");
    record(&app, principal, audit::Act::Replay, target, None).await?;
    let summary = match app.act(Act::ReplayMatching { filter, after }).await? {
        Acted::ReplayedMatching(summary) => summary,
        Acted::Replayed(_) | Acted::Closed => return Err(Problem::internal()),
    };
    ask(&app, Cost::Lookup, move |app| {
        let as_of = app.as_of_now()?;
        replayed(summary, false, as_of)
    })
    .await
}

/// Whether a text is a reason: not empty and not too long.
pub(super) fn is_reason(text: &str) -> bool {
    (1..=REASON_CHARS_MAX).contains(&text.trim().chars().count())
}

pub(super) fn bad_reason(name: &str) -> Mistake {
    let detail = format!("{name} is a reason of 1 to {REASON_CHARS_MAX} characters");
    Mistake::new(name, &kinds::BAD_VALUE, detail).expected("a sentence that others will understand later")
}

fn replayed(summary: ReplaySummary, dry_run: bool, as_of: AsOfJson) -> Result<Response, Problem> {
    let token = as_of.token.clone();
    let body = ReplayJson {
        dry_run,
        matched: summary.matched,
        counts: summary.counts.into(),
        not_replayable: summary.not_replayable,
        next_after: summary.next_after,
        as_of,
    };
    answer(&body, &token)
}

/// Before the act, so that nothing is ever done that is not on the log.
async fn record(
    app: &Arc<App>,
    principal: Principal,
    act: audit::Act,
    target: String,
    reason: Option<String>,
) -> Result<(), Problem> {
    ask(app, Cost::Lookup, move |app| {
        app.record(&principal, act, &target, reason.as_deref())
    })
    .await
}

/// The row as the act left it.
async fn row_after(app: &Arc<App>, n: u64, verdict: Option<&'static str>) -> Result<Response, Problem> {
    ask(app, Cost::Page, move |app| {
        let found = app.lookup.quarantine_row(n)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let (row, _) = found.value.ok_or_else(Problem::internal)?;
        let body = QuarantineActJson {
            row: QuarantineJson::from(row),
            verdict,
            as_of,
        };
        answer(&body, &token)
    })
    .await
}
