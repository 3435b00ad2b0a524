//! The `ledgerlens` binary: commands, configuration, wiring. The only place that knows every crate.

mod audited;
mod background;
mod backup;
mod cli;
mod commands;
mod config;
mod control;
mod failure;
mod ingest;
mod manifest;
mod operations;
mod progress_bar;
mod secret;
mod setting_names;
mod stores;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help and versions to stdout with code 0, mistakes to stderr; wrong use is 2.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            failure.report();
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    background::start_workers()?;
    match cli.command {
        Command::Serve(args) => commands::serve::run(args),
        Command::Demo(args) => commands::demo::run(args),
        Command::Generate(args) => commands::generate::run(args),
        Command::Backfill(args) => commands::backfill::run(args),
        Command::Check(args) => commands::check::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::RebuildIndex(args) => commands::rebuild_index::run(&args),
        Command::Backup(args) => commands::backup::run(&args),
        Command::Restore(args) => commands::restore::run(&args),
        Command::ForgetPosition(args) => commands::forget_position::run(&args),
        Command::Keys(args) => commands::keys::run(args),
        Command::Audit(args) => commands::audit::run(&args),
    }
}
