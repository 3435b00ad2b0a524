//! NDJSON: a row a line, and a last line with the manifest.

use std::io::{self, Write as _};

use serde::Serialize;

use super::body::ChunkWriter;
use super::manifest::Members;

#[derive(Serialize)]
struct LastLine<'a> {
    manifest: &'a Members,
}

pub(super) struct NdjsonSink {
    out: ChunkWriter,
}

impl NdjsonSink {
    pub(super) fn new(out: ChunkWriter) -> Self {
        NdjsonSink { out }
    }

    pub(super) fn row(&mut self, line: &[u8]) -> io::Result<()> {
        self.out.write_all(line)
    }

    pub(super) fn finish(mut self, manifest: Option<&Members>) -> io::Result<()> {
        if let Some(manifest) = manifest {
            serde_json::to_writer(&mut self.out, &LastLine { manifest })?;
            self.out.write_all(b"\n")?;
        }
        self.out.end()
    }
}
