//! How many bills and payments there are, counted along with every write, so that `status` never counts millions.
//!
//! Belongs here: the table `totals`. Must not be here: whether a bill is paid.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::fault::Fault;
use super::paid::Plain;
use super::rows::Row;
use crate::domain::amount::Rupiah;
use crate::domain::check;
use crate::domain::lifecycle::{BillState, Status};
use crate::domain::sum::Sum;
use crate::ledger::Totals;
use crate::ledger::rules::microseconds;

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

/// What is counted together: status (or `payment`, `told`), paid, held, UTC day of the end.
type Key = (&'static str, bool, bool, i64);

const PAYMENT: Key = ("payment", false, false, -1);
const TOLD: Key = ("told", false, false, -1);

/// Changes that are not in the table yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes(BTreeMap<Key, (i64, i64)>);

impl Changes {
    fn add(&mut self, key: Key, count: i64, amount: u64) -> Result<(), Fault> {
        let amount = i64::try_from(amount).map_err(|_| Fault::Failed("an amount is too large".into()))?;
        let slot = self.0.entry(key).or_default();
        let too_much = || Fault::Failed("a total is too large".into());
        slot.0 = slot.0.checked_add(count).ok_or_else(too_much)?;
        slot.1 = slot.1.checked_add(count.checked_mul(amount).ok_or_else(too_much)?).ok_or_else(too_much)?;
        Ok(())
    }

    /// A bill is not as it was any more, or is new.
    pub(super) fn bill(&mut self, before: Option<&Row>, state: &BillState, is_paid: bool) -> Result<(), Fault> {
        if let Some(before) = before {
            self.add(key_of(&before.state, before.kept.paid.is_some()), -1, before.state.terms.amount.get())?;
        }
        self.add(key_of(state, is_paid), 1, state.terms.amount.get())?;
        let known = before.and_then(|before| before.state.checks.as_deref()).map_or(0, |checks| checks.found.len());
        for found in state.checks.iter().flat_map(|checks| &checks.found).skip(known) {
            self.add(TOLD, 1, found.payment.amount.get())?;
        }
        Ok(())
    }

    /// A bill that was as it was found is paid now.
    pub(super) fn plainly_paid(&mut self, plain: &Plain) -> Result<(), Fault> {
        let ends_at = plain.ends_at.filter(|_| plain.status == Status::Active);
        let key = |is_paid| (plain.status.name(), is_paid, plain.is_held, day_of(ends_at));
        self.add(key(plain.before.paid.is_some()), -1, plain.amount)?;
        self.add(key(true), 1, plain.amount)
    }

    /// A payment was added.
    pub(super) fn payment(&mut self, amount: u64) -> Result<(), Fault> {
        self.add(PAYMENT, 1, amount)
    }

    /// Puts them into the table.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<(), Fault> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO totals (what, paid, held, ends_on, count, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount",
        )?;
        let mut empty =
            connection.prepare_cached("DELETE FROM totals WHERE (what, paid, held, ends_on, count, amount) = (?1, ?2, ?3, ?4, 0, 0)")?;
        for ((what, paid, held, ends_on), (count, amount)) in std::mem::take(&mut self.0) {
            if (count, amount) != (0, 0) {
                statement.execute(params![what, paid, held, ends_on, count, amount])?;
            }
            if count < 0 {
                empty.execute(params![what, paid, held, ends_on])?;
            }
        }
        Ok(())
    }

    /// Findings where the table says otherwise than these, counted anew.
    pub(super) fn differences(&self, connection: &Connection) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        let mut wanted: BTreeMap<(String, i64, i64, i64), (i64, i64)> = self
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
}

fn key_of(state: &BillState, is_paid: bool) -> Key {
    let ends_on = check::ends_at(state).filter(|_| state.status == Status::Active);
    (state.status.name(), is_paid, state.hold.is_some(), day_of(ends_on.map(microseconds)))
}

/// The UTC day of an instant in microseconds; none is a day of its own.
fn day_of(at: Option<i64>) -> i64 {
    at.map_or(-1, |at| at.div_euclid(MICROSECONDS_A_DAY).max(0))
}

/// As [`crate::ledger::View::totals`] documents it.
pub(super) fn read(connection: &Connection, now: jiff::Timestamp) -> Result<Totals, Fault> {
    let now = microseconds(now);
    let today = now.div_euclid(MICROSECONDS_A_DAY);
    let mut totals = Totals::default();
    let mut by_status: BTreeMap<&'static str, Sum> = BTreeMap::new();
    let mut statement = connection.prepare_cached("SELECT what, paid, held, ends_on, count, amount FROM totals WHERE count <> 0")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let unreadable = || Fault::Damaged("a total cannot be read".into());
        let what = row.get_ref(0)?.as_str().map_err(|_| unreadable())?;
        let (is_paid, is_held, ends_on): (bool, bool, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let sum = Sum { count: super::read::unsigned(row.get(4)?)?, rupiah: Rupiah::new(row.get::<_, i64>(5)?.into()) };
        match what {
            "payment" => totals.payments.join(sum),
            "told" => totals.told.join(sum),
            status => {
                let status = Status::parse(status).ok_or_else(unreadable)?;
                by_status.entry(status.name()).or_default().join(sum);
                if is_paid {
                    totals.paid.join(sum);
                }
                if is_held {
                    totals.held.join(sum);
                }
                if status == Status::Active && !is_paid {
                    let is_over = ends_on >= 0 && ends_on < today;
                    if is_over { &mut totals.expired } else { &mut totals.payable }.join(sum);
                }
            }
        }
    }
    let ended_today = ended_today(connection, today.saturating_mul(MICROSECONDS_A_DAY), now)?;
    totals.expired.join(ended_today);
    totals.payable = totals.payable.minus(ended_today);
    totals.by_status = by_status.into_iter().collect();
    Ok(totals)
}

/// Unpaid active bills whose end is today and has passed: the only ones that are counted one by one.
fn ended_today(connection: &Connection, from: i64, now: i64) -> Result<Sum, Fault> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(amount / 1000000), 0), COALESCE(SUM(amount % 1000000), 0) FROM bills \
               WHERE status = 'active' AND ends_at >= ?1 AND ends_at <= ?2 AND paid IS NULL";
    sum(connection, sql, [from, now])
}

/// A count, millions of rupiah and the rest of them: summed apart, so that no number of bills overflows SQLite's integers.
pub(super) fn sum(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Sum, Fault> {
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (count, millions, rest): (i64, i64, i64) = connection.prepare_cached(sql)?.query_row(parameters, row)?;
    let rupiah = Rupiah::new(i128::from(millions).saturating_mul(1_000_000).saturating_add(i128::from(rest)));
    Ok(Sum { count: super::read::unsigned(count)?, rupiah })
}
