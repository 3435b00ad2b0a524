//! `restore`: a backup as a new data directory.

use std::process::ExitCode;

use serde_json::json;

use crate::backup;
use crate::cli::BackupArgs;
use crate::commands::backup::tell;
use crate::config::Config;
use crate::failure::Failure;
use crate::telemetry;

#[expect(clippy::print_stdout, reason = "the result is printed")]
pub(crate) fn run(args: &BackupArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("info");
    let config = Config::load(&args.store)?;
    let manifest = backup::restore(&args.dir, &config.data_dir, &mut tell)?;
    tracing::info!("rows and search index are made again at the next start");
    println!(
        "{}",
        json!({ "as_of": manifest.as_of, "payments": manifest.payments, "made_at": manifest.made_at })
    );
    Ok(ExitCode::SUCCESS)
}
