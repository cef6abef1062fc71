//! Which bills payments pay, asked of SQLite.

use std::collections::BTreeMap;

use rusqlite::params;

use super::db::Db;
use super::{names, payments};
use crate::domain::lifecycle::{BillState, Status};
use crate::domain::owner::{self, Paid};
use crate::domain::payment::Payment;
use crate::ledger::Names;
use crate::ledger::rules::microseconds;
use crate::ledger::sql::cells::unsigned;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::rows::{Row, paid_at_column};
use crate::ledger::sql::standing::Standing;

/// What all payments say of `state`, whose row may still be the one of before, and the bills that share a payment with it.
pub(super) fn standing(connection: &Db, state: &BillState) -> Result<(Standing, Vec<Row>), Fault> {
    let payments: Vec<Payment> = payments_about(connection, &Names::of(state))?.into_values().collect();
    if payments.is_empty() {
        return Ok((Standing::default(), Vec::new()));
    }
    let others = names::other_bills_about(connection, &Names::of_payments(&payments), &state.invoice_number)?;
    let mut standing = Standing::default();
    for payment in &payments {
        let owners = owner::owners(others.iter().map(|row| &row.state).chain([state]), payment.into());
        standing = standing.with(state, payment, &owners);
    }
    Ok((standing, others))
}

/// The payments that name one of the numbers or codes, by their events.
pub(super) fn payments_about(connection: &Db, names: &Names) -> Result<BTreeMap<u64, Payment>, Fault> {
    let numbers = names.numbers.iter().map(|number| ("invoice_number", number.as_str()));
    let codes = names.codes.iter().map(|code| ("payment_code", code.as_str()));
    let mut found = BTreeMap::new();
    for (column, name) in numbers.chain(codes) {
        payments::visit_payments_where(connection, &format!("WHERE {column} = ?1"), [name], |sequence, payment| {
            found.insert(sequence, payment);
            Ok(())
        })?;
    }
    Ok(found)
}

/// A bill that goes by nothing but its own number and one code, of which no operation is open.
pub(super) struct Plain {
    pub(super) id: i64,
    pub(super) before: Standing,
    pub(super) status: Status,
    pub(super) is_held: bool,
    pub(super) ends_at: Option<i64>,
    pub(super) amount: u64,
}

impl Plain {
    /// How it stands with a payment of its number and code.
    pub(super) fn paid_by(&self, payment: &Payment) -> Standing {
        let paid_at = microseconds(payment.paid_at);
        let first_paid_at = Some(self.before.first_paid_at.map_or(paid_at, |first| first.min(paid_at)));
        Standing { first_paid_at, paid: Some(Paid::ByItsCode) }
    }
}

/// The bill that a payment names by number and code, where nothing else goes by either: the common case, for which no state need be
/// read.
pub(super) fn plain_owner(connection: &Db, payment: &Payment) -> Result<Option<Plain>, Fault> {
    let (number, code) = (payment.invoice_number.as_str(), payment.payment_code.as_str());
    let mut others = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM names WHERE name = ?1 AND kind = 'number') \
         OR EXISTS (SELECT 1 FROM names WHERE name = ?2 AND kind = 'code') \
         OR EXISTS (SELECT 1 FROM bills WHERE code = ?2 AND code_is_live AND invoice_number <> ?1) \
         OR EXISTS (SELECT 1 FROM bills WHERE code = ?2 AND NOT code_is_live AND invoice_number <> ?1)",
    )?;
    if others.query_row(params![number, code], |row| row.get(0))? {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT id, first_paid_at, paid, status, hold IS NOT NULL, ends_at, amount FROM bills \
         WHERE invoice_number = ?1 AND code = ?2 AND accepted_at IS NOT NULL AND held_code IS NULL AND wire_number IS NULL \
         AND former IS NULL AND open IS NULL AND refusal IS NULL",
    )?;
    let mut rows = statement.query(params![number, code])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let status = row.get_ref(3)?.as_str().ok().and_then(Status::parse);
    Ok(Some(Plain {
        id: row.get(0)?,
        before: Standing { first_paid_at: row.get(1)?, paid: paid_at_column(row, 2)? },
        status: status.ok_or_else(|| Fault::Damaged(format!("the status of invoice `{number}` is none")))?,
        is_held: row.get(4)?,
        ends_at: row.get(5)?,
        amount: unsigned(row.get(6)?)?,
    }))
}
