//! Rows in formats other than JSON: without a limit, at one position of the ledger, in memory that does not grow.
//!
//! An export is made of three things. A [`Table`] says which scalar members a row has and which of them are added up. A
//! *producer* on a thread of its own takes a snapshot, names its position ([`Rows::start`]) and hands over row after row
//! ([`Rows::row`]). [`Rows`] prints each row once as a line of JSON, counts, sums and hashes it, and gives it to the
//! format, which writes into the [`body`] of the response.
//!
//! The body is a channel of a few chunks: where the client reads slowly, the producer waits; where the client is gone,
//! takes nothing for too long, or the whole takes too long, it stops. Once the first byte is out, an export cannot say
//! what went wrong, so it breaks the transfer off; one that has ended well has its manifest.
//!
//! To add an export: a table, and a handler that calls [`send`] with a producer. Rows are printed from the same structs
//! as the pages of JSON, so scope, masking and figures that only some readers see are the same by construction.

pub(crate) mod body;
mod csv;
pub(crate) mod format;
mod manifest;
mod ndjson;
mod parquet;
mod rows;
pub(crate) mod table;
pub(crate) mod tables;
mod xlsx;

use std::sync::Arc;
use std::time::Instant;

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use tokio::sync::oneshot;

use crate::app::App;
use crate::as_of::with_token;
use crate::audit::Act;
use crate::blocking::{Cost, turn};
use crate::keys::Principal;
use crate::params::Params;
use crate::problem::Problem;

pub(crate) use body::Stop;
pub(crate) use format::{Accept, Format, Output};
pub(crate) use rows::Rows;
pub(crate) use table::Table;

/// What is exported.
pub(crate) struct Export {
    /// Names the file that a browser saves.
    pub(crate) name: &'static str,
    /// The address that it is asked at, for the audit log.
    pub(crate) path: &'static str,
    pub(crate) output: Output,
    pub(crate) table: Table,
}

/// Answers with the rows that `produce` hands over. `params` are printed in the manifest. It is on the audit log before
/// anything of it leaves.
///
/// # Errors
/// 429 and 503 where the key or the service is busy with exports, 503 where the audit log cannot be written, and whatever the producer fails with before it names
/// its position.
pub(crate) async fn send(
    app: &Arc<App>,
    principal: &Principal,
    params: &Params,
    export: Export,
    produce: impl FnOnce(&App, &mut Rows) -> Result<(), Stop> + Send + 'static,
) -> Result<Response, Problem> {
    let admitted = app.rates.admit(&principal.key_id, Cost::Export)?;
    let turn = turn(app, Cost::Export).await?;
    let (format, name) = (export.output.format, export.name);
    let (asking, target) = (principal.clone(), params.address(export.path));
    let (announce, announced) = oneshot::channel();
    let (gate, body) = body::open(&app.limits, app.closing.clone());
    let mut rows = Rows::new(export, params, gate, announce, app.export_dir());
    let (shared, span) = (app.clone(), tracing::Span::current());
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        span.in_scope(|| {
            let began = Instant::now();
            let recorded = shared.record(&asking, Act::Export, &target, None);
            let outcome = recorded
                .map_err(Stop::from)
                .and_then(|()| produce(&shared, &mut rows))
                .and_then(|()| rows.finish());
            rows.close(outcome, began);
        });
    });
    // The sender is gone without a word only where the producer panicked, which the runtime has printed.
    let token = announced.await.unwrap_or_else(|_| Err(Problem::internal()))?;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    let file = format!("attachment; filename=\"{name}.{}\"", format.as_str());
    if let (true, Ok(file)) = (format != Format::Ndjson, HeaderValue::from_str(&file)) {
        headers.insert(CONTENT_DISPOSITION, file);
    }
    admitted.write_to(headers);
    Ok(with_token(response, &token))
}
