//! The facts a decision stands on: everything the evidence says of the item, of its debt, of that debt's payments and of their rows, so
//! that they alone lead to the balance that was decided about.

use std::collections::BTreeSet;

use super::account::Account;
use super::fact::{BillFact, Facts, Payee, PaymentFact, RowFact, RowKind};
use super::item::{ItemId, Subject};
use super::known::Known;
use super::pair::Leg;

/// What belongs together.
#[derive(Default)]
struct Group {
    debts: BTreeSet<ItemId>,
    payments: BTreeSet<ItemId>,
    rows: BTreeSet<ItemId>,
    batches: BTreeSet<ItemId>,
    is_bank: bool,
}

impl Group {
    fn seed(&mut self, known: &Known, id: ItemId) {
        match id.subject() {
            Subject::Debt => drop(self.debts.insert(id)),
            Subject::Payment => drop(self.payments.insert(known.payment_id(id))),
            Subject::Row => drop(self.rows.insert(id)),
            Subject::Batch => drop(self.batches.insert(id)),
            Subject::Payout => self.batches.extend(known.payouts.get(&id).map(|payout| payout.batch)),
            Subject::BankLine => self.is_bank = true,
            Subject::Bill => self.debts.extend(known.bills.get(&id).map(|bill| bill.debt)),
            Subject::Event | Subject::Decision | Subject::Alarm | Subject::Books => {}
        }
    }
}

/// What of `facts` a decision about `leg`, with this target, stands on; `known` is what the run that shows the item came to.
#[must_use]
pub fn ground(facts: &Facts, known: &Known, leg: Leg, target: Option<ItemId>) -> Facts {
    let mut group = Group::default();
    for id in leg.item.into_iter().chain(target) {
        group.seed(known, id);
    }
    let of_bank = group.is_bank || leg.account == Account::Payouts;
    let is_ours = |row: &&RowFact| group.rows.contains(&row.id) || group.batches.contains(&row.batch) || of_bank;
    let named: Vec<ItemId> = facts.rows.iter().filter(is_ours).filter_map(payment_of).map(|id| known.payment_id(id)).collect();
    group.payments.extend(named);
    let payments = group.payments.iter().filter_map(|id| known.payments.get(id));
    group.debts.extend(payments.filter_map(|payment| payment.debt));
    let is_of_debt = |bill: &ItemId| known.bills.get(bill).is_some_and(|bill| group.debts.contains(&bill.debt));
    let is_paid = |payment: &&PaymentFact| {
        group.payments.contains(&known.payment_id(payment.id)) || matches!(payment.payee, Payee::Bill(bill) if is_of_debt(&bill))
    };
    let payments: Vec<PaymentFact> = facts.payments.iter().filter(is_paid).cloned().collect();
    let paid: BTreeSet<ItemId> = payments.iter().map(|payment| known.payment_id(payment.id)).collect();
    let settles = |row: &RowFact| payment_of(row).is_some_and(|id| paid.contains(&known.payment_id(id)));
    let bills: Vec<BillFact> = facts.bills.iter().filter(|bill| is_of_debt(&bill.id)).cloned().collect();
    Facts {
        bills,
        rows: facts.rows.iter().filter(|row| is_ours(row) || settles(row)).cloned().collect(),
        batches: facts.batches.iter().filter(|batch| group.batches.contains(&batch.id) || of_bank).cloned().collect(),
        bank_lines: if of_bank { facts.bank_lines.clone() } else { Vec::new() },
        alarms: facts.alarms.iter().filter(|alarm| leg.item == Some(alarm.id)).cloned().collect(),
        payments,
    }
}

const fn payment_of(row: &RowFact) -> Option<ItemId> {
    match row.kind {
        RowKind::Of(_, payment) => Some(payment),
        RowKind::Unclaimed(_) | RowKind::Refund(_) | RowKind::Repeated | RowKind::Other | RowKind::Unreadable => None,
    }
}
