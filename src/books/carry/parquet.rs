//! A table as Parquet, written group by group so that no table stands in memory twice.

use std::fs::File;
use std::io::{self, Write};

use polars::prelude::{AnyValue, Column, DataFrame, IntoColumn as _, NamedFrom as _, PolarsError, Series};
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;
use polars_io::parquet::write::{ParquetCompression, ParquetWriter};

use super::columns::{Cell, Kind};
use super::table::{Row, Table};
use crate::books::known::Known;

/// Rows written as one group.
const GROUP: usize = 1 << 14;

#[allow(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn into_io(error: PolarsError) -> io::Error {
    io::Error::other(error.to_string())
}

/// Writes `table`.
pub(super) fn write(table: &Table, known: &Known, out: &mut dyn Write) -> io::Result<()> {
    let empty = frame(table, Vec::new()).map_err(into_io)?;
    let writer = ParquetWriter::new(out).with_compression(ParquetCompression::Snappy);
    let mut batches = writer.batched(empty.schema()).map_err(into_io)?;
    let mut group: Vec<Row> = Vec::new();
    table.each(known, &mut |row| {
        group.push(row);
        if group.len() == GROUP {
            batches.write_batch(&frame(table, std::mem::take(&mut group)).map_err(into_io)?).map_err(into_io)?;
        }
        Ok(())
    })?;
    if !group.is_empty() {
        batches.write_batch(&frame(table, group).map_err(into_io)?).map_err(into_io)?;
    }
    batches.finish().map(drop).map_err(into_io)
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

/// Reads `table` into `known`.
pub(super) fn read(table: &Table, file: File, known: &mut Known) -> Result<(), String> {
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
        table.take(known, Row { key, cells: cells.collect::<Result<_, _>>()? }, &mut json)?;
    }
    Ok(())
}
