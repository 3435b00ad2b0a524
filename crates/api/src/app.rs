//! What handlers share. It holds readers only: the API never writes the ledger.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ledger::acts::Acts;
use lookup::Lookup;
use tokio_util::sync::CancellationToken;

use crate::audit::{Act, Actor, Audit};
use crate::blocking::Permits;
use crate::cursor::Cursors;
use crate::keys::{KeyStore, Principal};
use crate::problem::{Problem, kinds};
use crate::progress::Progress;
use crate::rate::{RateLimits, Rates};

/// How much may be asked at once, and how long an answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Single payments and states read at the same time. Each holds a thread for well under a millisecond.
    pub lookups_max: usize,
    /// Pages of lists and searches made at the same time.
    pub pages_max: usize,
    /// Reports added up at the same time: one may use all of DuckDB's threads.
    pub reports_max: usize,
    /// Requests that wait for the ledger to get somewhere at the same time. A waiting one costs its connection and a few
    /// hundred bytes.
    pub waits_max: usize,
    /// Exports written at the same time: each holds a thread and a snapshot of the stores for as long as it takes.
    pub exports_max: usize,
    /// How long an export may take altogether: the stores keep what its snapshot shows until it ends.
    pub export_within: Duration,
    /// How long an export waits for a client that takes nothing.
    pub export_stall: Duration,
    /// Bytes of the temporary files of one export as XLSX.
    pub export_temp_bytes_max: u64,
    /// Requests a second that one key may send.
    pub rates: Rates,
    /// How long a request waits for its turn before it is sent away with 503.
    pub queue_wait: Duration,
    /// How long an answer may take altogether.
    pub answer_within: Duration,
    /// `/readyz` is 503 while the ledger is further behind.
    pub ready_lag_ms_max: u64,
    /// Whether `/metrics` asks for a key of an operator.
    pub metrics_need_key: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            lookups_max: 32,
            pages_max: 8,
            reports_max: 2,
            waits_max: 1_000,
            exports_max: 2,
            export_within: Duration::from_secs(3600),
            export_stall: Duration::from_secs(60),
            export_temp_bytes_max: 4 << 30,
            rates: Rates::UNLIMITED,
            queue_wait: Duration::from_secs(5),
            answer_within: Duration::from_secs(30),
            ready_lag_ms_max: 10_000,
            metrics_need_key: false,
        }
    }
}

/// What an [`App`] is made of.
pub struct AppParts {
    pub lookup: Lookup,
    pub keys: KeyStore,
    pub audit: Audit,
    /// To the one writer.
    pub acts: Acts,
    pub progress: Arc<Progress>,
    /// Signs cursors. Cursors of another secret are refused, so it stays the same over restarts.
    pub cursor_secret: [u8; 32],
    /// The metrics in Prometheus' text format.
    pub metrics_render: Box<dyn Fn() -> String + Send + Sync>,
    pub limits: Limits,
}

/// The state behind all routes.
pub struct App {
    pub(crate) lookup: Lookup,
    pub(crate) keys: KeyStore,
    pub(crate) audit: Audit,
    pub(crate) acts: Acts,
    pub(crate) progress: Arc<Progress>,
    pub(crate) cursors: Cursors,
    pub(crate) metrics_render: Box<dyn Fn() -> String + Send + Sync>,
    pub(crate) limits: Limits,
    pub(crate) permits: Permits,
    pub(crate) rates: RateLimits,
    pub(crate) closing: CancellationToken,
}

impl App {
    pub fn new(parts: AppParts) -> Self {
        App {
            lookup: parts.lookup,
            keys: parts.keys,
            audit: parts.audit,
            acts: parts.acts,
            progress: parts.progress,
            cursors: Cursors::new(parts.cursor_secret),
            metrics_render: parts.metrics_render,
            permits: Permits::new(&parts.limits),
            rates: RateLimits::new(&parts.limits.rates),
            closing: CancellationToken::new(),
            limits: parts.limits,
        }
    }

    /// Where exports put their temporary files.
    pub(crate) fn export_dir(&self) -> PathBuf {
        self.lookup.data_dir().join("exports")
    }

    /// Breaks off what would keep a server from ending: exports that are being written. Others are short.
    pub fn close(&self) {
        self.closing.cancel();
    }

    pub fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// How many requests wait for the ledger now.
    pub fn waiting(&self) -> usize {
        self.limits.waits_max - self.permits.waits_left()
    }

    /// Puts something on the audit log. Blocks; what was to be shown or done must not be where it fails.
    pub(crate) fn record(
        &self,
        principal: &Principal,
        act: Act,
        target: &str,
        reason: Option<&str>,
    ) -> Result<(), Problem> {
        let actor = Actor::key(&principal.key_id, principal.role);
        self.audit
            .record(self.lookup.now(), actor, act, target, reason)
            .map_err(|error| {
                tracing::error!(error = %error, "the audit log could not be written");
                let detail = "the audit log could not be written, so nothing is shown and nothing was done";
                Problem::new(&kinds::AUDIT_UNAVAILABLE, detail).retry_after(10)
            })
    }
}
