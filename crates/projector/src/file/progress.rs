//! How far the reading of a file has come, for a progress bar on another thread.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes as they lie on disk, compressed or not.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicU64,
    hashed: AtomicU64,
    read: AtomicU64,
}

impl Progress {
    /// The size of the file; `None` for a pipe.
    pub fn bytes_total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Relaxed)).filter(|total| *total > 0)
    }

    /// Read for the name of the file, which comes first.
    pub fn bytes_hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// Read for its lines; a little ahead of what was delivered.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(super) fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    pub(super) fn hashed(&self, bytes: usize) {
        self.hashed.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Counts what is read through it.
pub(super) struct Counted<R> {
    reader: R,
    progress: Arc<Progress>,
}

impl<R> Counted<R> {
    pub(super) fn new(reader: R, progress: Arc<Progress>) -> Self {
        Counted { reader, progress }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.progress.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}
