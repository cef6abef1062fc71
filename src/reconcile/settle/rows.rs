//! Facts of each row handed to the pure rules, and what the classes come to.

use super::super::tally::add_nature;
use super::judged_row::JudgedRow;
use super::pairing::Paired;
use super::settled::Settled;
use super::subjects::Subject;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Nature, RowChannel, RowFacts, Settles, row_class, row_nature};
use crate::domain::fee::FeeShare;
use crate::domain::line::NO_BILL;
use crate::domain::settlement::{NamedChannel, SettlementRow, SettlementTerms};
use crate::domain::sum::Sum;
use crate::reconcile::inputs::{Inputs, SettlementInput};
use crate::reconcile::terms::ReconcileTerms;

/// Classes every readable row, and counts the others.
pub(super) fn judge(input: &SettlementInput, inputs: &Inputs, paired: &Paired, terms: &ReconcileTerms) -> Settled {
    let mut settled = Settled::default();
    let mut shares_seen = false;
    for (at, row) in input.files.rows.iter().enumerate() {
        let facts = facts(row, paired.settles.get(at).copied().unwrap_or(Settles::NotSought), &input.terms);
        shares_seen |= facts.shares_are_right.is_some();
        let judged = judge_one(row, &facts, at, input, paired, terms);
        settled.add(row, &facts, judged);
    }
    for _ in &input.files.malformed {
        settled.row_tallies.add(Class::S10, Rupiah::ZERO);
        add_nature(&mut settled.natures, Nature::Break, Sum::one(Rupiah::ZERO));
    }
    debug_assert!(settled.rows.iter().all(|row| row.bill == NO_BILL || inputs.bills.get(row.bill).is_some()), "a bill is one of ours");
    settled.bills.sort_unstable();
    settled.bills.dedup();
    if input.terms.terms.iter().all(|channel| channel.fee.is_none()) {
        settled.not_evaluated.push(Class::S04);
    }
    if !shares_seen {
        settled.not_evaluated.push(Class::S09);
    }
    settled
}

fn judge_one(
    row: &SettlementRow,
    facts: &RowFacts,
    at: usize,
    input: &SettlementInput,
    paired: &Paired,
    terms: &ReconcileTerms,
) -> JudgedRow {
    let (class, flags) = row_class(facts, &terms.period);
    let subject = paired.subjects.get(at).copied().flatten();
    JudgedRow {
        class,
        flags,
        nature: row_nature(class, row.transaction_date, terms.as_of, input.terms.notification_grace_hours),
        channel: input.terms.ours(&row.channel_name),
        bill: if let Some(Subject::Bill(bill)) = subject { bill } else { NO_BILL },
        payment: paired.payment_of_row.get(at).copied().flatten(),
        amount_notified: if let Settles::Payment(amount) = facts.settles { amount } else { None },
        fee_expected: facts.fee_expected,
        is_repeated: paired.repeated.get(at).copied().unwrap_or(false),
        counts: !paired.stands_twice(at),
    }
}

fn facts(row: &SettlementRow, settles: Settles, terms: &SettlementTerms) -> RowFacts {
    let named = terms.channel(&row.channel_name);
    let (channel, fee) = match named {
        Some(NamedChannel::Ours(channel)) => (RowChannel::Ours, terms.of(channel).fee),
        Some(NamedChannel::Other) => (RowChannel::Other, None),
        None => (RowChannel::Unknown, None),
    };
    let amount = u64::try_from(row.amount).ok();
    RowFacts {
        channel,
        is_purchase: row.is_purchase(),
        settles,
        amount: row.amount,
        fee: row.fee,
        fee_expected: fee.filter(|_| row.is_purchase()).zip(amount).map(|(fee, amount)| fee.of(amount)),
        paid_out: row.paid_out,
        paid_out_expected: row.paid_out_expected(),
        shares_are_right: shares_are_right(row, channel, terms),
        transaction_date: row.transaction_date,
        paid_out_on: row.paid_out_on,
    }
}

/// `None` when no shares are expected, or the row has not all of their columns. A share of others that cannot be read is always wrong; what the
/// contract says of shares is of our channels.
fn shares_are_right(row: &SettlementRow, channel: RowChannel, terms: &SettlementTerms) -> Option<bool> {
    if terms.shared(row).is_none() {
        return Some(false);
    }
    if channel != RowChannel::Ours
        || terms.shares.is_empty()
        || !row.is_purchase()
        || !terms.shares.keys().all(|name| row.custom.contains_key(name))
    {
        return None;
    }
    let is_met = |(name, share): (&String, &FeeShare)| row.share(name).is_some_and(|paid| share.is_met(row.paid_out, paid));
    Some(terms.shares.iter().all(is_met))
}

impl Settled {
    fn add(&mut self, row: &SettlementRow, facts: &RowFacts, judged: JudgedRow) {
        let amount = Rupiah::new(row.amount.into());
        self.row_tallies.add(judged.class, amount);
        self.paid_out.add(judged.class, Rupiah::new(row.paid_out.into()));
        let difference = Rupiah::new(i128::from(facts.paid_out_expected)).minus(Rupiah::new(row.paid_out.into()));
        self.row_difference = self.row_difference.plus(difference);
        add_nature(&mut self.natures, judged.nature, Sum::one(amount));
        for flag in judged.flags.iter() {
            self.flags.add(flag, amount);
        }
        // What is listed again, or is held while another row of its payment is not, is no money of its own.
        if let Some(channel) = judged.channel.filter(|_| !judged.is_repeated && judged.class != Class::S14) {
            self.channels.entry(channel).or_default().add(row);
        }
        if judged.bill != NO_BILL && facts.is_purchase {
            self.bills.push(judged.bill);
        }
        self.rows.push(judged);
    }
}

impl super::settled::ChannelTotals {
    /// Takes one more row.
    pub(super) fn add(&mut self, row: &SettlementRow) {
        let rupiah = |amount: i64| Rupiah::new(amount.into());
        self.rows = self.rows.saturating_add(1);
        if row.is_purchase() {
            self.gross = self.gross.plus(rupiah(row.amount));
        } else {
            self.refund = self.refund.plus(rupiah(row.amount.saturating_abs()));
        }
        self.fee = self.fee.plus(rupiah(row.fee));
        self.discount = self.discount.plus(rupiah(row.discount));
        self.net = self.net.plus(rupiah(row.paid_out));
    }
}
