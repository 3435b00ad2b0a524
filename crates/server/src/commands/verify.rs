//! `verify`: everything that is derived, recomputed.

use std::process::ExitCode;

use projector::pipeline::Pipeline;

use crate::cli::StoreArgs;
use crate::config::Config;
use crate::failure::Failure;
use crate::progress_bar::Bar;
use crate::stores::Stores;
use crate::telemetry;

#[expect(clippy::print_stdout, reason = "differences are printed")]
pub(crate) fn run(args: &StoreArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("info");
    let config = Config::load(args)?;
    let stores = Stores::open_existing(&config)?;
    // Starting the pipeline brings the index to the ledger's position, as a server's start would.
    let pipeline = Pipeline::start(
        stores.writer,
        stores.reader.clone(),
        stores.place.clone(),
        config.index_limits(),
    )?;
    let mut bar = Bar::new("verify", "payments", None);
    let verified = projector::verify::verify(&stores.reader, &stores.place, &mut |done, total| {
        bar.set(done, Some(total))
    })?;
    bar.finish();
    drop(pipeline);
    for difference in &verified.differences {
        println!("{}\t{}\t{}", difference.store, difference.about, difference.detail);
    }
    let summary = format!(
        "{} payments and {} cells checked, {} differences",
        verified.payments,
        verified.cells,
        verified.differences.len()
    );
    if !verified.differences.is_empty() {
        return Err(Failure::Data(summary));
    }
    println!("{summary}");
    Ok(ExitCode::SUCCESS)
}
