//! The number DOKU gets for a bill: its own, and after each code it has lost the next free one with a suffix.
//!
//! DOKU keeps a number for one order, so a number that any bill has, or ever had there, is nobody else's.

use super::view::PlanView;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::BillState;

/// Suffixes tried before a bill is said to have none left.
const TRIES_MAX: u32 = 1_000;

/// Why a bill gets no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoNumber {
    /// Its own is the number of another bill's re-issue.
    TakenBy(InvoiceNumber),
    /// It is too long with the suffix, or all are taken.
    NoneLeft,
}

/// The number for the next order of a bill that the ledger knows as `state`, if it knows it.
pub(super) fn next(
    invoice_number: &InvoiceNumber,
    state: Option<&BillState>,
    view: &impl PlanView,
    reissue_suffix: &str,
) -> Result<InvoiceNumber, NoNumber> {
    let retired_count = state.map_or(0, |state| state.retired_count);
    if retired_count == 0 {
        return match view.goes_by(invoice_number) {
            Some(other) if other != invoice_number => Err(NoNumber::TakenBy(other.clone())),
            Some(_) | None => Ok(invoice_number.clone()),
        };
    }
    (retired_count..retired_count.saturating_add(TRIES_MAX))
        .map_while(|count| InvoiceNumber::new(format!("{invoice_number}{reissue_suffix}{count}")).ok())
        .find(|number| is_free(number, invoice_number, state, view))
        .ok_or(NoNumber::NoneLeft)
}

fn is_free(number: &InvoiceNumber, invoice_number: &InvoiceNumber, state: Option<&BillState>, view: &impl PlanView) -> bool {
    let had_before = || state.is_some_and(|state| state.orders().any(|order| order.wire_invoice_number == number));
    number != invoice_number
        && view.bill(number).is_none()
        && view.goes_by(number).is_none_or(|other| other == invoice_number)
        && !had_before()
}
