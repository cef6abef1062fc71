//! An external ledger as Parquet: every cell is taken as the text a CSV would hold, so both go through the same rules.

use std::fs::File;
use std::path::Path;

use polars::prelude::{AnyValue, PolarsError};
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;

use super::Terms;
use super::external::{BATCH, External, ExternalError, Rows};

/// Reads the Parquet file at `path`.
pub(super) fn read(path: &Path, terms: &Terms) -> Result<External, ExternalError> {
    let unreadable = |reason: String| ExternalError::Unreadable { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let frame = ParquetReader::new(file).finish().map_err(|error: PolarsError| unreadable(error.to_string()))?;
    let header: csv::ByteRecord = frame.get_column_names().iter().map(|name| name.as_bytes()).collect();
    let mut rows = Rows::new(&header, path, terms)?;
    let mut batch = Vec::with_capacity(BATCH);
    for index in 0..frame.height() {
        let mut row = csv::ByteRecord::new();
        for column in frame.columns() {
            let value = column.get(index).map_err(|error| unreadable(error.to_string()))?;
            row.push_field(text(&value).as_bytes());
        }
        batch.push(row);
        if batch.len() == BATCH {
            rows.take(&batch)?;
            batch.clear();
        }
    }
    rows.take(&batch)?;
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
