//! How a debt stands in the books, and what a bill's class follows from there.
//!
//! Belongs here: due, paid, taken off, as a bill's situation. Must not be here: the rules (`domain::classify`), posting.

use jiff::Timestamp;

use super::account::Account;
use super::fact::BillChange;
use super::known::{BookedBill, Debt, Known};
use super::pair::Leg;
use super::ways_off::WayOff;
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::end_of_wib_day;
use crate::domain::classify::{BillSituation, Class, MatchingPolicy, Nature, PaidMark, bill_class};

/// How a decision leaves something of a debt unpaid.
const BY_DECISION: [WayOff; 4] = [WayOff::Waived, WayOff::Lapsed, WayOff::WrittenOff, WayOff::Elsewhere];

/// How a debt stands in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebtStanding {
    /// What it asks for.
    due: Rupiah,
    /// What of its payments is applied to it, or waits for a decision.
    paid: Rupiah,
    /// What decisions have taken off.
    taken_off: Rupiah,
}

impl DebtStanding {
    /// Of a debt of these books.
    #[must_use]
    pub fn of(debt: &Debt, known: &Known) -> Self {
        let held: Rupiah = money_held(debt, known).map(|(_, held)| held).sum();
        let taken_off = BY_DECISION.into_iter().map(|off| debt.off(off)).sum();
        Self { due: debt.due, paid: debt.applied().plus(held), taken_off }
    }

    /// A group owes what the largest of its bills asks for, so what is lacking of that is lacking of each.
    pub fn say(&self, situation: &mut BillSituation) {
        let more = self.due.minus(situation.due.into());
        situation.attached = self.paid;
        situation.attached_count = u64::from(self.paid > Rupiah::ZERO);
        situation.paid_before = Rupiah::ZERO;
        situation.taken_off = self.taken_off.minus(more);
    }

    /// The same with more money that waits for a decision.
    #[must_use]
    pub fn with_held(self, more: Rupiah) -> Self {
        Self { paid: self.paid.plus(more), ..self }
    }
}

/// What of a debt's payments waits for a decision, and where.
pub fn money_held<'k>(debt: &'k Debt, known: &'k Known) -> impl Iterator<Item = (Leg, Rupiah)> + 'k {
    let held = debt.payments.iter().filter_map(|id| known.payments.get(id)).map(|payment| Leg::of(Account::Suspense, payment.held_as));
    held.map(|leg| (leg, known.held(leg))).filter(|(_, held)| *held > Rupiah::ZERO)
}

/// A bill's class by what books know alone: what a run has seen besides, such as an issue in doubt, stands in its list.
#[must_use]
pub fn class_in_books(bill: &BookedBill, known: &Known, as_of: Timestamp, policy: &MatchingPolicy) -> Option<(Class, Nature)> {
    let debt = known.debts.get(&bill.debt)?;
    let last = bill.events.iter().rev().find(|event| event.change == BillChange::Cancelled);
    let asked = bill.events.iter().rev().find_map(|event| event.change.asks_for());
    let due = u64::try_from(bill.amount.get()).ok().and_then(|amount| Amount::new(amount).ok());
    let is_paid = !debt.payments.is_empty();
    let mut situation = BillSituation {
        due: due.or(asked)?,
        reusable: debt.is_reusable,
        has_code: !bill.names.is_empty(),
        issue_in_doubt: false,
        cancelled_at: last.filter(|_| !bill.is_live).map(|event| event.at.unwrap_or(as_of)),
        expires_at: bill.expires_on.and_then(end_of_wib_day),
        attached_count: u64::from(is_paid),
        attached: debt.applied(),
        paid_before: Rupiah::ZERO,
        taken_off: Rupiah::ZERO,
        mark: if debt.off(WayOff::Unproven) > Rupiah::ZERO { PaidMark::InPeriod } else { PaidMark::None },
        paid_outside_period: false,
        // A row that waits is proof of itself alone.
        settled: debt.off(WayOff::Unproven) <= Rupiah::ZERO && known.rows_waiting().contains_key(&bill.debt),
    };
    if debt.is_before_books {
        (situation.attached_count, situation.attached) = (1, situation.due.into());
    } else if !debt.is_reusable && bill.is_live {
        DebtStanding::of(debt, known).say(&mut situation);
    }
    Some(bill_class(&situation, as_of, policy))
}
