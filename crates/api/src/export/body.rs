//! The body of an export: a channel of a few chunks between the producer's thread and the client.

use std::io;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::stream;
use lookup::LookupError;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::app::Limits;
use crate::problem::Problem;

/// Bytes of a chunk: large enough that handing one over costs nothing beside filling it.
const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks that wait for the client. With the one being filled, all that an export keeps for a slow reader.
const CHUNKS_WAITING_MAX: usize = 4;

/// Why an export ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The client closed the connection.
    ClientGone,
    /// The client took nothing for too long.
    Stalled,
    /// The whole took too long.
    TookTooLong,
    /// A temporary file would have become too large.
    TooLarge,
    /// The service is shutting down.
    ShuttingDown,
}

impl Why {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Why::ClientGone => "client_gone",
            Why::Stalled => "stalled",
            Why::TookTooLong => "took_too_long",
            Why::TooLarge => "too_large",
            Why::ShuttingDown => "shutting_down",
        }
    }
}

/// What a producer stops with.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The [`Gate`] knows why.
    Ended,
    Failed(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Stop::Failed(problem)
    }
}

impl From<LookupError> for Stop {
    fn from(error: LookupError) -> Self {
        Stop::Failed(error.into())
    }
}

/// What goes through the channel.
enum Piece {
    Chunk(Bytes),
    /// The whole was sent. A channel that closes without it was broken off, whatever the reason.
    End,
}

/// The producer's side. A clone is the same side.
#[derive(Clone)]
pub(super) struct Gate {
    pieces: mpsc::Sender<Piece>,
    closing: CancellationToken,
    runtime: Handle,
    stall: Duration,
    within: Duration,
    temp_bytes_max: u64,
    until: Instant,
    why: Arc<OnceLock<Why>>,
}

/// A gate and the body that comes out of it.
pub(super) fn open(limits: &Limits, closing: CancellationToken) -> (Gate, Body) {
    let (pieces, mut taken) = mpsc::channel(CHUNKS_WAITING_MAX);
    let gate = Gate {
        pieces,
        closing,
        runtime: Handle::current(),
        stall: limits.export_stall,
        within: limits.export_within,
        temp_bytes_max: limits.export_temp_bytes_max,
        until: Instant::now() + limits.export_within,
        why: Arc::new(OnceLock::new()),
    };
    let mut whole = false;
    let next = move |context: &mut std::task::Context<'_>| match taken.poll_recv(context) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Some(Piece::Chunk(chunk))) => Poll::Ready(Some(Ok(chunk))),
        Poll::Ready(Some(Piece::End)) => {
            whole = true;
            Poll::Ready(None)
        }
        Poll::Ready(None) if whole => Poll::Ready(None),
        // The connection is cut instead of ended, so that nobody takes what came for the whole.
        Poll::Ready(None) => Poll::Ready(Some(Err(io::Error::other("the export was broken off")))),
    };
    (gate, Body::from_stream(stream::poll_fn(next)))
}

impl Gate {
    /// Whether it is worth going on.
    pub(super) fn look_around(&self) -> io::Result<()> {
        if self.closing.is_cancelled() {
            return Err(self.end(Why::ShuttingDown));
        }
        if self.pieces.is_closed() {
            return Err(self.end(Why::ClientGone));
        }
        if Instant::now() > self.until {
            tracing::warn!(
                within_seconds = self.within.as_secs(),
                "an export took too long and was broken off"
            );
            return Err(self.end(Why::TookTooLong));
        }
        Ok(())
    }

    pub(super) fn temp_bytes_max(&self) -> u64 {
        self.temp_bytes_max
    }

    pub(super) fn why(&self) -> Option<Why> {
        self.why.get().copied()
    }

    /// Notes why nothing more will come, the first time it is told.
    pub(super) fn end(&self, why: Why) -> io::Error {
        let _ = self.why.set(why);
        io::Error::new(io::ErrorKind::BrokenPipe, why.as_str())
    }

    /// Waits until the client has taken enough.
    fn send(&self, piece: Piece) -> io::Result<()> {
        self.look_around()?;
        let sent = self.runtime.block_on(async {
            tokio::select! {
                sent = timeout(self.stall, self.pieces.send(piece)) => sent.map_or(Err(Why::Stalled), |sent| {
                    sent.map_err(|_| Why::ClientGone)
                }),
                () = self.closing.cancelled() => Err(Why::ShuttingDown),
            }
        });
        sent.map_err(|why| self.end(why))
    }
}

/// Writes into the body, chunk by chunk.
pub(super) struct ChunkWriter {
    gate: Gate,
    open: BytesMut,
}

impl ChunkWriter {
    pub(super) fn new(gate: Gate) -> Self {
        ChunkWriter {
            gate,
            open: BytesMut::with_capacity(CHUNK_BYTES),
        }
    }

    fn hand_over(&mut self) -> io::Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.open, BytesMut::with_capacity(CHUNK_BYTES));
        self.gate.send(Piece::Chunk(chunk.freeze()))
    }
}

impl io::Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.open.len() >= CHUNK_BYTES {
            self.hand_over()?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.open.len());
        self.open.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Hands over only whole chunks: writers flush more often than a client wants packets. What is left goes with
    /// [`ChunkWriter::end`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ChunkWriter {
    /// Hands over what is left, and that it is the end.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.hand_over()?;
        self.gate.send(Piece::End)
    }
}
