//! Payments of bills that this run's evidence does not tell of: the ledger's own, marks of an external one, an earlier report's.

use jiff::Timestamp;

use super::dedupe::Payments;
use crate::domain::digest::Digest;
use crate::domain::line::Lines;
use crate::domain::payment::Sameness;

/// A payment that is known from elsewhere than this run's evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownPayment {
    /// Whose.
    pub bill: u32,
    /// When.
    pub paid_at: Timestamp,
    /// What makes it this payment; zero where only a mark is known.
    pub identity: Digest,
    /// Rupiah.
    pub amount: u64,
    /// What else tells it from others, where more than its identity is known.
    pub sameness: Option<Sameness>,
    /// Whether the ledger knows it. One carried in from an earlier report covers its bill, but does not close it, because
    /// the ledger's own count of open bills cannot know it.
    pub in_ledger: bool,
    /// Whether this run's evidence proves it too; found out by reconciling.
    pub is_proved: bool,
}

impl KnownPayment {
    /// Whether its bill was closed by it before `starts_at`.
    pub(super) fn closes(&self, starts_at: Timestamp) -> bool {
        self.in_ledger && self.paid_at < starts_at
    }
}

/// Finds out which of `known` the evidence proves.
pub(super) fn prove(known: &mut [KnownPayment], lines: &Lines, payments: &mut Payments) {
    let mut proved = payments.join(lines, &known.iter().filter_map(|known| known.sameness.as_ref())).into_iter();
    for known in known {
        known.is_proved = match known.sameness {
            Some(_) => proved.next().unwrap_or(false),
            None => payments.contains(lines, &known.identity),
        };
    }
}
