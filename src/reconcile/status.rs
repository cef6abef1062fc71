//! Payments that Check Status told of: which of them a notification proves too, and the rest as payments of their own kind.

use std::collections::{HashMap, HashSet};

use super::Inputs;
use super::dedupe::Payments;
use super::tally::Tally;
use crate::domain::amount::Rupiah;
use crate::domain::check::Found;
use crate::domain::classify::Class;
use crate::domain::ids::PaymentCode;
use crate::domain::lifecycle::BillState;
use crate::domain::line::{Line, Lines, Marks};
use crate::domain::payment::{self, Payment, Sameness};

/// What a ledger knows from Check Status.
#[derive(Clone, Debug, Default)]
pub struct StatusEvidence {
    /// Payments that no notification proves, as far as the ledger knows.
    found: Vec<Found>,
    /// The others.
    notified: Tally,
    /// All of them, by the ledger's own count.
    pub(super) total: Tally,
}

impl StatusEvidence {
    /// What `states` hold, less what the ledger's own payments prove; `total` is the ledger's own count.
    #[must_use]
    pub fn of<'a>(states: impl IntoIterator<Item = &'a BillState>, payments: &[Payment], total: Tally) -> Self {
        let mut evidence = Self { total, ..Self::default() };
        let mut all: Vec<&Found> = states.into_iter().filter_map(|state| state.checks.as_ref()).flat_map(|checks| &checks.found).collect();
        if all.is_empty() {
            return evidence;
        }
        all.sort_by_key(|found| (&found.payment.payment_code, found.at, found.payment.identity, &found.payment.invoice_number));
        let mut by_code: HashMap<&PaymentCode, Vec<Sameness>> = HashMap::new();
        for payment in payments {
            by_code.entry(&payment.payment_code).or_default().push(payment.sameness());
        }
        for told in all.chunk_by(|a, b| a.payment.payment_code == b.payment.payment_code) {
            let code = told.first().map(|found| &found.payment.payment_code);
            let mut known = code.and_then(|code| by_code.remove(code)).unwrap_or_default();
            let mut seen: HashSet<usize> = (0..known.len()).collect();
            let sameness: Vec<Sameness> = told.iter().map(|found| found.payment.sameness()).collect();
            for (found, place) in told.iter().zip(payment::join(&mut known, &sameness)) {
                // What is told of two bills is one payment.
                if seen.insert(place) {
                    evidence.found.push(Found::clone(found));
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

fn tally(found: &Found) -> Tally {
    Tally { count: 1, amount: Rupiah::from(found.payment.amount) }
}

/// Where the payments went that Check Status told of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placed {
    /// Those a notification proves too: one payment, and it is counted there.
    pub(super) notified: Tally,
    /// Those that stand for themselves.
    pub(super) only: Tally,
}

/// Puts those that no line proves among the payments.
pub(super) fn place(inputs: &mut Inputs, payments: &mut Payments) -> Placed {
    let mut placed = Placed { notified: inputs.status.notified, only: Tally::default() };
    if inputs.status.found.is_empty() {
        return placed;
    }
    let mut added: Vec<u32> = Vec::new();
    let all = std::mem::take(&mut inputs.status.found);
    let sameness: Vec<Sameness> = all.iter().map(|found| found.payment.sameness()).collect();
    for (found, proved) in all.iter().zip(payments.join(&inputs.lines, &sameness.iter())) {
        if proved {
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
fn append(lines: &mut Lines, found: &Found) -> u32 {
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
