//! The rows of the table `payments`.

use rusqlite::Params;

use super::db::Db;
use crate::domain::ids::PaymentCode;
use crate::domain::payment::Payment;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{PAYMENTS, payment_of};

/// Visits the rows of `payments`, each with its sequence, in the order they were applied.
pub(super) fn visit_payments(connection: &Db, visit: impl FnMut(u64, Payment) -> Result<(), Fault>) -> Result<(), Fault> {
    visit_payments_where(connection, "", [], visit)
}

/// The payments for a code, in the order they were applied.
pub(super) fn payments_for(connection: &Db, code: &PaymentCode) -> Result<Vec<Payment>, Fault> {
    let mut found = Vec::new();
    visit_payments_where(connection, "WHERE payment_code = ?1", [code.as_str()], |_, payment| {
        found.push(payment);
        Ok(())
    })?;
    Ok(found)
}

/// The same for some; `clause` is what follows the table.
pub(super) fn visit_payments_where(
    connection: &Db,
    clause: &str,
    parameters: impl Params,
    mut visit: impl FnMut(u64, Payment) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(&format!("{PAYMENTS} {clause} ORDER BY sequence"))?;
    let mut found = statement.query(parameters)?;
    while let Some(row) = found.next()? {
        let (sequence, payment) = payment_of(row, &connection.seals)?;
        visit(sequence, payment)?;
    }
    Ok(())
}
