//! What every store must agree on beyond the fold itself: the precision of instants, which code is live, which bill is in scope.
//!
//! Belongs here: pure functions on states and payments. Must not be here: storage.

use jiff::Timestamp;

use super::{Basis, NewEvent};
use crate::domain::bill::{Customer, Salt};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Event, IllegalTransition, OperationKind, Status};
use crate::domain::payment::{self, Payment, Sameness};

/// The microseconds a store keeps of an instant.
pub(super) fn microseconds(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The instant as a store gives it back. Events are folded with this, so that live and refolded states are equal.
pub(super) fn truncated(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(microseconds(at)).unwrap_or(at)
}

/// Why a bill cannot go on as an entry says.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Another writer was quicker.
    Lost,
    /// It contradicts what it rests on (I6).
    Illegal(IllegalTransition),
}

/// The bill after `entry`, which is event `sequence`, in a call that began when `began_at` was the last one: what the call itself did to
/// the bill before is no other writer's doing.
pub(super) fn folded(before: Option<BillState>, entry: &NewEvent, began_at: u64, sequence: u64) -> Result<BillState, Refusal> {
    let is_own = before.as_ref().is_some_and(|state| state.last_event > began_at);
    if !is_own && !entry.basis.holds(before.as_ref()) {
        return Err(Refusal::Lost);
    }
    match BillState::apply(before, &entry.invoice_number, truncated(entry.at), &entry.event) {
        Ok(state) => {
            let salt = entry.private.customer.as_ref().map_or(state.salt, |(_, salt)| Some(*salt));
            Ok(BillState { last_event: sequence, salt, ..state })
        }
        Err(_) if !is_own && entry.basis == Basis::Any => Err(Refusal::Lost),
        Err(illegal) => Err(Refusal::Illegal(illegal)),
    }
}

/// What stands in the chain for a customer that is given with an event; none where it is kept so already.
pub(super) fn beside(kept: Option<&(Customer, Salt)>, given: Option<&(Customer, Salt)>) -> Option<[u8; 16]> {
    given.filter(|given| kept != Some(given)).map(|(customer, salt)| salt.digest_of_customer(customer))
}

/// The code a counter might take for this bill now (I11). While an issue is on its way or in doubt that is the code it
/// registers, if it is of our making; the code before it, if any, was retired.
pub(super) fn live_payment_code(state: &BillState) -> Option<&PaymentCode> {
    match state.status {
        Status::Requested | Status::InDoubt(OperationKind::Issue) => state.open.as_ref()?.terms.payment_code.as_ref(),
        Status::Active
        | Status::Amending
        | Status::Cancelling
        | Status::InDoubt(OperationKind::Amend | OperationKind::Cancel)
        | Status::Planned
        | Status::Rejected
        | Status::Cancelled
        | Status::Retired => state.live_code().map(|code| &code.answer.payment_code),
    }
}

/// The number that `event` makes the bill's at DOKU, which must not stand for another bill: its own when the ledger first hears of
/// it, and that of each order. An order under a number that a ledger of before holds twice is refused too.
pub(super) fn number_to_claim<'a>(is_new: bool, invoice_number: &'a InvoiceNumber, event: &'a Event) -> Option<&'a InvoiceNumber> {
    match event {
        Event::Intended { operation: OperationKind::Issue, wire_invoice_number, .. }
        | Event::Adopted { wire_invoice_number: Some(wire_invoice_number), .. }
        | Event::Aliased { number: wire_invoice_number } => Some(wire_invoice_number),
        _ if is_new => Some(invoice_number),
        _ => None,
    }
}

/// What becomes of a payment that is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nobody knew it; it is called this.
    New(Payment),
    /// It is in the ledger.
    Known,
    /// It is in the ledger, without the store's number, which is known from now on.
    Numbered(Payment),
}

/// The fates of `told`, in its order; `kept_of` gives what the ledger has of a code. What came first is looked at first.
pub(super) fn fates<E>(told: &[Payment], mut kept_of: impl FnMut(&PaymentCode) -> Result<Vec<Payment>, E>) -> Result<Vec<Fate>, E> {
    let mut order: Vec<(usize, &Payment)> = told.iter().enumerate().collect();
    let arrival = |payment: &Payment| (payment.received_at.is_none(), payment.received_at, payment.line_digest);
    order.sort_by(|(_, a), (_, b)| a.payment_code.cmp(&b.payment_code).then_with(|| arrival(a).cmp(&arrival(b))));
    let mut fates = vec![Fate::Known; told.len()];
    for of_code in order.chunk_by(|(_, a), (_, b)| a.payment_code == b.payment_code) {
        let Some((_, first)) = of_code.first() else { continue };
        let kept = kept_of(&first.payment_code)?;
        let mut known: Vec<Sameness> = kept.iter().map(Payment::sameness).collect();
        let sameness: Vec<Sameness> = of_code.iter().map(|(_, payment)| payment.sameness()).collect();
        let places = payment::join(&mut known, &sameness);
        let mut was_told_of = vec![false; known.len()];
        for (&(at, payment), place) in of_code.iter().zip(places) {
            let (Some(fate), Some(called), Some(told)) = (fates.get_mut(at), known.get(place), was_told_of.get_mut(place)) else {
                continue;
            };
            if std::mem::replace(told, true) {
                continue;
            }
            let called_so = |payment: &Payment| Payment { identity: called.identity, canonical: called.canonical, ..payment.clone() };
            match kept.get(place) {
                Some(kept) if called.is_numbered && called.canonical != kept.canonical => *fate = Fate::Numbered(called_so(kept)),
                Some(_) => {}
                None => *fate = Fate::New(called_so(payment)),
            }
        }
    }
    Ok(fates)
}

/// A span of [`super::Ledger::scope_totals`] in the microseconds of the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// What was closed before this is out.
    pub(super) from: i64,
    /// What had expired before this is out: `from` less the grace.
    pub(super) expired_from: i64,
    /// What was planned after this is out.
    pub(super) as_of: i64,
}

impl Span {
    /// The span of these arguments.
    pub(super) fn new(from: Timestamp, as_of: Timestamp, expiry_grace_minutes: i64) -> Self {
        let from = microseconds(from);
        let expired_from = from.saturating_sub(expiry_grace_minutes.saturating_mul(60_000_000));
        Self { from, expired_from, as_of: microseconds(as_of) }
    }

    /// Whether a bill whose first payment was at `first_paid_at` was open at any time in the span.
    pub(super) fn holds(&self, state: &BillState, first_paid_at: Option<Timestamp>) -> bool {
        let before = |at: Option<Timestamp>, limit: i64| at.is_some_and(|at| microseconds(at) < limit);
        microseconds(state.planned_at) <= self.as_of
            && !before(state.cancelled_at, self.from)
            && !before(state.expires_at(), self.expired_from)
            && (state.terms.reusable || !before(first_paid_at, self.from))
    }
}
