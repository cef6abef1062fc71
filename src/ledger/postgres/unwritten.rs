//! What a transaction has decided and not written yet: rows, in sets.

use std::collections::BTreeMap;

use super::cells::Written;
use super::operations::Change;
use super::session::Session;
use super::tables::{self, Table};
use crate::domain::bill::Customer;
use crate::domain::payment::Payment;
use crate::domain::personal::Personal;
use crate::ledger::rules::live_payment_code;
use crate::ledger::seals::{Seal, Seals};
use crate::ledger::sql::cells::{Value, ValueRef, bytes_or_null, integer, required};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::payment_columns;
use crate::ledger::sql::rows::{Row, columns_of, names_of};
use crate::ledger::sql::seal;
use crate::ledger::sql::totals::{Changes, grown};
use crate::ledger::sql::tree::{Growth, Set};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    pub(super) events: Vec<tables::Row>,
    pub(super) terms: Vec<(i64, String)>,
    pub(super) bodies: Vec<(i64, String, Vec<u8>)>,
    pub(super) customers: Vec<(i64, Customer)>,
    pub(super) operations: Vec<Change>,
    /// Payments by what they are called from now on.
    pub(super) renamed: Vec<Payment>,
    payments: Vec<(i64, Payment)>,
    /// Bills as they were and are.
    bills: Vec<(Option<Row>, Row)>,
    totals: Changes,
}

/// How much there was at some time.
pub(super) struct Mark {
    lengths: [usize; 8],
    totals: Changes,
}

impl Unwritten {
    /// How much there is now.
    pub(super) fn mark(&self) -> Mark {
        let Self { events, terms, bodies, customers, operations, renamed, payments, bills, totals } = self;
        let lengths =
            [events.len(), terms.len(), bodies.len(), customers.len(), operations.len(), renamed.len(), payments.len(), bills.len()];
        Mark { lengths, totals: totals.clone() }
    }

    /// Forgets what has come since.
    pub(super) fn back_to(&mut self, mark: Mark) {
        let Mark { lengths: [events, terms, bodies, customers, operations, renamed, payments, bills], totals } = mark;
        self.events.truncate(events);
        self.terms.truncate(terms);
        self.bodies.truncate(bodies);
        self.customers.truncate(customers);
        self.operations.truncate(operations);
        self.renamed.truncate(renamed);
        self.payments.truncate(payments);
        self.bills.truncate(bills);
        self.totals = totals;
    }

    /// A bill that was so, or was not there, is so.
    pub(super) fn bill(&mut self, before: Option<Row>, after: Row) -> Result<(), Fault> {
        self.totals.bill(before.as_ref(), &after.state, after.kept.paid.is_some())?;
        self.bills.push((before, after));
        Ok(())
    }

    /// A bill's row is another one; nothing is counted by what has changed.
    pub(super) fn replace(&mut self, before: Row, after: Row) {
        self.bills.push((Some(before), after));
    }

    /// Event `sequence` tells what a person said about one of DOKU's keys.
    pub(super) fn revocation(&mut self, sequence: i64) -> Result<(), Fault> {
        self.totals.revocation(sequence)
    }

    /// A payment is new.
    pub(super) fn payment(&mut self, sequence: i64, payment: &Payment) -> Result<(), Fault> {
        self.totals.payment(payment.amount.get())?;
        self.payments.push((sequence, payment.clone()));
        Ok(())
    }

    /// Writes it all, each thing after what it refers to; gives what that changes of the trees of seals, and of the sum of all that stands
    /// for totals.
    pub(super) async fn write(self, session: &Session) -> Result<(Growth, u128), Fault> {
        let Self { events, terms, bodies, customers, operations, renamed, payments, bills, totals } = self;
        let terms = terms.into_iter().map(|(id, text)| vec![Value::Integer(id), Value::Text(text)]).collect();
        tables::TERMS.insert(session, terms, "").await?;
        tables::EVENTS.insert(session, events, "").await?;
        let mut growth = Growth::default();
        write_payments(session, payments, &mut growth).await?;
        for payment in &renamed {
            rename(session, payment, &mut growth).await?;
        }
        write_bills(session, bills, &mut growth).await?;
        write_bodies(session, bodies).await?;
        write_customers(session, customers).await?;
        write_operations(session, operations).await?;
        Ok((growth, write_totals(session, totals).await?))
    }
}

async fn write_payments(session: &Session, payments: Vec<(i64, Payment)>, growth: &mut Growth) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(payments.len());
    for (sequence, payment) in payments {
        let (row, seal) = sealed_payment(&session.seals, sequence, &payment)?;
        growth.row(Set::Payments, sequence, None, seal);
        rows.push(row);
    }
    tables::PAYMENTS.insert(session, rows, "").await
}

/// A payment that is there is called `payment.canonical` from now on.
async fn rename(session: &Session, payment: &Payment, growth: &mut Growth) -> Result<(), Fault> {
    let missing = || Fault::Damaged("a payment is missing whose number was to be kept".into());
    let found = session.row("SELECT sequence, seal FROM payments WHERE identity = $1", &[&payment.identity.to_vec()]).await?;
    let found = found.ok_or_else(missing)?;
    let sequence = integer(&found, 0)?;
    let (row, seal) = sealed_payment(&session.seals, sequence, payment)?;
    growth.row(Set::Payments, sequence, bytes_or_null(&found, 1)?, seal);
    let [.., canonical, _] = row.as_slice() else { return Err(missing()) };
    let parameters: [super::read::Parameter<'_>; 3] = [&sequence, &Written(canonical.clone()), &seal.to_vec()];
    session.execute("UPDATE payments SET canonical = $2, seal = $3 WHERE sequence = $1", &parameters).await.map(drop)
}

/// The row of a payment with its seal, in the order of [`tables::PAYMENTS`], and the seal.
fn sealed_payment(seals: &Seals, sequence: i64, payment: &Payment) -> Result<(tables::Row, Seal), Fault> {
    let values = payment_columns(sequence, payment)?;
    let seal = seal::of_payment(seals, values.iter().map(ValueRef::from));
    Ok((values.into_iter().chain([Value::Blob(seal.to_vec())]).collect(), seal))
}

/// The row of a bill with its seal, in the order of [`tables::BILLS`], and the seal.
fn sealed(seals: &Seals, row: &Row) -> Result<(tables::Row, Seal), Fault> {
    let values = columns_of(&row.state, &row.kept)?;
    let seal = seal::of_values(seals, row.id, row.kept.terms_digest, &row.last_hash, &values);
    Ok(([Value::Integer(row.id), Value::Blob(seal.to_vec())].into_iter().chain(values).collect(), seal))
}

/// Each bill is written once, as it is at the end.
async fn write_bills(session: &Session, all: Vec<(Option<Row>, Row)>, growth: &mut Growth) -> Result<(), Fault> {
    let mut bills: BTreeMap<i64, (Option<Row>, Row)> = BTreeMap::new();
    for (before, after) in all {
        match bills.get_mut(&after.id) {
            Some((_, latest)) => *latest = after,
            None => drop(bills.insert(after.id, (before, after))),
        }
    }
    let (mut new, mut changed, mut released) = (Vec::new(), Vec::new(), Vec::new());
    let (mut names, mut gone) = (Vec::new(), Vec::new());
    for (id, (before, after)) in &bills {
        let (of_before, of_after) = (before.as_ref().map(|row| names_of(&row.state)).unwrap_or_default(), names_of(&after.state));
        let row = |(kind, name): &(&str, String)| vec![Value::Integer(*id), Value::Text((*kind).into()), Value::Text(name.clone())];
        gone.extend(of_before.iter().filter(|name| !of_after.contains(name)).map(row));
        names.extend(of_after.iter().filter(|name| !of_before.contains(name)).map(row));
        let sealed_before = before.as_ref().map(|before| sealed(&session.seals, before)).transpose()?;
        let (row, seal) = sealed(&session.seals, after)?;
        growth.row(Set::Bills, *id, sealed_before.map(|(_, seal)| seal), seal);
        match before {
            None => new.push(row),
            Some(before) => {
                let code = live_payment_code(&before.state);
                if code.is_some() && code != live_payment_code(&after.state) {
                    released.push(*id);
                }
                changed.push(row);
            }
        }
    }
    if !released.is_empty() {
        // Their codes may be taken by others of the same statement, and the index is asked at each row.
        session.execute("UPDATE bills SET code_is_live = FALSE WHERE id = ANY($1)", &[&released]).await?;
    }
    tables::BILLS.update(session, changed).await?;
    tables::BILLS.insert(session, new, "").await?;
    tables::NAMES.delete(session, gone).await?;
    tables::NAMES.insert(session, names, "").await
}

/// A body that is kept already is not written again; another one under its id would break I4.
async fn write_bodies(session: &Session, bodies: Vec<(i64, String, Vec<u8>)>) -> Result<(), Fault> {
    if bodies.is_empty() {
        return Ok(());
    }
    let stands_for_two = |id: &str| Fault::Damaged(format!("request id `{id}` would stand for two different bodies"));
    let mut new: BTreeMap<(i64, String), Vec<u8>> = BTreeMap::new();
    for (bill, id, body) in bodies {
        let kept = new.entry((bill, id)).or_insert_with(|| body.clone());
        if *kept != body {
            return Err(Fault::Damaged("a request id would stand for two different bodies".into()));
        }
    }
    let (bills, ids): (Vec<i64>, Vec<&str>) = new.keys().map(|(bill, id)| (*bill, id.as_str())).unzip();
    let sql = "SELECT bill, request_id, body FROM bodies \
               WHERE (bill, request_id) IN (SELECT * FROM UNNEST($1::bigint[], $2::text[]))";
    for row in &session.query(sql, &[&bills, &ids]).await? {
        let (bill, id) = (integer(row, 0)?, required(row, 1)?);
        let kept: &[u8] = row.try_get(2)?;
        if new.remove(&(bill, id.to_owned())).is_some_and(|body| body != kept) {
            return Err(stands_for_two(id));
        }
    }
    let rows = new.into_iter().map(|((bill, id), body)| vec![Value::Integer(bill), Value::Text(id), Value::Blob(body)]);
    tables::BODIES.insert(session, rows.collect(), "").await
}

/// Of several customers of a bill the last stays.
async fn write_customers(session: &Session, customers: Vec<(i64, Customer)>) -> Result<(), Fault> {
    let latest: BTreeMap<i64, Customer> = customers.into_iter().collect();
    let part = |part: &Option<Personal>| part.as_ref().map_or(Value::Null, |part| Value::Text(part.reveal().into()));
    let row = |(bill, customer): (i64, Customer)| {
        vec![Value::Integer(bill), Value::Text(customer.name.reveal().into()), part(&customer.email), part(&customer.account_name)]
    };
    let otherwise = "ON CONFLICT (bill) DO UPDATE SET name = excluded.name, email = excluded.email, account_name = excluded.account_name";
    tables::CUSTOMERS.insert(session, latest.into_iter().map(row).collect(), otherwise).await
}

/// Of several changes of a bill the last stays.
async fn write_operations(session: &Session, operations: Vec<Change>) -> Result<(), Fault> {
    let latest: BTreeMap<i64, Option<i64>> = operations.into_iter().collect();
    let over: Vec<i64> = latest.iter().filter(|(_, lease)| lease.is_none()).map(|(bill, _)| *bill).collect();
    if !over.is_empty() {
        session.execute("DELETE FROM operations WHERE bill = ANY($1)", &[&over]).await?;
    }
    let row = |(bill, lease): (i64, Option<i64>)| Some(vec![Value::Integer(bill), Value::Integer(lease?)]);
    let otherwise = "ON CONFLICT (bill) DO UPDATE SET lease = excluded.lease";
    tables::OPERATIONS.insert(session, latest.into_iter().filter_map(row).collect(), otherwise).await
}

/// Gives what the sum of all that stands for them has become more by.
async fn write_totals(session: &Session, Changes(totals): Changes) -> Result<u128, Fault> {
    const TABLE: &Table = &tables::TOTALS;
    let otherwise = "ON CONFLICT (what, paid, held, ends_on) \
                     DO UPDATE SET count = totals.count + excluded.count, amount = totals.amount + excluded.amount";
    let goes_down = totals.values().any(|(count, _)| *count < 0);
    let row = |((what, paid, held, ends_on), (count, amount)): (&(&str, bool, bool, i64), &(i64, i64))| {
        let flag = |flag: &bool| Value::Integer((*flag).into());
        let [ends_on, count, amount] = [*ends_on, *count, *amount].map(Value::Integer);
        vec![Value::Text((*what).into()), flag(paid), flag(held), ends_on, count, amount]
    };
    let changed = totals.iter().filter(|(_, sums)| **sums != (0, 0));
    let mut more = 0_u128;
    for now in &TABLE.put(session, changed.map(row).collect(), otherwise).await? {
        let key = (required(now, 0)?, integer(now, 1)? != 0, integer(now, 2)? != 0, integer(now, 3)?);
        let change = totals.iter().find(|(changed, _)| **changed == key).map_or((0, 0), |(_, change)| *change);
        more = more.wrapping_add(grown(&session.seals, key, change, (integer(now, 4)?, integer(now, 5)?))?);
    }
    if goes_down {
        session.execute("DELETE FROM totals WHERE count = 0 AND amount = 0", &[]).await?;
    }
    Ok(more)
}
