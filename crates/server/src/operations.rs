//! What commands ask of a running server, apart from how they ask.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::audit::Act;
use ledger::{Generations, Reader};
use parking_lot::Mutex;
use projector::index_keeper::IndexDesk;
use projector::rebuild::{RebuildProgress, build};
use serde_json::{Value, json};

use crate::audited;
use crate::backup;
use crate::control::{Handlers, Progress};
use crate::failure::Failure;

/// Where ingestion, once it runs, says to whom a new index is handed.
pub(crate) type DeskSlot = Arc<Mutex<Option<IndexDesk>>>;

/// What the operations work with.
pub(crate) struct Operations {
    pub(crate) reader: Reader,
    pub(crate) index_dir: PathBuf,
    pub(crate) index_options: search::Options,
    pub(crate) desk: DeskSlot,
    /// One rebuild at a time.
    pub(crate) rebuild_turn: Mutex<()>,
    /// One backup at a time.
    pub(crate) backup_turn: Mutex<()>,
}

impl Operations {
    /// The handlers of the control socket.
    pub(crate) fn handlers(self: Arc<Self>) -> Handlers {
        let mut handlers = Handlers::new();
        let shared = self.clone();
        handlers.insert("ping", Box::new(|_, _| Ok(json!({ "pid": std::process::id() }))));
        handlers.insert(
            "rebuild-index",
            Box::new(move |_, progress| shared.rebuild_index(progress)),
        );
        handlers.insert(
            "backup",
            Box::new(move |request, progress| self.backup(request, progress)),
        );
        handlers
    }

    /// Makes the search index again while questions are answered from the one in use.
    fn rebuild_index(&self, progress: Progress<'_>) -> Result<Value, Failure> {
        let Some(_turn) = self.rebuild_turn.try_lock() else {
            return Err(Failure::usage("the search index is being made again already"));
        };
        let Some(desk) = self.desk.lock().clone() else {
            return Err(Failure::Store(
                "the search index is not open yet; try again in a moment".to_owned(),
            ));
        };
        audited::record(self.reader.data_dir(), Act::RebuildIndex, "index")?;
        let generations = Generations::new(&self.index_dir);
        let built = build(&self.reader, &generations, &self.index_options, &mut |now| {
            progress(progress_json(now));
        })?;
        let payments = built.payments;
        let reached = desk.hand_in(built)?;
        tracing::info!(payments, reached, "the search index was made again and is in use");
        Ok(json!({ "payments": payments, "batch": reached }))
    }

    /// Makes a backup while messages are applied and questions answered.
    fn backup(&self, request: &Value, progress: Progress<'_>) -> Result<Value, Failure> {
        let Some(_turn) = self.backup_turn.try_lock() else {
            return Err(Failure::usage("a backup is being made already"));
        };
        let Some(dir) = request["dir"].as_str() else {
            return Err(Failure::usage("the request names no directory"));
        };
        backup::make(&self.reader, Path::new(dir), progress)
    }
}

/// A rebuild's progress as the control socket says it.
fn progress_json(now: RebuildProgress) -> Value {
    json!({ "stage": now.stage, "done": now.done, "total": now.total })
}
