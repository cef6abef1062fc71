//! A table read back from Parquet, row by row.

use std::io;

use super::columns::RowDigest;
use super::table::Table;
use crate::books::known::Known;
use crate::columns::parquet::Stored;
use crate::columns::vouched::Vouched;
use crate::domain::digest::Digest;

/// Reads `table`, written in `format`, into `known`, and hands on the digest of each row.
pub(super) fn read(table: &Table, format: u32, file: &Vouched, known: &mut Known, mut each: impl FnMut(Digest)) -> io::Result<()> {
    let columns: Vec<_> = table.columns_of(format).collect();
    let mut digest = RowDigest::default();
    Stored::each_slice(file, |stored| {
        if !stored.names().eq(table.header_of(format)) {
            return Err(io::Error::other("its columns are not those of this format"));
        }
        stored.each_row(|cells| {
            cells.iter().try_for_each(|cell| digest.take(cell))?;
            each(digest.end());
            table.take(&columns, known, cells).map_err(io::Error::other)
        })
    })
}
