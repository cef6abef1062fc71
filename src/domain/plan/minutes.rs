//! From wanted ends to the minutes that DOKU is sent, and back.

use jiff::Timestamp;

use crate::domain::bill::{Expiry, RecordedTerms};
use crate::domain::lifecycle::BillState;

/// Whole minutes from `from` to `to`, rounded towards the past: never more than remain.
#[must_use]
pub fn minutes_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second().saturating_sub(from.as_second()).div_euclid(60)
}

/// The `expired_time` of an issue; `None` when less than a minute remains.
#[must_use]
pub fn issue_minutes(expiry: Expiry, now: Timestamp) -> Option<u32> {
    match expiry {
        Expiry::Minutes(minutes) => Some(minutes).filter(|&minutes| minutes >= 1),
        Expiry::At(at) => u32::try_from(minutes_between(now, at)).ok().filter(|&minutes| minutes >= 1),
    }
}

/// From when DOKU counts the minutes of an amendment. UNKNOWN in its pages, hence configurable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AmendBase {
    /// From the amendment.
    Amendment,
    /// From when the code was made.
    Creation,
}

/// The `expired_time` of an amendment: what remains until the wanted end, rounded down, at least 1.
#[must_use]
pub fn amend_minutes(wanted: &RecordedTerms, state: &BillState, base: AmendBase, now: Timestamp) -> u32 {
    let from = match base {
        AmendBase::Amendment => now,
        AmendBase::Creation => made_at(state),
    };
    let minutes = wanted_end(wanted, state).map_or(1, |ends_at| minutes_between(from, ends_at));
    u32::try_from(minutes).unwrap_or(1).clamp(1, wanted.channel.profile().expiry_minutes_max)
}

/// When the amended code is to stop being payable: an unchanged expiry keeps the one DOKU gave.
#[must_use]
pub fn wanted_end(wanted: &RecordedTerms, state: &BillState) -> Option<Timestamp> {
    let given = state.code.as_ref().and_then(|code| code.answer.expires_at);
    let is_unchanged = state.terms.changes_to(wanted).iter().all(|(column, _)| *column != "expiry");
    if is_unchanged && given.is_some() {
        return given;
    }
    match wanted.expiry {
        Expiry::At(at) => Some(at),
        Expiry::Minutes(minutes) => made_at(state).checked_add(jiff::SignedDuration::from_mins(i64::from(minutes))).ok(),
    }
}

pub(super) fn made_at(state: &BillState) -> Timestamp {
    state.code.as_ref().map_or(state.planned_at, |code| code.answer.created_at.unwrap_or(code.accepted_at))
}
