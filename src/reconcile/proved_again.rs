//! Which payments that are known from elsewhere this run's evidence proves, too.

use std::collections::BTreeSet;

use super::dedupe::Payments;
use super::earlier_payments::Orphan;
use super::known_payments::KnownPayment;
use crate::domain::digest::Digest;
use crate::domain::line::Lines;

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
