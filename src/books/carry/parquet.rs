//! A table as Parquet, written group by group so that no table stands in memory whole.

use std::fs::File;
use std::io::{self, Write};

use polars::prelude::{AnyValue, DataFrame, PolarsError};
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;
use polars_io::parquet::write::{BatchedWriter, ParquetCompression, ParquetWriter};

use super::columns::{Cell, RowDigest, Rows};
use super::table::Table;
use crate::books::known::Known;
use crate::domain::digest::Digest;

/// Rows written as one group.
const GROUP: usize = 1 << 14;

#[allow(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn into_io(error: PolarsError) -> io::Error {
    io::Error::other(error.to_string())
}

/// A table on its way into a file.
pub(super) struct Writer<W: Write> {
    batches: BatchedWriter<W>,
    /// Rows that do not fill a group yet.
    waiting: DataFrame,
}

impl<W: Write> Writer<W> {
    /// Begins the file.
    pub(super) fn begin(table: &Table, out: W) -> io::Result<Self> {
        let (waiting, _) = Rows::of(table).finish()?;
        let writer = ParquetWriter::new(out).with_compression(ParquetCompression::Snappy);
        Ok(Self { batches: writer.batched(waiting.schema()).map_err(into_io)?, waiting })
    }

    /// Writes rows.
    pub(super) fn put(&mut self, rows: &DataFrame) -> io::Result<()> {
        self.waiting.vstack_mut(rows).map_err(into_io)?;
        if self.waiting.height() >= GROUP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let empty = self.waiting.clear();
        let mut group = std::mem::replace(&mut self.waiting, empty);
        group.rechunk_mut();
        self.batches.write_batch(&group).map_err(into_io)
    }

    /// Writes what is left, and the end.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.waiting.height() > 0 {
            self.flush()?;
        }
        self.batches.finish().map(drop).map_err(into_io)
    }
}

/// Reads `table`, written in `format`, into `known`, and hands on the digest of each row.
pub(super) fn read(table: &Table, format: u32, file: File, known: &mut Known, mut each: impl FnMut(Digest)) -> Result<(), String> {
    let frame = ParquetReader::new(file).finish().map_err(|error| error.to_string())?;
    if !frame.get_column_names().iter().map(|name| name.as_str()).eq(table.header_of(format)) {
        return Err("its columns are not those of this format".to_owned());
    }
    let (mut json, mut row) = (Vec::new(), RowDigest::default());
    for index in 0..frame.height() {
        let values: Vec<AnyValue<'_>> =
            frame.columns().iter().map(|column| column.get(index)).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        let cells = values.iter().map(|value| match value {
            AnyValue::Null => Ok(Cell::Empty),
            AnyValue::String(text) => Ok(Cell::Text(text)),
            AnyValue::StringOwned(text) => Ok(Cell::Text(text)),
            AnyValue::Int64(number) => Ok(Cell::Number(*number)),
            other => Err(format!("a cell holds {other}")),
        });
        let cells: Vec<Cell<'_>> = cells.collect::<Result<_, _>>()?;
        for cell in &cells {
            row.take(cell);
        }
        each(row.end());
        table.take(format, known, &cells, &mut json)?;
    }
    Ok(())
}
