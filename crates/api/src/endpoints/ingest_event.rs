//! `GET /v1/ingest/events/{id}`: what became of one message, by the id of its event.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::response::Response;
use domain::time::format_time;
use ledger::{Delivery, EventFound};
use serde::Serialize;

use crate::app::App;
use crate::as_of::LEDGER_AS_OF;
use crate::blocking::{Cost, ask};
use crate::json::position::PositionJson;
use crate::json::quarantine::QuarantineJson;
use crate::json::{AsOfJson, answer};
use crate::keys::Principal;
use crate::params::Params;
use crate::problem::{Mistake, Problem, kinds};

#[derive(Serialize)]
struct EventJson {
    id: String,
    /// Its deliveries, the newest first.
    data: Vec<DeliveryJson>,
    as_of: AsOfJson,
}

#[derive(Serialize)]
struct DeliveryJson {
    source: Option<String>,
    position: Option<PositionJson>,
    verdict: &'static str,
    applied_at: String,
    payment_key: Option<String>,
    /// Of an accepted message.
    kind: Option<&'static str>,
    entry_id: Option<String>,
    version: Option<u64>,
    /// Of a refused one: its row.
    quarantine: Option<QuarantineJson>,
}

impl From<Delivery> for DeliveryJson {
    fn from(delivery: Delivery) -> Self {
        let (kind, entry_id) = delivery
            .entry
            .map(|entry| (entry.kind.as_str(), entry.entry_id))
            .unzip();
        DeliveryJson {
            source: delivery.source,
            position: delivery
                .place
                .map(|(partition, position)| PositionJson::of(partition, position)),
            verdict: delivery.verdict.as_str(),
            applied_at: format_time(delivery.applied_at),
            payment_key: delivery.payment_key,
            kind,
            entry_id,
            version: delivery.version,
            quarantine: delivery.quarantine.map(QuarantineJson::from),
        }
    }
}

pub(crate) async fn get_ingest_event(
    State(app): State<Arc<App>>,
    _principal: Principal,
    params: Params,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&["source"], &mut mistakes);
    let source = params.one("source", &mut mistakes).map(str::to_owned);
    mistakes.finish()?;
    let Path(id) = id.map_err(|_| {
        let detail = "the id in the address is not percent-encoded UTF-8";
        Problem::new(&kinds::BAD_ENCODING, detail)
    })?;
    ask(&app, Cost::Page, move |app| {
        let found = app.lookup.event(&id, source.as_deref())?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        match found.value {
            EventFound::Deliveries(deliveries) => {
                let data = deliveries.into_iter().map(DeliveryJson::from).collect();
                answer(&EventJson { id, data, as_of }, &token)
            }
            EventFound::Ambiguous(sources) => Err(ambiguous(&sources)),
            EventFound::NotKept => Err(not_there(
                &kinds::EVENT_NOT_KEPT,
                "the event came, before the messages of which it is kept what became of them",
                &token,
            )),
            EventFound::NotSeen => Err(not_there(
                &kinds::EVENT_NOT_SEEN,
                "no message of this event has come yet",
                &token,
            )),
        }
    })
    .await
}

fn ambiguous(sources: &[String]) -> Problem {
    let detail = "several services published an event with this id; say which one with source";
    let mistake = Mistake::new("source", &kinds::AMBIGUOUS_EVENT, detail)
        .expected(format!("one of {}", sources.join(", ")))
        .suggesting(sources.first().map(String::as_str));
    Problem::of_mistakes(vec![mistake])
}

fn not_there(kind: &'static kinds::Kind, detail: &str, token: &str) -> Problem {
    let problem = Problem::new(kind, detail);
    match HeaderValue::from_str(token) {
        Ok(token) => problem.header(LEDGER_AS_OF, token),
        Err(_) => problem,
    }
}
