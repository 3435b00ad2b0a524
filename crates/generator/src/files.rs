//! The stream as files: NDJSON, one message a line, plain or compressed by the file's name.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use thiserror::Error;

use crate::message::Topic;
use crate::stream::Stream;

/// How far a stream has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub messages: u64,
    /// Of message values, before compression.
    pub bytes: u64,
    pub payments: u64,
    pub payments_planned: u64,
}

/// Told now and then how far it is; may ask to stop.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

#[derive(Debug, Error)]
pub enum FileError {
    #[error("cannot create {}", path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    #[default]
    Plain,
    Gzip,
    Zstd,
}

impl Compression {
    /// By the ending of the name: `.gz`, `.zst`, anything else is plain.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz" | "gzip") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstd,
            _ => Self::Plain,
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

/// Reporting more often would cost more than it tells.
pub(crate) const MESSAGES_PER_REPORT: u64 = 8_192;
/// Large enough that the system calls do not count.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes the rest of the stream, all topics in one order, a line a message.
///
/// # Errors
/// `out` refused a write.
pub fn write_ndjson(stream: &mut Stream, out: &mut dyn Write, on_progress: OnProgress<'_>) -> io::Result<Progress> {
    let progress = write_lines(stream, |_, line| out.write_all(line), on_progress)?;
    out.flush()?;
    Ok(progress)
}

/// Writes the rest of the stream into one file, compressed as its name says.
///
/// # Errors
/// The file cannot be created or written.
pub fn write_file(stream: &mut Stream, path: &Path, on_progress: OnProgress<'_>) -> Result<Progress, FileError> {
    let mut sink = Sink::create(path, Compression::of(path))?;
    let progress = write_lines(stream, |_, line| sink.write_all(line), on_progress);
    let progress = progress.and_then(|progress| sink.finish().map(|()| progress));
    progress.map_err(|source| FileError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Writes the rest of the stream into one file a topic: `payments.ndjson`, `cancellations.ndjson`, `settlements.ndjson`.
///
/// # Errors
/// A file cannot be created or written.
pub fn write_topic_files(
    stream: &mut Stream,
    directory: &Path,
    compression: Compression,
    on_progress: OnProgress<'_>,
) -> Result<Progress, FileError> {
    let create = |topic: Topic| {
        Sink::create(
            &directory.join(format!("{}.ndjson{}", topic.name(), compression.ending())),
            compression,
        )
    };
    let [payments, cancellations, settlements] = Topic::ALL.map(create);
    let mut sinks = [payments?, cancellations?, settlements?];
    let progress = write_lines(stream, |topic, line| sinks[topic as usize].write_all(line), on_progress);
    let finish = |progress| sinks.into_iter().try_for_each(Sink::finish).map(|()| progress);
    progress.and_then(finish).map_err(|source| FileError::Write {
        path: directory.to_owned(),
        source,
    })
}

fn write_lines(
    stream: &mut Stream,
    mut write: impl FnMut(Topic, &[u8]) -> io::Result<()>,
    on_progress: OnProgress<'_>,
) -> io::Result<Progress> {
    let mut progress = Progress {
        payments_planned: stream.plan().payments,
        ..Progress::default()
    };
    while let Some(message) = stream.next_message() {
        write(message.topic, message.value)?;
        write(message.topic, b"\n")?;
        progress.messages += 1;
        progress.bytes += message.value.len() as u64;
        if progress.messages.is_multiple_of(MESSAGES_PER_REPORT) {
            progress.payments = stream.payments_arrived();
            if on_progress(progress).is_break() {
                return Ok(progress);
            }
        }
    }
    progress.payments = stream.payments_arrived();
    // The stream has ended: there is nothing left to stop.
    let _ = on_progress(progress);
    Ok(progress)
}

/// A file being written, through its compression. Must be finished, or its end is lost.
enum Sink {
    Plain(BufWriter<File>),
    Gzip(BufWriter<GzEncoder<File>>),
    Zstd(BufWriter<zstd::Encoder<'static, File>>),
}

impl Sink {
    fn create(path: &Path, compression: Compression) -> Result<Self, FileError> {
        let refuse = |source| FileError::Create {
            path: path.to_owned(),
            source,
        };
        let file = File::create(path).map_err(refuse)?;
        Ok(match compression {
            Compression::Plain => Self::Plain(BufWriter::with_capacity(BUFFER_BYTES, file)),
            // The fastest levels: the stream is made faster than the usual ones compress.
            Compression::Gzip => Self::Gzip(BufWriter::with_capacity(
                BUFFER_BYTES,
                GzEncoder::new(file, flate2::Compression::fast()),
            )),
            Compression::Zstd => {
                let encoder = zstd::Encoder::new(file, 1).map_err(refuse)?;
                Self::Zstd(BufWriter::with_capacity(BUFFER_BYTES, encoder))
            }
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Gzip(out) => out.write_all(bytes),
            Self::Zstd(out) => out.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Gzip(out) => out.into_inner()?.finish().map(drop),
            Self::Zstd(out) => out.into_inner()?.finish().map(drop),
        }
    }
}
