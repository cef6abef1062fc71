//! What a bill goes by beside its own number and its code: kept with its row, looked up by it.
//!
//! Belongs here: the table `names`, and finding bills by any of their names. Must not be here: which names a bill has
//! (`domain::lifecycle`) or must claim (`ledger::rules`).

use rusqlite::{OptionalExtension as _, params};

use super::db::Db;
use super::rows;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::BillState;
use crate::ledger::Names;
use crate::ledger::sql::cells::unsigned;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{Name, Row, names_of};

/// Keeps the names of a bill, which were `before`. Most bills have none.
pub(super) fn store(connection: &Db, bill: i64, before: &[Name], after: &[Name]) -> Result<(), Fault> {
    if before == after {
        return Ok(());
    }
    let of_both = |names: &[Name], other: &[Name]| -> Vec<Name> { names.iter().filter(|name| !other.contains(name)).cloned().collect() };
    for (kind, name) in of_both(before, after) {
        connection.prepare_cached("DELETE FROM names WHERE bill = ?1 AND kind = ?2 AND name = ?3")?.execute(params![bill, kind, name])?;
    }
    for (kind, name) in of_both(after, before) {
        connection.prepare_cached("INSERT INTO names (bill, kind, name) VALUES (?1, ?2, ?3)")?.execute(params![bill, kind, name])?;
    }
    Ok(())
}

/// The other bill that a number stands for, if it does; of several the first.
pub(super) fn other(connection: &Db, number: &InvoiceNumber, invoice_number: &InvoiceNumber) -> Result<Option<InvoiceNumber>, Fault> {
    let sql = "SELECT MIN(invoice_number) FROM (SELECT invoice_number FROM bills WHERE invoice_number = ?1 AND invoice_number <> ?2 \
               UNION ALL SELECT bills.invoice_number FROM names JOIN bills ON bills.id = names.bill \
               WHERE names.name = ?1 AND names.kind = 'number' AND bills.invoice_number <> ?2)";
    let row = |row: &rusqlite::Row<'_>| row.get::<_, Option<String>>(0);
    let found = connection.prepare_cached(sql)?.query_row([number.as_str(), invoice_number.as_str()], row)?;
    Ok(found.and_then(|found| InvoiceNumber::new(found).ok()))
}

/// The ids of the bills that go or went by a number.
fn ids_of_number(connection: &Db, number: &InvoiceNumber, found: &mut Vec<i64>) -> Result<(), Fault> {
    found.extend(rows::id_of(connection, number)?);
    let sql = "SELECT bill FROM names WHERE name = ?1 AND kind = 'number'";
    extend(connection, sql, number.as_str(), found)
}

/// The ids of the bills that hold, held, ask for or were promised a code.
fn ids_of_code(connection: &Db, code: &PaymentCode, found: &mut Vec<i64>) -> Result<(), Fault> {
    // Two statements rather than one with OR, which would use no index.
    for sql in [
        "SELECT id FROM bills WHERE code = ?1 AND code_is_live",
        "SELECT id FROM bills WHERE code = ?1 AND NOT code_is_live",
        "SELECT bill FROM names WHERE name = ?1 AND kind = 'code'",
    ] {
        extend(connection, sql, code.as_str(), found)?;
    }
    Ok(())
}

fn extend(connection: &Db, sql: &str, name: &str, found: &mut Vec<i64>) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([name])?;
    while let Some(row) = rows.next()? {
        found.push(row.get(0)?);
    }
    Ok(())
}

/// As [`crate::ledger::View::bills_about`] documents it.
pub(super) fn bills_about(connection: &Db, names: &Names) -> Result<Vec<Row>, Fault> {
    loaded(connection, ids_about(connection, names)?)
}

/// The same without the bill `number`, whose row need not be as it will be.
pub(super) fn other_bills_about(connection: &Db, names: &Names, number: &InvoiceNumber) -> Result<Vec<Row>, Fault> {
    let own = rows::id_of(connection, number)?;
    let mut ids = ids_about(connection, names)?;
    ids.retain(|id| Some(*id) != own);
    loaded(connection, ids)
}

fn ids_about(connection: &Db, names: &Names) -> Result<Vec<i64>, Fault> {
    let mut ids = Vec::new();
    for number in &names.numbers {
        ids_of_number(connection, number, &mut ids)?;
    }
    for code in &names.codes {
        ids_of_code(connection, code, &mut ids)?;
    }
    Ok(ids)
}

/// As [`crate::ledger::View::bills_beginning`] documents it.
pub(super) fn bills_beginning(connection: &Db, prefix: &str) -> Result<Vec<Row>, Fault> {
    let mut ids = Vec::new();
    let end = format!("{prefix}\u{10ffff}");
    for sql in [
        "SELECT id FROM bills WHERE invoice_number >= ?1 AND invoice_number < ?2",
        "SELECT bill FROM names WHERE name >= ?1 AND name < ?2 AND kind = 'number'",
    ] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([prefix, end.as_str()])?;
        while let Some(row) = rows.next()? {
            ids.push(row.get(0)?);
        }
    }
    loaded(connection, ids)
}

fn loaded(connection: &Db, mut ids: Vec<i64>) -> Result<Vec<Row>, Fault> {
    ids.sort_unstable();
    ids.dedup();
    let row =
        |id| rows::load_by_id(connection, id)?.ok_or_else(|| Fault::Damaged(format!("a name leads to bill {id}, which is not there")));
    let mut bills = ids.into_iter().map(row).collect::<Result<Vec<Row>, Fault>>()?;
    bills.sort_by(|a, b| a.state.invoice_number.cmp(&b.state.invoice_number));
    Ok(bills)
}

/// Whether a bill's names are those of its state.
pub(super) fn hold(connection: &Db, bill: i64, state: &BillState) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached("SELECT kind, name FROM names WHERE bill = ?1 ORDER BY kind, name")?;
    let found = statement.query_map([bill], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let found = found.collect::<Result<Vec<_>, _>>()?;
    let wanted = names_of(state);
    Ok(found.len() == wanted.len() && found.iter().zip(&wanted).all(|(found, wanted)| found.0 == wanted.0 && found.1 == wanted.1))
}

/// Numbers that stand for two bills, in words: earlier versions let them, and money that names one may be either's.
pub(super) fn collisions(connection: &Db) -> Result<Vec<String>, Fault> {
    let sql = "SELECT a.name, one.invoice_number, other.invoice_number FROM names a \
               JOIN names b ON b.name = a.name AND b.kind = 'number' AND b.bill <> a.bill \
               JOIN bills one ON one.id = a.bill JOIN bills other ON other.id = b.bill \
               WHERE a.kind = 'number' AND one.invoice_number < other.invoice_number \
               UNION SELECT a.name, one.invoice_number, other.invoice_number FROM names a \
               JOIN bills one ON one.id = a.bill JOIN bills other ON other.invoice_number = a.name \
               WHERE a.kind = 'number' ORDER BY 1, 2, 3";
    let mut statement = connection.prepare(sql)?;
    let words = |row: &rusqlite::Row<'_>| {
        let (name, one, other): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!("number `{name}` stands for invoice `{one}` and for invoice `{other}`: see `tagih why` of both"))
    };
    Ok(statement.query_map([], words)?.collect::<Result<Vec<_>, _>>()?)
}

/// How many rows there are.
pub(super) fn count(connection: &Db) -> Result<u64, Fault> {
    let count: Option<i64> = connection.query_row("SELECT COUNT(*) FROM names", [], |row| row.get(0)).optional()?;
    unsigned(count.unwrap_or(0))
}
