//! Writing rows of `bills`, each with its seal.

use std::sync::LazyLock;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};

use super::rows;
use crate::domain::digest::Digest;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::BillState;
use crate::domain::mark::TermsDigest;
use crate::ledger::rules::live_payment_code;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{COLUMNS, Kept, Row, columns_of};
use crate::ledger::sql::seal;

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (3..=COLUMNS.len().saturating_add(2)).map(|number| format!("?{number}")).collect();
    format!("INSERT INTO bills (id, seal, {}) VALUES (?1, ?2, {})", COLUMNS.join(", "), places.join(", "))
});

/// The highest id there is; 0 for none.
pub(super) fn last_bill(connection: &Connection) -> Result<i64, Fault> {
    Ok(connection.prepare_cached("SELECT COALESCE(MAX(id), 0) FROM bills")?.query_row([], |row| row.get(0))?)
}

/// Writes the row of a bill that is new, whose last event has the hash `last_hash`. That its code is live for no other bill was looked at
/// before ([`code_taken`]); the index only sees to it.
pub(super) fn insert(connection: &Connection, id: i64, state: &BillState, kept: &Kept, last_hash: &Digest) -> Result<(), Fault> {
    let values = columns_of(state, kept)?;
    let sealed = Value::Blob(seal::of_values(id, kept.terms_digest, last_hash, &values).to_vec());
    let values = [Value::Integer(id), sealed].into_iter().chain(values);
    connection.prepare_cached(&INSERT)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// Writes what has changed of a row, so that no index is touched for nothing.
pub(super) fn update(connection: &Connection, before: &Row, state: &BillState, kept: &Kept, last_hash: &Digest) -> Result<(), Fault> {
    let (old, new) = (columns_of(&before.state, &before.kept)?, columns_of(state, kept)?);
    write(connection, before.id, &old, &new, kept.terms_digest, last_hash)
}

/// Writes those of `new` that are not as in `old`, and the seal.
fn write(connection: &Connection, id: i64, old: &[Value], new: &[Value], terms: TermsDigest, last_hash: &Digest) -> Result<(), Fault> {
    let changed = || COLUMNS.iter().zip(old).zip(new).filter(|((_, old), new)| old != new).map(|((column, _), new)| (*column, new));
    let assignments: Vec<String> = changed().zip(3..).map(|((column, _), number)| format!(", {column} = ?{number}")).collect();
    let sql = format!("UPDATE bills SET seal = ?2{} WHERE id = ?1", assignments.concat());
    let seal = Value::Blob(seal::of_values(id, terms, last_hash, new).to_vec());
    let values = [Value::Integer(id), seal].into_iter().chain(changed().map(|(_, value)| value.clone()));
    connection.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// Writes single columns of a row whose state need not be known. Only a row that was never sealed is taken as it is.
pub(super) fn write_columns(connection: &Connection, id: i64, changes: &[(&str, Value)], was_sealed: bool) -> Result<(), Fault> {
    let (old, terms, last_hash) = rows::raw(connection, id, was_sealed)?;
    let after = |(column, old): (&&str, &Value)| changes.iter().find(|(name, _)| name == column).map_or(old, |(_, new)| new).clone();
    let new: Vec<Value> = COLUMNS.iter().zip(&old).map(after).collect();
    write(connection, id, &old, &new, terms, &last_hash)
}

/// The refusal of a code that is live for another bill, if the one of this bill is.
pub(super) fn code_taken(connection: &Connection, state: &BillState) -> Result<Option<Fault>, Fault> {
    let Some(code) = live_payment_code(state) else { return Ok(None) };
    let sql = "SELECT invoice_number FROM bills WHERE code = ?1 AND code_is_live AND invoice_number <> ?2";
    let other: Option<String> =
        connection.prepare_cached(sql)?.query_row([code.as_str(), state.invoice_number.as_str()], |row| row.get(0)).optional()?;
    let other = other.and_then(|other| InvoiceNumber::new(other).ok());
    Ok(other.map(|other| Fault::CodeTaken(state.invoice_number.clone(), other)))
}
