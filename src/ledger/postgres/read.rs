//! Questions to the server that are asked in sets: rows of bills, payments, customers, events.

use tokio_postgres::types::ToSql;

use super::session::{Parameters, Session};
use crate::domain::bill::Customer;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::payment::Payment;
use crate::domain::personal::Personal;
use crate::ledger::sql::cells::{bytes, count, integer, integer_or_null, optional, required, signed};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{LINKS, Link, PAYMENTS, payment_of};
use crate::ledger::sql::rows::{Row, row_of, select};
use crate::ledger::sql::tree::TOP;
use crate::ledger::{LedgerHead, Names};

/// The ids of bills that go or went by one of the numbers `$1`, or hold, held, ask for or were promised one of the codes `$2`.
const IDS_ABOUT: &str = "SELECT id FROM bills WHERE invoice_number = ANY($1) \
                         UNION SELECT bill FROM names WHERE name = ANY($1) AND kind = 'number' \
                         UNION SELECT id FROM bills WHERE code = ANY($2) AND code_is_live \
                         UNION SELECT id FROM bills WHERE code = ANY($2) AND NOT code_is_live \
                         UNION SELECT bill FROM names WHERE name = ANY($2) AND kind = 'code'";

/// Names as the two parameters they are asked by.
fn texts(names: &Names) -> (Vec<&str>, Vec<&str>) {
    (names.numbers.iter().map(InvoiceNumber::as_str).collect(), names.codes.iter().map(PaymentCode::as_str).collect())
}

/// The rows of a clause that follows the tables.
pub(super) async fn bills(session: &Session, clause: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Fault> {
    session.query(&select(clause), parameters).await?.iter().map(|row| row_of(row, &session.seals)).collect()
}

/// What finds the bills of [`crate::ledger::View::bills_about`]: a clause, and its parameters.
pub(super) fn clause_about(names: &Names) -> (String, (Vec<&str>, Vec<&str>)) {
    (format!("WHERE bills.id IN ({IDS_ABOUT}) ORDER BY bills.invoice_number"), texts(names))
}

/// The same for [`crate::ledger::View::payments_about`].
pub(super) fn clause_paying(names: &Names) -> (&'static str, (Vec<&str>, Vec<&str>)) {
    ("WHERE invoice_number = ANY($1) OR payment_code = ANY($2)", texts(names))
}

/// As [`crate::ledger::View::bills_about`] documents it.
pub(super) async fn bills_about(session: &Session, names: &Names) -> Result<Vec<Row>, Fault> {
    let (clause, (numbers, codes)) = clause_about(names);
    bills(session, &clause, &[&numbers, &codes]).await
}

/// As [`crate::ledger::View::payments_about`] documents it, each with its event.
pub(super) async fn payments_about(session: &Session, names: &Names) -> Result<Vec<(u64, Payment)>, Fault> {
    let (clause, (numbers, codes)) = clause_paying(names);
    payments(session, clause, &[&numbers, &codes]).await
}

/// The payments of a clause, in the order they were applied.
pub(super) async fn payments(session: &Session, clause: &str, parameters: Parameters<'_>) -> Result<Vec<(u64, Payment)>, Fault> {
    session
        .query(&format!("{PAYMENTS} {clause} ORDER BY sequence"), parameters)
        .await?
        .iter()
        .map(|row| payment_of(row, &session.seals))
        .collect()
}

/// Who owes these bills, as far as it is kept.
pub(super) async fn customers(session: &Session, ids: &[i64]) -> Result<Vec<(i64, Customer)>, Fault> {
    let found = session.query("SELECT bill, name, email, account_name FROM customers WHERE bill = ANY($1)", &[&ids]).await?;
    found.iter().map(|row| Ok((integer(row, 0)?, customer_of(row)?))).collect()
}

/// Of a row with name, address and account's name behind something else.
pub(super) fn customer_of(row: &tokio_postgres::Row) -> Result<Customer, Fault> {
    let part = |column| -> Result<Option<Personal>, Fault> { Ok(optional(row, column)?.map(Personal::new)) };
    Ok(Customer { name: Personal::new(required(row, 1)?), email: part(2)?, account_name: part(3)? })
}

/// The end of the chain.
pub(super) async fn head(session: &Session) -> Result<LedgerHead, Fault> {
    let found = session.row("SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1", &[]).await?;
    found.map_or(Ok(LedgerHead::EMPTY), |row| Ok(LedgerHead { sequence: count(&row, 0)?, hash: bytes(&row, 1)? }))
}

/// The same, and what is kept beside it of all there is.
pub(super) async fn head_and_top(session: &Session) -> Result<(LedgerHead, Option<Vec<u8>>), Fault> {
    let sql = "SELECT (SELECT digests FROM seals WHERE place = $1), sequence, hash FROM (SELECT 1) AS one \
               LEFT JOIN LATERAL (SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1) AS newest ON TRUE";
    let row = session.row(sql, &[&TOP]).await?.ok_or_else(|| Fault::Failed("a question came to nothing".into()))?;
    let head = match integer_or_null(&row, 1)? {
        Some(_) => LedgerHead { sequence: count(&row, 1)?, hash: bytes(&row, 2)? },
        None => LedgerHead::EMPTY,
    };
    Ok((head, row.try_get(0)?))
}

/// The head as it was after event `sequence`.
pub(super) async fn head_at(session: &Session, sequence: u64) -> Result<Option<LedgerHead>, Fault> {
    if sequence == 0 {
        return Ok(Some(LedgerHead::EMPTY));
    }
    let found = session.row("SELECT hash FROM events WHERE sequence = $1", &[&signed(sequence)?]).await?;
    found.map(|row| Ok(LedgerHead { sequence, hash: bytes(&row, 0)? })).transpose()
}

/// Visits the events of a bill from its last, `newest`, to its first, until `visit` has enough.
pub(super) async fn visit_back(
    session: &Session,
    newest: u64,
    mut visit: impl FnMut(&Link<'_>) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let sql = format!(
        "WITH RECURSIVE back AS (SELECT sequence AS number, previous AS before FROM events WHERE sequence = $1 \
         UNION ALL SELECT sequence, previous FROM events JOIN back ON sequence = before WHERE before < number) \
         {LINKS} WHERE sequence IN (SELECT number FROM back) ORDER BY sequence DESC"
    );
    let mut next = Some(signed(newest)?);
    for row in &session.query(&sql, &[&signed(newest)?]).await? {
        let link = Link::of(row)?;
        if next != Some(signed(link.sequence)?) {
            break;
        }
        next = link.previous;
        if !visit(&link)? {
            return Ok(());
        }
    }
    match next {
        Some(sequence) => Err(Fault::Damaged(format!("event {sequence} is missing, or named as one before an earlier one"))),
        None => Ok(()),
    }
}

/// A list of texts as a parameter.
pub(super) fn listed<'n>(numbers: impl IntoIterator<Item = &'n InvoiceNumber>) -> Vec<&'n str> {
    numbers.into_iter().map(InvoiceNumber::as_str).collect()
}

/// One parameter.
pub(super) type Parameter<'p> = &'p (dyn ToSql + Sync);
