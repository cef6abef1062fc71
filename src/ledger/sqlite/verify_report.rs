//! What `tagih ledger verify` found.

use std::collections::BTreeSet;

use crate::domain::mark::TermsDigest;
use crate::ledger::LedgerHead;

/// What verifying looked at and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// How many bills were refolded.
    pub bills: u64,
    /// How many events the chain has.
    pub events: u64,
    /// How many payments were compared.
    pub payments: u64,
    /// The end of the chain.
    pub head: LedgerHead,
    /// What does not hold, in words; the first 100.
    pub findings: Vec<String>,
    /// How many things do not hold.
    pub findings_count: u64,
    /// What holds and yet should be known: numbers that stand for two bills, in words.
    pub notes: Vec<String>,
    /// How many names bills go by beside their own numbers.
    pub(super) names: u64,
    /// Terms that bills had for a while and no event tells of: an answer named another amount, and the next event other terms.
    pub(super) passed: BTreeSet<TermsDigest>,
    /// The events that tell what a person said about one of DOKU's keys.
    pub(super) revocations: Vec<u64>,
}

impl VerifyReport {
    /// Whether everything holds.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.findings_count == 0
    }

    pub(in crate::ledger) fn find(&mut self, finding: impl Into<String>) {
        self.findings_count = self.findings_count.saturating_add(1);
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding.into());
        }
    }
}

/// Findings beyond this many are counted, not kept.
const FINDINGS_MAX: usize = 100;
