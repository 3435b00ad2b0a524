//! The real binary as a process: commands that end, and a server that runs until it is stopped or killed.
//!
//! Whatever a test is about, no process may say on standard error that it panicked.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything here takes on a busy machine; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The binary, deaf to the settings of whoever runs the tests.
pub(crate) fn ledgerlens() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ledgerlens"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LEDGERLENS_") {
            command.env_remove(name);
        }
    }
    // Tests ask as fast as they can.
    for class in ["LOOKUPS", "LISTS", "REPORTS", "EXPORTS"] {
        command.env(format!("LEDGERLENS_API_{class}_PER_SECOND_MAX"), "0");
    }
    command.env("RUST_BACKTRACE", "1").stdin(Stdio::null());
    command
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        let ended = Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert_calm(&ended.stderr);
        ended
    }

    /// The standard output of a command that must have ended with this code.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The one sentence with which a command says why it failed: the last line on standard error.
    #[track_caller]
    pub(crate) fn sentence(&self) -> &str {
        let lines: Vec<&str> = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("ledgerlens: "))
            .collect();
        let [sentence] = lines[..] else {
            panic!("not one sentence but:\n{}", self.stderr)
        };
        sentence
    }

    /// The last line of standard output as JSON.
    #[track_caller]
    pub(crate) fn last_json(&self) -> serde_json::Value {
        let last = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// No process may end in a backtrace.
#[track_caller]
pub(crate) fn assert_calm(stderr: &str) {
    for sign in ["panicked at", "RUST_BACKTRACE", "stack backtrace"] {
        assert!(!stderr.contains(sign), "the process panicked:\n{stderr}");
    }
}

/// Runs a command to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ended {
    Ended::of(&ledgerlens().args(args).output().expect("the binary can be run"))
}

/// Runs a command to its end with this on its standard input.
pub(crate) fn run_with_input<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>, input: &[u8]) -> Ended {
    let mut command = ledgerlens();
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary can be run");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = thread::scope(|scope| {
        // A command that ends early closes the pipe; what it says tells why.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().expect("the command ends")
    });
    Ended::of(&output)
}

/// A running `serve`, killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) started_at: Instant,
    address: String,
    told: Receiver<String>,
    listener: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts `serve` on a port of its own and does not wait for it.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let started_at = Instant::now();
        let mut child = command.spawn().expect("the binary can be run");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (tell, told) = mpsc::channel();
        // Reads to the end, so that the server never waits for us.
        let listener = thread::spawn(move || {
            let mut said = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                if let Some((_, rest)) = line.split_once("ledgerlens answers address=") {
                    let address = rest.split_whitespace().next().unwrap_or_default();
                    let _ = tell.send(address.trim_matches('"').to_owned());
                }
                said.push_str(&line);
                said.push('\n');
            }
            said
        });
        Server {
            child,
            started_at,
            address: String::new(),
            told,
            listener: Some(listener),
        }
    }

    /// Starts `serve` on a data directory and waits until it says its address.
    #[track_caller]
    pub(crate) fn start(data_dir: &std::path::Path) -> Self {
        let mut command = ledgerlens();
        command.arg("serve").arg("--data-dir").arg(data_dir);
        let mut server = Server::spawn(command);
        server.await_address();
        server
    }

    /// Waits until the server says where it answers.
    #[track_caller]
    pub(crate) fn await_address(&mut self) {
        match self.told.recv_timeout(PATIENCE) {
            Ok(address) => self.address = address,
            Err(_) => {
                self.kill();
                panic!("the server did not start:\n{}", self.said());
            }
        }
    }

    /// `http://host:port`.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// SIGKILL, at once.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("the server is gone");
    }

    /// SIGTERM; how the server ended, and how long it took.
    #[track_caller]
    pub(crate) fn terminate(mut self) -> (ExitStatus, Duration, String) {
        let asked_at = Instant::now();
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("the server runs");
        let status = await_end(&mut self.child);
        let took = asked_at.elapsed();
        let said = self.said();
        (status, took, said)
    }

    /// SIGTERM to a server that must end well.
    #[track_caller]
    pub(crate) fn stop(self) {
        let (status, _, said) = self.terminate();
        assert_eq!(status.code(), Some(0), "the server ended badly:\n{said}");
    }

    /// Everything on standard error, once the process is gone.
    #[track_caller]
    pub(crate) fn said(&mut self) -> String {
        let said = self
            .listener
            .take()
            .map(|listener| listener.join().expect("the listener ends"));
        let said = said.unwrap_or_default();
        assert_calm(&said);
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a process to end by itself.
#[track_caller]
pub(crate) fn await_end(child: &mut Child) -> ExitStatus {
    let mut status = None;
    await_that("the process ends", || {
        status = child.try_wait().expect("our own child");
        status.is_some()
    });
    status.expect("it ended")
}

/// Looks again and again until something holds.
#[track_caller]
pub(crate) fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "it did not happen within {PATIENCE:?}: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// Says something past the test harness, which would swallow it.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A number from the environment: sizes that `./run test` keeps small, and seeds.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
        Err(_) => default,
    }
}
