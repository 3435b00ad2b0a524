//! `bench`: what Ledgerlens does in a second, in a gigabyte and on a disk.
//!
//! A measurement is made from outside: the release binary runs as a process of its own, reads a real Kafka that was filled
//! before the clock started, and is asked over HTTP. Only [`parts`] calls the crates directly, because it measures what
//! each stage would do alone. All load comes from the seeded generator, so a figure can be had again.
//!
//! A table goes to standard output, and after it one last line of JSON; progress goes to standard error. README.md says
//! what each figure means.

#![allow(
    clippy::float_arithmetic,
    reason = "seconds, bytes and their ratios; no money is computed here"
)]

mod arguments;
mod asking;
mod compare;
mod disk;
mod feed;
mod fresh;
mod http;
mod ingest;
mod interrupt;
mod kafka;
mod kept;
mod latency;
mod machine;
mod marks;
mod pace;
mod parts;
mod process;
mod progress;
mod prometheus;
mod questions;
mod quick;
mod report;
mod restart;
mod rival;
mod sample;
mod scale;
mod server;
mod status;
mod sums;
mod vantage;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Bench, Command};
use crate::questions::Group;
use crate::report::Report;

/// The program's own allocator, so that the parts are measured on what they run on.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let bench = match Bench::try_parse() {
        Ok(bench) => bench,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    interrupt::watch();
    let report = match bench.command.unwrap_or_else(Command::quick) {
        Command::Quick(load) => quick::run(&load),
        Command::Ingest(load) => ingest::run("ingest", &load, &Group::ALL),
        Command::Lookup(load) => ingest::run("lookup", &load, &[Group::Lookup]),
        Command::Search(load) => ingest::run("search", &load, &[Group::Search, Group::List]),
        Command::Report(load) => ingest::run("report", &load, &[Group::Report]),
        Command::Parts(load) => parts::run(&load),
        Command::Fresh(load) => fresh::run(&load),
        Command::Start(load) => restart::run(&load),
        Command::Scale(load) => scale::run(&load),
        Command::Kept(load) => kept::run(&load),
        Command::Compare(load) => compare::run(&load),
    };
    finish(report)
}

fn finish(report: anyhow::Result<Report>) -> ExitCode {
    match report {
        Ok(report) => {
            report.print();
            ExitCode::from(u8::from(report.found_wrong()))
        }
        Err(error) => {
            progress::say(&format!("bench: {error:#}"));
            ExitCode::from(3)
        }
    }
}
