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
}

impl KnownPayment {
    /// Whether the evidence proves it too.
    pub(super) fn is_proved(&self, lines: &Lines, payments: &Payments) -> bool {
        match &self.sameness {
            Some(sameness) => payments.proves(lines, &self.identity, sameness),
            None => payments.contains(lines, &self.identity),
        }
    }

    /// Whether its bill was closed by it before `starts_at`.
    pub(super) fn closes(&self, starts_at: Timestamp) -> bool {
        self.in_ledger && self.paid_at < starts_at
    }
}
