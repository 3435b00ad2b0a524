//! What commands do on the machine, on the audit log of the data directory.

use std::path::Path;

use api::audit::{Act, Actor, Audit};
use chrono::Utc;

use crate::failure::{Failure, chain};

/// Puts an act on the log. What was to be done must not be done where this fails.
pub(crate) fn record(data_dir: &Path, act: Act, target: &str) -> Result<(), Failure> {
    Audit::new(data_dir)
        .record(Utc::now(), Actor::COMMAND, act, target, None)
        .map_err(|error| Failure::Store(chain(&error)))
}
