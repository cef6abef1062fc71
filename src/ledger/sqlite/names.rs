//! What a bill goes by beside its own number: kept with its row, looked up by it, and never given to two bills.
//!
//! Belongs here: the table `names`. Must not be here: which names a bill has (`domain::lifecycle`) or must claim (`ledger::rules`).

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Fault;
use super::{read, rows};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::BillState;

/// A kind of name, and the name.
pub(super) type Name = (&'static str, String);

/// The names that follow from a state, sorted.
pub(super) fn of(state: &BillState) -> Vec<Name> {
    let numbers = state.other_numbers().into_iter().map(|number| ("number", number.to_string()));
    let orders = state.former.iter().map(|order| ("order", order.wire_invoice_number.to_string()));
    let codes = state.former.iter().filter_map(|order| Some(("code", order.payment_code.as_ref()?.to_string())));
    let mut names: Vec<Name> = numbers.chain(orders).chain(codes).collect();
    names.sort();
    names.dedup();
    names
}

/// Keeps the names of `state`, which was `before`. Most bills have none.
pub(super) fn store(connection: &Connection, before: Option<&[Name]>, state: &BillState) -> Result<(), Fault> {
    let names = of(state);
    if before.unwrap_or_default() == names {
        return Ok(());
    }
    connection.prepare_cached("DELETE FROM names WHERE invoice_number = ?1")?.execute([state.invoice_number.as_str()])?;
    let mut insert = connection.prepare_cached("INSERT INTO names (invoice_number, kind, name) VALUES (?1, ?2, ?3)")?;
    for (kind, name) in names {
        insert.execute(params![state.invoice_number.as_str(), kind, name])?;
    }
    Ok(())
}

/// The other bill that a number stands for, if it does; of several the first.
pub(super) fn other(
    connection: &Connection,
    number: &InvoiceNumber,
    invoice_number: &InvoiceNumber,
) -> Result<Option<InvoiceNumber>, Fault> {
    let sql = "SELECT MIN(invoice_number) FROM (SELECT invoice_number FROM bills WHERE invoice_number = ?1 AND invoice_number <> ?2 \
               UNION ALL SELECT invoice_number FROM names WHERE name = ?1 AND kind = 'number' AND invoice_number <> ?2)";
    let row = |row: &rusqlite::Row<'_>| row.get::<_, Option<String>>(0);
    let found = connection.prepare_cached(sql)?.query_row([number.as_str(), invoice_number.as_str()], row)?;
    Ok(found.and_then(|found| InvoiceNumber::new(found).ok()))
}

/// As [`crate::ledger::Ledger::bills_about`] documents it.
pub(super) fn bills_about(
    connection: &Connection,
    number: Option<&InvoiceNumber>,
    payment_code: Option<&PaymentCode>,
) -> Result<Vec<BillState>, Fault> {
    let sql = "SELECT invoice_number FROM bills WHERE invoice_number = ?1 \
               UNION SELECT invoice_number FROM names WHERE name = ?1 AND kind <> 'code' \
               UNION SELECT invoice_number FROM names WHERE name = ?2 AND kind = 'code' ORDER BY 1";
    let mut statement = connection.prepare_cached(sql)?;
    let found =
        statement.query_map([number.map(InvoiceNumber::as_str), payment_code.map(PaymentCode::as_str)], |row| row.get::<_, String>(0))?;
    let mut bills = Vec::new();
    for found in found {
        let number = InvoiceNumber::new(found?).map_err(|error| Fault::Damaged(format!("a name's invoice number is none: {error}")))?;
        bills.extend(rows::load(connection, &number)?);
    }
    Ok(bills)
}

/// Whether a bill's names are those of its state.
pub(super) fn hold(connection: &Connection, state: &BillState) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached("SELECT kind, name FROM names WHERE invoice_number = ?1 ORDER BY kind, name")?;
    let found = statement.query_map([state.invoice_number.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let found = found.collect::<Result<Vec<_>, _>>()?;
    let wanted = of(state);
    Ok(found.len() == wanted.len() && found.iter().zip(&wanted).all(|(found, wanted)| found.0 == wanted.0 && found.1 == wanted.1))
}

/// Numbers that stand for two bills, in words: earlier versions let them, and money that names one may be either's.
pub(super) fn collisions(connection: &Connection) -> Result<Vec<String>, Fault> {
    let sql = "SELECT name, invoice_number, other FROM (\
               SELECT a.name AS name, a.invoice_number AS invoice_number, b.invoice_number AS other FROM names a \
               JOIN names b ON b.name = a.name AND b.kind = 'number' AND b.invoice_number > a.invoice_number WHERE a.kind = 'number' \
               UNION SELECT a.name, a.invoice_number, bills.invoice_number FROM names a \
               JOIN bills ON bills.invoice_number = a.name WHERE a.kind = 'number') ORDER BY 1, 2, 3";
    let mut statement = connection.prepare(sql)?;
    let words = |row: &rusqlite::Row<'_>| {
        let (name, one, other): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!("number `{name}` stands for invoice `{one}` and for invoice `{other}`: see `tagih why` of both"))
    };
    Ok(statement.query_map([], words)?.collect::<Result<Vec<_>, _>>()?)
}

/// Fills in what a ledger of before did not keep: the former orders of bills that lost a code, out of their events.
pub(super) fn refold(connection: &Connection) -> Result<(), Fault> {
    let mut numbers: Vec<InvoiceNumber> = Vec::new();
    {
        let sql = "SELECT invoice_number FROM bills WHERE retired_count > 0 OR wire_invoice_number <> invoice_number OR open IS NOT NULL";
        let mut statement = connection.prepare(sql)?;
        for number in statement.query_map([], |row| row.get::<_, String>(0))? {
            let number = InvoiceNumber::new(number?).map_err(|error| Fault::Damaged(format!("an invoice number is none: {error}")))?;
            numbers.push(number);
        }
    }
    for number in numbers {
        let mut state: Option<BillState> = None;
        read::visit_links(connection, "WHERE invoice_number = ?1 AND kind = 'bill' ORDER BY sequence", [number.as_str()], |link| {
            state = Some(BillState::apply(state.take(), &number, link.timestamp()?, &link.event()?).map_err(Fault::Illegal)?);
            Ok(())
        })?;
        if let Some(state) = state {
            rows::store(connection, &state)?;
            store(connection, None, &state)?;
            connection.prepare_cached(super::append::FIRST_PAID_OF_BILL)?.execute([number.as_str()])?;
        }
    }
    Ok(())
}

/// How many rows there are.
pub(super) fn count(connection: &Connection) -> Result<u64, Fault> {
    let count: Option<i64> = connection.query_row("SELECT COUNT(*) FROM names", [], |row| row.get(0)).optional()?;
    read::unsigned(count.unwrap_or(0))
}
