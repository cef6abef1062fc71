//! Rules on payments: one small function each, over the payment's facts and those of the bill it belongs to.

use jiff::Timestamp;

use super::super::amount::Amount;
use super::super::channel::Channel;
use super::{Class, ClassSet, MatchingPolicy, Nature, Period, minutes_after};

/// What the evidence says of a payment.
#[derive(Clone, Copy, Debug)]
pub struct PaymentFacts {
    /// How much; `None` when the amount is unusable.
    pub amount: Option<Amount>,
    /// When, by `transaction.date`.
    pub paid_at: Timestamp,
    /// Where.
    pub channel: Channel,
    /// Whether the acquirer named is the channel's own.
    pub acquirer_agrees: bool,
    /// Whether only Check Status told of it.
    pub by_status: bool,
}

/// What the ledger, and the payments before this one, say of the bill.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent facts, each named where a rule reads it")]
pub struct BillFacts<'a> {
    /// What it asks for now.
    pub due: Amount,
    /// Where its code is to be paid.
    pub channel: Channel,
    /// May it be paid more than once.
    pub reusable: bool,
    /// When its code was made, if known.
    pub created_at: Option<Timestamp>,
    /// When its code stops being payable; `None`: never, or not known.
    pub expires_at: Option<Timestamp>,
    /// When its cancellation was acknowledged.
    pub cancelled_at: Option<Timestamp>,
    /// What it asked for before it was amended.
    pub earlier_amounts: &'a [Amount],
    /// Whether earlier payments of this bill cover it.
    pub covered_before: bool,
    /// What earlier payments of this bill come to, in rupiah.
    pub paid_before: u64,
    /// Whether an earlier payment covers another bill of the same debt.
    pub settled_elsewhere: bool,
    /// Whether its policy was lapsed or cancelled when this payment was made.
    pub policy_lapsed: bool,
}

/// What the payment's invoice number and code lead to.
#[derive(Clone, Copy, Debug)]
pub enum Match<'a> {
    /// More than one bill.
    Several,
    /// Neither is known.
    Unknown,
    /// One is known, or both but not as a pair.
    Disagree,
    /// One bill.
    One(BillFacts<'a>),
}

type Rule = fn(&PaymentFacts, Amount, &BillFacts<'_>, &MatchingPolicy) -> bool;

/// The rules that need a bill and say BREAK (P19: in time), in their order.
const BREAKS: [(Class, Rule); 11] = [
    (Class::P06, |_, _, bill, _| !bill.reusable && bill.covered_before),
    (Class::P12, |_, _, bill, _| !bill.reusable && bill.settled_elsewhere),
    (Class::P08, |payment, _, bill, _| is_after_cancellation(payment.paid_at, bill.cancelled_at)),
    (Class::P07, |payment, _, bill, policy| is_after_expiry(payment.paid_at, bill.expires_at, policy)),
    // An earlier amount is never mistaken for a rounded present one, whatever the tolerance.
    (Class::P10, |_, amount, bill, _| !bill.is_paid_in_part() && amount != bill.due && bill.earlier_amounts.contains(&amount)),
    (Class::P03, |_, amount, bill, policy| amount.get() < bill.open() && beyond_tolerance(amount, bill.open(), policy)),
    (Class::P04, |_, amount, bill, policy| amount.get() > bill.open() && beyond_tolerance(amount, bill.open(), policy)),
    (Class::P11, |payment, _, bill, _| payment.channel != bill.channel || !payment.acquirer_agrees),
    (Class::P18, |_, _, bill, _| bill.policy_lapsed),
    (Class::P09, |payment, _, bill, policy| bill.created_at.is_some_and(|at| minutes_after(payment.paid_at, policy.skew_minutes) < at)),
    (Class::P19, |payment, _, _, _| payment.by_status),
];

/// Whether a payment was made after its code was cancelled (P08).
#[must_use]
pub fn is_after_cancellation(paid_at: Timestamp, cancelled_at: Option<Timestamp>) -> bool {
    cancelled_at.is_some_and(|at| paid_at > at)
}

/// Whether a payment was made after its code had expired, beyond the grace (P07).
#[must_use]
pub fn is_after_expiry(paid_at: Timestamp, expires_at: Option<Timestamp>, policy: &MatchingPolicy) -> bool {
    expires_at.is_some_and(|at| paid_at > minutes_after(at, policy.expiry_grace_minutes))
}

impl BillFacts<'_> {
    /// Whether payments before this one have paid a part of it.
    const fn is_paid_in_part(&self) -> bool {
        !self.reusable && self.paid_before > 0
    }

    /// What is still to be paid, in rupiah: what it asks for, less what earlier payments have paid.
    const fn open(&self) -> u64 {
        if self.reusable { self.due.get() } else { self.due.get().saturating_sub(self.paid_before) }
    }
}

fn beyond_tolerance(amount: Amount, open: u64, policy: &MatchingPolicy) -> bool {
    amount.get().abs_diff(open) > policy.tolerance_rupiah
}

/// Whether a payment of `amount` covers what is `due`.
#[must_use]
pub const fn covers(amount: u64, due: u64, policy: &MatchingPolicy) -> bool {
    amount >= due.saturating_sub(policy.tolerance_rupiah)
}

/// The primary class of a payment, and its lower hits.
#[must_use]
pub fn payment_class(payment: &PaymentFacts, found: &Match<'_>, period: &Period, policy: &MatchingPolicy) -> (Class, ClassSet) {
    let Some(amount) = payment.amount else { return (Class::P17, ClassSet::EMPTY) };
    if !period.contains(payment.paid_at) {
        return (Class::P16, ClassSet::EMPTY);
    }
    let bill = match found {
        Match::Several => return (Class::P15, ClassSet::EMPTY),
        Match::Unknown => return (Class::P01, ClassSet::EMPTY),
        Match::Disagree => return (Class::P02, ClassSet::EMPTY),
        Match::One(bill) => bill,
    };
    let mut hits = BREAKS.iter().filter(|(_, rule)| rule(payment, amount, bill, policy)).map(|&(class, _)| class);
    match hits.next() {
        Some(first) => (first, hits.collect()),
        None if bill.reusable && amount == bill.due => (Class::P13, ClassSet::EMPTY),
        None if amount.get() != bill.open() => (Class::P05, ClassSet::EMPTY),
        None if bill.is_paid_in_part() => (Class::P14, ClassSet::EMPTY),
        None => (Class::P00, ClassSet::EMPTY),
    }
}

/// The nature of a payment's class. What only Check Status told of must be notified within a grace after it was found.
#[must_use]
pub fn payment_nature(class: Class, found_at: Option<Timestamp>, as_of: Timestamp, policy: &MatchingPolicy) -> Nature {
    let grace_minutes = policy.status_grace_hours.saturating_mul(60);
    let overdue = class == Class::P19 && found_at.is_some_and(|at| minutes_after(at, grace_minutes) < as_of);
    if overdue { Nature::Break } else { class.info().nature }
}
