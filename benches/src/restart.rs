//! `start`: how soon a loaded server is ready again, after a clean stop and after a kill; and how fast its index is made
//! anew.

use std::ffi::OsStr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::arguments::LiveLoad;
use crate::feed::{Feed, Trickle};
use crate::ingest;
use crate::interrupt;
use crate::progress::say;
use crate::report::{Bar, Report, number, rounded};
use crate::server::{self, Server};
use crate::status;

/// The worst of so many counts.
const TIMES: usize = 3;
/// Let between a start and the kill, so that a batch is always under way.
const ALIVE: Duration = Duration::from_secs(3);

pub(crate) fn run(load: &LiveLoad) -> Result<Report> {
    let mut report = Report::new("start");
    // Killed and started again, the server may take a while each time.
    let span = (ALIVE + Duration::from_secs(20)) * (TIMES as u32);
    let mut feed = Feed::prepare(&load.store, load.live_rate, span)?;
    let filled = feed.fill()?;
    let data_dir = feed.data_dir();
    let key = server::make_key(&data_dir, "operator")?;
    let mut server = Server::start(&data_dir, Some(&feed.kafka.brokers))?;
    ingest::measure(&server, &server.client(&key), filled, &data_dir)?;

    let mut rows = Vec::new();
    let (mut clean, mut stopping) = (Duration::ZERO, Duration::ZERO);
    for time in 1..=TIMES {
        let stopped = server.stop()?;
        server = Server::start(&data_dir, Some(&feed.kafka.brokers))?;
        let ready = server.await_ready(&server.client(&key))?;
        say(&format!("stopped in {stopped:?}, ready again after {ready:?}"));
        rows.push(row(&format!("clean stop {time}"), Some(stopped), ready));
        (clean, stopping) = (clean.max(ready), stopping.max(stopped));
    }
    let mut live = feed.trickle(load.live_rate);
    let (server, killed) = kill(server, &live, &data_dir, &key, &mut rows)?;
    let over = live.is_over();
    live.stop()?;
    status::await_no_lag(&server.client(&key))?;
    server.stop()?;
    let rebuilt = rebuild(&data_dir)?;
    let rebuild_rate = filled.payments as f64 / rebuilt.as_secs_f64();
    rows.push(vec![
        "rebuild-index".to_owned(),
        String::new(),
        rounded(rebuilt.as_secs_f64()),
    ]);

    let title = format!("ready again, {} payments", filled.payments);
    report.table(title, &["after", "stopped in s", "ready after s"], rows);
    report.bar(
        "ready after a clean stop, worst",
        clean.as_secs_f64(),
        "s",
        Bar::AtMost(5.0),
    );
    report.bar(
        "ready after SIGKILL, worst",
        killed.as_secs_f64(),
        "s",
        Bar::AtMost(15.0),
    );
    report.bar("rebuild-index", rebuild_rate, "payments/s", Bar::AtLeast(25_000.0));
    report.member("payments", filled.payments);
    report.member("stopped_within_s", number(stopping.as_secs_f64()));
    report.member("live_ended_early", over);
    Ok(report)
}

/// Kills a server that is reading, again and again; the last one, and the longest that one took.
fn kill(
    mut server: Server,
    live: &Trickle,
    data_dir: &Path,
    key: &str,
    rows: &mut Vec<Vec<String>>,
) -> Result<(Server, Duration)> {
    let mut worst = Duration::ZERO;
    for time in 1..=TIMES {
        interrupt::check()?;
        thread::sleep(ALIVE);
        server.kill();
        server = Server::start(data_dir, Some(&live.kafka.brokers))?;
        let ready = server.await_ready(&server.client(key))?;
        say(&format!("killed, ready again after {ready:?}"));
        rows.push(row(&format!("SIGKILL {time}"), None, ready));
        worst = worst.max(ready);
    }
    Ok((server, worst))
}

fn rebuild(data_dir: &Path) -> Result<Duration> {
    say("rebuild-index ...");
    let started = Instant::now();
    let args: [&OsStr; 3] = ["rebuild-index".as_ref(), "--data-dir".as_ref(), data_dir.as_ref()];
    server::run(args)?;
    Ok(started.elapsed())
}

fn row(name: &str, stopped: Option<Duration>, ready: Duration) -> Vec<String> {
    let stopped = stopped.map(|stopped| rounded(stopped.as_secs_f64()));
    vec![
        name.to_owned(),
        stopped.unwrap_or_default(),
        rounded(ready.as_secs_f64()),
    ]
}
