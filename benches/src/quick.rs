//! `quick`: all of it at small size, to see that everything works and roughly where things stand.

use anyhow::Result;
use generator::Mix;

use crate::arguments::{Load, QuickLoad, StoreLoad};
use crate::ingest;
use crate::questions::Group;
use crate::report::Report;

pub(crate) fn run(load: &QuickLoad) -> Result<Report> {
    let store = StoreLoad {
        payments: load.payments,
        seed: 1,
        mix: Mix::Full,
        scratch: None,
    };
    let load = Load {
        store,
        seconds: 2,
        live_rate: 1_000,
        ceiling_payments: load.payments.min(20_000),
        verify: true,
    };
    ingest::run("quick", &load, &Group::ALL)
}
