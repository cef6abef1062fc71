//! The table `customers`: who owes a bill, as long as it is kept. No tree has it, as it can be purged: the chain has what stands for each.

use rusqlite::OptionalExtension as _;

use super::db::Db;
use super::{chain, origin};
use crate::domain::bill::Customer;
use crate::domain::personal::Personal;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{Row, check_customer};

/// Who owes a bill, if it is kept.
pub(super) fn customer(connection: &Db, bill: i64) -> Result<Option<Customer>, Fault> {
    let sql = "SELECT name, email, account_name FROM customers WHERE bill = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([bill], of_row).optional()?)
}

/// Name, e-mail and account name, as a row begins with them.
pub(super) fn of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Customer> {
    let (name, email, account_name): (String, Option<String>, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Customer { name: Personal::new(name), email: email.map(Personal::new), account_name: account_name.map(Personal::new) })
}

/// The same of a bill's row that is the one that was written last, if it is who was given.
pub(super) fn checked(connection: &Db, row: &Row) -> Result<Option<Customer>, Fault> {
    let found = customer(connection, row.id)?;
    let mut given = None;
    if found.is_some() {
        let origin = origin::origin(connection)?;
        chain::visit_back(connection, row.state.last_event, |link| {
            // That nothing stands beside an event is as much as what does.
            let previous = chain::head_at(connection, link.sequence.saturating_sub(1))?;
            if link.sequence > origin.keyed_after() && !previous.is_some_and(|previous| link.follows(&origin, &previous)) {
                return Err(link.edited());
            }
            given = link.beside.map(<[u8]>::to_vec);
            Ok(given.is_none())
        })?;
    }
    check_customer(row, found.as_ref(), given.as_deref())?;
    Ok(found)
}
