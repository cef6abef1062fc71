//! Codes of our own making for rows that bring none: the next free number, chosen before anything is sent and never twice.
//!
//! The choice becomes durable with the bill's *planned* event, so a run that was killed goes on with the same codes. Must not
//! be here: codes that follow from a row's own columns; those are the intake's.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::expired::expired_at;
use super::view::{MapView, PlanView as _};
use crate::domain::bill::{Bill, Terms, Wanted};
use crate::domain::channel::IssuanceMethod;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Status};

/// The numbers that may be given out: `prefix`, then a count in as many digits as are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minting {
    /// The company code and whatever else all codes begin with; digits.
    pub prefix: String,
    /// Digits of a whole code, the prefix included.
    pub length: usize,
    /// The first count that may be given out; those before it may be somebody's.
    pub from: u128,
}

impl Minting {
    /// How many digits count.
    fn width(&self) -> usize {
        self.length.saturating_sub(self.prefix.len())
    }

    /// The largest count. Twenty digits at most, so it always fits.
    fn last(&self) -> u128 {
        let digits = u32::try_from(self.width()).unwrap_or(u32::MAX);
        10_u128.checked_pow(digits).map_or(u128::MAX, |end| end.saturating_sub(1))
    }

    fn code(&self, count: u128) -> Option<PaymentCode> {
        PaymentCode::new(format!("{}{count:0width$}", self.prefix, width = self.width())).ok()
    }

    /// The count of a code of this kind.
    fn count(&self, code: &PaymentCode) -> Option<u128> {
        let digits = code.as_str().strip_prefix(self.prefix.as_str())?;
        if digits.len() == self.width() { digits.parse().ok() } else { None }
    }
}

/// A row whose code is left to us.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lacking {
    /// Whose it is.
    pub invoice_number: InvoiceNumber,
    /// Which row it is.
    pub row: usize,
}

/// Codes for the rows of our own making that bring none. A bill keeps the code the ledger has for it; a new one gets the number after
/// the highest of the codes that are, or have been, somebody's, and once the end is reached the lowest that was never seen. What is
/// left without a code has found none, and planning refuses it. New codes go by invoice number, whatever the order of rows.
#[derive(Debug, Default)]
pub struct Mint {
    /// Codes that rows bring, or keep.
    given: HashSet<PaymentCode>,
    lacking: Vec<Lacking>,
    chosen: HashMap<usize, PaymentCode>,
}

impl Mint {
    /// Looks at the next row.
    pub fn take(&mut self, row: usize, bill: &Bill) {
        let Some(terms) = live_terms(bill) else { return };
        if let Some(code) = &terms.payment_code {
            self.given.insert(code.clone());
        } else if lacks_code(bill) {
            self.lacking.push(Lacking { invoice_number: bill.invoice_number.clone(), row });
        }
    }

    /// The rows that lack a code, by invoice number; they are given back in parts to [`Mint::keep`].
    #[must_use]
    pub fn lacking(&mut self) -> Vec<Lacking> {
        self.lacking.sort_unstable();
        std::mem::take(&mut self.lacking)
    }

    /// Lets the bills of a part keep the codes that `view`, which knows these and whoever has them, has for them at `now`.
    pub fn keep(&mut self, part: Vec<Lacking>, view: &MapView<'_>, now: Timestamp) {
        for lacking in part {
            match kept(&lacking.invoice_number, view, &self.given, now) {
                Some(kept) => {
                    self.given.insert(kept.clone());
                    self.chosen.insert(lacking.row, kept.clone());
                }
                None => self.lacking.push(lacking),
            }
        }
    }

    /// Whether numbers may have to be taken from between those that are somebody's: too few are left after the highest.
    #[must_use]
    pub fn needs_all_codes(&self, highest: Option<&PaymentCode>, minting: &Minting) -> bool {
        let highest = self.given.iter().chain(highest).filter_map(|code| minting.count(code)).max().unwrap_or(0);
        let next = highest.saturating_add(1).max(minting.from);
        next.saturating_add(u128::try_from(self.lacking.len()).unwrap_or(u128::MAX)) > minting.last().saturating_add(1)
    }

    /// The codes, row by row. `seen` are codes that are, or were, somebody's; the highest alone is enough unless
    /// [`Mint::needs_all_codes`].
    #[must_use]
    pub fn number(self, seen: &[PaymentCode], minting: Option<&Minting>) -> HashMap<usize, PaymentCode> {
        let Self { given, lacking, mut chosen } = self;
        if let Some(minting) = minting {
            let counts: HashSet<u128> = seen.iter().chain(&given).filter_map(|code| minting.count(code)).collect();
            let next = counts.iter().max().map_or(1, |highest| highest.saturating_add(1)).max(minting.from);
            let gaps = minting.from..next.min(minting.last());
            let mut free = (next..=minting.last()).chain(gaps).filter(|count| !counts.contains(count));
            for lacking in lacking {
                let Some(code) = free.next().and_then(|count| minting.code(count)) else { break };
                chosen.insert(lacking.row, code);
            }
        }
        chosen
    }
}

/// The codes a ledger has for bills, which they may keep.
pub fn codes_kept<'s>(states: impl IntoIterator<Item = &'s BillState>) -> impl Iterator<Item = &'s PaymentCode> {
    states.into_iter().filter_map(code_had)
}

fn live_terms(bill: &Bill) -> Option<&Terms> {
    match &bill.wanted {
        Wanted::Live(terms) => Some(terms),
        Wanted::Cancelled => None,
    }
}

/// Whether the row's code is left to us.
#[must_use]
pub fn lacks_code(bill: &Bill) -> bool {
    live_terms(bill).is_some_and(|terms| terms.method != IssuanceMethod::Doku && terms.payment_code.is_none())
}

/// The code the ledger has for the bill, unless it was never asked for or has expired, and somebody else has it or wants it now.
fn kept<'s>(number: &InvoiceNumber, view: &MapView<'s>, given: &HashSet<PaymentCode>, now: Timestamp) -> Option<&'s PaymentCode> {
    let state = view.state(number)?;
    let code = code_had(state)?;
    let has_expired = state.status == Status::Active && expired_at(state, now).is_some();
    let is_ours = (state.status.may_be_live() && !has_expired) || state.status == Status::Cancelled;
    let is_free = !given.contains(code) && view.holder(code).is_none_or(|holder| holder == number);
    (is_ours || is_free).then_some(code)
}

/// The code a bill asks for, holds, or was promised, where it is of our making.
fn code_had(state: &BillState) -> Option<&PaymentCode> {
    let terms = state.open.as_ref().map_or(&state.terms, |open| &open.terms);
    if terms.method == IssuanceMethod::Doku {
        return None;
    }
    let held = state.code.as_ref().map(|code| &code.answer.payment_code);
    terms.payment_code.as_ref().or(held)
}
