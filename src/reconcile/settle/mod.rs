//! Settlement rows against notified payments and bills: the third way of the reconciliation.
//!
//! Belongs here: which row settles which payment, in bulk, and the sums of batches and channels. Must not be here: the rules
//! themselves (`domain::classify`), reading files.

mod batches;
mod findings;
mod pairing;
mod rows;
mod subjects;

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

pub use batches::{Batch, TotalDifference};
pub use rows::JudgedRow;
pub use subjects::ToldIn;

use super::dedupe::Payments;
use super::judge::JudgedPayment;
use super::tally::{ControlIdentity, Tallies, add_nature};
use super::{Inputs, ReconcileTerms};
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, Nature, settlement_due, unsettled_nature};
use crate::domain::line::Line;
use crate::domain::reason::Candidates;
use crate::domain::settlement::{Settlement, SettlementTerms};
use crate::domain::sum::Sum;
pub(super) use findings::{findings, listed_as, row as row_finding, unsettled as unsettled_finding};
pub(super) use pairing::is_next_to;

/// What a run is given of settlement.
#[derive(Clone, Debug)]
pub struct SettlementInput {
    /// What the files say.
    pub files: Settlement,
    /// What the merchant knows.
    pub terms: SettlementTerms,
}

/// What one channel's rows add up to, repeated rows left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelTotals {
    /// How many rows.
    pub rows: u64,
    /// Amounts of purchases.
    pub gross: Rupiah,
    /// What was taken back.
    pub refund: Rupiah,
    /// Fees, VAT included.
    pub fee: Rupiah,
    /// Discounts.
    pub discount: Rupiah,
    /// What was paid out.
    pub net: Rupiah,
}

/// One notified payment seen three ways: what was billed, notified and settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledPayment {
    /// Its bill, or [`crate::domain::line::NO_BILL`].
    pub bill: u32,
    /// What the bill asks for, in rupiah, if there is one.
    pub billed: Option<u64>,
    /// What was notified, in rupiah; 0 when unusable.
    pub notified: u64,
    /// Where it was paid.
    pub channel: Channel,
    /// The row that settles it, by its place in the settlement's rows.
    pub row: Option<u32>,
    /// The last day on which it may rightly be unsettled.
    pub due_on: Date,
    /// Whether it is of this period and of a channel that DOKU settles.
    pub in_scope: bool,
    /// S02: TIMING or BREAK when it is in scope and no row pays it out by the end of the period.
    pub unsettled: Option<Nature>,
}

/// What the settlement files come to.
#[derive(Debug, Default)]
pub struct Settled {
    /// Each readable row's class, in the order of the rows.
    pub rows: Vec<JudgedRow>,
    /// Each payment of the evidence, in the order of `Outcome::judged`.
    pub payments: Vec<SettledPayment>,
    /// Rows by class, in rupiah of their amounts.
    pub row_tallies: Tallies,
    /// Payments and batches by class: S02, and S05 of totals.
    pub other_tallies: Tallies,
    /// Rows, unsettled payments and wrong totals by nature, in the order of [`Nature::ALL`].
    pub natures: [Sum; 3],
    /// How often each flag was raised.
    pub flags: Tallies,
    /// The batches, by their ids.
    pub batches: Vec<Batch>,
    /// Sums of the rows that are ours.
    pub channels: BTreeMap<Channel, ChannelTotals>,
    /// Bills that a row settles, sorted.
    pub bills: Vec<u32>,
    /// Classes these files and settings cannot decide.
    pub not_evaluated: Vec<Class>,
    /// Of rows that could mean several payments: the ids of those.
    candidates: HashMap<u32, Candidates>,
    /// The line that proves each payment.
    proofs: Vec<u32>,
    /// What was paid out, by class.
    paid_out: Tallies,
    /// Rows whose paid amount is not amount less fee and discount: by how much.
    row_difference: Rupiah,
}

impl Settled {
    /// Rows, unsettled payments (S02) and wrong totals (S05) by class.
    #[must_use]
    pub fn tallies(&self) -> Tallies {
        self.row_tallies.clone().plus(&self.other_tallies)
    }

    /// Whether a row settles this bill.
    #[must_use]
    pub fn has_bill(&self, bill: u32) -> bool {
        self.bills.binary_search(&bill).is_ok()
    }
}

/// Holds the rows against the payments of the evidence and those known from elsewhere; `None` without settlement files.
pub(super) fn settle(inputs: &Inputs, payments: &Payments, judged: &[JudgedPayment], terms: &ReconcileTerms) -> Option<Settled> {
    let input = inputs.settlement.as_ref()?;
    let notified = subjects::Notified::of(inputs, judged);
    let paired = pairing::Paired::of(input, inputs, &notified);
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
    paired: &pairing::Paired,
    terms: &ReconcileTerms,
) -> Vec<SettledPayment> {
    let rows = paired.row_of_payment.iter().copied().chain(std::iter::repeat(None));
    let one = |((judged, proved), row): ((&JudgedPayment, &super::dedupe::Proved), Option<u32>)| {
        let line = inputs.lines.get(judged.line)?;
        let channel = input.terms.of(line.channel);
        let due_on = settlement_due(line.paid_at(), channel.working_days, &input.terms.working_days);
        let in_scope = terms.period.contains(line.paid_at()) && channel.is_settled;
        // What is held, or was paid out after the period, is owed at its end.
        let paid_out_on = row.and_then(|row| input.files.rows.get(usize::try_from(row).ok()?)?.paid_out_on);
        let is_open = in_scope && paid_out_on.is_none_or(|on| on > terms.period.to);
        Some(SettledPayment {
            bill: judged.bill,
            billed: inputs.bills.get(judged.bill).map(|bill| bill.amount.get()),
            notified: proved.amount,
            channel: line.channel,
            row,
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
    let raw = &input.files.raw;
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
