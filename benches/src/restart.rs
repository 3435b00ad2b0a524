//! `start`: how soon a loaded server is ready again, after a clean stop and after a kill; and how fast its index is made
//! anew.

use std::ffi::OsStr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::arguments::LiveLoad;
use crate::feed::Feed;
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

/// Killed and started again, the server may take a while each time: so long must events go on arriving.
pub(crate) fn takes() -> Duration {
    (ALIVE + Duration::from_secs(20)) * (TIMES as u32)
}

pub(crate) fn run(load: &LiveLoad) -> Result<Report> {
    let mut report = Report::new("start");
    let mut feed = Feed::prepare(&load.store, load.live_rate, takes())?;
    let filled = feed.fill()?;
    let data_dir = feed.data_dir();
    let key = server::make_key(&data_dir, "operator")?;
    let server = Server::start(&data_dir, Some(&feed.kafka.brokers))?;
    ingest::measure(&server, &server.client(&key), filled, &data_dir)?;

    let mut restarts = Restarts::default();
    let server = restarts.stop(server, &feed.kafka.brokers, &data_dir, &key)?;
    let mut live = feed.trickle(load.live_rate);
    let server = restarts.kill(server, &live.kafka.brokers, &data_dir, &key)?;
    let over = live.is_over();
    live.stop()?;
    status::await_no_lag(&server.client(&key))?;
    server.stop()?;
    restarts.rebuild(&data_dir)?;
    restarts.describe(&mut report, filled.payments);
    report.member("payments", filled.payments);
    report.member("live_ended_early", over);
    Ok(report)
}

/// How long each start took, and making the index anew.
#[derive(Default)]
pub(crate) struct Restarts {
    rows: Vec<Vec<String>>,
    /// The worst after a clean stop, and after a kill.
    clean: Duration,
    killed: Duration,
    /// The longest stop.
    stopping: Duration,
    rebuilt: Duration,
}

impl Restarts {
    /// Stops a server and starts it again, some times; the last one.
    pub(crate) fn stop(&mut self, mut server: Server, brokers: &str, data_dir: &Path, key: &str) -> Result<Server> {
        for time in 1..=TIMES {
            interrupt::check()?;
            let stopped = server.stop()?;
            server = Server::start(data_dir, Some(brokers))?;
            let ready = server.await_ready(&server.client(key))?;
            say(&format!("stopped in {stopped:?}, ready again after {ready:?}"));
            self.rows.push(row(&format!("clean stop {time}"), Some(stopped), ready));
            (self.clean, self.stopping) = (self.clean.max(ready), self.stopping.max(stopped));
        }
        Ok(server)
    }

    /// Kills a server that is reading, again and again; the last one.
    pub(crate) fn kill(&mut self, mut server: Server, brokers: &str, data_dir: &Path, key: &str) -> Result<Server> {
        for time in 1..=TIMES {
            interrupt::check()?;
            thread::sleep(ALIVE);
            server.kill();
            server = Server::start(data_dir, Some(brokers))?;
            let ready = server.await_ready(&server.client(key))?;
            say(&format!("killed, ready again after {ready:?}"));
            self.rows.push(row(&format!("SIGKILL {time}"), None, ready));
            self.killed = self.killed.max(ready);
        }
        Ok(server)
    }

    /// With no server running.
    pub(crate) fn rebuild(&mut self, data_dir: &Path) -> Result<()> {
        say("rebuild-index ...");
        let started = Instant::now();
        let args: [&OsStr; 3] = ["rebuild-index".as_ref(), "--data-dir".as_ref(), data_dir.as_ref()];
        server::run(args)?;
        self.rebuilt = started.elapsed();
        say(&format!("rebuilt in {:?}", self.rebuilt));
        self.rows.push(row("rebuild-index", None, self.rebuilt));
        Ok(())
    }

    pub(crate) fn describe(self, report: &mut Report, payments: u64) {
        let title = format!("ready again, {payments} payments");
        report.table(title, &["after", "stopped in s", "ready after s"], self.rows);
        let mut bar = |name: &str, worst: Duration, most| report.bar(name, worst.as_secs_f64(), "s", Bar::AtMost(most));
        bar("ready after a clean stop, worst", self.clean, 5.0);
        bar("ready after SIGKILL, worst", self.killed, 15.0);
        let rate = payments as f64 / self.rebuilt.as_secs_f64();
        report.bar("rebuild-index", rate, "payments/s", Bar::AtLeast(25_000.0));
        report.member("stopped_within_s", number(self.stopping.as_secs_f64()));
    }
}

fn row(name: &str, stopped: Option<Duration>, ready: Duration) -> Vec<String> {
    let stopped = stopped.map(|stopped| rounded(stopped.as_secs_f64()));
    vec![
        name.to_owned(),
        stopped.unwrap_or_default(),
        rounded(ready.as_secs_f64()),
    ]
}
