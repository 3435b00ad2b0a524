//! Parquet: one column for each scalar member, the manifest in the file's key-value metadata.
//!
//! Amounts are text with exactly the digits of their currency, because one column holds several currencies; counts are
//! 64-bit integers, days dates, times microseconds in UTC. What is absent is null. A row group goes out when it holds
//! [`GROUP_BYTES`]; nothing but the list of row groups stays behind.

use std::io;
use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, Date32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::body::ChunkWriter;
use super::manifest::Members;
use super::table::{Cell, Kind, Table, epoch_days, epoch_micros};

/// The name of the manifest in the metadata.
const MANIFEST: &str = "ledgerlens.manifest";

/// Bytes of a row group while it is open, encoded.
const GROUP_BYTES: usize = 16 << 20;

/// Rows and bytes of text that are collected before they are encoded.
const BATCH_ROWS: usize = 4_096;
const BATCH_BYTES: usize = 8 << 20;

pub(super) struct ParquetSink {
    out: ArrowWriter<ChunkWriter>,
    schema: Arc<Schema>,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    bytes: usize,
}

enum ColumnBuilder {
    Text(StringBuilder),
    Number(Int64Builder),
    Day(Date32Builder),
    Time(TimestampMicrosecondBuilder),
}

const UTC: &str = "UTC";

impl ColumnBuilder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text | Kind::Money => ColumnBuilder::Text(StringBuilder::new()),
            Kind::Number => ColumnBuilder::Number(Int64Builder::new()),
            Kind::Day => ColumnBuilder::Day(Date32Builder::new()),
            Kind::Time => ColumnBuilder::Time(TimestampMicrosecondBuilder::new().with_timezone(UTC)),
        }
    }

    fn push(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (
                ColumnBuilder::Text(column),
                Cell::Text(text) | Cell::Money(text) | Cell::Day(text) | Cell::Time(text),
            ) => column.append_value(text),
            (ColumnBuilder::Text(column), Cell::Number(number)) => column.append_value(number.to_string()),
            (ColumnBuilder::Text(column), Cell::Empty) => column.append_null(),
            (ColumnBuilder::Number(column), Cell::Number(number)) => column.append_value(number),
            (ColumnBuilder::Number(column), _) => column.append_null(),
            (ColumnBuilder::Day(column), Cell::Day(day)) => column.append_option(epoch_days(day)),
            (ColumnBuilder::Day(column), _) => column.append_null(),
            (ColumnBuilder::Time(column), Cell::Time(time)) => column.append_option(epoch_micros(time)),
            (ColumnBuilder::Time(column), _) => column.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        let builder: &mut dyn ArrayBuilder = match self {
            ColumnBuilder::Text(column) => column,
            ColumnBuilder::Number(column) => column,
            ColumnBuilder::Day(column) => column,
            ColumnBuilder::Time(column) => column,
        };
        builder.finish()
    }
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Money => DataType::Utf8,
        Kind::Number => DataType::Int64,
        Kind::Day => DataType::Date32,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
    }
}

impl ParquetSink {
    pub(super) fn new(out: ChunkWriter, table: &Table) -> io::Result<Self> {
        let fields: Vec<Field> = table
            .columns
            .iter()
            .map(|column| Field::new(column.name, data_type(column.kind), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_created_by("ledgerlens".to_owned())
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_bytes(Some(GROUP_BYTES))
            .build();
        let out = ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(of_parquet)?;
        Ok(ParquetSink {
            out,
            schema,
            columns: table
                .columns
                .iter()
                .map(|column| ColumnBuilder::new(column.kind))
                .collect(),
            rows: 0,
            bytes: 0,
        })
    }

    pub(super) fn row<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) -> io::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            if let Cell::Text(text) = cell {
                self.bytes += text.len();
            }
            column.push(cell);
        }
        self.rows += 1;
        if self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.encode()?;
        }
        Ok(())
    }

    fn encode(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        (self.rows, self.bytes) = (0, 0);
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(of_arrow)?;
        self.out.write(&batch).map_err(of_parquet)
    }

    pub(super) fn finish(mut self, manifest: Option<&Members>) -> io::Result<()> {
        self.encode()?;
        if let Some(manifest) = manifest {
            let text = serde_json::to_string(manifest)?;
            self.out
                .append_key_value_metadata(KeyValue::new(MANIFEST.to_owned(), text));
        }
        self.out.into_inner().map_err(of_parquet)?.end()
    }
}

fn of_parquet(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

fn of_arrow(error: ArrowError) -> io::Error {
    io::Error::other(error)
}
