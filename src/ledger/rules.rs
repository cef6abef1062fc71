//! What every store must agree on beyond the fold itself: the precision of instants, which code is live, which bill is in scope.
//!
//! Belongs here: pure functions on states and payments. Must not be here: storage.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Event, OperationKind, Status};
use crate::domain::payment::Payment;

/// The microseconds a store keeps of an instant.
pub(super) fn microseconds(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The instant as a store gives it back. Events are folded with this, so that live and refolded states are equal.
pub(super) fn truncated(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(microseconds(at)).unwrap_or(at)
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

/// Whether `payment` is the one the ledger has as `kept`. Of the payments that are applied together (`batch`, by identity) the one that
/// is in the ledger already is itself, so that no other of the same second is taken for it.
pub(super) fn is_kept(kept: &Payment, payment: &Payment, batch: &HashSet<Digest>) -> bool {
    if kept.identity == payment.identity || kept.canonical == payment.canonical {
        return true;
    }
    !batch.contains(&kept.identity) && kept.sameness().is_same(&payment.sameness())
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
