//! The audit log: who saw or did what is not everybody's, in a file that can only grow unnoticed at its end.
//!
//! One JSON object a line. Each line holds the hash of the line before (`prev`) and its own: SHA-256 over its text without
//! `hash`. Who changes, removes or inserts a line breaks the chain there, and [`verify`] names the place. A line is on the
//! disk before the answer that it is about leaves.
//!
//! The file belongs to no engine and is written by the server and by commands beside it. Each takes the file's lock and
//! looks at its end first, so two processes never continue the same line.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use domain::time::format_time;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::keys::{Role, hex};

/// The log's name in a data directory.
pub const FILE: &str = "audit.log";

/// `prev` of the first line.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What stands behind the hashed text of a line: `,"hash":"` and 64 digits and `"}`.
const HASH_NAME: &str = ",\"hash\":\"";

/// Characters of a target: an address with its parameters may be longer, and a line must stay readable.
const TARGET_CHARS_MAX: usize = 2_000;

/// Bytes of the longest line: every character of target and reason escaped.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// What is put on the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// An answer with personal data in full.
    Unmask,
    /// What was kept of a refused message, which may hold personal data.
    ReadRaw,
    /// An answer in a format made to be kept.
    Export,
    CreateKey,
    RevokeKey,
    RotateKey,
    Replay,
    Close,
    Backup,
    Restore,
    RebuildIndex,
}

impl Act {
    pub const fn as_str(self) -> &'static str {
        match self {
            Act::Unmask => "unmask",
            Act::ReadRaw => "read_raw",
            Act::Export => "export",
            Act::CreateKey => "create_key",
            Act::RevokeKey => "revoke_key",
            Act::RotateKey => "rotate_key",
            Act::Replay => "replay",
            Act::Close => "close",
            Act::Backup => "backup",
            Act::Restore => "restore",
            Act::RebuildIndex => "rebuild_index",
        }
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    key: Option<(&'a str, Role)>,
}

impl<'a> Actor<'a> {
    /// Whoever may run commands on the machine; a command knows no key.
    pub const COMMAND: Actor<'static> = Actor { key: None };

    pub fn key(key_id: &'a str, role: Role) -> Self {
        Actor {
            key: Some((key_id, role)),
        }
    }
}

/// A line without its hash, members in the order of the file.
#[derive(Serialize)]
struct Link<'a> {
    seq: u64,
    at: String,
    key_id: Option<&'a str>,
    role: &'a str,
    act: &'a str,
    target: &'a str,
    reason: Option<&'a str>,
    prev: &'a str,
}

/// What the chain needs of a line.
#[derive(Deserialize)]
struct Chained {
    seq: u64,
    prev: String,
}

#[derive(Debug, Error)]
pub enum AuditError {
    #[error("cannot use the audit log {path}")]
    File { path: PathBuf, source: io::Error },
    /// Nothing is written behind a broken end.
    #[error("the audit log {path} does not end in a line of this program: run `ledgerlens audit verify`")]
    Broken { path: PathBuf },
}

/// The first place where the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLink {
    /// Counted from 1.
    pub line: u64,
    pub reason: &'static str,
}

/// Where the chain goes on.
#[derive(Clone, Debug)]
struct End {
    length: u64,
    seq: u64,
    hash: String,
}

/// The log of one data directory.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    /// As this process left it: spares reading the end again while nobody else writes.
    end: Mutex<Option<End>>,
}

impl Audit {
    pub fn new(data_dir: &Path) -> Self {
        Audit {
            path: data_dir.join(FILE),
            end: Mutex::new(None),
        }
    }

    /// Writes one line and returns when it is on the disk. Blocks for the time of one sync.
    ///
    /// # Errors
    /// Where the file cannot be written or does not end as it should. Then what was to be logged must not happen.
    pub fn record(
        &self,
        at: DateTime<Utc>,
        actor: Actor<'_>,
        act: Act,
        target: &str,
        reason: Option<&str>,
    ) -> Result<(), AuditError> {
        let failed = |source| AuditError::File {
            path: self.path.clone(),
            source,
        };
        let mut known = self.end.lock();
        let mut file = self.open().map_err(failed)?;
        // Given back when the file is closed.
        file.lock().map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let end = match known.take().filter(|end| end.length == length) {
            Some(end) => end,
            None => self.read_end(&mut file, length)?,
        };
        let target: String = target.chars().take(TARGET_CHARS_MAX).collect();
        let link = Link {
            seq: end.seq + 1,
            at: format_time(at),
            key_id: actor.key.map(|(key_id, _)| key_id),
            role: actor.key.map_or("command", |(_, role)| role.as_str()),
            act: act.as_str(),
            target: &target,
            reason,
            prev: &end.hash,
        };
        let text = serde_json::to_string(&link).map_err(|error| failed(error.into()))?;
        let hash = hash_of(&text);
        let line = format!("{}{HASH_NAME}{hash}\"}}\n", text.trim_end_matches('}'));
        file.seek(SeekFrom::Start(end.length)).map_err(failed)?;
        file.write_all(line.as_bytes()).map_err(failed)?;
        file.sync_data().map_err(failed)?;
        *known = Some(End {
            length: end.length + line.len() as u64,
            seq: link.seq,
            hash,
        });
        Ok(())
    }

    fn open(&self) -> io::Result<File> {
        let new = !self.path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)?;
        if new && let Some(parent) = self.path.parent() {
            // The directory holds the name: without this a crash could take the whole file.
            File::open(parent)?.sync_all()?;
        }
        Ok(file)
    }

    /// Finds the last line. A cut one was never answered with (the machine stopped while it was written) and is taken off.
    fn read_end(&self, file: &mut File, length: u64) -> Result<End, AuditError> {
        let failed = |source| AuditError::File {
            path: self.path.clone(),
            source,
        };
        let broken = || AuditError::Broken {
            path: self.path.clone(),
        };
        let from = length.saturating_sub(2 * LINE_BYTES_MAX);
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail).map_err(failed)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < tail.len() {
            tracing::warn!(path = %self.path.display(), "the audit log ended in a line that was cut; it is taken off");
            file.set_len(from + whole as u64).map_err(failed)?;
            tail.truncate(whole);
        }
        let Some(last) = tail.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()) else {
            // Nothing whole within the length of two lines: an empty file, or no file of ours.
            return if from == 0 {
                Ok(End {
                    length: 0,
                    seq: 0,
                    hash: NOTHING.to_owned(),
                })
            } else {
                Err(broken())
            };
        };
        let (chained, hash) = read(last).map_err(|_| broken())?;
        Ok(End {
            length: from + whole as u64,
            seq: chained.seq,
            hash,
        })
    }
}

fn hash_of(text: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    hex(&digest)
}

/// A line's place in the chain and its hash, which is checked.
fn read(line: &[u8]) -> Result<(Chained, String), &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    let (text, hash) = line.rsplit_once(HASH_NAME).ok_or("the line has no hash")?;
    let hash = hash.strip_suffix("\"}").ok_or("the line does not end with its hash")?;
    let text = format!("{text}}}");
    if hash_of(&text) != hash {
        return Err("the line was changed: its hash is not that of its text");
    }
    let chained: Chained = serde_json::from_str(&text).map_err(|_| "the line is not one of the audit log")?;
    Ok((chained, hash.to_owned()))
}

/// Follows the chain from its beginning. Returns how many links hold, or the first that does not.
///
/// # Errors
/// Where the file cannot be read; one that does not exist has no links.
pub fn verify(path: &Path) -> io::Result<Result<u64, BrokenLink>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(0)),
        Err(error) => return Err(error),
    };
    // A line that is being written is waited for.
    file.lock_shared()?;
    let mut reader = BufReader::new(file);
    let (mut links, mut prev) = (0, NOTHING.to_owned());
    loop {
        let mut line = Vec::new();
        if reader.by_ref().take(2 * LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(Ok(links));
        }
        let broken = |reason| {
            Ok(Err(BrokenLink {
                line: links + 1,
                reason,
            }))
        };
        if line.pop() != Some(b'\n') {
            return broken("the last line is cut");
        }
        let (chained, hash) = match read(&line) {
            Ok(found) => found,
            Err(reason) => return broken(reason),
        };
        if chained.prev != prev {
            return broken("a line before it was removed, inserted or moved: it does not follow the line above");
        }
        if chained.seq != links + 1 {
            return broken("its number does not follow that of the line above");
        }
        (links, prev) = (chained.seq, hash);
    }
}

#[cfg(test)]
mod tests;
