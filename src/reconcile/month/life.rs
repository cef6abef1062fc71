//! When a code was outstanding: from its issue to the first thing that ended it, by facts alone.
//!
//! A bill leaves the outstanding codes with its first payment, whatever its amount: what is wrong with that is a discrepancy.
//! A reusable code stays until it expires or is cancelled. What ended first stays the end, so that later evidence of something
//! else never changes a balance that was signed.

use jiff::Timestamp;

use crate::domain::amount::{Amount, Rupiah};
use crate::domain::classify::Class;
use crate::domain::line::NO_BILL;
use crate::reconcile::Reconciled;
use crate::reconcile::bill::Bill;
use crate::reconcile::bills::Bills;
use crate::reconcile::new_bill::ExternalMark;
use crate::reconcile::terms::ReconcileTerms;

/// What ended a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Settled,
    Cancelled,
    Expired,
}

/// Since when a code exists and what ended it when; in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) issued_us: i64,
    pub(super) ended: Option<(i64, End)>,
}

/// No payment is known.
pub(super) const UNPAID: i64 = i64::MAX;

/// Facts of all codes, ready to be asked for their lives.
pub(super) struct Lives<'a> {
    bills: &'a Bills,
    /// When each bill was first paid, or [`UNPAID`].
    first_paid_us: Vec<i64>,
    grace_us: i64,
}

impl<'a> Lives<'a> {
    pub(super) fn of(outcome: &'a Reconciled, terms: &ReconcileTerms) -> Self {
        let bills = &outcome.inputs.bills;
        let mut first_paid_us: Vec<i64> = bills.iter().map(|(_, bill)| marked_us(bill)).collect();
        let known = outcome.inputs.known.iter().map(|known| (known.bill, known.paid_at.as_microsecond()));
        // A payment of another period is the bill's as well, only in that period.
        let is_bills = |class: Class| class.attaches() || class == Class::P16;
        let paid = outcome.judged.iter().filter(|judged| judged.bill != NO_BILL && is_bills(judged.class));
        let paid = paid.filter_map(|judged| Some((judged.bill, outcome.proof(judged)?.paid_at_us)));
        // Money of earlier months that had no bill, and has one by now.
        let orphans = outcome.inputs.orphans.iter().filter(|orphan| !orphan.is_proved);
        let matched = orphans.filter_map(|orphan| Some((orphan.bill?, orphan.paid_at.as_microsecond())));
        for (bill, paid_at_us) in known.chain(paid).chain(matched) {
            if let Some(first) = usize::try_from(bill).ok().and_then(|bill| first_paid_us.get_mut(bill)) {
                *first = paid_at_us.min(*first);
            }
        }
        Self { bills, first_paid_us, grace_us: terms.policy.expiry_grace_minutes.saturating_mul(60_000_000) }
    }

    pub(super) fn first_paid_us(&self, number: u32) -> i64 {
        usize::try_from(number).ok().and_then(|number| self.first_paid_us.get(number)).copied().unwrap_or(UNPAID)
    }

    /// The life of a bill's code; `None` without one, or while nobody knows whether it was made.
    pub(super) fn life(&self, number: u32, bill: &Bill) -> Option<Life> {
        if !bill.has_code() || bill.issue_in_doubt() {
            return None;
        }
        let issued_us = micros(bill.created_at(), i64::MIN);
        let paid_us = self.first_paid_us(number);
        let expired_us = self.expired_us(bill);
        let cancelled_us = micros(bill.cancelled_at(), i64::MAX);
        let by_payment = if bill.reusable() { i64::MAX } else { paid_us };
        let (at, end) = [(by_payment, End::Settled), (cancelled_us, End::Cancelled), (expired_us, End::Expired)].into_iter().min()?;
        // One that may be paid any number of times stays until its end, and was settled then if anybody has paid it.
        let end = if bill.reusable() && paid_us <= at { End::Settled } else { end };
        Some(Life { issued_us, ended: (at != i64::MAX).then_some((at.max(issued_us), end)) })
    }

    /// Whether a code is outstanding just before an instant, by its state then and not by what moved it.
    pub(super) fn is_open(&self, number: u32, bill: &Bill, before_us: i64) -> bool {
        let exists = bill.has_code() && !bill.issue_in_doubt() && bill.created_at().is_none_or(|at| at.as_microsecond() < before_us);
        let cancelled = bill.cancelled_at().is_some_and(|at| at.as_microsecond() < before_us);
        let paid = !bill.reusable() && self.first_paid_us(number) < before_us;
        exists && !cancelled && !paid && self.expired_us(bill) >= before_us
    }

    /// A code that is dead without an expiry anybody was told ended at a time nobody knows: with its issue.
    fn expired_us(&self, bill: &Bill) -> i64 {
        let otherwise = if bill.code_is_dead() { micros(bill.created_at(), i64::MIN) } else { i64::MAX };
        bill.expires_at().map_or(otherwise, |at| at.as_microsecond().saturating_add(self.grace_us))
    }

    /// What a code asked for just before an instant.
    pub(super) fn amount_at(&self, number: u32, bill: &Bill, before_us: i64) -> Amount {
        let earlier = self.bills.side().superseded(number);
        earlier.iter().find(|&&(until, _)| until >= before_us).map_or(bill.amount, |&(_, amount)| amount)
    }

    /// By how much amendments in `from_us..until_us` changed what it asks for.
    pub(super) fn amended(&self, number: u32, bill: &Bill, from_us: i64, until_us: i64) -> Rupiah {
        let earlier = self.bills.side().superseded(number);
        let after = earlier.iter().skip(1).map(|&(_, amount)| amount).chain([bill.amount]);
        let steps = earlier.iter().zip(after).filter(|((at, _), _)| (from_us..until_us).contains(at));
        steps.map(|(&(_, before), after)| Rupiah::from(after).minus(before.into())).sum()
    }
}

/// When a ledger of another system says a bill was paid; a mark without a time counts from the bill's first day.
fn marked_us(bill: &Bill) -> i64 {
    match bill.external_mark() {
        ExternalMark::Unpaid => UNPAID,
        ExternalMark::Undated => i64::MIN,
        ExternalMark::At(at) => at.as_microsecond(),
    }
}

fn micros(at: Option<Timestamp>, otherwise: i64) -> i64 {
    at.map_or(otherwise, Timestamp::as_microsecond)
}

/// The period in microseconds since 1970: what happens in `start_us..close_us` moves its balances.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) start_us: i64,
    pub(super) close_us: i64,
}

impl Window {
    /// A period that is not over yet closes with as-of.
    pub(super) fn of(terms: &ReconcileTerms) -> Self {
        let start_us = terms.period.starts_at().as_microsecond();
        let close_us = terms.period.ends_at().as_microsecond().min(terms.as_of.as_microsecond().saturating_add(1));
        Self { start_us, close_us: close_us.max(start_us) }
    }

    pub(super) const fn contains(self, at_us: i64) -> bool {
        self.start_us <= at_us && at_us < self.close_us
    }
}
