//! Commands beside a running server: a Unix socket in the data directory.
//!
//! One request a connection: a line of JSON whose member `command` names what is to be done. The answer is any number of
//! lines `{"progress": ...}` and then one `{"result": ...}` or `{"failure": {"code", "sentence"}}` with an exit code.
//! Only who may open the socket can ask: its mode is 0600.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use crate::background::step_back;
use crate::failure::Failure;

/// The socket in a data directory.
pub(crate) const FILE: &str = "control.sock";

/// A request is a few names; a longer line is no request.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;

/// Tells whoever asked how far a piece of work is.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(Value);

/// Does what a request asks, and returns its result.
pub(crate) type Handler = Box<dyn Fn(&Value, Progress<'_>) -> Result<Value, Failure> + Send + Sync>;

/// Handlers by the name of their command.
pub(crate) type Handlers = BTreeMap<&'static str, Handler>;

/// A listening socket; removed when it is dropped.
pub(crate) struct Control {
    path: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Listens in a data directory that this process has locked, so a socket that lies there is a dead one.
pub(crate) fn listen(data_dir: &Path, handlers: Handlers) -> Result<Control, Failure> {
    let path = data_dir.join(FILE);
    let unusable = |cause: io::Error| Failure::Store(format!("cannot listen on {}: {cause}", path.display()));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(unusable)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(unusable)?;
    let handlers = Arc::new(handlers);
    let accept = move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let handlers = handlers.clone();
            // A thread that cannot be started closes the connection, which tells.
            let _ = thread::Builder::new()
                .name("control".to_owned())
                .spawn(move || answer(stream, &handlers));
        }
    };
    thread::Builder::new()
        .name("control".to_owned())
        .spawn(accept)
        .map_err(unusable)?;
    Ok(Control { path })
}

fn answer(stream: UnixStream, handlers: &Handlers) {
    // A rebuild or a backup takes minutes.
    step_back();
    let Ok(reading) = stream.try_clone() else { return };
    let mut line = String::new();
    if BufReader::new(reading.take(REQUEST_BYTES_MAX))
        .read_line(&mut line)
        .is_err()
    {
        return;
    }
    let mut writing = stream;
    let mut say = |value: &Value| {
        // Whoever asked may have gone; the work is done all the same.
        let _ = writeln!(writing, "{value}");
    };
    let request: Value = serde_json::from_str(&line).unwrap_or_default();
    let command = request["command"].as_str().unwrap_or_default();
    let outcome = match handlers.get(command) {
        Some(handler) => handler(&request, &mut |progress| say(&json!({ "progress": progress }))),
        None => Err(Failure::usage(format!(
            "the running server does not know the command {command:?}; it may be of another version"
        ))),
    };
    match outcome {
        Ok(result) => say(&json!({ "result": result })),
        Err(failure) => say(&json!({
            "failure": { "code": failure.exit_code(), "sentence": failure.sentence() }
        })),
    }
}

/// Asks the server that runs on a data directory. `None`: no server runs there.
pub(crate) fn ask(data_dir: &Path, request: &Value, progress: Progress<'_>) -> Result<Option<Value>, Failure> {
    let Ok(mut stream) = UnixStream::connect(data_dir.join(FILE)) else {
        return Ok(None);
    };
    let lost = |cause: io::Error| Failure::Store(format!("the running server did not answer: {cause}"));
    writeln!(stream, "{request}").map_err(lost)?;
    for line in BufReader::new(stream).lines() {
        let mut said: Value = serde_json::from_str(&line.map_err(lost)?).unwrap_or_default();
        if let Some(told) = said.get("progress") {
            progress(told.clone());
        } else if let Some(result) = said.get_mut("result") {
            return Ok(Some(result.take()));
        } else {
            let sentence = said["failure"]["sentence"].as_str().unwrap_or_default().to_owned();
            return Err(match said["failure"]["code"].as_u64() {
                Some(1) => Failure::Data(sentence),
                Some(2) => Failure::Use(sentence),
                _ => Failure::Store(sentence),
            });
        }
    }
    Err(Failure::Store(
        "the running server ended before it had answered; run the command again".to_owned(),
    ))
}
