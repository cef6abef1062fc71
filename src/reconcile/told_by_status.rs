//! Payments that Check Status told of: which of them a notification proves too, and the rest as payments of their own kind.

use super::dedupe::Payments;
use super::inputs::Inputs;
use super::status::tally;
use crate::domain::check_status::StatusPayment;
use crate::domain::classify::Class;
use crate::domain::line::{Line, Lines, Marks};
use crate::domain::payment::Sameness;
use crate::domain::sum::Sum;

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
