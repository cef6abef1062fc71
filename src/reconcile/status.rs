//! Payments that Check Status told of, each once. Which of them a notification proves too is found out in `told_by_status`.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::domain::amount::Rupiah;
use crate::domain::check_status::StatusPayment;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::payment::{self, Payment, Sameness};
use crate::domain::sum::Sum;

/// What a ledger knows from Check Status.
#[derive(Clone, Debug, Default)]
pub struct StatusEvidence {
    /// Payments that no notification proves, as far as the ledger knows.
    pub(super) found: Vec<StatusPayment>,
    /// The others.
    pub(super) notified: Sum,
    /// All of them, by the ledger's own count.
    pub(super) total: Sum,
}

impl StatusEvidence {
    /// All that Check Status told of.
    pub(super) fn told(mut found: Vec<StatusPayment>) -> Self {
        found.sort_by(|a, b| by_code(a).cmp(&by_code(b)));
        Self { found, ..Self::default() }
    }

    /// Payments that no notification proves, as far as the ledger knows.
    pub(super) fn found(&self) -> &[StatusPayment] {
        &self.found
    }

    /// The codes for which payments of the ledger may prove one of them too.
    #[must_use]
    pub fn sought(&self) -> Sought {
        Sought { by_code: self.found.iter().map(|found| (found.payment.payment_code.clone(), Vec::new())).collect() }
    }

    /// Less what the ledger's own payments prove; `total` is the ledger's own count.
    #[must_use]
    pub fn less(self, mut proved: Sought, total: Sum) -> Self {
        let mut evidence = Self { total, ..Self::default() };
        for told in self.found.chunk_by(|a, b| a.payment.payment_code == b.payment.payment_code) {
            let code = told.first().map(|found| &found.payment.payment_code);
            let mut known = code.and_then(|code| proved.by_code.remove(code)).unwrap_or_default();
            let mut seen: HashSet<usize> = (0..known.len()).collect();
            let sameness: Vec<Sameness> = told.iter().map(|found| found.payment.sameness()).collect();
            for (found, place) in told.iter().zip(payment::join(&mut known, &sameness)) {
                // What is told of two bills is one payment.
                if seen.insert(place) {
                    evidence.found.push(found.clone());
                } else {
                    evidence.notified = evidence.notified.plus(tally(found));
                }
            }
        }
        evidence
            .found
            .sort_by(|a, b| (a.payment.identity, &a.payment.invoice_number).cmp(&(b.payment.identity, &b.payment.invoice_number)));
        evidence
    }
}

fn by_code(found: &StatusPayment) -> (&PaymentCode, Timestamp, Digest, &InvoiceNumber) {
    (&found.payment.payment_code, found.at, found.payment.identity, &found.payment.invoice_number)
}

/// Payments of the ledger that may prove what Check Status told of, gathered one after another.
#[derive(Debug)]
pub struct Sought {
    by_code: HashMap<PaymentCode, Vec<Sameness>>,
}

impl Sought {
    /// Takes one more, if it is for one of the codes.
    pub fn take(&mut self, payment: &Payment) {
        if let Some(known) = self.by_code.get_mut(&payment.payment_code) {
            known.push(payment.sameness());
        }
    }
}

pub(super) fn tally(found: &StatusPayment) -> Sum {
    Sum::one(Rupiah::from(found.payment.amount))
}
