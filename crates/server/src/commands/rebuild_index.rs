//! `rebuild-index`: the search index made again from the ledger.

use std::process::ExitCode;

use crate::cli::StoreArgs;
use crate::config::Config;
use crate::failure::Failure;
use crate::progress_bar::Bar;
use crate::stores::Stores;
use crate::telemetry;

#[expect(clippy::print_stdout, reason = "the result is printed")]
pub(crate) fn run(args: &StoreArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("info");
    let config = Config::load(args)?;
    let stores = Stores::open(&config)?;
    let total = stores.reader.status()?.payments;
    let mut bar = Bar::new("rebuild-index", "payments", Some(total));
    let limits = config.index_limits();
    let payments = projector::rebuild_index(&stores.reader, &stores.place.dir, &limits.writer, &mut |done| {
        bar.set(done, Some(total));
    })?;
    bar.finish();
    println!("{payments} payments are in the search index");
    Ok(ExitCode::SUCCESS)
}
