//! From the wanted state and the ledger's view to one step for every bill: what to send, what to leave, what to refuse.
//!
//! Planning is pure and knows no order of sending: a job plans, carries out, and plans again what a step has opened up, so a
//! cancelled code frees its number and a settled doubt lets an amendment follow.

mod expired;
mod inquiry;
mod line;
mod mint;
mod minutes;
mod number;
mod step;
mod view;

use jiff::Timestamp;

use self::expired::expired_at;
use super::bill::{Bill, Reach, RecordedTerms, Salts, Terms, Wanted};
use super::channel::IssuanceMethod;
use super::codes;
use super::ids::InvoiceNumber;
use super::lifecycle::{BillState, OperationKind, Status};
use super::owner::Paid;
use number::NoNumber;

pub use self::expired::has_given_up;
pub use self::inquiry::answer as registered_answer;
pub use self::line::{PlanLine, line, short};
pub use self::mint::{Lacking, Mint, Minting, codes_kept, lacks_code};
pub use self::minutes::{AmendBase, amend_minutes, issue_minutes, minutes_between, wanted_end};
pub use self::step::{Rules, Step, Unchanged};
use self::step::{fixed, refused};
pub use self::view::{MapView, PlanView};

/// The step for one bill.
#[must_use]
pub fn step(bill: &Bill, view: &impl PlanView, salts: &Salts, now: Timestamp, rules: &Rules) -> Step {
    let state = view.bill(&bill.invoice_number);
    if state.is_some_and(|state| state.status.open_operation().is_some()) {
        return Step::Resolve;
    }
    let step = match &bill.wanted {
        Wanted::Live(terms) => live(bill, terms, &compared(bill, terms, state, salts), state, view, now, rules),
        Wanted::Cancelled => cancelled(state, view, now, rules),
    };
    match state.and_then(|state| state.hold.as_deref()) {
        Some(hold) => while_held(step, &hold.reason),
        None => step,
    }
}

/// What a row wants, as it can be held against what is recorded of its bill.
#[must_use]
pub fn compared(bill: &Bill, terms: &Terms, state: Option<&BillState>, salts: &Salts) -> RecordedTerms {
    let wanted = terms.recorded(&salts.of(&bill.invoice_number, state.and_then(|state| state.salt)));
    match state.filter(|state| state.salt.is_none() && !state.terms.is_adopted()) {
        Some(purged) => wanted.with_digests_of(&purged.terms),
        None => wanted,
    }
}

/// What is left of a step while its bill waits for a person: nothing that would change its code.
fn while_held(step: Step, why: &str) -> Step {
    match step {
        Step::Unchanged(Unchanged::Live | Unchanged::Expired | Unchanged::PaidByEarlierCode) => Step::Unchanged(Unchanged::Held),
        Step::Unchanged(_) | Step::Note | Step::Resolve | Step::RejectedBefore { .. } | Step::Refused { .. } => step,
        Step::Issue { .. }
        | Step::Amend
        | Step::Cancel
        | Step::Register(_)
        | Step::ConfirmExpiry
        | Step::ConfirmRefusal
        | Step::Wait { .. }
        | Step::Release { .. }
        | Step::Retire { .. } => refused(codes::HELD, "invoice_number", why),
    }
}

fn live(
    bill: &Bill,
    terms: &Terms,
    wanted: &RecordedTerms,
    state: Option<&BillState>,
    view: &impl PlanView,
    now: Timestamp,
    rules: &Rules,
) -> Step {
    let has_no_code = state.is_none_or(|state| matches!(state.status, Status::Planned | Status::Rejected | Status::Retired));
    // A bill that never had a code is what its row says; one that had one was paid under the terms of that.
    let is_reusable = state.filter(|state| state.retired_count > 0).map_or(wanted.reusable, |state| state.terms.reusable);
    if has_no_code && !is_reusable && view.paid(&bill.invoice_number).is_some() {
        // The money came after the code was given up, or before this ledger knew of any; a code would ask for it again.
        return Step::Unchanged(Unchanged::Paid);
    }
    let Some(state) = state else { return issue(bill, wanted, None, view, now, rules) };
    match state.status {
        Status::Planned => issue(bill, wanted, Some(state), view, now, rules),
        Status::Rejected => refused_before(state, OperationKind::Issue, wanted, rules)
            .unwrap_or_else(|| after_refusal(state, issue(bill, wanted, Some(state), view, now, rules))),
        // Where the wanted end has passed, nothing new can be made of it: the row tells of the past.
        Status::Retired if rules.reissue_expired && issue_minutes(wanted.expiry, now).is_some() => {
            issue(bill, wanted, Some(state), view, now, rules)
        }
        Status::Retired => Step::Unchanged(Unchanged::Expired),
        Status::Cancelled if state.terms.changes_to(wanted).is_empty() => Step::Unchanged(Unchanged::Cancelled),
        Status::Cancelled => refused(codes::CANCELLED_BEFORE, "invoice_number", "its terms differ from the cancelled ones"),
        Status::Active => active(bill, terms, wanted, state, view, now, rules),
        Status::Requested | Status::Amending | Status::Cancelling | Status::InDoubt(_) => Step::Resolve,
    }
}

fn issue(bill: &Bill, wanted: &RecordedTerms, state: Option<&BillState>, view: &impl PlanView, now: Timestamp, rules: &Rules) -> Step {
    let number = match number::next(&bill.invoice_number, state, view, &rules.reissue_suffix) {
        Err(NoNumber::TakenBy(other)) => {
            let reason = format!("DOKU knows invoice `{other}` by this number since it was issued anew");
            return refused(codes::NUMBER_TAKEN, "invoice_number", &reason);
        }
        free => free,
    };
    if issue_minutes(wanted.expiry, now).is_none() {
        return refused(codes::EXPIRY_PASSED, "expires_at", "less than a minute remains");
    }
    if wanted.method != IssuanceMethod::Doku && wanted.payment_code.is_none() {
        return refused(codes::CODES_USED_UP, "payment_code", "there is no free code left for this row");
    }
    if let Some(holder) = wanted.payment_code.as_ref().and_then(|code| view.holder(code)).filter(|&holder| *holder != bill.invoice_number) {
        return wait_for(holder, view, now, rules);
    }
    if wanted.method == IssuanceMethod::Inquiry {
        return Step::Register(OperationKind::Issue);
    }
    match number {
        Ok(wire_invoice_number) => Step::Issue { wire_invoice_number },
        Err(_) => refused(codes::WIRE_NUMBER_TOO_LONG, "invoice_number", "with the re-issue's suffix it is too long"),
    }
}

/// A holder that gave up its code by its own expiry, or by being paid, need not be cancelled; if DOKU knows the code, it is asked
/// all the same.
fn wait_for(holder: &InvoiceNumber, view: &impl PlanView, now: Timestamp, rules: &Rules) -> Step {
    let holder = holder.clone();
    let state = view.bill(&holder).filter(|state| state.status == Status::Active);
    let is_paid = state.is_some_and(|state| !state.terms.reusable) && view.paid(&holder) == Some(Paid::ByItsCode);
    match state {
        Some(state) if has_given_up(state, is_paid, now, rules) => {
            if state.is_known_to_doku() {
                Step::Release { holder, is_paid }
            } else {
                Step::Retire { holder, is_paid }
            }
        }
        Some(_) | None => Step::Wait { holder },
    }
}

fn active(
    bill: &Bill,
    terms: &Terms,
    wanted: &RecordedTerms,
    state: &BillState,
    view: &impl PlanView,
    now: Timestamp,
    rules: &Rules,
) -> Step {
    match view.paid(&bill.invoice_number).filter(|_| !state.terms.reusable) {
        Some(Paid::ByEarlierCode) if expired_at(state, now).is_none() => return Step::Unchanged(Unchanged::PaidByEarlierCode),
        Some(_) => return Step::Unchanged(Unchanged::Paid),
        None => {}
    }
    if state.terms.method == IssuanceMethod::Inquiry {
        return inquiry::active(wanted, state, now, rules);
    }
    if let Some(expires_at) = expired_at(state, now) {
        let grace_over = minutes_between(expires_at, now) >= rules.reissue_grace_minutes;
        let is_wanted = issue_minutes(wanted.expiry, now).is_some();
        return if rules.reissue_expired && grace_over && is_wanted { Step::ConfirmExpiry } else { Step::Unchanged(Unchanged::Expired) };
    }
    let changes = state.terms.changes_to(wanted);
    if changes.is_empty() {
        return Step::Unchanged(Unchanged::Live);
    }
    if let Some(refusal) = fixed(&changes, wanted, state) {
        return refusal;
    }
    let Some((column, _)) = changes.iter().find(|(_, reach)| *reach == Reach::Amendable) else { return Step::Note };
    let profile = state.terms.channel.profile();
    if !profile.can_amend {
        return refused(codes::CANNOT_AMEND, column, &format!("`{column}` differs from the live code's"));
    }
    let name_length = terms.customer.name.reveal().chars().count();
    if name_length > profile.name_length_max_on_amend {
        let reason = format!("it has {name_length} characters, an update takes {}", profile.name_length_max_on_amend);
        return refused(codes::NAME_TOO_LONG_TO_AMEND, "customer_name", &reason);
    }
    if wanted_end(wanted, state).is_some_and(|ends_at| minutes_between(now, ends_at) < 1) {
        return refused(codes::EXPIRY_PASSED, "expires_at", "less than a minute remains");
    }
    refused_before(state, OperationKind::Amend, wanted, rules).unwrap_or_else(|| after_refusal(state, Step::Amend))
}

fn cancelled(state: Option<&BillState>, view: &impl PlanView, now: Timestamp, rules: &Rules) -> Step {
    let Some(state) = state else { return refused(codes::NOTHING_TO_CANCEL, "invoice_number", "it is not in the ledger") };
    match state.status {
        Status::Cancelled => Step::Unchanged(Unchanged::Cancelled),
        Status::Planned | Status::Rejected | Status::Retired => Step::Unchanged(Unchanged::NotLive),
        Status::Requested | Status::Amending | Status::Cancelling | Status::InDoubt(_) => Step::Resolve,
        Status::Active if !state.terms.reusable && view.paid(&state.invoice_number) == Some(Paid::ByItsCode) => {
            refused(codes::PAID_BEFORE, "action", "a verified payment is in the ledger")
        }
        Status::Active if expired_at(state, now).is_some() => Step::Unchanged(Unchanged::Expired),
        Status::Active if !state.terms.channel.profile().can_amend => {
            refused(codes::CANNOT_AMEND, "action", "its code cannot be cancelled")
        }
        Status::Active if state.terms.method == IssuanceMethod::Inquiry => Step::Register(OperationKind::Cancel),
        Status::Active => {
            refused_before(state, OperationKind::Cancel, &state.terms, rules).unwrap_or_else(|| after_refusal(state, Step::Cancel))
        }
    }
}

/// What DOKU definitely refused is not sent again while it is asked for in the same words.
fn refused_before(state: &BillState, operation: OperationKind, wanted: &RecordedTerms, rules: &Rules) -> Option<Step> {
    let refusal = state.refusal.as_ref()?;
    let same = refusal.operation == operation && refusal.terms == *wanted;
    (same && !rules.retry_rejected).then(|| Step::RejectedBefore { code: refusal.code.clone(), reason: refusal.reason.clone() })
}

/// A refusal that bore no valid signature may have been anybody's: DOKU is asked before the bill gets a new id.
fn after_refusal(state: &BillState, step: Step) -> Step {
    let is_provisional = state.refusal.as_ref().is_some_and(|refusal| refusal.provisional.is_some());
    let takes_a_new_id = matches!(step, Step::Issue { .. } | Step::Amend | Step::Cancel);
    if is_provisional && takes_a_new_id { Step::ConfirmRefusal } else { step }
}

#[cfg(test)]
mod tests;
