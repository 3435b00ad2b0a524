//! `rebuild-index`: the search index made again from the ledger, beside a running server or without one.

use std::process::ExitCode;

use api::audit::Act;
use projector::rebuild::{RebuildProgress, rebuild_index};
use serde_json::json;

use crate::audited;
use crate::cli::StoreArgs;
use crate::config::Config;
use crate::control;
use crate::failure::Failure;
use crate::progress_bar::Bar;
use crate::stores::Stores;
use crate::telemetry;

#[expect(clippy::print_stdout, reason = "the result is printed")]
pub(crate) fn run(args: &StoreArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("info");
    let config = Config::load(args)?;
    let mut bars = Bars::default();
    let request = json!({ "command": "rebuild-index" });
    let asked = control::ask(&config.data_dir, &request, &mut |told| {
        bars.show(
            told["stage"].as_str().unwrap_or_default(),
            told["done"].as_u64().unwrap_or_default(),
            told["total"].as_u64().unwrap_or_default(),
        );
    })?;
    let payments = match asked {
        Some(result) => result["payments"].as_u64().unwrap_or_default(),
        None => alone(&config, &mut bars)?,
    };
    bars.finish();
    println!("{payments} payments are in the search index");
    Ok(ExitCode::SUCCESS)
}

/// No server runs: the lock is ours.
fn alone(config: &Config, bars: &mut Bars) -> Result<u64, Failure> {
    let stores = Stores::open_existing(config)?;
    audited::record(stores.dir.path(), Act::RebuildIndex, "index")?;
    let limits = config.index_limits();
    let mut told = |now: RebuildProgress| bars.show(now.stage, now.done, now.total);
    Ok(rebuild_index(
        &stores.reader,
        &stores.place.dir,
        &limits.writer,
        &mut told,
    )?)
}

/// One bar for each stage.
#[derive(Default)]
struct Bars {
    open: Option<(&'static str, Bar)>,
}

impl Bars {
    fn show(&mut self, stage: &str, done: u64, total: u64) {
        let title = if stage == "compared" {
            "comparing the new index with the ledger"
        } else {
            "writing a new index"
        };
        if self.open.as_ref().is_none_or(|(open, _)| *open != title) {
            self.finish();
            self.open = Some((title, Bar::new(title, "payments", Some(total))));
        }
        if let Some((_, bar)) = &mut self.open {
            bar.set(done, Some(total));
        }
    }

    fn finish(&mut self) {
        if let Some((_, bar)) = self.open.take() {
            bar.finish();
        }
    }
}
