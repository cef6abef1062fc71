//! An external ledger as Parquet: every cell is taken as the text a CSV would hold, so both go through the same rules.

use std::fs::File;
use std::path::Path;

use polars::prelude::{AnyValue, PolarsError};
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;

use super::Terms;
use super::external::{BATCH, External, ExternalError, Rows};
use super::external_columns::Columns;
use crate::table::{Layout, Row};

/// Reads the Parquet file at `path`.
pub(super) fn read(path: &Path, terms: &Terms, dimensions: &[String]) -> Result<External, ExternalError> {
    let unreadable = |reason: String| ExternalError::Unreadable { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let frame = ParquetReader::new(file).finish().map_err(|error: PolarsError| unreadable(error.to_string()))?;
    let header = Row::from_cells(frame.get_column_names().iter().map(|name| name.as_bytes()), 1);
    let plain = Layout::default();
    let columns = Columns::of(&header, &plain, dimensions).map_err(|fault| ExternalError::Table { path: path.to_owned(), fault })?;
    let mut rows = Rows::new(columns, terms, &plain);
    let mut batch = Vec::with_capacity(BATCH);
    for (index, number) in (0..frame.height()).zip(2_u64..) {
        let mut cells = Vec::with_capacity(frame.columns().len());
        for column in frame.columns() {
            let value = column.get(index).map_err(|error| unreadable(error.to_string()))?;
            cells.push(text(&value));
        }
        batch.push(Row::from_cells(cells, number));
        if batch.len() == BATCH {
            rows.take(&mut batch)?;
            batch.clear();
        }
    }
    rows.take(&mut batch)?;
    Ok(rows.finish())
}

fn text(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => String::new(),
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        other => other.to_string(),
    }
}
