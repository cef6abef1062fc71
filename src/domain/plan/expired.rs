//! When a code has expired, and from when on its number may go to another bill.

use jiff::Timestamp;

use super::minutes::minutes_between;
use super::step::Rules;
use crate::domain::lifecycle::BillState;

/// Whether the code of a live bill may go to another: paid once and for all, or expired for as long as money may be on its way.
/// That of one that is held may not.
#[must_use]
pub fn has_given_up(state: &BillState, is_paid: bool, now: Timestamp, rules: &Rules) -> bool {
    let has_expired = || expired_at(state, now).is_some_and(|at| minutes_between(at, now) >= rules.reissue_grace_minutes);
    state.hold.is_none() && (is_paid && !state.terms.reusable || has_expired())
}

pub(super) fn expired_at(state: &BillState, now: Timestamp) -> Option<Timestamp> {
    state.code.as_ref().and_then(|code| code.answer.expires_at).filter(|&expires_at| expires_at <= now)
}
