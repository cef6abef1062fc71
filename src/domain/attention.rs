//! What of the ledger as it stands a person must look at: bills that are held, and codes that would take money a second time.

use jiff::Timestamp;

use super::lifecycle::{BillHold, BillState, Status};
use super::owner::Paid;

/// Why a person must look at a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention<'a> {
    /// Money was acknowledged that was not understood, or does not fit.
    Held(&'a BillHold),
    /// An earlier code of it is paid, and a later one may be paid too.
    PaidByEarlierCode,
}

impl Attention<'_> {
    /// The name used in files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Held(_) => "held",
            Self::PaidByEarlierCode => "paid_by_earlier_code",
        }
    }
}

/// Every such bill, by number; beside each stands what [`super::owner::paid`] says of it.
#[must_use]
pub fn attention<'a>(states: impl Iterator<Item = (&'a BillState, Option<Paid>)>, now: Timestamp) -> Vec<(&'a BillState, Attention<'a>)> {
    let mut found: Vec<(&BillState, Attention<'_>)> = states
        .filter_map(|(state, paid)| match &state.hold {
            Some(hold) => Some((state, Attention::Held(hold))),
            None if is_payable_again(state, paid, now) => Some((state, Attention::PaidByEarlierCode)),
            None => None,
        })
        .collect();
    found.sort_by(|a, b| a.0.invoice_number.cmp(&b.0.invoice_number));
    found
}

/// Whether a counter may take money for a bill that an earlier code of it has paid.
#[must_use]
pub fn is_payable_again(state: &BillState, paid: Option<Paid>, now: Timestamp) -> bool {
    paid == Some(Paid::ByEarlierCode) && !state.terms.reusable && may_be_taken(state, now)
}

/// Whether a counter may take money for the bill now, as far as the ledger knows.
#[must_use]
pub fn may_be_taken(state: &BillState, now: Timestamp) -> bool {
    let has_code = state.status != Status::Active || state.code.is_some();
    state.status.may_be_live() && has_code && state.expires_at().is_none_or(|expires_at| expires_at > now)
}
