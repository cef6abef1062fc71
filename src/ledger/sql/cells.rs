//! A row of any database of ours, cell by cell.
//!
//! Belongs here: reading cells, and saying which cannot be read. Must not be here: what a row means.

use serde::de::DeserializeOwned;

use super::fault::Fault;

pub(in crate::ledger) use rusqlite::types::{Value, ValueRef};

/// A row that was read.
pub(in crate::ledger) trait Cells {
    /// One of its cells.
    fn cell(&self, column: usize) -> Result<ValueRef<'_>, Fault>;

    /// What its column is called.
    fn name(&self, column: usize) -> &str;
}

impl Cells for rusqlite::Row<'_> {
    fn cell(&self, column: usize) -> Result<ValueRef<'_>, Fault> {
        Ok(self.get_ref(column)?)
    }

    fn name(&self, column: usize) -> &str {
        let statement: &rusqlite::Statement<'_> = self.as_ref();
        statement.column_name(column).unwrap_or("?")
    }
}

/// An unreadable cell, named by its column and the row's first number or text.
pub(in crate::ledger) fn damaged(row: &impl Cells, column: usize, why: &dyn std::fmt::Display) -> Fault {
    let name = row.name(column);
    let key = match row.cell(0) {
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        Ok(ValueRef::Integer(number)) => number.to_string(),
        _ => "?".into(),
    };
    Fault::Damaged(format!("`{name}` of row `{key}` cannot be read: {why}"))
}

/// A text that may be missing.
pub(in crate::ledger) fn optional(row: &impl Cells, column: usize) -> Result<Option<&str>, Fault> {
    row.cell(column)?.as_str_or_null().map_err(|error| damaged(row, column, &error))
}

/// A text that may not.
pub(in crate::ledger) fn required(row: &impl Cells, column: usize) -> Result<&str, Fault> {
    optional(row, column)?.ok_or_else(|| damaged(row, column, &"it is missing"))
}

/// A number that may be missing.
pub(in crate::ledger) fn integer_or_null(row: &impl Cells, column: usize) -> Result<Option<i64>, Fault> {
    row.cell(column)?.as_i64_or_null().map_err(|error| damaged(row, column, &error))
}

/// A number that may not; also what is true (1) or false (0).
pub(in crate::ledger) fn integer(row: &impl Cells, column: usize) -> Result<i64, Fault> {
    integer_or_null(row, column)?.ok_or_else(|| damaged(row, column, &"it is missing"))
}

/// A number that cannot be negative.
pub(in crate::ledger) fn count(row: &impl Cells, column: usize) -> Result<u64, Fault> {
    u64::try_from(integer(row, column)?).map_err(|_| Fault::Damaged("a number is negative".into()))
}

/// So many bytes, or none.
pub(in crate::ledger) fn bytes_or_null<const COUNT: usize>(row: &impl Cells, column: usize) -> Result<Option<[u8; COUNT]>, Fault> {
    let found = row.cell(column)?.as_blob_or_null().map_err(|error| damaged(row, column, &error))?;
    let whole = |bytes: &[u8]| bytes.try_into().map_err(|_| damaged(row, column, &"it has another length"));
    found.map(whole).transpose()
}

/// So many bytes.
pub(in crate::ledger) fn bytes<const COUNT: usize>(row: &impl Cells, column: usize) -> Result<[u8; COUNT], Fault> {
    bytes_or_null(row, column)?.ok_or_else(|| damaged(row, column, &"it is missing"))
}

/// What a text says in JSON, if it is there.
pub(in crate::ledger) fn parsed<T: DeserializeOwned>(row: &impl Cells, column: usize) -> Result<Option<T>, Fault> {
    let Some(text) = optional(row, column)? else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| damaged(row, column, &error))
}

/// The instant in a column of microseconds.
pub(in crate::ledger) fn at(row: &impl Cells, column: usize) -> Result<Option<jiff::Timestamp>, Fault> {
    let Some(microseconds) = integer_or_null(row, column)? else { return Ok(None) };
    jiff::Timestamp::from_microsecond(microseconds).map(Some).map_err(|error| damaged(row, column, &error))
}

/// A count or number for a database, which has signed integers only.
pub(in crate::ledger) fn signed(number: u64) -> Result<i64, Fault> {
    i64::try_from(number).map_err(|_| Fault::absurd())
}

/// A number that cannot be negative, from a database.
pub(in crate::ledger) fn unsigned(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Damaged("a number is negative".into()))
}
