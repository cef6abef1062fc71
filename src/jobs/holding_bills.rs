//! Money that was told of and not understood holds the bills it may be of, until a person has looked.

use jiff::Timestamp;

use crate::doku::claim::Claim;
use crate::domain::digest::{self, Digest};
use crate::domain::lifecycle::{BillState, Event, HoldCause};
use crate::domain::owner;
use crate::ledger::{Basis, Ledger, LedgerError, LedgerView as _, Names, NewEvent, Private};

/// The bills among `candidates` that a claim may be of: those that have or had its code; where nobody has, those of its number.
pub(super) fn of<'a>(candidates: impl Iterator<Item = &'a BillState> + Clone, claim: &Claim) -> Vec<&'a BillState> {
    let coded =
        |state: &&BillState| claim.payment_code.as_ref().is_some_and(|code| state.orders().any(|order| order.payment_code == Some(code)));
    let named = |state: &&BillState| claim.invoice_number.as_ref().is_some_and(|number| owner::has_number(state, number));
    let by_code: Vec<&BillState> = candidates.clone().filter(coded).collect();
    // One code of several bills: the number says whose, if it does.
    let by_both: Vec<&BillState> = by_code.iter().copied().filter(|state| named(state)).collect();
    match (by_both.is_empty(), by_code.is_empty()) {
        (false, _) => by_both,
        (true, false) => by_code,
        (true, true) => candidates.filter(named).collect(),
    }
}

/// What `claim` names.
pub(super) fn names(claim: &Claim) -> Names {
    Names { numbers: claim.invoice_number.iter().cloned().collect(), codes: claim.payment_code.iter().cloned().collect() }
}

/// Holds the bill `state` because of `claim`, which stands in the log line `evidence`; whether that is new. The same line never holds a
/// bill twice, also after it was released.
pub(super) async fn hold(
    ledger: &impl Ledger,
    state: &BillState,
    claim: &Claim,
    evidence: &Digest,
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let evidence = digest::hex(evidence);
    if ledger.view().await?.was_held_for(&state.invoice_number, &evidence).await? {
        return Ok(false);
    }
    let reason = format!("a verified message tells of money, and {}", claim.reason);
    let event = Event::Held { cause: HoldCause::NotUnderstood, reason, evidence };
    // Whatever else happens to the bill meanwhile, that money was told of.
    tracing::info!(invoice = state.invoice_number.as_str(), reason = claim.reason, "the bill is held");
    let entry = NewEvent { invoice_number: state.invoice_number.clone(), at: now, event, basis: Basis::Any, private: Private::default() };
    ledger.record(vec![entry]).await.map(|_| true)
}
