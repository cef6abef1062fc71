//! Settlement rows against notified payments and bills: the third way of the reconciliation.
//!
//! Belongs here: which row settles which payment, in bulk, and the sums of batches and channels. Must not be here: the rules
//! themselves (`domain::classify`), reading files.

mod batches;
mod findings;
mod judged_row;
mod pairing;
mod rows;
mod settled;
mod sought_row;
mod subjects;

pub use batches::{Batch, TotalDifference};
pub use judged_row::JudgedRow;
pub use subjects::ToldIn;

use super::dedupe::Payments;
use super::inputs::{Inputs, SettlementInput};
use super::judge::JudgedPayment;
use super::tally::{ControlIdentity, add_nature};
use super::terms::ReconcileTerms;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Nature, settlement_due, unsettled_nature};
use crate::domain::line::Line;
use crate::domain::sum::Sum;
pub(super) use findings::{findings, listed_as, row as row_finding, unsettled as unsettled_finding};
pub(super) use pairing::Paired;
pub use settled::{ChannelTotals, Settled, SettledPayment};

/// Holds the rows of this run's files, and those of earlier months that wait, against the payments of the evidence and those known from elsewhere.
pub(super) fn pair(inputs: &Inputs, judged: &[JudgedPayment]) -> Paired {
    if inputs.settlement.is_none() && inputs.waiting_rows.is_empty() {
        return Paired::default();
    }
    Paired::of(inputs, &subjects::Notified::of(inputs, judged))
}

/// What the rows of the files come to, paired as they are; `None` without settlement files.
pub(super) fn settle(
    inputs: &Inputs,
    payments: &Payments,
    judged: &[JudgedPayment],
    paired: Paired,
    terms: &ReconcileTerms,
) -> Option<Settled> {
    let input = inputs.settlement.as_ref()?;
    let mut settled = rows::judge(input, inputs, &paired, terms);
    settled.batches = batches::batches(&input.files, &settled.rows);
    for _ in settled.batches.iter().filter(|batch| !batch.adds_up()) {
        settled.other_tallies.add(Class::S05, Rupiah::ZERO);
        add_nature(&mut settled.natures, Nature::Break, Sum::one(Rupiah::ZERO));
    }
    settled.proofs = judged.iter().map(|payment| payment.line).collect();
    settled.payments = settled_payments(input, inputs, payments, judged, &paired, terms);
    for payment in &settled.payments {
        if let Some(nature) = payment.unsettled {
            let amount = Rupiah::new(payment.notified.into());
            settled.other_tallies.add(Class::S02, amount);
            add_nature(&mut settled.natures, nature, Sum::one(amount));
        }
    }
    settled.candidates = paired.candidates;
    Some(settled)
}

fn settled_payments(
    input: &SettlementInput,
    inputs: &Inputs,
    payments: &Payments,
    judged: &[JudgedPayment],
    paired: &Paired,
    terms: &ReconcileTerms,
) -> Vec<SettledPayment> {
    let rows = paired.row_of_payment.iter().copied().chain(std::iter::repeat(None));
    let one = |((judged, proved), row): ((&JudgedPayment, &super::dedupe::Proved), Option<u32>)| {
        let line = inputs.lines.get(judged.line)?;
        let channel = input.terms.of(line.channel);
        let due_on = settlement_due(line.paid_at(), channel.working_days, &input.terms.working_days);
        let in_scope = terms.period.contains(line.paid_at()) && channel.is_settled;
        // What is held, or was paid out after the period, is owed at its end.
        let paid_out_on = row.and_then(|row| inputs.paid_out_on(row));
        let is_open = in_scope && paid_out_on.is_none_or(|on| on > terms.period.to);
        Some(SettledPayment {
            bill: judged.bill,
            billed: inputs.bills.get(judged.bill).map(|bill| bill.amount.get()),
            notified: proved.amount,
            channel: line.channel,
            row: row.filter(|row| inputs.listed_row(*row).is_some()),
            due_on,
            in_scope,
            unsettled: is_open.then(|| unsettled_nature(due_on, paid_out_on, terms.as_of)),
        })
    };
    judged.iter().zip(&payments.proved).zip(rows).filter_map(one).collect()
}

/// The identities of settlement; see docs/classes.md.
pub(super) fn identities(inputs: &Inputs, settled: &Settled, terms: &ReconcileTerms) -> Vec<ControlIdentity> {
    let Some(input) = &inputs.settlement else { return Vec::new() };
    let raw = input.files.raw.less(input.files.copies);
    let row = |name, left: i128, right: i128| ControlIdentity { name, left, right };
    let paid_out = settled.paid_out.total().rupiah;
    let twice = input.files.rows.iter().zip(&settled.rows).filter(|(_, row)| !row.counts);
    let twice: Rupiah = twice.map(|(row, _)| Rupiah::new(row.paid_out.into())).sum();
    // Batches without that total have nothing to be held against.
    let unstated: Rupiah = settled.batches.iter().filter(|batch| batch.stated.paid_out.is_none()).map(|batch| batch.sums.paid_out).sum();
    let stated: i128 = batches::distinct(&input.files.totals).iter().filter_map(|totals| totals.paid_out).map(i128::from).sum();
    let differences: Rupiah = settled.batches.iter().map(Batch::paid_out_difference).sum();
    let in_scope = settled.payments.iter().filter(|payment| payment.in_scope);
    let settled_count = in_scope.filter(|payment| payment.unsettled.is_none()).count();
    // Counted from the lines, not from the payments they prove.
    let is_notified = |line: &Line| line.class == Class::N00 && terms.period.contains(line.paid_at());
    let notified = inputs.lines.iter().filter(|(_, line)| is_notified(line) && input.terms.of(line.channel).is_settled).count();
    vec![
        row("settlement_rows_read_equal_row_classes", raw.rows.into(), settled.row_tallies.total().count.into()),
        row(
            "settlement_amounts_less_deductions_equal_paid_out",
            raw.amount.saturating_sub(raw.fee).saturating_sub(raw.discount).saturating_sub(raw.refund),
            paid_out.plus(settled.row_difference).get(),
        ),
        row("settlement_totals_stated_equal_paid_out", stated, paid_out.minus(twice).minus(unstated).plus(differences).get()),
        row(
            "notified_payments_equal_settled_and_unsettled",
            count(notified).into(),
            count(settled_count).saturating_add(settled.other_tallies.of(Class::S02).count).into(),
        ),
    ]
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
