//! Marks of bills out of SQLite.

use rusqlite::{Connection, Row};

use super::rows::BY_NUMBER;
use crate::domain::ids::InvoiceNumber;
use crate::domain::mark::{Held, Mark};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::marks;

/// What one bill's row says, if the ledger has it.
fn asked<T>(
    connection: &Connection,
    invoice_number: &InvoiceNumber,
    read: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(&BY_NUMBER)?;
    let mut rows = statement.query([invoice_number.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// One bill's mark, if the ledger has it.
pub(super) fn mark(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<Mark>, Fault> {
    asked(connection, invoice_number, |row| marks::mark(row))
}

/// One bill and its code, if the ledger has it.
pub(super) fn held(connection: &Connection, invoice_number: &InvoiceNumber) -> Result<Option<Held>, Fault> {
    asked(connection, invoice_number, |row| marks::held(row, invoice_number))
}
