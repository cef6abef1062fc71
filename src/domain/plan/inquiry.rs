//! Codes for direct inquiry: registered, changed and cancelled in our ledger alone, so every change is ours to make and to date.
//!
//! An end given in minutes counts from the issue while the code is payable, and from the change once it has expired: whoever
//! asks for a longer time then, asks for it from now on.

use jiff::{SignedDuration, Timestamp};

use super::expired::{expired_at, has_given_up};
use super::minutes::{issue_minutes, made_at, minutes_between};
use super::step::{Rules, Step, Unchanged, fixed, refused};
use crate::domain::bill::{Expiry, Reach, RecordedTerms};
use crate::domain::codes;
use crate::domain::lifecycle::{BillState, CodeAnswer, OperationKind};

/// The step for a code that is registered here.
pub(super) fn active(wanted: &RecordedTerms, state: &BillState, now: Timestamp, rules: &Rules) -> Step {
    let changes = state.terms.changes_to(wanted);
    let asks_for_another_end = changes.iter().any(|(column, _)| *column == "expiry");
    // A row whose end has passed tells of the past: it extends nothing.
    let is_past = matches!(wanted.expiry, Expiry::At(at) if minutes_between(now, at) < 1);
    match expired_at(state, now) {
        Some(_) if is_past && !asks_for_another_end => return Step::Unchanged(Unchanged::Expired),
        // The money of the last minute may still be on its way; a longer time that is asked for in words needs no such care.
        Some(expired_at) if !asks_for_another_end => {
            let grace_over = minutes_between(expired_at, now) >= rules.reissue_grace_minutes;
            if !(rules.reissue_expired && grace_over) {
                return Step::Unchanged(Unchanged::Expired);
            }
        }
        None if changes.is_empty() => return Step::Unchanged(Unchanged::Live),
        None if changes.iter().all(|(_, reach)| *reach == Reach::LedgerOnly) => return Step::Note,
        Some(_) | None => {}
    }
    if let Some(refusal) = fixed(&changes, wanted, state) {
        // What nobody can pay any more stands in no row's way: its bill gets another code, as it would of one that DOKU knows.
        let is_over = rules.reissue_expired && has_given_up(state, false, now, rules) && issue_minutes(wanted.expiry, now).is_some();
        return if is_over { Step::Retire { holder: state.invoice_number.clone(), is_paid: false } } else { refusal };
    }
    match amended_end(wanted, state, now) {
        Some(ends_at) if minutes_between(now, ends_at) >= 1 => Step::Register(OperationKind::Amend),
        Some(_) | None => refused(codes::EXPIRY_PASSED, "expires_at", "less than a minute remains"),
    }
}

/// What stands in the ledger of a code after `operation` on it, as DOKU's answer would of another; `None` when there is no code.
#[must_use]
pub fn answer(operation: OperationKind, wanted: &RecordedTerms, state: Option<&BillState>, now: Timestamp) -> Option<CodeAnswer> {
    let held = || state.and_then(|state| state.code.as_ref().map(|code| (state, code.answer.clone())));
    match operation {
        OperationKind::Issue => {
            let expires_at = end_after(wanted.expiry, now);
            let payment_code = wanted.payment_code.clone()?;
            Some(CodeAnswer { payment_code, created_at: Some(now), expires_at, how_to_pay_page: None, how_to_pay_api: None })
        }
        OperationKind::Amend => held().map(|(state, answer)| CodeAnswer { expires_at: amended_end(wanted, state, now), ..answer }),
        OperationKind::Cancel => held().map(|(_, answer)| answer),
    }
}

/// When a changed code is to stop being payable: as before, unless another end is asked for or that one has passed.
fn amended_end(wanted: &RecordedTerms, state: &BillState, now: Timestamp) -> Option<Timestamp> {
    if expired_at(state, now).is_some() {
        return end_after(wanted.expiry, now);
    }
    let given = state.code.as_ref().and_then(|code| code.answer.expires_at);
    if given.is_some() && state.terms.expiry == wanted.expiry { given } else { end_after(wanted.expiry, made_at(state)) }
}

fn end_after(expiry: Expiry, from: Timestamp) -> Option<Timestamp> {
    match expiry {
        Expiry::At(at) => Some(at),
        Expiry::Minutes(minutes) => from.checked_add(SignedDuration::from_mins(i64::from(minutes))).ok(),
    }
}
