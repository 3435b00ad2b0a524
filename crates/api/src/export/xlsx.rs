//! XLSX: sheets of rows and a last one with the manifest.
//!
//! Texts, identifiers, days and times are text cells, the first two made [`harmless`]: a spreadsheet does not run a text cell, but does once
//! somebody edits it or saves the sheet as CSV. Amounts and
//! numbers are number cells, so that they can be added up; a spreadsheet calculates with 15 digits, so what has more is
//! text. Rows go to temporary files, one a sheet, which the operating system removes whatever happens; at the end they
//! are packed straight into the response.

use std::io;
use std::path::Path;

use rust_xlsxwriter::{ColNum, DocProperties, ExcelDateTime, Format, RowNum, Workbook, Worksheet, XlsxError};
use serde_json::Value;

use super::body::{ChunkWriter, Gate, Why};
use super::manifest::Members;
use super::table::{Cell, Table, harmless};

/// Rows of a sheet, the header included.
const SHEET_ROWS_MAX: RowNum = 1_048_576;

/// Characters of a cell.
const CELL_CHARS_MAX: usize = 32_767;

/// Digits that a spreadsheet keeps of a number.
const DIGITS_MAX: usize = 15;

/// Bytes that a cell takes in a temporary file beside its text, about.
const CELL_BYTES: u64 = 48;

/// Formats of amounts by their fraction digits; no currency has more than four.
const NUMBER_FORMATS: [&str; 5] = ["0", "0.0", "0.00", "0.000", "0.0000"];

pub(super) struct XlsxSink {
    out: ChunkWriter,
    gate: Gate,
    workbook: Workbook,
    sheet: usize,
    row: RowNum,
    formats: Vec<Format>,
    bytes: u64,
    /// Texts that were longer than a cell can be.
    cut: u64,
}

impl XlsxSink {
    pub(super) fn new(out: ChunkWriter, gate: &Gate, table: &Table, temp_dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(temp_dir)?;
        let mut workbook = Workbook::new();
        workbook.set_tempdir(temp_dir).map_err(of_xlsx)?;
        workbook.use_zip_large_file(true);
        // The same rows are the same bytes whenever they are written: the manifest says of when they are.
        let written = ExcelDateTime::from_timestamp(0).map_err(of_xlsx)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&written));
        let mut sink = XlsxSink {
            out,
            gate: gate.clone(),
            workbook,
            sheet: 0,
            row: 0,
            formats: NUMBER_FORMATS
                .iter()
                .map(|format| Format::new().set_num_format(*format))
                .collect(),
            bytes: 0,
            cut: 0,
        };
        sink.begin_sheet(table)?;
        Ok(sink)
    }

    fn begin_sheet(&mut self, table: &Table) -> io::Result<()> {
        self.sheet = self.workbook.worksheets().len();
        let name = match self.sheet {
            0 => "rows".to_owned(),
            before => format!("rows {}", before + 1),
        };
        let sheet = self.workbook.add_worksheet_with_constant_memory().map_err(of_xlsx)?;
        sheet.set_name(name).map_err(of_xlsx)?;
        sheet.set_freeze_panes(1, 0).map_err(of_xlsx)?;
        for (place, column) in (0..).zip(&table.columns) {
            sheet.write_string(0, place, column.name).map_err(of_xlsx)?;
        }
        self.row = 1;
        Ok(())
    }

    pub(super) fn row(&mut self, table: &Table, object: &Value) -> io::Result<()> {
        // Nothing is sent before the end, so this is where a client that has left is noticed.
        self.gate.look_around()?;
        if self.row == SHEET_ROWS_MAX {
            self.begin_sheet(table)?;
        }
        let sheet = self.workbook.worksheet_from_index(self.sheet).map_err(of_xlsx)?;
        for (place, cell) in (0..).zip(table.cells(object)) {
            let (bytes, is_cut) = write(sheet, (self.row, place), cell, &self.formats).map_err(of_xlsx)?;
            self.bytes += bytes;
            self.cut += u64::from(is_cut);
        }
        self.row += 1;
        if self.bytes > self.gate.temp_bytes_max() {
            tracing::warn!(
                bytes_max = self.gate.temp_bytes_max(),
                "an export as XLSX outgrew its temporary files and was broken off"
            );
            return Err(self.gate.end(Why::TooLarge));
        }
        Ok(())
    }

    pub(super) fn finish(mut self, manifest: Option<&Members>) -> io::Result<()> {
        if let Some(manifest) = manifest {
            let cut = self.cut.to_string();
            let about_cells = (self.cut > 0).then_some(("cells_cut", cut.as_str()));
            let sheet = self.workbook.add_worksheet();
            sheet.set_name("manifest").map_err(of_xlsx)?;
            for (row, (name, value)) in (0..).zip(manifest.iter().chain(about_cells)) {
                sheet.write_string(row, 0, name).map_err(of_xlsx)?;
                sheet.write_string(row, 1, fitting(value).0).map_err(of_xlsx)?;
            }
        }
        self.workbook.save_to_writer(&mut self.out).map_err(of_xlsx)?;
        self.out.end()
    }
}

/// Writes a cell; returns about how many bytes it takes and whether it was cut.
fn write(
    sheet: &mut Worksheet,
    (row, column): (RowNum, ColNum),
    cell: Cell<'_>,
    formats: &[Format],
) -> Result<(u64, bool), XlsxError> {
    let (text, digits) = match cell {
        Cell::Empty => return Ok((0, false)),
        Cell::Text(text) => (harmless(text).into_owned(), None),
        Cell::Day(text) | Cell::Time(text) => (text.to_owned(), None),
        Cell::Money(text) => {
            let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            (text.to_owned(), Some(digits))
        }
        Cell::Number(number) => (number.to_string(), Some(0)),
    };
    let significant = text.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_MAX;
    // Up to 15 digits come back from the nearest binary number exactly as they went in.
    let number = text.parse::<f64>().ok().filter(|_| significant);
    let mut is_cut = false;
    match (digits.and_then(|digits| formats.get(digits)), number) {
        (Some(format), Some(number)) => sheet.write_number_with_format(row, column, number, format)?,
        _ => {
            let (text, cut) = fitting(&text);
            is_cut = cut;
            sheet.write_string(row, column, text)?
        }
    };
    Ok((CELL_BYTES + text.len() as u64, is_cut))
}

/// The text, cut where a cell ends, and whether it was.
fn fitting(text: &str) -> (&str, bool) {
    match text.char_indices().nth(CELL_CHARS_MAX) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}

fn of_xlsx(error: XlsxError) -> io::Error {
    io::Error::other(error)
}
