//! Codes of our own making for rows that bring none: the next free number, chosen before anything is sent and never twice.
//!
//! The choice becomes durable with the bill's *planned* event, so a run that was killed goes on with the same codes. Must not
//! be here: codes that follow from a row's own columns; those are the intake's.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::{MapView, View as _};
use crate::domain::bill::{Bill, Terms, Wanted};
use crate::domain::channel::Method;
use crate::domain::ids::PaymentCode;
use crate::domain::lifecycle::Status;

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

/// `bills` with a code for every row of our own making that brings none. A bill keeps the code the ledger has for it; a new one
/// gets the number after the highest of the codes that were `seen` to be, or to have been, somebody's, and once the end is reached
/// the lowest that was never seen. `seen` may be the highest alone unless [`needs_all_codes`]. What is left without a code has
/// found none, and planning refuses it. New codes go by invoice number, whatever the order of rows.
#[must_use]
pub fn with_codes<'b>(bills: &'b [Bill], view: &MapView<'_>, seen: &[PaymentCode], minting: Option<&Minting>) -> Cow<'b, [Bill]> {
    let mut lacking: Vec<usize> = (0..).zip(bills).filter(|(_, bill)| lacks_code(bill)).map(|(row, _)| row).collect();
    if lacking.is_empty() {
        return Cow::Borrowed(bills);
    }
    lacking.sort_by_key(|&row| bills.get(row).map(|bill| &bill.invoice_number));
    let mut given: HashSet<&PaymentCode> = bills.iter().filter_map(|bill| live_terms(bill)?.payment_code.as_ref()).collect();
    let mut chosen: HashMap<usize, PaymentCode> = HashMap::new();
    lacking.retain(|&row| {
        let Some(kept) = bills.get(row).and_then(|bill| kept(bill, view, &given)) else { return true };
        given.insert(kept);
        chosen.insert(row, kept.clone());
        false
    });
    if let Some(minting) = minting {
        let seen = seen.iter().chain(given);
        let counts: HashSet<u128> = seen.filter_map(|code| minting.count(code)).collect();
        let next = counts.iter().max().map_or(1, |highest| highest.saturating_add(1)).max(minting.from);
        let gaps = minting.from..next.min(minting.last());
        let mut free = (next..=minting.last()).chain(gaps).filter(|count| !counts.contains(count));
        for row in lacking {
            let Some(code) = free.next().and_then(|count| minting.code(count)) else { break };
            chosen.insert(row, code);
        }
    }
    let mut bills = bills.to_vec();
    for (row, code) in chosen {
        if let Some(Bill { wanted: Wanted::Live(terms), .. }) = bills.get_mut(row) {
            terms.payment_code = Some(code);
        }
    }
    Cow::Owned(bills)
}

/// Whether numbers may have to be taken from between those that are somebody's: too few are left after the highest.
#[must_use]
pub fn needs_all_codes(bills: &[Bill], highest: Option<&PaymentCode>, minting: &Minting) -> bool {
    let given = bills.iter().filter_map(|bill| live_terms(bill)?.payment_code.as_ref());
    let highest = given.chain(highest).filter_map(|code| minting.count(code)).max().unwrap_or(0);
    let lacking = bills.iter().filter(|bill| lacks_code(bill)).count();
    let next = highest.saturating_add(1).max(minting.from);
    next.saturating_add(u128::try_from(lacking).unwrap_or(u128::MAX)) > minting.last().saturating_add(1)
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
    live_terms(bill).is_some_and(|terms| terms.method != Method::Doku && terms.payment_code.is_none())
}

/// The code the ledger has for the bill, unless it was never asked for and somebody else has it or wants it now.
fn kept<'s>(bill: &Bill, view: &MapView<'s>, given: &HashSet<&PaymentCode>) -> Option<&'s PaymentCode> {
    let state = view.state(&bill.invoice_number)?;
    let terms = state.open.as_ref().map_or(&state.terms, |open| &open.terms);
    if terms.method == Method::Doku {
        return None;
    }
    let held = state.code.as_ref().map(|code| &code.answer.payment_code);
    let code = terms.payment_code.as_ref().or(held)?;
    let is_ours = state.status.may_be_live() || state.status == Status::Cancelled;
    let is_free = !given.contains(code) && view.holder(code).is_none_or(|holder| *holder == bill.invoice_number);
    (is_ours || is_free).then_some(code)
}
