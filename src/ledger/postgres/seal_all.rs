//! Sealing all there is: what a migration brings, and a change of the key.

use super::read;
use super::session::Session;
use super::tree;
use crate::ledger::LedgerHead;
use crate::ledger::seals::Seals;
use crate::ledger::sql::cells::{Cells as _, integer, required};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{PAYMENTS, payment_seal};
use crate::ledger::sql::rows::{COLUMNS_COUNT, FIRST, checked, select};
use crate::ledger::sql::seal;
use crate::ledger::sql::totals::TOTALS;
use crate::ledger::sql::tree::of_total;

/// Rows that are read and written at once.
const ROWS_AT_ONCE: i64 = 2_000;

/// Gives every payment its seal, whatever it had.
async fn payments(session: &Session) -> Result<(), Fault> {
    let mut after = -1_i64;
    loop {
        let sql = format!("{PAYMENTS} WHERE sequence > $1 ORDER BY sequence LIMIT $2");
        let found = session.query(&sql, &[&after, &ROWS_AT_ONCE]).await?;
        let Some(last) = found.last() else { return Ok(()) };
        after = integer(last, 0)?;
        let seal = |row| Ok((integer(row, 0)?, payment_seal(row, &session.seals)?.to_vec()));
        give(session, "payments", "sequence", found.iter().map(seal).collect::<Result<_, Fault>>()?).await?;
    }
}

/// Gives every bill a seal of this session; each has one that was made with `former`.
async fn bills(session: &Session, former: &Seals) -> Result<(), Fault> {
    let mut after = 0_i64;
    loop {
        let found = session.query(&select("WHERE bills.id > $1 ORDER BY bills.id LIMIT $2"), &[&after, &ROWS_AT_ONCE]).await?;
        let Some(last) = found.last() else { return Ok(()) };
        after = integer(last, 0)?;
        let seal = |row: &tokio_postgres::Row| {
            let (terms, last_event) = checked(row, former, true)?;
            let fields = (FIRST..FIRST + COLUMNS_COUNT).map(|column| row.cell(column)).collect::<Result<Vec<_>, Fault>>()?;
            let id = integer(row, 0)?;
            Ok((id, seal::of(&session.seals, id, terms, &last_event, fields.into_iter()).to_vec()))
        };
        give(session, "bills", "id", found.iter().map(seal).collect::<Result<_, Fault>>()?).await?;
    }
}

async fn give(session: &Session, table: &str, key: &str, seals: Vec<(i64, Vec<u8>)>) -> Result<(), Fault> {
    let (ids, seals): (Vec<i64>, Vec<Vec<u8>>) = seals.into_iter().unzip();
    let sql = format!(
        "UPDATE {table} SET seal = given.seal FROM UNNEST($1::bigint[], $2::bytea[]) AS given (id, seal) WHERE {table}.{key} = given.id"
    );
    session.execute(&sql, &[&ids, &seals]).await.map(drop)
}

/// Seals everything in the open transaction, in which the chain ends with `head`. Bills that had seals of `former` are sealed anew.
pub(super) async fn seal(session: &Session, head: &LedgerHead, former: Option<&Seals>) -> Result<(), Fault> {
    payments(session).await?;
    if let Some(former) = former {
        bills(session, former).await?;
    }
    let mut totals = 0_u128;
    for row in &session.query(TOTALS, &[]).await? {
        let key = (required(row, 0)?, integer(row, 1)? != 0, integer(row, 2)? != 0, integer(row, 3)?);
        totals = totals.wrapping_add(of_total(&session.seals, key, (integer(row, 4)?, integer(row, 5)?)));
    }
    tree::make(session, head, totals).await
}

/// What the migration to the second schema brings.
pub(super) async fn migrated(session: &Session) -> Result<(), Fault> {
    seal(session, &read::head(session).await?, None).await?;
    session.batch("ALTER TABLE payments ALTER COLUMN seal SET NOT NULL").await
}
