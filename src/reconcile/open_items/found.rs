//! The findings of a run, as open items look for theirs.

use std::collections::HashMap;

use crate::reconcile::Finding;

/// What a run found, by what it is about.
#[derive(Debug)]
pub struct Findings<'a> {
    pub(super) by_id: HashMap<&'a str, &'a Finding>,
    pub(super) of_bills: HashMap<(&'a str, &'a str), &'a Finding>,
}

impl<'a> Findings<'a> {
    /// Of these.
    #[must_use]
    pub fn of(findings: &'a [Finding]) -> Self {
        let of_bills = findings.iter().filter(|finding| finding.class.id().starts_with('L'));
        Self {
            by_id: findings.iter().map(|finding| (finding.id.as_str(), finding)).collect(),
            of_bills: of_bills.map(|finding| ((finding.invoice_number.as_str(), finding.payment_code.as_str()), finding)).collect(),
        }
    }

    /// Whether there is one with this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }
}
