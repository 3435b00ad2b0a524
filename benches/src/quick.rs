//! `quick`: all of it at small size, to see that everything works and roughly where things stand.

use std::time::Duration;

use anyhow::Result;
use generator::Mix;

use crate::arguments::{CompareLoad, LiveLoad, Load, QuickLoad, ScaleLoad, StoreLoad, Through};
use crate::progress::say;
use crate::questions::Group;
use crate::report::Report;
use crate::{compare, fresh, ingest, restart, rival, scale};

const LIVE_RATE: u64 = 1_000;

pub(crate) fn run(load: &QuickLoad) -> Result<Report> {
    let store = |mix| StoreLoad {
        payments: load.payments,
        seed: 1,
        mix,
        scratch: None,
    };
    let scale = |mix, through, verify| ScaleLoad {
        store: store(mix),
        through,
        ask: false,
        verify,
        keep: None,
    };
    let live = |seconds: Duration| LiveLoad {
        store: store(Mix::Full),
        live_rate: LIVE_RATE,
        seconds,
    };
    let mut report = Report::new("quick");
    let questions = Load {
        store: store(Mix::Full),
        seconds: load.seconds,
        live_rate: LIVE_RATE,
        ceiling_payments: None,
        verify: true,
    };
    report.absorb(ingest::run("ingest", &questions, &Group::ALL)?);
    report.absorb(fresh::run(&live(load.seconds * 10))?);
    report.absorb(restart::run(&live(load.seconds))?);
    report.absorb(scale::run(&scale(Mix::Full, Through::Kafka, false))?);
    report.absorb(scale::run(&scale(Mix::Lean, Through::Pipe, true))?);
    if rival::is_installed() {
        let both = CompareLoad {
            store: store(Mix::Full),
            seconds: load.seconds,
        };
        report.absorb(compare::run(&both)?);
    } else {
        say("left out: the comparison, because PostgreSQL 15 is not installed; ./run bench compare installs it");
    }
    Ok(report)
}
