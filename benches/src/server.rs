//! The release binary as a process of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::http::Client;
use crate::interrupt;
use crate::report::Report;

const BINARY: &str = "LEDGERLENS_BIN";
/// Opening a large store takes seconds; nothing takes minutes.
const START_PATIENCE: Duration = Duration::from_secs(300);
const READY_EVERY: Duration = Duration::from_millis(5);

/// The program, deaf to the settings of whoever measures: its defaults are what is measured, but for the rates of a key.
/// Settings for a measurement are given as `BENCH_LEDGERLENS_...` and passed on without `BENCH_`.
pub(crate) fn ledgerlens() -> Command {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|bench| Some(bench.parent()?.join("ledgerlens")));
    let binary = std::env::var_os(BINARY).map(PathBuf::from).or(beside);
    let mut command = Command::new(binary.unwrap_or_else(|| "ledgerlens".into()));
    // One key asks everything here, as fast as it is answered.
    for kind in ["LOOKUPS", "LISTS", "REPORTS", "EXPORTS"] {
        command.env(format!("LEDGERLENS_API_{kind}_PER_SECOND_MAX"), "0");
    }
    for (name, value) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("LEDGERLENS_") {
            command.env_remove(&*name);
        } else if let Some(setting) = name.strip_prefix("BENCH_") {
            command.env(setting, value);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end; what it said on standard output. Its standard error is shown.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Result<String> {
    let mut command = ledgerlens();
    let output = command.args(args).stderr(Stdio::inherit()).output();
    let output = output.context("ledgerlens cannot be run")?;
    if !output.status.success() {
        bail!("ledgerlens ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub(crate) fn make_key(data_dir: &Path, role: &str) -> Result<String> {
    let args: [&OsStr; 6] = [
        "keys".as_ref(),
        "create".as_ref(),
        "--data-dir".as_ref(),
        data_dir.as_ref(),
        "--role".as_ref(),
        role.as_ref(),
    ];
    run(args)
}

/// Lets the program recompute everything that is derived; what it finds is in the report.
pub(crate) fn verify(report: &mut Report, data_dir: &Path) {
    crate::progress::say("verify ...");
    let args: [&OsStr; 3] = ["verify".as_ref(), "--data-dir".as_ref(), data_dir.as_ref()];
    match run(args) {
        Ok(_) => report.member("verify", "clean"),
        Err(error) => report.wrong(format!("verify: {error:#}")),
    }
}

/// A running `serve`; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) started_at: Instant,
    address: String,
    listener: Option<JoinHandle<Vec<String>>>,
}

impl Server {
    /// Starts `serve` on a free port and waits until it says its address.
    pub(crate) fn start(data_dir: &Path, brokers: Option<&str>) -> Result<Self> {
        let mut command = ledgerlens();
        command.arg("serve").arg("--data-dir").arg(data_dir);
        command.args(["--listen", "127.0.0.1:0"]);
        if let Some(brokers) = brokers {
            command.args(["--kafka", brokers]);
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let started_at = Instant::now();
        let mut child = command.spawn().context("ledgerlens cannot be started")?;
        let stderr = child.stderr.take().context("no standard error")?;
        let (tell, told) = mpsc::channel();
        let listener = thread::spawn(move || listen(BufReader::new(stderr), &tell));
        let mut server = Server {
            child,
            started_at,
            address: String::new(),
            listener: Some(listener),
        };
        server.await_address(&told)?;
        Ok(server)
    }

    fn await_address(&mut self, told: &Receiver<String>) -> Result<()> {
        match told.recv_timeout(START_PATIENCE) {
            Ok(address) => {
                self.address = address;
                Ok(())
            }
            Err(_) => bail!("the server did not start:\n{}", self.end().join("\n")),
        }
    }

    pub(crate) fn client(&self, key: &str) -> Client {
        Client::new(&format!("http://{}", self.address), key)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for `/readyz`; the time since the process was started.
    pub(crate) fn await_ready(&self, client: &Client) -> Result<Duration> {
        while self.started_at.elapsed() < START_PATIENCE {
            interrupt::check()?;
            if client.get("/readyz").is_ok_and(|answer| answer.status == 200) {
                return Ok(self.started_at.elapsed());
            }
            thread::sleep(READY_EVERY);
        }
        bail!("the server was not ready within {START_PATIENCE:?}")
    }

    /// SIGTERM; how long it took to end, which it must do well.
    pub(crate) fn stop(mut self) -> Result<Duration> {
        let asked_at = Instant::now();
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("the server is gone")?;
        let status = self.child.wait()?;
        let took = asked_at.elapsed();
        if !status.success() {
            bail!("the server ended with {status}:\n{}", self.end().join("\n"));
        }
        Ok(took)
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Ends the process at once; the last lines it said.
    fn end(&mut self) -> Vec<String> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let said = self.listener.take().and_then(|listener| listener.join().ok());
        said.unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads to the end, so that the server never waits for us; keeps the last lines and shows what is wrong.
fn listen(lines: impl BufRead, tell: &mpsc::Sender<String>) -> Vec<String> {
    const KEPT: usize = 30;
    let mut said = Vec::new();
    for line in lines.lines().map_while(Result::ok) {
        if let Some((_, rest)) = line.split_once("ledgerlens answers address=") {
            let address = rest.split_whitespace().next().unwrap_or_default();
            let _ = tell.send(address.trim_matches('"').to_owned());
        }
        if line.contains(" WARN ") || line.contains(" ERROR ") || line.contains("panicked") {
            crate::progress::say(&format!("server: {line}"));
        }
        said.push(line);
        if said.len() > KEPT {
            said.remove(0);
        }
    }
    said
}
