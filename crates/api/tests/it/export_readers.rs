//! The files of exports, read by others' readers.

use std::collections::BTreeMap;
use std::io::Cursor;

use arrow_array::{Array as _, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray};
use bytes::Bytes;
use calamine::{Data, Reader as _, Xlsx};
use chrono::{DateTime, Days, NaiveDate};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) columns: Vec<String>,
    /// What is not empty, as JSON would have it (from CSV: texts).
    pub(crate) rows: Vec<BTreeMap<String, Value>>,
    pub(crate) manifest: Value,
}

pub(crate) fn read_csv(bytes: &[u8]) -> Read {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let mut manifest = Value::Object(serde_json::Map::new());
    for line in text.split("\r\n") {
        if let Some((name, value)) = line.strip_prefix("# ").and_then(|line| line.split_once(": ")) {
            manifest[name] = serde_json::from_str(value).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
    }
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(bytes);
    let columns: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let rows = reader.records().map(|record| {
        let record = record.expect("as many cells as columns");
        let cells = columns.iter().cloned().zip(record.iter());
        let cells = cells.filter(|(_, cell)| !cell.is_empty());
        cells.map(|(name, cell)| (name, cell.into())).collect()
    });
    Read {
        rows: rows.collect(),
        columns: columns.clone(),
        manifest,
    }
}

pub(crate) fn read_xlsx(bytes: &[u8]) -> Read {
    let mut book = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    let names = book.sheet_names();
    assert_eq!(names.last().map(String::as_str), Some("manifest"));
    let mut columns = Vec::new();
    let mut rows = Vec::new();
    for name in &names[..names.len() - 1] {
        let range = book.worksheet_range(name).expect("a sheet");
        let mut lines = range.rows();
        columns = lines
            .next()
            .expect("a header")
            .iter()
            .map(ToString::to_string)
            .collect();
        rows.extend(lines.map(|cells| xlsx_row(&columns, cells)));
    }
    let mut manifest = Value::Object(serde_json::Map::new());
    for cells in book.worksheet_range("manifest").expect("a manifest").rows() {
        manifest[cells[0].to_string()] = serde_json::from_str(&cells[1].to_string()).expect("JSON");
    }
    Read {
        columns,
        rows,
        manifest,
    }
}

fn xlsx_row(columns: &[String], cells: &[Data]) -> BTreeMap<String, Value> {
    let mut row = BTreeMap::new();
    for (name, cell) in columns.iter().zip(cells) {
        let value: Value = match cell {
            Data::Empty => continue,
            // calamine takes the escape of a carriage return as it is.
            Data::String(text) => text.replace("_x000D_", "\r").into(),
            Data::Float(number) => number_as_json(name, *number, &row),
            Data::Int(number) => number_as_json(name, *number as f64, &row),
            other => panic!("{name}: {other:?}"),
        };
        row.insert(name.clone(), value);
    }
    row
}

/// A count is a number, an amount a text with its currency's digits.
fn number_as_json(name: &str, number: f64, row: &BTreeMap<String, Value>) -> Value {
    let count = name.ends_with("_count") || name == "version" || name.ends_with("months");
    match row.get("currency").and_then(Value::as_str) {
        _ if count => (number as i64).into(),
        Some("USD") => format!("{number:.2}").into(),
        _ => format!("{number:.0}").into(),
    }
}

pub(crate) fn read_parquet(bytes: &[u8]) -> Read {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(bytes)).expect("a Parquet file");
    let metadata = builder.metadata().file_metadata().key_value_metadata();
    let manifest = metadata
        .into_iter()
        .flatten()
        .find(|pair| pair.key == "ledgerlens.manifest")
        .and_then(|pair| pair.value.as_deref());
    let manifest = manifest.map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"));
    let columns: Vec<String> = builder
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mut rows = Vec::new();
    for batch in builder.build().expect("a reader") {
        let batch = batch.expect("a batch");
        for place in 0..batch.num_rows() {
            let mut row = BTreeMap::new();
            for (name, column) in columns.iter().zip(batch.columns()) {
                if !column.is_null(place) {
                    row.insert(name.clone(), arrow_value(column.as_any(), place));
                }
            }
            rows.push(row);
        }
    }
    Read {
        columns,
        rows,
        manifest,
    }
}

fn arrow_value(column: &dyn std::any::Any, place: usize) -> Value {
    if let Some(column) = column.downcast_ref::<StringArray>() {
        column.value(place).into()
    } else if let Some(column) = column.downcast_ref::<Int64Array>() {
        column.value(place).into()
    } else if let Some(column) = column.downcast_ref::<Date32Array>() {
        let day = NaiveDate::default() + Days::new(u64::try_from(column.value(place)).expect("after 1970"));
        day.to_string().into()
    } else if let Some(column) = column.downcast_ref::<TimestampMicrosecondArray>() {
        let at = DateTime::from_timestamp_micros(column.value(place)).expect("a time");
        at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into()
    } else {
        panic!("a column of another type")
    }
}
