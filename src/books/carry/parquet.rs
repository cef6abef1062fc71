//! A table as Parquet, written group by group so that no table stands in memory whole.

use std::fs::File;
use std::io::{self, Write};

use polars::prelude::{AnyValue, Column, DataFrame, IntoColumn as _, NamedFrom as _, PolarsError, Series};
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;
use polars_io::parquet::write::{BatchedWriter, ParquetCompression, ParquetWriter};

use super::columns::{Cell, Kind};
use super::table::{Row, Table};
use crate::books::known::Known;

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
        let waiting = frame(table, Vec::new()).map_err(into_io)?;
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

/// Rows as polars has them.
pub(super) fn rows(table: &Table, rows: Vec<Row>) -> io::Result<DataFrame> {
    frame(table, rows).map_err(into_io)
}

fn frame(table: &Table, rows: Vec<Row>) -> Result<DataFrame, PolarsError> {
    let mut keys = Vec::with_capacity(rows.len());
    let mut columns: Vec<Vec<Cell>> = table.columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        keys.push(row.key);
        columns.iter_mut().zip(row.cells).for_each(|(column, cell)| column.push(cell));
    }
    let series = |name: &str, kind: Kind, cells: Vec<Cell>| -> Column {
        match kind {
            Kind::Number => {
                let numbers = cells.into_iter().map(|cell| if let Cell::Number(number) = cell { Some(number) } else { None });
                Series::new(name.into(), numbers.collect::<Vec<Option<i64>>>()).into_column()
            }
            Kind::Text | Kind::Hex | Kind::Json => {
                let texts = cells.into_iter().map(|cell| if let Cell::Text(text) = cell { Some(text) } else { None });
                Series::new(name.into(), texts.collect::<Vec<Option<String>>>()).into_column()
            }
        }
    };
    let key = Series::new(table.key.into(), keys).into_column();
    let others = table.columns.iter().zip(columns).map(|((name, kind), cells)| series(name, *kind, cells));
    DataFrame::new_infer_height(std::iter::once(key).chain(others).collect())
}

/// Reads `table` into `known`, and hands on each row as it was written.
pub(super) fn read(table: &Table, file: File, known: &mut Known, mut each: impl FnMut(&Row) -> io::Result<()>) -> Result<(), String> {
    let frame = ParquetReader::new(file).finish().map_err(|error| error.to_string())?;
    if !frame.get_column_names().iter().map(|name| name.as_str()).eq(table.header()) {
        return Err("its columns are not those of this format".to_owned());
    }
    let mut json = Vec::new();
    for index in 0..frame.height() {
        let mut cells = frame.columns().iter().map(|column| match column.get(index).map_err(|error| error.to_string())? {
            AnyValue::Null => Ok(Cell::Empty),
            AnyValue::String(text) => Ok(Cell::Text(text.to_owned())),
            AnyValue::StringOwned(text) => Ok(Cell::Text(text.to_string())),
            AnyValue::Int64(number) => Ok(Cell::Number(number)),
            other => Err(format!("a cell holds {other}")),
        });
        let Some(Cell::Text(key)) = cells.next().transpose()? else { return Err(format!("row {index} is about nothing")) };
        let row = Row { key, cells: cells.collect::<Result<_, _>>()? };
        each(&row).map_err(|error| error.to_string())?;
        table.take(known, row, &mut json)?;
    }
    Ok(())
}
