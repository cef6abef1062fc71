//! L09: codes that our own request history has, and the external ledger has not.

use jiff::SignedDuration;

use super::bills::Bills;
use super::terms::ReconcileTerms;
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::lifecycle::BillState;

/// A code that only our history knows. It is no bill in scope: the external ledger says what those are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unlisted {
    /// Whose it is, by our history.
    pub invoice_number: String,
    /// The code.
    pub payment_code: String,
    /// Where it could be paid.
    pub channel: Channel,
    /// What it asks for.
    pub amount: Amount,
}

/// The code of a bill of our history, if it could be paid at any time from the period's start to as-of, and no bill of the external
/// ledger has it.
#[must_use]
pub fn unlisted(state: &BillState, bills: &Bills, terms: &ReconcileTerms) -> Option<Unlisted> {
    let payment_code = &state.code.as_ref().filter(|_| was_open(state, terms))?.answer.payment_code;
    let is_known = bills.by_code(payment_code.as_str()).next().is_some();
    (!is_known).then(|| Unlisted {
        invoice_number: state.invoice_number.to_string(),
        payment_code: payment_code.to_string(),
        channel: state.terms.channel,
        amount: state.terms.amount,
    })
}

fn was_open(state: &BillState, terms: &ReconcileTerms) -> bool {
    let starts_at = terms.period.starts_at();
    let grace = SignedDuration::from_mins(terms.policy.expiry_grace_minutes);
    let expired = state.expires_at().is_some_and(|at| starts_at.duration_since(at) > grace);
    state.planned_at <= terms.as_of && state.cancelled_at.is_none_or(|at| at >= starts_at) && !expired
}
