//! A ledger held against the sandbox's own record of what it carried out: two accounts of the same nights, by two who keep no books together.
//!
//! Belongs here: what must hold between the two, read from the invariants of ARCHITECTURE.md and from both files as anybody sees them:
//! `ledger export` and `sandbox --record`. Must not be here: anything of the code that sends, folds or stores; a mistake there must not be
//! able to hide itself. What customers paid makes codes free; whether the ledger knows of it is not judged here.

mod difference;
mod json_lines;
mod ledger;
mod record;
mod rules;
#[cfg(test)]
mod tests;

pub use difference::{Difference, Invariant};
pub use json_lines::Unreadable;
pub use ledger::Told;
pub use record::{Call, Change, Order, Payment, Record};

/// What was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Changes the sandbox carried out.
    pub changes: usize,
    /// Bills of the ledger that it ever sent anything about.
    pub bills: usize,
    /// What does not hold, sorted.
    pub differences: Vec<Difference>,
}

/// Holds a ledger's export against a sandbox's record.
#[must_use]
pub fn compare(ledger: &Told, record: &Record) -> Compared {
    let mut differences = rules::differences(ledger, record);
    differences.sort_unstable();
    differences.dedup();
    Compared { changes: record.changes.iter().filter(|change| change.call.is_some()).count(), bills: ledger.sent_about(), differences }
}
