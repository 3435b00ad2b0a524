//! `kept`: every question of a store that `scale --keep` left, while payments of other days arrive.
//!
//! To fill a store of tens of millions of payments takes hours; what a change of the program does to its answers is seen in minutes with
//! one that was kept. The payments that arrive come through a new Kafka, and stay in the store.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use chrono::Days;
use generator::Plan;

use crate::arguments::{KeptLoad, messages_a_payment};
use crate::asking;
use crate::feed::Feed;
use crate::progress::say;
use crate::questions::Group;
use crate::report::Report;
use crate::scale;
use crate::server::{self, Server};
use crate::status;
use crate::vantage::Vantage;

pub(crate) fn run(load: &KeptLoad) -> Result<Report> {
    let mut report = Report::new("kept");
    if !load.keep.join("ledger").is_dir() {
        bail!(
            "{} holds no store: ./run bench scale --ask --keep makes one",
            load.keep.display()
        );
    }
    let loaded = scale::plan_of(&load.store);
    let vantage = Vantage::draw(&loaded, loaded.payments, i64::MAX)?;
    // Its partitions are read from the beginning of the new Kafka's log.
    for topic in ["payments", "cancellations", "settlements"] {
        let forget = [
            "forget-position".as_ref(),
            "--data-dir".as_ref(),
            load.keep.as_os_str(),
            topic.as_ref(),
        ];
        if let Err(error) = server::run(forget) {
            // An earlier run of this forgot it, and ended before anything of it arrived.
            say(&format!("{topic}: {error:#}"));
        }
    }
    let key = server::make_key(&load.keep, "operator")?;
    let takes = asking::takes(&Group::ALL, load.seconds).as_secs_f64();
    let more = load.live_rate as f64 * takes / messages_a_payment(load.store.mix);
    let live = behind(&loaded, more.ceil() as u64).context("no such days")?;
    let feed = Feed::of(&load.store, live)?;
    let server = Server::start(&load.keep, Some(&feed.kafka.brokers))?;
    let client = server.client(&key);
    server.await_ready(&client)?;
    let mut live = feed.trickle(load.live_rate);
    asking::ask(&mut report, &vantage, &Group::ALL, &client, load.seconds, &live)?;
    live.stop()?;
    status::await_no_lag(&client)?;
    server.stop()?;
    Ok(report)
}

/// So many payments as dense as those of a plan, on the days that follow it. The clock is their seed: what an earlier run left in the store
/// would be repeats, which cost nearly nothing.
fn behind(plan: &Plan, payments: u64) -> Option<Plan> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let days = (u64::from(plan.days) * payments).div_ceil(plan.payments.max(1)).max(2);
    Some(Plan {
        payments,
        seed: now.as_secs(),
        start: plan.start.checked_add_days(Days::new(u64::from(plan.days)))?,
        days: u32::try_from(days).ok()?,
        ..plan.clone()
    })
}
