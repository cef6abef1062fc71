//! The table `totals` in SQLite.

use std::collections::BTreeMap;

use rusqlite::params;

use super::db::Db;
use super::paid::Plain;
use super::tree;
use crate::domain::lifecycle::Status;
use crate::domain::sum::Sum;
use crate::ledger::LedgerTotals;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::totals::{Changes, TOTALS, Tally, day_of, grown, sum_of};
use crate::ledger::sql::tree::of_total;

/// A bill that was as it was found is paid now.
pub(super) fn plainly_paid(changes: &mut Changes, plain: &Plain) -> Result<(), Fault> {
    let ends_at = plain.ends_at.filter(|_| plain.status == Status::Active);
    let key = |is_paid| (plain.status.name(), is_paid, plain.is_held, day_of(ends_at));
    changes.add(key(plain.before.paid.is_some()), -1, plain.amount)?;
    changes.add(key(true), 1, plain.amount)
}

/// Puts changes into the table; gives what the sum of all that stands for its rows has become more by.
pub(super) fn write(changes: &mut Changes, connection: &Db) -> Result<u128, Fault> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO totals (what, paid, held, ends_on, count, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount RETURNING count, amount",
    )?;
    let mut empty =
        connection.prepare_cached("DELETE FROM totals WHERE (what, paid, held, ends_on, count, amount) = (?1, ?2, ?3, ?4, 0, 0)")?;
    let mut more = 0_u128;
    for (key, (count, amount)) in std::mem::take(&mut changes.0) {
        let (what, paid, held, ends_on) = key;
        if (count, amount) != (0, 0) {
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let now = statement.query_row(params![what, paid, held, ends_on, count, amount], row)?;
            more = more.wrapping_add(grown(&connection.seals, key, (count, amount), now)?);
        }
        if count < 0 {
            empty.execute(params![what, paid, held, ends_on])?;
        }
    }
    Ok(more)
}

/// The sum of all that stands for the table's rows.
pub(super) fn sealed(connection: &Db) -> Result<u128, Fault> {
    let mut statement = connection.prepare("SELECT what, paid, held, ends_on, count, amount FROM totals")?;
    let mut rows = statement.query([])?;
    let mut sum = 0_u128;
    while let Some(row) = rows.next()? {
        let what: String = row.get(0)?;
        let sums = (row.get(4)?, row.get(5)?);
        sum = sum.wrapping_add(of_total(&connection.seals, (&what, row.get(1)?, row.get(2)?, row.get(3)?), sums));
    }
    Ok(sum)
}

/// Findings where the table says otherwise than `changes`, counted anew.
pub(super) fn differences(changes: &Changes, connection: &Db) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    let mut wanted: BTreeMap<(String, i64, i64, i64), (i64, i64)> = changes
        .0
        .iter()
        .filter(|(_, sums)| **sums != (0, 0))
        .map(|((what, paid, held, ends_on), sums)| (((*what).to_owned(), i64::from(*paid), i64::from(*held), *ends_on), *sums))
        .collect();
    let mut statement = connection.prepare("SELECT what, paid, held, ends_on, count, amount FROM totals")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (key, sums) = ((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?), (row.get(4)?, row.get(5)?));
        if wanted.remove(&key) != Some(sums) {
            found.push(format!("the total of `{}` is not what the bills and payments come to", key.0));
        }
    }
    found.extend(wanted.into_keys().map(|key| format!("the total of `{}` is missing", key.0)));
    Ok(found)
}

/// As [`crate::ledger::View::totals`] documents it.
pub(super) fn read(connection: &Db, now: jiff::Timestamp) -> Result<LedgerTotals, Fault> {
    let mut tally = Tally::at(now, connection.seals.clone());
    let mut statement = connection.prepare_cached(TOTALS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tally.add(row)?;
    }
    let sql = "SELECT COUNT(*), COALESCE(SUM(amount / 1000000), 0), COALESCE(SUM(amount % 1000000), 0) FROM bills \
               WHERE status = 'active' AND ends_at >= ?1 AND ends_at <= ?2 AND paid IS NULL";
    let ended_today = sum(connection, sql, tally.today())?;
    tally.finish(ended_today, tree::totals(connection)?)
}

/// What [`sum_of`] reads.
pub(super) fn sum(connection: &Db, sql: &str, parameters: impl rusqlite::Params) -> Result<Sum, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    sum_of(rows.next()?.ok_or_else(|| Fault::Failed("a sum came to nothing".into()))?)
}
