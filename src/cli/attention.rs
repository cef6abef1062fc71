//! What of the ledger a person must look at, said at the end of whatever sends and in `status`.

use serde_json::{Value, json};

use super::output;
use super::setup::Setup;
use crate::domain::attention::{Attention, attention, may_be_taken};
use crate::domain::calendar::format_utc_seconds;
use crate::domain::channel::IssuanceMethod;
use crate::domain::lifecycle::BillState;
use crate::domain::owner;
use crate::exit::Exit;
use crate::ledger::Noted;

/// Bills named on the screen; `status --json` names all.
const SHOWN_MAX: usize = 10;

/// Says which bills need a person, and with which exit code that ends.
pub(super) fn tell(setup: &Setup, noted: &[Noted]) -> Exit {
    let found = find(setup, noted);
    if !setup.quiet {
        for (state, attention) in found.iter().take(SHOWN_MAX) {
            output::note(sentence(setup, state, *attention));
        }
        if let Some(more) = found.len().checked_sub(SHOWN_MAX).filter(|&more| more > 0) {
            output::note(format_args!("... and {more} more; `tagih status --json` names them all"));
        }
    }
    if found.is_empty() { Exit::Done } else { Exit::Look }
}

/// How `status` ends: a code that takes money for a bill that is paid already cannot wait for the next run that sends.
pub(super) fn of_status(setup: &Setup, noted: &[Noted]) -> Exit {
    let is_paid = |(_, attention): &(&BillState, Attention<'_>)| matches!(attention, Attention::PaidByEarlierCode);
    if find(setup, noted).iter().any(is_paid) { Exit::Look } else { Exit::Done }
}

/// The same for `status --json`: all of them, by kind.
pub(super) fn json(setup: &Setup, noted: &[Noted]) -> Value {
    let mut kinds = json!({"held": [], "paid_by_earlier_code": []});
    for (state, attention) in find(setup, noted) {
        let hold = state.hold.as_deref();
        let told = json!({
            "invoice_number": state.invoice_number,
            "status": state.status.name(),
            "amount": state.terms.amount.get(),
            "payment_code": state.code.as_ref().map(|code| &code.answer.payment_code),
            "counter_takes_money": counter_takes_money(setup, state),
            "cause": hold.map(|hold| hold.cause),
            "since": hold.map(|hold| format_utc_seconds(hold.at)),
            "reason": hold.map(|hold| &hold.reason),
            "evidence": hold.map(|hold| &hold.evidence),
        });
        if let Some(list) = kinds.get_mut(attention.name()).and_then(Value::as_array_mut) {
            list.push(told);
        }
    }
    kinds
}

/// Those of `noted` (what the ledger calls remarkable) that need a person now.
fn find<'a>(setup: &Setup, noted: &'a [Noted]) -> Vec<(&'a BillState, Attention<'a>)> {
    let paid = noted.iter().map(|(state, notified)| (state, (*notified).max(owner::told_paid(state))));
    attention(paid, setup.clock.now())
}

/// A code that DOKU knows is taken at the counter whatever we think of it; about one of ours it asks, and hears no.
fn counter_takes_money(setup: &Setup, state: &BillState) -> bool {
    may_be_taken(state, setup.clock.now()) && (state.terms.method != IssuanceMethod::Inquiry || state.hold.is_none())
}

fn sentence(setup: &Setup, state: &BillState, attention: Attention<'_>) -> String {
    let number = &state.invoice_number;
    let code = state.code.as_ref().map_or_else(String::new, |code| format!(" `{}`", code.answer.payment_code));
    match attention {
        Attention::PaidByEarlierCode => format!(
            "warning: invoice `{number}` is paid by an earlier code, and its present code{code} can be paid again\n\
             hint: `tagih cancel {number}`"
        ),
        Attention::Held(hold) => {
            let counter = if counter_takes_money(setup, state) {
                format!("; the counter still takes money for its code{code}")
            } else {
                String::new()
            };
            format!(
                "warning: invoice `{number}` is held since {}: {}{counter}\n\
                 hint: look at `tagih why {number}` and at DOKU's Back Office, then `tagih resolve {number} --as released --reason ...`",
                format_utc_seconds(hold.at),
                hold.reason
            )
        }
    }
}
