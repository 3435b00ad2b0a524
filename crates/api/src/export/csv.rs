//! CSV as RFC 4180 has it: lines end with CR LF, cells are quoted where they must be.
//!
//! Texts are made [`harmless`]; amounts, numbers, days and times are never touched: what stands in them is ours. Lines of
//! the manifest begin with `#`; a cell with a `#` in it is quoted, so no row does.

use std::io::{self, Write as _};

use super::body::ChunkWriter;
use super::manifest::Members;
use super::table::{Cell, Table, harmless};

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

pub(super) struct CsvSink {
    out: csv::Writer<ChunkWriter>,
}

impl CsvSink {
    pub(super) fn new(mut out: ChunkWriter, table: &Table, bom: bool) -> io::Result<Self> {
        if bom {
            out.write_all(BYTE_ORDER_MARK)?;
        }
        let mut out = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .comment(Some(b'#'))
            .from_writer(out);
        out.write_record(table.columns.iter().map(|column| column.name))?;
        Ok(CsvSink { out })
    }

    pub(super) fn row<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) -> io::Result<()> {
        for cell in cells {
            match cell {
                Cell::Empty => self.out.write_field("")?,
                Cell::Text(text) => self.out.write_field(&*harmless(text))?,
                Cell::Money(text) | Cell::Day(text) | Cell::Time(text) => {
                    self.out.write_field(text)?;
                }
                Cell::Number(number) => self.out.write_field(number.to_string())?,
            }
        }
        self.out.write_record(None::<&[u8]>)?;
        Ok(())
    }

    pub(super) fn finish(self, manifest: Option<&Members>) -> io::Result<()> {
        let mut out = self.out.into_inner().map_err(|error| error.into_error())?;
        for (name, value) in manifest.into_iter().flat_map(Members::iter) {
            write!(out, "# {name}: {value}\r\n")?;
        }
        out.end()
    }
}
