//! `backup`: the ledger, the keys and the secrets, from a running server or without one.

use std::path::{Path, absolute};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::backup;
use crate::cli::BackupArgs;
use crate::config::Config;
use crate::control;
use crate::failure::Failure;
use crate::stores::Stores;
use crate::telemetry;

#[expect(clippy::print_stdout, reason = "the result is printed")]
pub(crate) fn run(args: &BackupArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("info");
    let config = Config::load(&args.store)?;
    let dir = absolute(&args.dir).map_err(|cause| Failure::usage(format!("{}: {cause}", args.dir.display())))?;
    let request = json!({ "command": "backup", "dir": dir });
    let result = match control::ask(&config.data_dir, &request, &mut tell)? {
        Some(result) => result,
        None => alone(&config, &dir)?,
    };
    println!("{result}");
    Ok(ExitCode::SUCCESS)
}

/// No server runs: the lock is ours.
fn alone(config: &Config, dir: &Path) -> Result<Value, Failure> {
    let stores = Stores::open_existing(config)?;
    backup::make(&stores.reader, dir, &mut tell)
}

/// Says which step is being done.
pub(crate) fn tell(progress: Value) {
    if let Some(stage) = progress["stage"].as_str() {
        tracing::info!("{stage}");
    }
}
