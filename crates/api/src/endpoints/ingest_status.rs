//! `GET /v1/ingest/status`: how far ingestion is and what became of the messages so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::position::PartitionId;
use ledger::Status;
use serde::Serialize;

use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::json::{AsOfJson, answer};
use crate::keys::Principal;
use crate::params::Params;
use crate::problem::Problem;
use crate::progress::Progress;

#[derive(Serialize)]
struct StatusJson {
    counts: CountsJson,
    /// Messages without a value.
    nulls: u64,
    payments: u64,
    partitions: Vec<PartitionJson>,
    /// Files that were read, wholly or in part.
    files: usize,
    /// What keeps all input from being read or applied.
    problem: Option<String>,
    ledger: StoreJson,
    index: IndexJson,
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

#[derive(Debug, PartialEq, Eq, Serialize)]
struct PartitionJson {
    topic: String,
    partition: i32,
    /// The next offset to apply.
    applied: u64,
    /// The next offset that the broker will give; null while it has not been asked.
    end: Option<u64>,
    lag: Option<u64>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct StoreJson {
    batch: u64,
    bytes: u64,
    row_bytes: u64,
}

#[derive(Serialize)]
struct IndexJson {
    /// The ledger's batch that the index has reached; null while it is being made.
    batch: Option<u64>,
    batches_behind: Option<u64>,
}

pub(crate) async fn get_ingest_status(
    State(app): State<Arc<App>>,
    _principal: Principal,
    params: Params,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&[], &mut mistakes);
    mistakes.finish()?;
    ask(&app, Cost::Page, |app| {
        let status = app.lookup.status()?;
        let index_batch = app.lookup.index_batch();
        let as_of = app.as_of(&status.head);
        let token = as_of.token.clone();
        let files = status
            .positions
            .iter()
            .filter(|(id, _)| matches!(id, PartitionId::File { .. }))
            .count();
        let body = StatusJson {
            counts: CountsJson {
                applied: status.counts.applied,
                duplicate: status.counts.duplicate,
                stale: status.counts.stale,
                conflict: status.counts.conflict,
                quarantined: status.counts.quarantined,
            },
            nulls: status.nulls,
            payments: status.payments,
            partitions: partitions(&status, &app.progress),
            files,
            problem: app.progress.store_problem().or_else(|| app.progress.source_problem()),
            ledger: StoreJson {
                batch: status.head.batch_no,
                bytes: status.ledger_bytes,
                row_bytes: status.row_bytes,
            },
            index: IndexJson {
                batch: index_batch,
                batches_behind: index_batch.map(|reached| status.head.batch_no.saturating_sub(reached)),
            },
            as_of,
        };
        answer(&body, &token)
    })
    .await
}

/// What the ledger has applied of each partition, and what the source says of its end. A partition that one of the two
/// does not know (a topic no longer read, a partition with nothing applied yet) is there as well.
fn partitions(status: &Status, progress: &Progress) -> Vec<PartitionJson> {
    let mut found: BTreeMap<(String, i32), PartitionJson> = BTreeMap::new();
    for (id, next) in &status.positions {
        if let PartitionId::Kafka { topic, partition } = id {
            let (topic, partition) = (topic.clone(), *partition);
            let known = PartitionJson {
                topic: topic.clone(),
                partition,
                applied: *next,
                end: None,
                lag: None,
                problem: None,
            };
            found.insert((topic, partition), known);
        }
    }
    for told in progress.partitions() {
        let place = (told.topic.clone(), told.partition);
        let known = found.entry(place).or_insert_with(|| PartitionJson {
            topic: told.topic,
            partition: told.partition,
            applied: told.applied,
            end: None,
            lag: None,
            problem: None,
        });
        known.end = told.end;
        known.lag = told.end.map(|end| end.saturating_sub(known.applied));
        known.problem = told.problem;
    }
    found.into_values().collect()
}
