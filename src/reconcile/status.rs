//! Payments that Check Status told of: which of them a notification proves too, and the rest as payments of their own kind.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::Inputs;
use super::dedupe::Payments;
use crate::domain::amount::Rupiah;
use crate::domain::check_status::StatusPayment;
use crate::domain::classify::Class;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::line::{Line, Lines, Marks};
use crate::domain::payment::{self, Payment, Sameness};
use crate::domain::sum::Sum;

/// What a ledger knows from Check Status.
#[derive(Clone, Debug, Default)]
pub struct StatusEvidence {
    /// Payments that no notification proves, as far as the ledger knows.
    found: Vec<StatusPayment>,
    /// The others.
    notified: Sum,
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

fn tally(found: &StatusPayment) -> Sum {
    Sum::one(Rupiah::from(found.payment.amount))
}

/// Where the payments went that Check Status told of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placed {
    /// Those a notification proves too: one payment, and it is counted there.
    pub(super) notified: Sum,
    /// Those that stand for themselves.
    pub(super) only: Sum,
}

/// Puts those that no line proves among the payments.
pub(super) fn place(inputs: &mut Inputs, payments: &mut Payments) -> Placed {
    let mut placed = Placed { notified: inputs.status.notified, only: Sum::default() };
    if inputs.status.found.is_empty() {
        return placed;
    }
    let mut added: Vec<u32> = Vec::new();
    let all = std::mem::take(&mut inputs.status.found);
    let sameness: Vec<Sameness> = all.iter().map(|found| found.payment.sameness()).collect();
    for (found, proved) in all.iter().zip(payments.join(&inputs.lines, &sameness.iter())) {
        if proved.is_some() {
            placed.notified = placed.notified.plus(tally(found));
        } else {
            placed.only = placed.only.plus(tally(found));
            added.push(append(&mut inputs.lines, found));
        }
    }
    payments.add(&inputs.lines, added);
    placed
}

/// Its record among the lines, which only later passes see; where that is.
fn append(lines: &mut Lines, found: &StatusPayment) -> u32 {
    let payment = &found.payment;
    let (number, code) = (payment.invoice_number.as_str(), payment.payment_code.as_str());
    let mut line = Line::of_class(Class::N00, payment.answer_digest);
    line.identity = payment.identity;
    line.paid_at_us = payment.paid_at.as_microsecond();
    line.received_at_us = found.at.as_microsecond();
    line.amount = payment.amount.get();
    line.channel = payment.channel;
    line.marks = Marks::VERIFIED.and(Marks::BY_STATUS, true);
    line.file = u32::MAX;
    line.invoice_length = u8::try_from(number.len()).unwrap_or(0);
    line.code_length = u8::try_from(code.len()).unwrap_or(0);
    let at = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    lines.append(vec![line], [number, code].concat().as_bytes(), &crate::domain::store::Stores::default());
    at
}
