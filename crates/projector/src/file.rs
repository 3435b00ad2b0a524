//! A file of messages, one JSON text a line (NDJSON): plain, gzip or zstd, told apart by their first bytes.
//!
//! **Name.** A file is the partition named by the SHA-256 of its bytes as they lie on disk, so it is read twice: once for
//! the name, once for the lines. Renamed or copied it is still the same input, and one byte more makes it another. What
//! cannot be read twice (standard input, a pipe) has no name before its end, and to name it by its beginning would be
//! wrong: of two inputs that begin alike the second would be taken for applied. So each run over a pipe is a partition
//! of its own with a random name. It cannot be resumed; given again, its messages are judged again, as duplicates.
//!
//! **Positions** are line numbers from 0, blank lines included. The lines below the ledger's position are read (a
//! compressed file cannot be entered in the middle) and dropped.
//!
//! **Damage.** A compressed file that ends too early or cannot be decoded is an error that names the line, after every
//! complete line before it was delivered; the broken line is not. A plain file may end without a newline. (gzip always
//! carries a checksum; zstd does as its command writes it, and without one a changed byte can go unseen.)

mod format;
mod lines;
mod progress;

use std::fs::{File, Metadata};
use std::io::{self, BufRead, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use domain::position::{PartitionId, Positions};
use sha2::{Digest, Sha256};

use crate::error::SourceError;
use crate::file::lines::{Line, Lines};
use crate::file::progress::Counted;
use crate::source::{Budget, Content, Counters, PartitionStatus, Polled, RawMessage, Source};

pub use crate::file::progress::Progress;

/// The clock is looked at once in so many lines: often enough to stop in time, and a poll always gets ahead.
const LINES_BETWEEN_CLOCK_LOOKS: u64 = 512;

/// A file or a pipe as a source.
pub struct FileSource {
    name: String,
    partition: Arc<PartitionId>,
    lines: Lines<Box<dyn BufRead + Send>>,
    /// The line that is read next.
    next: u64,
    /// The ledger's position when the source was opened.
    start: u64,
    /// Everything before it was delivered or told by `passed`.
    told: u64,
    state: State,
    identity: Option<(File, Identity)>,
    counters: Counters,
}

enum State {
    Reading,
    Failed { kind: io::ErrorKind, reason: String },
    Changed,
    Ended,
}

/// What must not change between the two readings of a file.
#[derive(PartialEq, Eq)]
struct Identity {
    length: u64,
    modified_at: Option<SystemTime>,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Identity {
            length: metadata.len(),
            modified_at: metadata.modified().ok(),
        }
    }
}

impl FileSource {
    /// That something to be read is at `path`, which is not opened yet: who writes into a pipe would notice.
    ///
    /// # Errors
    /// As [`FileSource::open`].
    pub fn expect(path: &Path) -> Result<(), SourceError> {
        let failed = |reason| SourceError::Open {
            file: path.display().to_string(),
            reason,
        };
        match path.as_os_str() == "-" || !path.metadata().map_err(failed)?.is_dir() {
            true => Ok(()),
            false => Err(failed(io::ErrorKind::IsADirectory.into())),
        }
    }

    /// Opens the file at `path`, or standard input where `path` is `-`. Reads a file once to its end for its name, which
    /// `progress` shows.
    pub fn open(path: &Path, held: &Positions, progress: &Arc<Progress>) -> Result<Self, SourceError> {
        if path.as_os_str() == "-" {
            return Self::from_pipe("standard input", Box::new(io::stdin()), progress);
        }
        let name = path.display().to_string();
        let failed = |reason| SourceError::Open {
            file: name.clone(),
            reason,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if !metadata.is_file() {
            return Self::from_pipe(&name, Box::new(file), progress);
        }
        progress.expect(metadata.len());
        let sha256 = hash(&file, progress).map_err(failed)?;
        let reader = file.try_clone().map_err(failed)?;
        let mut source = Self::from_reader(&name, sha256, Box::new(reader), held, progress)?;
        source.identity = Some((file, Identity::of(&metadata)));
        Ok(source)
    }

    /// Reads what can be read only once. See the module documentation for what that costs.
    pub fn from_pipe(name: &str, reader: Box<dyn Read + Send>, progress: &Arc<Progress>) -> Result<Self, SourceError> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| SourceError::Open {
            file: name.to_owned(),
            reason: io::Error::other(error),
        })?;
        Self::from_reader(name, hex(&random), reader, &Positions::default(), progress)
    }

    fn from_reader(
        name: &str,
        sha256: String,
        reader: Box<dyn Read + Send>,
        held: &Positions,
        progress: &Arc<Progress>,
    ) -> Result<Self, SourceError> {
        let counted = Counted::new(reader, Arc::clone(progress));
        let decoded = format::decode(counted).map_err(|reason| SourceError::Open {
            file: name.to_owned(),
            reason,
        })?;
        let partition = PartitionId::File { sha256 };
        let start = held.next(&partition).unwrap_or(0);
        Ok(FileSource {
            name: name.to_owned(),
            partition: Arc::new(partition),
            lines: Lines::new(decoded),
            next: 0,
            start,
            told: start,
            state: State::Reading,
            identity: None,
            counters: Counters::default(),
        })
    }

    pub fn partition(&self) -> &PartitionId {
        &self.partition
    }

    /// How many lines the ledger already had when the source was opened. They are not delivered again.
    pub fn lines_already_applied(&self) -> u64 {
        self.start
    }

    fn failure(&self) -> Option<SourceError> {
        let file = self.name.clone();
        match &self.state {
            State::Failed { kind, reason } => {
                let reason = io::Error::new(*kind, reason.clone());
                Some(SourceError::Read {
                    file,
                    line: self.next + 1,
                    reason,
                })
            }
            State::Changed => Some(SourceError::Changed { file }),
            State::Reading | State::Ended => None,
        }
    }

    fn is_unchanged(&self) -> bool {
        let Some((file, before)) = &self.identity else {
            return true;
        };
        file.metadata().is_ok_and(|now| Identity::of(&now) == *before)
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn poll(&mut self, budget: &Budget, out: &mut Vec<RawMessage>) -> Result<Polled, SourceError> {
        let (mut messages, mut bytes) = (0, 0);
        let mut lines_read = 0;
        while matches!(self.state, State::Reading) {
            let late = lines_read % LINES_BETWEEN_CLOCK_LOOKS == LINES_BETWEEN_CLOCK_LOOKS - 1
                && Instant::now() >= budget.until;
            if messages >= budget.messages || bytes >= budget.bytes || late {
                return Ok(Polled::More);
            }
            lines_read += 1;
            let content = match self.lines.next() {
                Ok(Some(Line::Blank)) => None,
                Ok(Some(_)) if self.next < self.start => None,
                Ok(Some(Line::Whole(line))) => Some(Content::of_value(line, Vec::new())),
                Ok(Some(Line::Oversize(oversize))) => Some(Content::Oversize(oversize)),
                Ok(None) => {
                    self.state = if self.is_unchanged() {
                        State::Ended
                    } else {
                        State::Changed
                    };
                    break;
                }
                Err(error) => {
                    self.state = State::Failed {
                        kind: error.kind(),
                        reason: error.to_string(),
                    };
                    break;
                }
            };
            let position = self.next;
            self.next += 1;
            let Some(content) = content else { continue };
            self.told = self.next;
            self.counters.count(&content);
            messages += 1;
            bytes += content.held_bytes();
            out.push(RawMessage {
                partition: Arc::clone(&self.partition),
                position,
                content,
                appended_at: None,
            });
        }
        match self.failure() {
            // What was read before the damage is delivered first.
            Some(_) if messages > 0 => Ok(Polled::More),
            Some(error) => Err(error),
            None => Ok(Polled::Ended),
        }
    }

    fn passed(&mut self, positions: &mut Positions) {
        if self.next > self.told {
            self.told = self.next;
            positions.advance(&self.partition, self.next);
        }
    }

    fn applied(&mut self, _positions: &Positions) {}

    fn partitions(&self) -> Vec<PartitionStatus> {
        let next = self.next.max(self.start);
        let end = matches!(self.state, State::Ended).then_some(next);
        let problem = self.failure().map(|error| error.to_string());
        let lag = end.map(|end| end - next);
        vec![PartitionStatus {
            partition: Arc::clone(&self.partition),
            next,
            end,
            lag,
            is_looked_at: true,
            problem,
        }]
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

/// The SHA-256 of the whole file, which is then at its beginning again.
fn hash(mut file: &File, progress: &Progress) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(&buffer[..length]);
                progress.hashed(length);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    file.rewind()?;
    Ok(hex(&hasher.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
