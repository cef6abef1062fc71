//! Asking SQLite for rows of `bills`.

use std::sync::LazyLock;

use rusqlite::OptionalExtension as _;
use rusqlite::types::Value;

use super::db::Db;
use crate::domain::digest::Digest;
use crate::domain::ids::InvoiceNumber;
use crate::domain::mark::TermsDigest;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{COLUMNS_COUNT, FIRST, Row, checked, row_of, select, unsealed};

pub(super) static BY_NUMBER: LazyLock<String> = LazyLock::new(|| select("WHERE bills.invoice_number = ?1"));
static BY_ID: LazyLock<String> = LazyLock::new(|| select("WHERE bills.id = ?1"));

/// One bill's row, if the ledger has it.
pub(super) fn load(connection: &Db, invoice_number: &InvoiceNumber) -> Result<Option<Row>, Fault> {
    one(connection, &BY_NUMBER, [invoice_number.as_str()])
}

/// One bill's row by its id.
pub(super) fn load_by_id(connection: &Db, id: i64) -> Result<Option<Row>, Fault> {
    one(connection, &BY_ID, [id])
}

fn one(connection: &Db, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<Row>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    rows.next()?.map(|row| row_of(row, &connection.seals)).transpose()
}

/// Visits rows; `clause` is what follows the tables. Stops when `visit` says so.
pub(super) fn visit(
    connection: &Db,
    clause: &str,
    parameters: impl rusqlite::Params,
    mut visit: impl FnMut(Row) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(&select(clause))?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        if !visit(row_of(row, &connection.seals)?)? {
            break;
        }
    }
    Ok(())
}

/// The id of a bill.
pub(super) fn id_of(connection: &Db, invoice_number: &InvoiceNumber) -> Result<Option<i64>, Fault> {
    let mut statement = connection.prepare_cached("SELECT id FROM bills WHERE invoice_number = ?1")?;
    Ok(statement.query_row([invoice_number.as_str()], |row| row.get(0)).optional()?)
}

/// One bill's row, whatever its seal, and what is wrong with that.
pub(super) fn load_unsealed(connection: &Db, id: i64) -> Result<Option<(Row, Option<Fault>)>, Fault> {
    let mut statement = connection.prepare_cached(&BY_ID)?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let seals = &connection.seals;
    Ok(Some((unsealed(row, checked(row, seals, false)?)?, checked(row, seals, true).err())))
}

/// A row as its columns are, with the digest of its terms and the hash of its last event; sealed, unless it never was.
pub(super) fn raw(connection: &Db, id: i64, was_sealed: bool) -> Result<(Vec<Value>, TermsDigest, Digest), Fault> {
    let mut statement = connection.prepare_cached(&BY_ID)?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or_else(|| Fault::Damaged(format!("bill {id} is missing")))?;
    let (terms, last_hash) = checked(row, &connection.seals, was_sealed)?;
    let columns = (FIRST..FIRST + COLUMNS_COUNT).map(|column| row.get::<_, Value>(column)).collect::<Result<Vec<_>, _>>()?;
    Ok((columns, terms, last_hash))
}
