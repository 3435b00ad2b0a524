//! `backfill`: message files into the ledger, on the same path as Kafka.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Utc;
use domain::position::PartitionId;
use ledger::Counts;
use projector::file::{FileSource, Progress};
use projector::pipeline::Pipeline;
use projector::run::{Surroundings, run as project};

use crate::cli::BackfillArgs;
use crate::config::Config;
use crate::failure::Failure;
use crate::progress_bar::Bar;
use crate::stores::Stores;
use crate::telemetry;

#[expect(clippy::print_stdout, reason = "the last line of standard output is the result")]
pub(crate) fn run(args: BackfillArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("info");
    let config = Config::load(&args.store)?;
    // A mistyped name among several is told before anything is applied.
    args.files.iter().try_for_each(|file| FileSource::expect(file))?;
    let stores = Stores::open(&config)?;
    let mut pipeline = Pipeline::start(
        stores.writer,
        stores.reader.clone(),
        stores.place.clone(),
        config.index_limits(),
    )?;
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_interrupt(stop.clone());
    let mut sum = Counts::default();
    let mut read = Vec::new();
    for file in &args.files {
        let (counts, partition) = one(&mut pipeline, file, &config, &stop)?;
        sum.add(&counts);
        read.extend(partition);
        if stop.load(Ordering::Acquire) {
            return Err(Failure::Interrupted(
                "interrupted; what was applied is kept, run it again to go on".to_owned(),
            ));
        }
    }
    let mut writer = pipeline.into_writer();
    // Where to go on is of use as long as something is left. Given again, a file is judged again, as a topic is that is read again.
    for partition in &read {
        writer.forget_position(partition)?;
    }
    writer.checkpoint()?;
    drop(writer);
    println!("{}", result_line(&sum));
    Ok(ExitCode::SUCCESS)
}

/// The line that ends a backfill.
pub(crate) fn result_line(counts: &Counts) -> String {
    serde_json::json!({
        "read": counts.read(),
        "applied": counts.applied,
        "duplicate": counts.duplicate,
        "stale": counts.stale,
        "conflict": counts.conflict,
        "quarantined": counts.quarantined,
    })
    .to_string()
}

fn stop_on_interrupt(stop: Arc<AtomicBool>) {
    // Without a handler the process simply ends; what was committed stays.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    std::thread::spawn(move || {
        runtime.block_on(async { super::serve::shutdown().await });
        stop.store(true, Ordering::Release);
    });
}

/// Applies one file from where the ledger left it. Its partition is that of which the ledger holds a position.
pub(crate) fn one(
    pipeline: &mut Pipeline,
    file: &Path,
    config: &Config,
    stop: &Arc<AtomicBool>,
) -> Result<(Counts, Option<PartitionId>), Failure> {
    let progress = Arc::new(Progress::default());
    let mut bar = Bar::new("backfill", "bytes", None);
    let stop = stop.clone();
    let around = Surroundings {
        stop: Arc::new(move || stop.load(Ordering::Acquire)),
        now: Arc::new(Utc::now),
        limits: config.batch_limits(),
    };
    let mut partition = None;
    let counts = project(
        pipeline,
        &mut |positions| {
            let source = FileSource::open(file, positions, &progress)?;
            partition = Some(source.partition().clone());
            let applied_before = source.lines_already_applied();
            if applied_before > 0 {
                tracing::info!(file = %file.display(), lines = applied_before, "these lines were applied before and are skipped");
            }
            Ok(Box::new(source))
        },
        &around,
        false,
        &mut |_| bar.set(progress.bytes_read(), progress.bytes_total()),
    )?;
    bar.finish();
    Ok((counts, partition))
}
