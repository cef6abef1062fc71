//! Writing rows of `bills`, each with its seal.

use std::sync::LazyLock;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{OptionalExtension as _, params};

use super::db::Db;
use super::rows;
use crate::domain::digest::Digest;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::BillState;
use crate::domain::mark::TermsDigest;
use crate::domain::payment::Payment;
use crate::ledger::rules::live_payment_code;
use crate::ledger::seals::{Seal, Seals};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{PAYMENTS, payment_columns, payment_seal};
use crate::ledger::sql::rows::{COLUMNS, COLUMNS_COUNT, FIRST, Kept, Row, checked, columns_of, select};
use crate::ledger::sql::seal;
use crate::ledger::sql::tree::Set;

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (3..=COLUMNS.len().saturating_add(2)).map(|number| format!("?{number}")).collect();
    format!("INSERT INTO bills (id, seal, {}) VALUES (?1, ?2, {})", COLUMNS.join(", "), places.join(", "))
});

/// The highest id there is; 0 for none.
pub(super) fn last_bill(connection: &Db) -> Result<i64, Fault> {
    Ok(connection.prepare_cached("SELECT COALESCE(MAX(id), 0) FROM bills")?.query_row([], |row| row.get(0))?)
}

/// Writes the row of a bill that is new, whose last event has the hash `last_hash`. That its code is live for no other bill was looked at
/// before ([`code_taken`]); the index only sees to it.
pub(super) fn insert(connection: &Db, id: i64, state: &BillState, kept: &Kept, last_hash: &Digest) -> Result<(), Fault> {
    let values = columns_of(state, kept)?;
    let seal = seal::of_values(&connection.seals, id, kept.terms_digest, last_hash, &values);
    connection.growth().row(Set::Bills, id, None, seal);
    let values = [Value::Integer(id), Value::Blob(seal.to_vec())].into_iter().chain(values);
    connection.prepare_cached(&INSERT)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// Writes what has changed of a row, so that no index is touched for nothing.
pub(super) fn update(connection: &Db, before: &Row, state: &BillState, kept: &Kept, last_hash: &Digest) -> Result<(), Fault> {
    let (old, new) = (columns_of(&before.state, &before.kept)?, columns_of(state, kept)?);
    let seal = seal::of_values(&connection.seals, before.id, before.kept.terms_digest, &before.last_hash, &old);
    write(connection, before.id, (&old, Some(seal)), &new, kept.terms_digest, last_hash)
}

/// Writes those of `new` that are not as in `old`, and the seal.
fn write(
    connection: &Db,
    id: i64,
    (old, old_seal): (&[Value], Option<Seal>),
    new: &[Value],
    terms: TermsDigest,
    last_hash: &Digest,
) -> Result<(), Fault> {
    let changed = || COLUMNS.iter().zip(old).zip(new).filter(|((_, old), new)| old != new).map(|((column, _), new)| (*column, new));
    let assignments: Vec<String> = changed().zip(3..).map(|((column, _), number)| format!(", {column} = ?{number}")).collect();
    let sql = format!("UPDATE bills SET seal = ?2{} WHERE id = ?1", assignments.concat());
    let seal = seal::of_values(&connection.seals, id, terms, last_hash, new);
    connection.growth().row(Set::Bills, id, old_seal, seal);
    let values = [Value::Integer(id), Value::Blob(seal.to_vec())].into_iter().chain(changed().map(|(_, value)| value.clone()));
    connection.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// Writes single columns of a row whose state need not be known. Only a row that was never sealed is taken as it is.
pub(super) fn write_columns(connection: &Db, id: i64, changes: &[(&str, Value)], was_sealed: bool) -> Result<(), Fault> {
    let (old, terms, last_hash) = rows::raw(connection, id, was_sealed)?;
    let after = |(column, old): (&&str, &Value)| changes.iter().find(|(name, _)| name == column).map_or(old, |(_, new)| new).clone();
    let new: Vec<Value> = COLUMNS.iter().zip(&old).map(after).collect();
    let seal = was_sealed.then(|| seal::of_values(&connection.seals, id, terms, &last_hash, &old));
    write(connection, id, (&old, seal), &new, terms, &last_hash)
}

/// Writes the row of a payment that is new, under the number of its event.
pub(super) fn payment(connection: &Db, sequence: i64, payment: &Payment) -> Result<(), Fault> {
    let values = payment_columns(sequence, payment)?;
    let seal = seal::of_payment(&connection.seals, values.iter().map(ValueRef::from));
    connection.growth().row(Set::Payments, sequence, None, seal);
    let sql = "INSERT INTO payments (sequence, identity, invoice_number, payment_code, channel, amount, paid_at, received_at, line_digest, \
               canonical, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let values = values.into_iter().chain([Value::Blob(seal.to_vec())]);
    connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// A payment that is there is called `payment.canonical` from now on.
pub(super) fn number(connection: &Db, payment: &Payment) -> Result<(), Fault> {
    let mut found = connection.prepare_cached("SELECT sequence, seal FROM payments WHERE identity = ?1")?;
    let (sequence, before): (i64, Option<Seal>) = found.query_row([payment.identity], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let values = payment_columns(sequence, payment)?;
    let seal = seal::of_payment(&connection.seals, values.iter().map(ValueRef::from));
    connection.growth().row(Set::Payments, sequence, before, seal);
    let [.., canonical] = values;
    let sql = "UPDATE payments SET canonical = ?2, seal = ?3 WHERE sequence = ?1";
    connection.prepare_cached(sql)?.execute(params![sequence, canonical, seal])?;
    Ok(())
}

/// Gives every payment its seal, whatever it had.
pub(super) fn seal_payments(connection: &Db) -> Result<(), Fault> {
    let mut statement = connection.prepare(PAYMENTS)?;
    let mut update = connection.prepare("UPDATE payments SET seal = ?2 WHERE sequence = ?1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        update.execute(params![row.get::<_, i64>(0)?, payment_seal(row, &connection.seals)?])?;
    }
    Ok(())
}

/// Gives every bill a seal of this connection; each has one that was made with `former`.
pub(super) fn seal_bills(connection: &Db, former: &Seals) -> Result<(), Fault> {
    let mut statement = connection.prepare(&select(""))?;
    let mut update = connection.prepare("UPDATE bills SET seal = ?2 WHERE id = ?1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (terms, last_event) = checked(row, former, true)?;
        let id: i64 = row.get(0)?;
        let fields = (FIRST..FIRST + COLUMNS_COUNT).map(|column| row.get_ref(column)).collect::<Result<Vec<_>, _>>()?;
        update.execute(params![id, seal::of(&connection.seals, id, terms, &last_event, fields.into_iter())])?;
    }
    Ok(())
}

/// The refusal of a code that is live for another bill, if the one of this bill is.
pub(super) fn code_taken(connection: &Db, state: &BillState) -> Result<Option<Fault>, Fault> {
    let Some(code) = live_payment_code(state) else { return Ok(None) };
    let sql = "SELECT invoice_number FROM bills WHERE code = ?1 AND code_is_live AND invoice_number <> ?2";
    let other: Option<String> =
        connection.prepare_cached(sql)?.query_row([code.as_str(), state.invoice_number.as_str()], |row| row.get(0)).optional()?;
    let other = other.and_then(|other| InvoiceNumber::new(other).ok());
    Ok(other.map(|other| Fault::CodeTaken(state.invoice_number.clone(), other)))
}
