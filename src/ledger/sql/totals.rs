//! How many bills and payments there are, counted along with every write, so that `status` never counts millions; the same in every
//! database.
//!
//! Belongs here: what is counted together, and what comes of it. Must not be here: whether a bill is paid.

use std::collections::BTreeMap;

use super::cells::{Cells, count, integer};
use super::fault::Fault;
use super::rows::Row;
use super::tree::of_total;
use crate::domain::amount::Rupiah;
use crate::domain::check_status;
use crate::domain::lifecycle::{BillState, Status};
use crate::domain::sum::Sum;
use crate::ledger::LedgerTotals;
use crate::ledger::rules::microseconds;
use crate::ledger::seals::Seals;

/// A UTC day.
pub(in crate::ledger) const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

/// What is counted together: status (or `payment`, `told`, `revocation`), paid, held, UTC day of the end (of a revocation, its event).
pub(in crate::ledger) type Key = (&'static str, bool, bool, i64);

const PAYMENT: Key = ("payment", false, false, -1);
const TOLD: Key = ("told", false, false, -1);
const REVOCATION: &str = "revocation";

/// Changes that are not in the table yet.
#[derive(Clone, Debug, Default)]
pub(in crate::ledger) struct Changes(pub(in crate::ledger) BTreeMap<Key, (i64, i64)>);

impl Changes {
    pub(in crate::ledger) fn add(&mut self, key: Key, count: i64, amount: u64) -> Result<(), Fault> {
        let amount = i64::try_from(amount).map_err(|_| Fault::absurd())?;
        let slot = self.0.entry(key).or_default();
        slot.0 = slot.0.checked_add(count).ok_or_else(Fault::absurd)?;
        slot.1 = slot.1.checked_add(count.checked_mul(amount).ok_or_else(Fault::absurd)?).ok_or_else(Fault::absurd)?;
        Ok(())
    }

    /// A bill is not as it was any more, or is new.
    pub(in crate::ledger) fn bill(&mut self, before: Option<&Row>, state: &BillState, is_paid: bool) -> Result<(), Fault> {
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

    /// Event `sequence` tells what a person said about one of DOKU's keys. Each is kept as a total of its own, so that they are found among
    /// millions of events, and that one is missing is found by the seal of all totals.
    pub(in crate::ledger) fn revocation(&mut self, sequence: i64) -> Result<(), Fault> {
        self.add((REVOCATION, false, false, sequence), 1, 0)
    }

    /// A payment was added.
    pub(in crate::ledger) fn payment(&mut self, amount: u64) -> Result<(), Fault> {
        self.add(PAYMENT, 1, amount)
    }
}

fn key_of(state: &BillState, is_paid: bool) -> Key {
    let ends_on = check_status::ends_at(state).filter(|_| state.status == Status::Active);
    (state.status.name(), is_paid, state.hold.is_some(), day_of(ends_on.map(microseconds)))
}

/// What the sum of all that stands for rows of `totals` has become more by, when a row that was changed by `change` is `now`.
pub(in crate::ledger) fn grown(seals: &Seals, key: (&str, bool, bool, i64), change: (i64, i64), now: (i64, i64)) -> Result<u128, Fault> {
    let before = now.0.checked_sub(change.0).zip(now.1.checked_sub(change.1));
    let before = before.ok_or_else(Fault::absurd)?;
    Ok(of_total(seals, key, now).wrapping_sub(of_total(seals, key, before)))
}

/// The UTC day of an instant in microseconds; none is a day of its own.
pub(in crate::ledger) fn day_of(at: Option<i64>) -> i64 {
    at.map_or(-1, |at| at.div_euclid(MICROSECONDS_A_DAY).max(0))
}

/// What [`crate::ledger::View::totals`] is read from; rows of the table are added one by one.
pub(in crate::ledger) const TOTALS: &str = "SELECT what, paid, held, ends_on, count, amount FROM totals WHERE count <> 0";

/// Totals on their way out of the table.
pub(in crate::ledger) struct Tally {
    now: i64,
    seals: Seals,
    /// The sum of what stands for the rows that were added.
    sealed: u128,
    by_status: BTreeMap<&'static str, Sum>,
    totals: LedgerTotals,
}

impl Tally {
    /// At `now`, with nothing added.
    pub(in crate::ledger) fn at(now: jiff::Timestamp, seals: Seals) -> Self {
        Self { now: microseconds(now), seals, sealed: 0, by_status: BTreeMap::new(), totals: LedgerTotals::default() }
    }

    /// The beginning of today and now: unpaid active bills whose end is between the two have ended, and must be counted one by one.
    pub(in crate::ledger) const fn today(&self) -> [i64; 2] {
        [self.day().saturating_mul(MICROSECONDS_A_DAY), self.now]
    }

    const fn day(&self) -> i64 {
        self.now.div_euclid(MICROSECONDS_A_DAY)
    }

    /// One row of [`TOTALS`].
    pub(in crate::ledger) fn add(&mut self, row: &impl Cells) -> Result<(), Fault> {
        let unreadable = || Fault::Damaged("a total cannot be read".into());
        let what = row.cell(0)?.as_str().map_err(|_| unreadable())?;
        let (is_paid, is_held, ends_on) = (integer(row, 1)? != 0, integer(row, 2)? != 0, integer(row, 3)?);
        let sum = Sum { count: count(row, 4)?, rupiah: Rupiah::new(integer(row, 5)?.into()) };
        let stands_for_it = of_total(&self.seals, (what, is_paid, is_held, ends_on), (integer(row, 4)?, integer(row, 5)?));
        self.sealed = self.sealed.wrapping_add(stands_for_it);
        let today = self.day();
        let totals = &mut self.totals;
        match what {
            "payment" => totals.payments.join(sum),
            "told" => totals.told.join(sum),
            REVOCATION => totals.revocations.push(count(row, 3)?),
            status => {
                let status = Status::parse(status).ok_or_else(unreadable)?;
                self.by_status.entry(status.name()).or_default().join(sum);
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
        Ok(())
    }

    /// All of it, if the rows come to `sealed`; `ended_today` are those of [`Self::today`].
    pub(in crate::ledger) fn finish(self, ended_today: Sum, sealed: u128) -> Result<LedgerTotals, Fault> {
        if self.sealed != sealed {
            return Err(Fault::Damaged("what bills and payments come to was edited: the seal of the totals does not fit".into()));
        }
        let mut totals = self.totals;
        totals.revocations.sort_unstable();
        totals.expired.join(ended_today);
        totals.payable = totals.payable.minus(ended_today);
        totals.by_status = self.by_status.into_iter().collect();
        Ok(totals)
    }
}

/// A count, millions of rupiah and the rest of them: summed apart, so that no number of bills overflows a database's integers.
pub(in crate::ledger) fn sum_of(row: &impl Cells) -> Result<Sum, Fault> {
    let (millions, rest) = (integer(row, 1)?, integer(row, 2)?);
    let rupiah = i128::from(millions).saturating_mul(1_000_000).saturating_add(i128::from(rest));
    Ok(Sum { count: count(row, 0)?, rupiah: Rupiah::new(rupiah) })
}
