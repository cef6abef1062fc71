//! Rules on bills: what became of each, by the payments attached to it and the facts of its code.

use jiff::{SignedDuration, Timestamp};

use super::super::amount::{Amount, Rupiah};
use super::super::bill::Expiry;
use super::{Class, MatchingPolicy, Nature, minutes_after};

/// What a ledger that is not this evidence says of payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaidMark {
    /// Nothing.
    None,
    /// Paid, inside the period or at a time it does not say.
    InPeriod,
    /// Paid, before or after the period.
    Elsewhere,
}

/// Everything a bill's class follows from.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent facts, each named where a rule reads it")]
pub struct BillSituation {
    /// What it asks for.
    pub due: Amount,
    /// May it be paid more than once.
    pub reusable: bool,
    /// Whether it has, or had, a code.
    pub has_code: bool,
    /// Whether its issue is on its way or in doubt.
    pub issue_in_doubt: bool,
    /// When its cancellation was acknowledged.
    pub cancelled_at: Option<Timestamp>,
    /// When its code stops being payable; `None`: never, or not known.
    pub expires_at: Option<Timestamp>,
    /// How many payments are attached.
    pub attached_count: u64,
    /// What they add up to.
    pub attached: Rupiah,
    /// What payments of earlier periods add up to, as far as they are known from elsewhere.
    pub paid_before: Rupiah,
    /// What decisions have taken off: waived, lapsed, written off, paid by another way.
    pub taken_off: Rupiah,
    /// What another ledger says.
    pub mark: PaidMark,
    /// Whether the evidence holds a payment of it outside the period (P16).
    pub paid_outside_period: bool,
    /// Whether a settlement row pays it out.
    pub settled: bool,
}

/// The primary class of a bill, and its nature.
#[must_use]
pub fn bill_class(bill: &BillSituation, as_of: Timestamp, policy: &MatchingPolicy) -> (Class, Nature) {
    let class = if bill.attached_count > 0 || bill.paid_before > Rupiah::ZERO {
        paid_class(bill, policy)
    } else if bill.issue_in_doubt {
        Class::L06
    } else if bill.taken_off >= bill.due.into() && bill.cancelled_at.is_none() {
        // Nothing is owed any more.
        Class::L00
    } else if bill.mark == PaidMark::InPeriod && !bill.paid_outside_period && !bill.settled {
        // A notification of another day is evidence too: the mark may only be dated differently. So is money that arrived.
        Class::L04
    } else if !bill.has_code {
        Class::L05
    } else if bill.cancelled_at.is_some_and(|at| at <= as_of) {
        Class::L03
    } else if expired_unpaid(bill, as_of, policy) {
        Class::L02
    } else {
        Class::L01
    };
    let aged = class == Class::L02
        && bill
            .expires_at
            .is_some_and(|at| as_of.duration_since(at) > SignedDuration::from_hours(policy.expired_break_days.saturating_mul(24)));
    (class, if aged { Nature::Break } else { class.info().nature })
}

/// L11, L12 or L00.
fn paid_class(bill: &BillSituation, policy: &MatchingPolicy) -> Class {
    let difference = bill.attached.plus(bill.paid_before).plus(bill.taken_off).minus(bill.due.into());
    let tolerance = i128::from(policy.tolerance_rupiah);
    match difference.get() {
        _ if bill.reusable => Class::L00,
        less if less < tolerance.saturating_neg() => Class::L11,
        more if more > tolerance => Class::L12,
        _ => Class::L00,
    }
}

/// A bill that was paid outside the period is not unpaid, only not this period's; nor is one that was settled.
fn expired_unpaid(bill: &BillSituation, as_of: Timestamp, policy: &MatchingPolicy) -> bool {
    let unpaid = bill.mark == PaidMark::None && !bill.paid_outside_period && !bill.settled;
    unpaid && bill.expires_at.is_some_and(|at| minutes_after(at, policy.expiry_grace_minutes) < as_of)
}

/// Whether a counter would take money for a code at `as_of`, by its facts (L07).
#[must_use]
pub fn is_live(created_at: Option<Timestamp>, expires_at: Option<Timestamp>, cancelled_at: Option<Timestamp>, as_of: Timestamp) -> bool {
    created_at.is_none_or(|at| at <= as_of) && expires_at.is_none_or(|at| at >= as_of) && cancelled_at.is_none_or(|at| at > as_of)
}

/// L08: whether DOKU's expiry is another than asked for, by more than the expiry grace.
#[must_use]
pub fn issued_otherwise(asked: Expiry, created_at: Option<Timestamp>, expires_at: Option<Timestamp>, policy: &MatchingPolicy) -> bool {
    let asked_at = match asked {
        Expiry::At(at) => Some(at),
        Expiry::Minutes(minutes) => created_at.map(|at| minutes_after(at, i64::from(minutes))),
    };
    let (Some(asked_at), Some(expires_at)) = (asked_at, expires_at) else { return false };
    expires_at.duration_since(asked_at).abs() > SignedDuration::from_mins(policy.expiry_grace_minutes)
}
