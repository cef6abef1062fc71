//! An external ledger as Parquet: every cell is taken as the text a CSV would hold, so both go through the same rules.

use std::io;
use std::path::Path;

use super::external_columns::Columns;
use super::external_error::ExternalError;
use super::external_rows::{BATCH, External, Rows};
use super::terms::ReconcileTerms;
use crate::columns::Value;
use crate::columns::stored::Stored;
use crate::private;
use crate::table::{Row, TableLayout};

/// Reads the Parquet file at `path`.
pub(super) fn read(path: &Path, terms: &ReconcileTerms, dimensions: &[String]) -> Result<External, ExternalError> {
    let unreadable = |error: io::Error| ExternalError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    let stored = private::regular(path).and_then(Stored::foreign).map_err(unreadable)?;
    let header = Row::from_cells(stored.names().map(str::as_bytes), 1);
    let count = stored.names().count();
    let plain = TableLayout::default();
    let columns = Columns::of(&header, &plain, dimensions).map_err(|fault| ExternalError::Table { path: path.to_owned(), fault })?;
    let mut rows = Rows::new(columns, terms, &plain);
    let mut batch = Vec::with_capacity(BATCH);
    for (index, number) in (0..stored.height()).zip(2_u64..) {
        let cells = (0..count).map(|column| stored.cell(index, column).and_then(|value| text(&value)));
        batch.push(Row::from_cells(cells.collect::<io::Result<Vec<String>>>().map_err(unreadable)?, number));
        if batch.len() == BATCH {
            rows.take(&mut batch)?;
            batch.clear();
        }
    }
    rows.take(&mut batch)?;
    Ok(rows.finish())
}

/// Some write texts as bytes.
fn text(value: &Value<'_>) -> io::Result<String> {
    if let Value::Digest(bytes) = value {
        return Ok(String::from_utf8_lossy(bytes).into_owned());
    }
    value.text(&mut String::new()).map(str::to_owned).map_err(io::Error::other)
}
