//! Marks of bills out of SQLite.

use rusqlite::Row;

use super::db::Db;
use super::rows::BY_NUMBER;
use super::tree;
use crate::domain::ids::InvoiceNumber;
use crate::domain::mark::{BillMark, BillWithCode};
use crate::ledger::sql::cells::integer;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::marks;
use crate::ledger::sql::tree::Set;

/// What one bill's row says, if the ledger has it. The row is the one that was written last.
fn asked<T>(connection: &Db, invoice_number: &InvoiceNumber, read: impl FnOnce(&Row<'_>) -> Result<T, Fault>) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(&BY_NUMBER)?;
    let mut rows = statement.query([invoice_number.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let found = read(row)?;
    tree::check(connection, Set::Bills, integer(row, 0)?)?;
    Ok(Some(found))
}

/// One bill's mark, if the ledger has it.
pub(super) fn mark(connection: &Db, invoice_number: &InvoiceNumber) -> Result<Option<BillMark>, Fault> {
    asked(connection, invoice_number, |row| marks::mark(row, &connection.seals))
}

/// One bill and its code, if the ledger has it.
pub(super) fn held(connection: &Db, invoice_number: &InvoiceNumber) -> Result<Option<BillWithCode>, Fault> {
    asked(connection, invoice_number, |row| marks::held(row, invoice_number, &connection.seals))
}
