//! What need not be known any more: what was settled long ago, and of which no fact could be posted again.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::item::ItemId;
use super::known::{BookedBill, BookedPayment, Debt, Known};
use crate::domain::calendar::wib_date;

impl Known {
    /// Makes every payment found by its other ids.
    pub(super) fn remember_aliases(&mut self) {
        let aliases = self.payments.iter().flat_map(|(id, payment)| payment.aliases.iter().map(|alias| (*alias, *id)));
        self.aliases = aliases.collect();
    }

    /// Forgets what is of days before `day`, not open, and of no decision since: a fact of those days is too old to be posted. Rows of
    /// debts that were posted apart stand in `batches`.
    pub fn forget_before(&mut self, day: Date, batches: &BTreeSet<ItemId>) {
        let recent = self.decisions.values().filter(|decided| decided.on >= day).flat_map(|decided| {
            let posted = decided.posted.iter().flat_map(|(debit, credit, _)| [debit.item, credit.item]);
            posted.chain([decided.debt, decided.leg.and_then(|leg| leg.item)]).flatten()
        });
        let open: BTreeSet<ItemId> = self.balances.keys().filter_map(|leg| leg.item).chain(recent).collect();
        self.forget_debts(day, &open);
        let rows: BTreeSet<ItemId> = self.payments.values().flat_map(|payment| [payment.row, Some(payment.held_as)]).flatten().collect();
        self.rows.retain(|id, row| row.paid_out_on >= day || open.contains(id) || rows.contains(id));
        let batches: BTreeSet<ItemId> = self.rows.values().map(|row| row.batch).chain(batches.iter().copied()).collect();
        self.payouts.retain(|id, payout| batches.contains(&payout.batch) || open.contains(&payout.batch) || open.contains(id));
        let announced: BTreeSet<ItemId> = self.payouts.values().map(|payout| payout.batch).collect();
        self.batches.retain(|id, _| batches.contains(id) || open.contains(id) || announced.contains(id));
        self.bank_lines.retain(|id, line| line.on >= day || open.contains(id));
        let known = (&self.debts, &self.payments, &self.rows);
        let is_kept = |id: &ItemId| known.0.contains_key(id) || known.1.contains_key(id) || known.2.contains_key(id) || open.contains(id);
        self.decisions.retain(|_, decided| decided.on >= day || decided.leg.and_then(|leg| leg.item).is_some_and(|id| is_kept(&id)));
        self.alarms.retain(|_, alarm| alarm.on >= day || (alarm.answered_by.is_none() && alarm.accepted_by.is_none()));
        self.remember_aliases();
    }

    /// Debts go with their bills and payments, or not at all.
    fn forget_debts(&mut self, day: Date, open: &BTreeSet<ItemId>) {
        let is_old_bill = |bill: &BookedBill| bill.events.iter().all(|event| event.at.is_some_and(|at| wib_date(at) < day));
        let is_done = |id: &ItemId, payment: &BookedPayment| {
            wib_date(payment.paid_at) < day && !open.contains(id) && !open.contains(&payment.held_as)
        };
        let is_kept = |id: &ItemId, debt: &Debt| {
            let payments = debt.payments.iter().filter_map(|id| Some((id, self.payments.get(id)?)));
            let bills = debt.bills.iter().filter_map(|bill| self.bills.get(bill));
            open.contains(id) || !payments.into_iter().all(|(id, payment)| is_done(id, payment)) || !bills.into_iter().all(is_old_bill)
        };
        let kept: BTreeSet<ItemId> = self.debts.iter().filter(|(id, debt)| is_kept(id, debt)).map(|(id, _)| *id).collect();
        self.debts.retain(|id, _| kept.contains(id));
        self.bills.retain(|_, bill| kept.contains(&bill.debt));
        self.payments.retain(|id, payment| payment.debt.map_or_else(|| !is_done(id, payment), |debt| kept.contains(&debt)));
    }
}
