//! Between a producer and a format: every row is counted, summed, hashed and written once.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use domain::money::Currency;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::Export;
use super::body::{ChunkWriter, Gate, Stop, Why};
use super::csv::CsvSink;
use super::format::{Format, Output};
use super::manifest::{Members, Tally, query_of};
use super::ndjson::NdjsonSink;
use super::parquet::ParquetSink;
use super::table::Table;
use super::xlsx::XlsxSink;
use crate::json::AsOfJson;
use crate::params::Params;
use crate::problem::Problem;

/// What a producer hands its rows to.
pub(crate) struct Rows {
    table: Table,
    output: Output,
    query: Value,
    notes: Vec<(&'static str, Value)>,
    tally: Tally,
    line: Vec<u8>,
    gate: Gate,
    temp_dir: PathBuf,
    /// Told the position of the answer, or why there is none.
    announce: Option<oneshot::Sender<Result<String, Problem>>>,
    as_of: Option<AsOfJson>,
    sink: Option<Sink>,
}

enum Sink {
    Ndjson(NdjsonSink),
    Csv(Box<CsvSink>),
    Xlsx(Box<XlsxSink>),
    Parquet(Box<ParquetSink>),
}

impl Rows {
    pub(super) fn new(
        export: Export,
        params: &Params,
        gate: Gate,
        announce: oneshot::Sender<Result<String, Problem>>,
        temp_dir: PathBuf,
    ) -> Self {
        Rows {
            table: export.table,
            output: export.output,
            query: query_of(params),
            notes: Vec::new(),
            tally: Tally::new(),
            line: Vec::new(),
            gate,
            temp_dir,
            announce: Some(announce),
            as_of: None,
            sink: None,
        }
    }

    /// Names the position that every row is of. From here on the answer is on its way.
    pub(crate) fn start(&mut self, as_of: AsOfJson) -> Result<(), Stop> {
        if let Some(announce) = self.announce.take() {
            // Nobody listens: the client is gone, which the next look around finds.
            let _ = announce.send(Ok(as_of.token.clone()));
        }
        self.as_of = Some(as_of);
        let opened = self.open();
        self.sink = Some(self.told(opened)?);
        Ok(())
    }

    fn open(&self) -> io::Result<Sink> {
        let out = ChunkWriter::new(self.gate.clone());
        Ok(match self.output.format {
            // Pages of JSON are no exports.
            Format::Json | Format::Ndjson => Sink::Ndjson(NdjsonSink::new(out)),
            Format::Csv => Sink::Csv(Box::new(CsvSink::new(out, &self.table, self.output.bom)?)),
            Format::Xlsx => Sink::Xlsx(Box::new(XlsxSink::new(out, &self.gate, &self.table, &self.temp_dir)?)),
            Format::Parquet => Sink::Parquet(Box::new(ParquetSink::new(out, &self.table)?)),
        })
    }

    /// Adds a member to the manifest.
    pub(crate) fn note(&mut self, name: &'static str, value: impl Into<Value>) {
        self.notes.push((name, value.into()));
    }

    /// To be called now and then where no row comes: stops the producer when nobody waits for it any more.
    pub(crate) fn look_around(&self) -> Result<(), Stop> {
        self.told(self.gate.look_around())
    }

    /// Writes a row. `figures` are what the table's sums add up, in minor units of `currency`; absent ones add nothing.
    pub(crate) fn row(
        &mut self,
        row: &impl Serialize,
        currency: Option<Currency>,
        figures: &[Option<i128>],
    ) -> Result<(), Stop> {
        self.line.clear();
        let printed = serde_json::to_writer(&mut self.line, row).map_err(io::Error::from);
        self.told(printed)?;
        self.line.push(b'\n');
        if self.tally.add(&self.line, currency, figures).is_none() {
            tracing::error!("the control sums of an export do not fit");
            return Err(Stop::Failed(Problem::internal()));
        }
        let written = self.write(row);
        self.told(written)
    }

    fn write(&mut self, row: &impl Serialize) -> io::Result<()> {
        let object = || serde_json::to_value(row).map_err(io::Error::from);
        match &mut self.sink {
            None => Err(io::Error::other("a row came before the position")),
            Some(Sink::Ndjson(sink)) => sink.row(&self.line),
            Some(Sink::Csv(sink)) => sink.row(self.table.cells(&object()?)),
            Some(Sink::Xlsx(sink)) => sink.row(&self.table, &object()?),
            Some(Sink::Parquet(sink)) => sink.row(self.table.cells(&object()?)),
        }
    }

    /// Writes the end, the manifest included.
    pub(super) fn finish(&mut self) -> Result<(), Stop> {
        let ended = self.end();
        self.told(ended)
    }

    fn end(&mut self) -> io::Result<()> {
        let (Some(sink), Some(as_of)) = (self.sink.take(), &self.as_of) else {
            return Err(io::Error::other("an export has no position"));
        };
        let manifest: Option<Members> = match self.output.manifest {
            false => None,
            true => Some(self.tally.manifest(&self.table.sums, as_of, &self.query, &self.notes)?),
        };
        let manifest = manifest.as_ref();
        match sink {
            Sink::Ndjson(sink) => sink.finish(manifest),
            Sink::Csv(sink) => sink.finish(manifest),
            Sink::Xlsx(sink) => sink.finish(manifest),
            Sink::Parquet(sink) => sink.finish(manifest),
        }
    }

    /// What became of it, for the client, the log and the metrics. With this the body is closed.
    pub(super) fn close(self, outcome: Result<(), Stop>, began: Instant) {
        let what = match outcome {
            Ok(()) => "complete",
            Err(Stop::Ended) => self.gate.why().map_or("failed", Why::as_str),
            Err(Stop::Failed(problem)) => {
                if let Some(announce) = self.announce {
                    let _ = announce.send(Err(problem));
                }
                "failed"
            }
        };
        let format = self.output.format.as_str();
        let rows = self.tally.rows();
        metrics::counter!("ledgerlens_exports_total", "format" => format, "outcome" => what).increment(1);
        metrics::counter!("ledgerlens_export_rows_total", "format" => format).increment(rows);
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            export.format = format,
            export.outcome = what,
            rows,
            duration_ms,
            "an export ended"
        );
    }

    /// An error that the gate does not explain is one of a disk or of a library.
    fn told<T>(&self, outcome: io::Result<T>) -> Result<T, Stop> {
        outcome.map_err(|error| {
            if self.gate.why().is_some() {
                return Stop::Ended;
            }
            tracing::error!(error = %error, "an export could not be written");
            Stop::Failed(Problem::internal())
        })
    }
}
