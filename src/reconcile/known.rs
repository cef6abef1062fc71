//! Payments of bills that this run's evidence does not tell of: the ledger's own, marks of an external one, an earlier report's.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::carried::Orphan;
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

/// Finds out which of `known` and of `orphans` the evidence proves. Gives the lines that name another amount than was known: what was
/// known stands, and somebody must look at them.
pub(super) fn prove(known: &mut [KnownPayment], orphans: &mut [Orphan], lines: &mut Lines, payments: &mut Payments) -> BTreeSet<u32> {
    let told = known.iter().filter_map(|known| known.sameness.as_ref()).chain(orphans.iter().map(|orphan| &orphan.sameness));
    let proofs = payments.join(lines, &told);
    let names: Vec<(u32, Digest)> = told.zip(&proofs).filter_map(|(one, proof)| Some(((*proof)?, one.identity))).collect();
    payments.rename(lines, names.into_iter());
    let mut contradicting = BTreeSet::new();
    let mut compare = |proof: Option<u32>, amount: u64| {
        let differs = |at: &u32| lines.get(*at).is_some_and(|line| line.amount > 0 && line.amount != amount);
        contradicting.extend(proof.filter(differs));
        proof.is_some()
    };
    let mut proofs = proofs.into_iter();
    for known in known {
        let proof = match known.sameness {
            Some(_) => proofs.next().flatten(),
            None => payments.proof_of(lines, &known.identity),
        };
        known.is_proved = compare(proof, known.amount);
    }
    for (orphan, proof) in orphans.iter_mut().zip(proofs) {
        orphan.is_proved = compare(proof, orphan.amount);
    }
    contradicting
}
