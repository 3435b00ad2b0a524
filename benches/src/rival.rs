//! PostgreSQL on this machine, for a comparison: installed where it is missing, started on a loopback port with a
//! directory of its own, stopped at the end.

pub(crate) mod ask;
pub(crate) mod load;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use postgres::{Client, NoTls};
use tempfile::TempDir;

use crate::progress::say;

const BIN: &str = "/usr/lib/postgresql/15/bin";
const USER: &str = "postgres";

/// For a machine of 24 GiB that does nothing else: what the usual calculators say, and no surprises from JIT.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 20
shared_buffers = 6GB
effective_cache_size = 16GB
work_mem = 64MB
maintenance_work_mem = 1GB
max_wal_size = 16GB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
wal_compression = lz4
wal_buffers = 64MB
random_page_cost = 1.1
effective_io_concurrency = 200
default_statistics_target = 200
jit = off
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.05
";

pub(crate) struct Rival {
    dir: TempDir,
    port: u16,
}

impl Rival {
    /// # Errors
    /// Names the package that is missing where it cannot be installed.
    pub(crate) fn start(scratch: Option<&Path>) -> Result<Self> {
        install()?;
        let mut builder = tempfile::Builder::new();
        builder.prefix("ledgerlens-bench-pg-");
        let dir = match scratch {
            Some(scratch) => builder.tempdir_in(scratch)?,
            None => builder.tempdir()?,
        };
        if is_root() {
            // The server refuses to run as root.
            succeed(Command::new("chown").arg(USER).arg(dir.path()))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let data = dir.path().join("data");
        say("starting PostgreSQL ...");
        succeed(
            program("initdb")
                .args(["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", USER, "-D"])
                .arg(&data),
        )?;
        let settings = format!("{SETTINGS}port = {port}\n");
        let rival = Rival { dir, port };
        let path = rival.data().join("postgresql.auto.conf");
        std::fs::write(&path, settings).with_context(|| path.display().to_string())?;
        let log = rival.dir.path().join("log");
        succeed(
            program("pg_ctl")
                .args(["start", "-w", "-s", "-D"])
                .arg(rival.data())
                .arg("-l")
                .arg(log),
        )?;
        Ok(rival)
    }

    pub(crate) fn connect(&self) -> Result<Client> {
        let address = format!("host=127.0.0.1 port={} user={USER} dbname=postgres", self.port);
        Client::connect(&address, NoTls).context("PostgreSQL does not answer")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        let mut stop = program("pg_ctl");
        let _ = succeed(stop.args(["stop", "-s", "-m", "immediate", "-D"]).arg(self.data()));
    }
}

pub(crate) fn is_installed() -> bool {
    Path::new(BIN).join("postgres").exists()
}

fn install() -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        bail!("it needs PostgreSQL 15: install it (Debian: apt-get install postgresql-15)");
    }
    say("installing PostgreSQL 15 (about 30 s) ...");
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    succeed(install.args(["install", "-y", "-q", "--no-install-recommends", "postgresql-15"]))
        .context("apt-get cannot install postgresql-15; try apt-get update first")
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// One of PostgreSQL's programs, as its own user where we are root.
fn program(name: &str) -> Command {
    let path = Path::new(BIN).join(name);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", USER, "--"]).arg(path);
    command
}

fn succeed(command: &mut Command) -> Result<()> {
    // A server that is started keeps its output open: it must not be ours.
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .current_dir("/")
        .status();
    let name = command.get_program().to_string_lossy().into_owned();
    let status = status.with_context(|| format!("{name} cannot be run"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
