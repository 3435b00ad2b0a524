//! `generate`: a seeded stream of messages.

use std::fs;
use std::ops::ControlFlow;
use std::process::ExitCode;

use generator::kafka::{Target, produce};
use generator::{Plan, Progress, Stream, write_file, write_ndjson};

use crate::cli::GenerateArgs;
use crate::config::Config;
use crate::failure::{Failure, chain};
use crate::progress_bar::Bar;
use crate::telemetry;

pub(crate) fn run(args: Box<GenerateArgs>) -> Result<ExitCode, Failure> {
    telemetry::start_logs("info");
    let plan = plan(&args);
    plan.validate().map_err(|error| Failure::usage(chain(&error)))?;
    let stream = if args.expect.is_some() {
        Stream::with_expect(plan)
    } else {
        Stream::new(plan)
    };
    let mut stream = stream.map_err(|error| Failure::usage(chain(&error)))?;
    let mut bar = Bar::new("generate", "payments", Some(args.payments));
    let mut on_progress = |progress: Progress| {
        bar.set(progress.payments, Some(progress.payments_planned));
        ControlFlow::Continue(())
    };
    let done = match (&args.kafka, &args.out) {
        (Some(brokers), _) => {
            let topics = Config::read(args.config.as_ref())?.topics();
            let target = Target {
                topics,
                rate: args.rate,
                ..Target::new(brokers)
            };
            produce(&mut stream, &target, &mut on_progress).map_err(|error| Failure::usage(chain(&error)))?
        }
        (None, Some(out)) if out.as_os_str() == "-" => {
            write_ndjson(&mut stream, &mut std::io::stdout().lock(), &mut on_progress)
                .map_err(|cause| Failure::usage(format!("standard output cannot be written: {cause}")))?
        }
        (None, Some(out)) => {
            write_file(&mut stream, out, &mut on_progress).map_err(|error| Failure::usage(chain(&error)))?
        }
        (None, None) => return Err(Failure::usage("say where to: --out FILE or --kafka BROKERS")),
    };
    bar.finish();
    tracing::info!(
        messages = done.messages,
        bytes = done.bytes,
        payments = done.payments,
        "generated"
    );
    if let (Some(path), Some(expect)) = (&args.expect, stream.into_expect()) {
        let text = serde_json::to_string_pretty(&expect)
            .map_err(|cause| Failure::usage(format!("the ground truth cannot be written: {cause}")))?;
        fs::write(path, text)
            .map_err(|cause| Failure::usage(format!("{} cannot be written: {cause}", path.display())))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn plan(args: &GenerateArgs) -> Plan {
    let mut plan = Plan {
        seed: args.seed,
        payments: args.payments,
        merchants: args.merchants,
        mix: args.mix,
        days: args.days,
        zone: args.zone,
        cancellations: args.cancellations,
        late: args.late,
        duplicates: args.duplicates,
        disorder: args.disorder,
        conflicts: args.conflicts,
        orphans: args.orphans,
        tombstones: args.tombstones,
        mismatches: args.mismatches,
        poison: args.poison,
        ..Plan::default()
    };
    let default_end = Plan::default();
    let last = default_end.start + chrono::Days::new(u64::from(default_end.days) - 1);
    plan = plan.ending(args.until.unwrap_or(last));
    if args.hostile {
        plan = plan.hostile();
    }
    // A broker refuses messages over its own limit, 1 MiB by default.
    plan.oversize = args.kafka.is_none();
    plan
}
