//! `demo`: everything embedded, on seeded data that keeps flowing.
//!
//! The past (90 days and a thin tail of older payments) is written to a file and read through the file source. The
//! present trickles through an in-process Kafka broker with a real address, into which anyone can publish.

mod present;
mod tour;

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use api::keys::Role;
use chrono::{NaiveDate, Utc};
use generator::{Plan, Rate, Stream, write_file};
use projector::pipeline::Pipeline;
use rdkafka::mocking::MockCluster;

use crate::cli::DemoArgs;
use crate::commands::{backfill, keys, serve};
use crate::config::Config;
use crate::failure::{Failure, chain};
use crate::stores::Stores;
use crate::telemetry;
use present::Present;

/// Days of the dense past.
const DAYS: u32 = 90;

/// How far back the thin tail goes.
const TAIL_DAYS: u32 = 1_000;

pub(crate) fn run(args: DemoArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("warn");
    let started = Instant::now();
    let mut builder = tempfile::Builder::new();
    builder.prefix("ledgerlens-demo-");
    let dir = match &args.data_dir {
        Some(beside) => std::fs::create_dir_all(beside).and_then(|()| builder.tempdir_in(beside)),
        None => builder.tempdir(),
    };
    let dir = dir.map_err(|cause| Failure::Store(format!("no temporary directory can be made: {cause}")))?;
    let runtime = serve::runtime()?;
    let config = Config {
        data_dir: dir.path().join("data"),
        listen: args.listen.clone(),
        ..Config::read(args.config.as_ref())?
    };
    let listener = runtime.block_on(serve::bind(&config.listen))?;
    let address = listener
        .local_addr()
        .map_or_else(|_| config.listen.clone(), |address| address.to_string());
    say(&format!(
        "loading {} payments of {DAYS} days and a thin tail of older ones ...",
        args.payments
    ))?;
    let stores = load_past(&args, &config, dir.path())?;
    let cluster = MockCluster::new(1)
        .map_err(|cause| Failure::Store(format!("the in-process broker cannot be started: {cause}")))?;
    let mut config = config;
    for topic in config.topics() {
        cluster
            .create_topic(&topic, 2, 1)
            .map_err(|cause| Failure::Store(format!("the in-process broker has no topic {topic}: {cause}")))?;
    }
    config.kafka.brokers = Some(cluster.bootstrap_servers());
    let present = Present::start(args.seed, &cluster.bootstrap_servers(), config.topics())?;
    let service = serve::Service::with_stores(&config, stores)?;
    let store = keys::open(&config.data_dir)?;
    let example = tour::Example::find(&service.lookup)?;
    let mut printed = Vec::new();
    for role in Role::ALL {
        let merchants = if role == Role::Merchant {
            vec![example.merchant_id.clone()]
        } else {
            Vec::new()
        };
        let key = store
            .create(role, &merchants, Utc::now())
            .map_err(|error| Failure::Store(chain(&error)))?;
        printed.push((role, key.key));
    }
    say(&format!("\nIts data: --data-dir {}", config.data_dir.display()))?;
    say(&tour::text(
        &address,
        &cluster.bootstrap_servers(),
        &printed,
        &example,
        started.elapsed(),
    ))?;
    runtime.block_on(async { service.serve(listener, serve::shutdown()).await })?;
    drop(present);
    drop(cluster);
    dir.close()
        .map_err(|cause| Failure::Store(format!("the demo's data cannot be removed: {cause}")))?;
    say("\nThe demo has ended; its data is removed.")?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the past to a file and applies it.
fn load_past(args: &DemoArgs, config: &Config, dir: &Path) -> Result<Stores, Failure> {
    let file = dir.join("past.ndjson");
    let mut stream = Stream::new(past(args, present::today())).map_err(|error| Failure::usage(chain(&error)))?;
    write_file(&mut stream, &file, &mut |_| ControlFlow::Continue(()))
        .map_err(|error| Failure::Store(chain(&error)))?;
    let stores = Stores::open(config)?;
    let mut pipeline = Pipeline::start(
        stores.writer,
        stores.reader.clone(),
        stores.place.clone(),
        config.index_limits(),
    )?;
    backfill::one(&mut pipeline, &file, config, &Arc::new(AtomicBool::new(false)))?;
    // The service begins with its own pipeline on the same stores.
    Ok(Stores {
        writer: pipeline.into_writer(),
        ..stores
    })
}

fn past(args: &DemoArgs, today: NaiveDate) -> Plan {
    let plan = Plan {
        seed: args.seed,
        payments: args.payments,
        merchants: 200,
        days: DAYS,
        tail_days: TAIL_DAYS,
        tail: Rate::percent(3),
        duplicates: Rate::percent(1),
        conflicts: Rate::per_ten_thousand(5),
        orphans: Rate::per_ten_thousand(10),
        mismatches: Rate::per_ten_thousand(3),
        poison: Rate::per_ten_thousand(3),
        oversize: false,
        ..Plan::default()
    };
    plan.ending(today.pred_opt().unwrap_or(today))
}

/// The demo talks to a person: on standard output.
#[expect(clippy::print_stdout, reason = "the demo's text is its output")]
fn say(text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    println!("{text}");
    std::io::stdout()
        .flush()
        .map_err(|cause| Failure::usage(format!("standard output cannot be written: {cause}")))
}
