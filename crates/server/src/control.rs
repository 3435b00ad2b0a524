//! The control socket: how commands ask a running server for what only it can do, because it holds the data directory.
//!
//! `control.sock` lies in the data directory and is its owner's alone. A request is one line of JSON,
//! `{"command": "ping", "arguments": {...}}`; the answer is any number of lines `{"progress": ...}` and then one line
//! `{"done": ...}` or `{"failed": "a sentence"}`. A connection carries one request.
//!
//! What a command does is a [`Handler`] in the [`Registry`], registered where the server is wired. Handlers block; each
//! runs on a thread of its own, at most [`AT_ONCE_MAX`] at a time.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::failure::Failure;

/// The socket's name in a data directory.
pub(crate) const FILE: &str = "control.sock";

/// Bytes of a request: a command with some paths.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;

/// Requests answered at the same time. They are an operator's, by hand.
const AT_ONCE_MAX: usize = 8;

/// How long a connection may take to say what it wants.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);

/// What a command asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    command: String,
    #[serde(default)]
    arguments: Value,
}

/// A line of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Progress(Value),
    Done(Value),
    /// A sentence for whoever ran the command.
    Failed(String),
}

/// Does one command. It is given the arguments and a way to tell how far it is; an error is a sentence for its user.
pub(crate) type Handler = Arc<dyn Fn(Value, &mut dyn FnMut(Value)) -> Result<Value, String> + Send + Sync>;

/// What the server can be asked for.
#[derive(Clone, Default)]
pub(crate) struct Registry(BTreeMap<&'static str, Handler>);

impl Registry {
    /// A registry that answers `ping` with the process and its version.
    pub(crate) fn new() -> Self {
        Registry::default().with("ping", |_, _| {
            Ok(json!({"pid": std::process::id(), "version": env!("CARGO_PKG_VERSION")}))
        })
    }

    pub(crate) fn with(
        mut self,
        command: &'static str,
        handler: impl Fn(Value, &mut dyn FnMut(Value)) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        self.0.insert(command, Arc::new(handler));
        self
    }
}

/// The listening socket; removed when it is dropped.
pub(crate) struct Control {
    path: PathBuf,
    accepting: JoinHandle<()>,
}

impl Drop for Control {
    fn drop(&mut self) {
        self.accepting.abort();
        let _ = fs::remove_file(&self.path);
    }
}

impl Control {
    /// Listens in a data directory whose lock the caller holds, so a socket that lies there is nobody's any more.
    ///
    /// # Errors
    /// Where the socket cannot be made, such as in a directory whose path is longer than a socket's may be (107 bytes).
    pub(crate) fn listen(data_dir: &Path, registry: Registry) -> std::io::Result<Self> {
        let path = data_dir.join(FILE);
        // Made under another name and closed to others before anybody can find it.
        let draft = data_dir.join("control.new");
        for old in [&path, &draft] {
            match fs::remove_file(old) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let listener = UnixListener::bind(&draft)?;
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o600))?;
        fs::rename(&draft, &path)?;
        let accepting = tokio::spawn(accept(listener, Arc::new(registry)));
        Ok(Control { path, accepting })
    }
}

async fn accept(listener: UnixListener, registry: Arc<Registry>) {
    let turns = Arc::new(Semaphore::new(AT_ONCE_MAX));
    loop {
        // Semaphores are never closed.
        let Ok(turn) = turns.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let registry = registry.clone();
                tokio::spawn(async move {
                    let _turn = turn;
                    if let Err(error) = answer(stream, &registry).await {
                        tracing::debug!(%error, "a control connection ended early");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(stream: UnixStream, registry: &Registry) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    let mut reader = tokio::io::BufReader::new(reader.take(REQUEST_BYTES_MAX));
    let read = timeout(REQUEST_WITHIN, reader.read_until(b'\n', &mut line)).await;
    let request = match read {
        Ok(Ok(_)) => serde_json::from_slice::<Request>(&line).map_err(|error| format!("not a request: {error}")),
        Ok(Err(error)) => return Err(error),
        Err(_) => Err("no request came".to_owned()),
    };
    let found = request.and_then(|request| match registry.0.get(request.command.as_str()) {
        Some(handler) => Ok((handler.clone(), request.arguments)),
        None => Err(format!(
            "the running server does not know the command {:?}",
            request.command
        )),
    });
    let (handler, arguments) = match found {
        Ok(found) => found,
        Err(sentence) => return send(&mut writer, &Line::Failed(sentence)).await,
    };
    // One line of progress may wait; a client that does not read does not make the rest pile up.
    let (sender, mut lines) = mpsc::channel(1);
    let working = tokio::task::spawn_blocking(move || {
        let told = sender.clone();
        let outcome = handler(arguments, &mut |progress| {
            let _ = told.try_send(Line::Progress(progress));
        });
        let last = match outcome {
            Ok(value) => Line::Done(value),
            Err(sentence) => Line::Failed(sentence),
        };
        let _ = sender.blocking_send(last);
    });
    while let Some(line) = lines.recv().await {
        send(&mut writer, &line).await?;
    }
    if let Err(error) = working.await {
        tracing::error!(%error, "a control command ended without an answer");
    }
    Ok(())
}

async fn send(writer: &mut (impl tokio::io::AsyncWrite + Unpin), line: &Line) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    writer.write_all(&text).await?;
    writer.flush().await
}

/// Asks the server that runs on a data directory. `None` where none does, so that the command does it by itself.
///
/// # Errors
/// The server's own sentence, or that it ended meanwhile.
pub(crate) fn ask(
    data_dir: &Path,
    command: &str,
    arguments: Value,
    progress: &mut dyn FnMut(Value),
) -> Result<Option<Value>, Failure> {
    // A socket without a listener is what a killed server left behind.
    let Ok(mut stream) = BlockingStream::connect(data_dir.join(FILE)) else {
        return Ok(None);
    };
    let gone = |cause: String| Failure::Store(format!("the running server did not answer {command}: {cause}"));
    let request = Request {
        command: command.to_owned(),
        arguments,
    };
    let mut text = serde_json::to_vec(&request).map_err(|cause| gone(cause.to_string()))?;
    text.push(b'\n');
    stream.write_all(&text).map_err(|cause| gone(cause.to_string()))?;
    for line in BufReader::new(stream).lines() {
        let line = line.map_err(|cause| gone(cause.to_string()))?;
        match serde_json::from_str(&line).map_err(|cause| gone(cause.to_string()))? {
            Line::Progress(value) => progress(value),
            Line::Done(value) => return Ok(Some(value)),
            Line::Failed(sentence) => return Err(Failure::Store(sentence)),
        }
    }
    Err(gone("the connection ended".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(dir: &Path, command: &'static str) -> Result<Option<Value>, String> {
        let mut told = Vec::new();
        let answer = ask(dir, command, json!({"n": 2}), &mut |progress| told.push(progress));
        match answer {
            Ok(Some(mut value)) => {
                value["told"] = told.into();
                Ok(Some(value))
            }
            Ok(None) => Ok(None),
            Err(Failure::Store(sentence) | Failure::Use(sentence) | Failure::Data(sentence)) => Err(sentence),
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_command_is_answered_by_the_server_that_runs() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().to_owned();
        // What a killed server left.
        drop(std::os::unix::net::UnixListener::bind(path.join(FILE)).expect("a socket"));
        assert_eq!(asked(&path, "ping"), Ok(None));
        let registry = Registry::new()
            .with("count", |arguments, progress| {
                progress(json!(1));
                Ok(json!({"n": arguments["n"]}))
            })
            .with("fail", |_, _| Err("the disk is full".to_owned()));
        let control = Control::listen(&path, registry).expect("a socket");
        let mode = fs::metadata(path.join(FILE)).expect("a socket").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let inside = path.clone();
        let answers = tokio::task::spawn_blocking(move || {
            ["ping", "count", "fail", "none"].map(|command| asked(&inside, command))
        });
        let [ping, count, fail, none] = answers.await.expect("asked");
        assert_eq!(ping.expect("an answer").expect("a server")["pid"], std::process::id());
        assert_eq!(count, Ok(Some(json!({"n": 2, "told": [1]}))));
        assert_eq!(fail, Err("the disk is full".to_owned()));
        assert!(none.is_err_and(|sentence| sentence.contains("\"none\"")));
        drop(control);
        assert!(!path.join(FILE).exists());
        assert_eq!(asked(&path, "ping"), Ok(None));
    }
}
