//! `explain=true`: what an answer took to make, beside the answer.
//!
//! It tells how much lies around what the key sees, so keys of merchants may not ask it.

use lookup::{Explained, Source};
use query::Filter;
use serde::Serialize;
use serde_json::Value;

use crate::json::ast::ast;
use crate::keys::{Principal, Role};
use crate::page_params::flag;
use crate::params::{Mistakes, Params};
use crate::problem::{Problem, kinds};

/// Whether the answer is to be explained.
///
/// # Errors
/// 403 for a key of a merchant.
pub(crate) fn wanted(params: &Params, principal: &Principal, mistakes: &mut Mistakes) -> Result<bool, Problem> {
    let is_wanted = flag("explain", params, mistakes);
    if is_wanted && principal.role == Role::Merchant {
        let detail = "a key of role merchant may not ask for explain; leave it out";
        return Err(Problem::new(&kinds::FORBIDDEN, detail));
    }
    Ok(is_wanted)
}

#[derive(Serialize)]
pub(crate) struct ExplainJson {
    /// The question as it was understood.
    ast: Value,
    plan: PlanJson,
    /// Payments that were joined and checked.
    candidates: Option<u64>,
    rows_read: u64,
    rows_returned: u64,
    bytes_read: u64,
    stages: Vec<StageJson>,
}

#[derive(Serialize)]
struct PlanJson {
    source: &'static str,
    documents_covered: Option<u64>,
    payment_rows: u64,
    looks: Vec<LookJson>,
}

/// One question to the ledger's tables.
#[derive(Serialize)]
struct LookJson {
    tables: Vec<TableJson>,
    bytes_read: u64,
}

#[derive(Serialize)]
struct TableJson {
    table: String,
    rows_read: u64,
    rows_kept: u64,
}

#[derive(Serialize)]
struct StageJson {
    stage: &'static str,
    micros: u64,
}

impl ExplainJson {
    pub(crate) fn of(filter: &Filter, explained: Explained, rows_returned: usize) -> Self {
        let source = match explained.source {
            Source::Index => "index",
            Source::Payments => "payments",
            Source::Entries => "entries",
            Source::Rollups => "rollups",
        };
        let (payment_rows, payment_bytes) = explained.rows;
        let scanned = explained.looks.iter().flat_map(|look| &look.scans);
        let stages = explained.stages.into_iter().map(|(stage, elapsed)| StageJson {
            stage,
            micros: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        });
        ExplainJson {
            ast: ast(filter),
            candidates: explained.candidates,
            rows_read: payment_rows + scanned.map(|scan| scan.rows_read).sum::<u64>(),
            rows_returned: rows_returned as u64,
            bytes_read: payment_bytes + explained.looks.iter().map(|look| look.bytes_read).sum::<u64>(),
            stages: stages.collect(),
            plan: PlanJson {
                source,
                documents_covered: explained.documents_covered,
                payment_rows,
                looks: explained.looks.into_iter().map(LookJson::from).collect(),
            },
        }
    }
}

impl From<ledger::Look> for LookJson {
    fn from(look: ledger::Look) -> Self {
        let tables = look.scans.into_iter().map(|scan| TableJson {
            table: scan.table,
            rows_read: scan.rows_read,
            rows_kept: scan.rows_kept,
        });
        LookJson {
            tables: tables.collect(),
            bytes_read: look.bytes_read,
        }
    }
}
