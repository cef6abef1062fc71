//! A table read back from Parquet, row by row.

use std::fs::File;

use super::columns::RowDigest;
use super::table::Table;
use crate::books::known::Known;
use crate::columns::Value;
use crate::columns::parquet::Stored;
use crate::domain::digest::Digest;

/// Reads `table`, written in `format`, into `known`, and hands on the digest of each row.
pub(super) fn read(table: &Table, format: u32, file: File, known: &mut Known, mut each: impl FnMut(Digest)) -> Result<(), String> {
    let stored = Stored::read(file).map_err(|error| error.to_string())?;
    if !stored.names().eq(table.header_of(format)) {
        return Err("its columns are not those of this format".to_owned());
    }
    let count = table.header_of(format).count();
    let (mut json, mut row) = (Vec::new(), RowDigest::default());
    for at in 0..stored.height() {
        let cells = (0..count).map(|column| stored.cell(at, column));
        let cells: Vec<Value<'_>> = cells.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        cells.iter().try_for_each(|cell| row.take(cell)).map_err(|error| error.to_string())?;
        each(row.end());
        table.take(format, known, &cells, &mut json)?;
    }
    Ok(())
}
