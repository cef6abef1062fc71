//! An external ledger as a table, read as text: codes keep their zeros, and every row that is no bill is listed with its cell.

use std::path::Path;

use super::external_columns::{Columns, is_enough, is_known};
pub use super::external_error::ExternalError;
use super::external_rows::{BATCH, External, Rows};
use super::terms::ReconcileTerms;
use crate::table::{self, Header, Row, Shape, Table, TableLayout, TableLimits, TableSettings};

/// Reads the file at `path`: Parquet by its extension, else CSV or XLSX.
///
/// # Errors
/// When it cannot be read at all; rows that cannot be read are listed instead.
pub fn read(path: &Path, terms: &ReconcileTerms, tables: &TableSettings) -> Result<External, ExternalError> {
    let is_parquet = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    if is_parquet { super::parquet::read(path, terms, &tables.dimensions) } else { read_table(path, terms, tables) }
}

fn read_table(path: &Path, terms: &ReconcileTerms, tables: &TableSettings) -> Result<External, ExternalError> {
    let refused = |fault: table::TableFault| ExternalError::Table { path: path.to_owned(), fault };
    let is_known = |name: &str| is_known(name, &tables.layouts, &tables.dimensions);
    let is_enough = |names: &[String]| is_enough(names, &tables.layouts);
    let header = Header { is_known: &is_known, is_enough: &is_enough };
    // Codes, amounts and dates are short; rows are counted by the bills they make.
    let limits = TableLimits { rows_max: u64::MAX, file_bytes_max: u64::MAX, ..TableLimits::default() };
    let shape = Shape { delimiter: None, sheet: tables.sheet.as_deref(), limits: &limits, header, is_strict: false };
    let mut table = Table::open(path, &shape).map_err(refused)?;
    let plain = TableLayout::default();
    let layout = table::chosen(&tables.layouts, tables.layout.as_deref(), &table::names(table.header())).unwrap_or(&plain);
    let columns = Columns::of(table.header(), layout, &tables.dimensions).map_err(refused)?;
    let mut rows = Rows::new(columns, terms, layout);
    let mut fill = |batch: &mut [Row]| table.fill(batch);
    let (mut batch, mut next) = (vec![Row::default(); BATCH], vec![Row::default(); BATCH]);
    let mut count = fill(&mut batch).map_err(refused)?;
    // One batch is read while the one before it is parsed.
    while count > 0 {
        let (filled, taken) = rayon::join(|| fill(&mut next), || rows.take(batch.get_mut(..count).unwrap_or_default()));
        taken?;
        count = filled.map_err(refused)?;
        std::mem::swap(&mut batch, &mut next);
    }
    Ok(rows.finish())
}
