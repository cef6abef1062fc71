//! What the books know, in short: what the way of a fact depends on, and whether it is news. Of a month that is carried on it stands in
//! memory while everything else of its bills and payments is read part by part.
//!
//! Belongs here: what is looked for by its id before anything is posted. Must not be here: what is posted (`post`), reading it (`carry`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::account::Account;
use super::directory::Directory;
use super::fact::RowKind;
use super::item::{BooksSubject, ItemId};
use super::known::{BookedPayment, BookedRow, Known, RowState};
use super::pair::Leg;
use crate::domain::amount::Rupiah;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Brief {
    /// What is no debt's, in full: batches, pay-outs, bank lines, decisions, alarms, what was accepted.
    pub common: Known,
    /// The debt of each bill.
    bills: Directory<ItemId>,
    /// The debt of each payment, if it is of one.
    payments: Directory<Option<ItemId>>,
    /// The payment that is known by another id.
    aliases: Directory<ItemId>,
    /// Every settlement row.
    rows: Directory<()>,
    /// The payment that a row settled, or came too late for.
    paid_by: Directory<ItemId>,
    /// Purchases that found no payment, decided or not.
    unclaimed: BTreeMap<ItemId, BookedRow>,
    /// Items that stand in suspense.
    suspense: BTreeSet<ItemId>,
    /// Debts that are open: how much, and their bills.
    open: BTreeMap<ItemId, (Rupiah, Box<[ItemId]>)>,
}

impl Brief {
    /// Of what stands in memory.
    #[must_use]
    pub fn of(known: &Known) -> Self {
        let mut brief = Self::default();
        brief.learn(known);
        brief.sort();
        let Known { began_on, batches, payouts, bank_lines, decisions, alarms, accepted, .. } = known.clone();
        brief.common = Known { began_on, batches, payouts, bank_lines, decisions, alarms, accepted, ..Known::default() };
        brief
    }

    /// Takes more that is known. It is found after [`Self::sort`].
    pub(super) fn learn(&mut self, known: &Known) {
        for (id, bill) in &known.bills {
            self.bills.note(*id, bill.debt);
        }
        for (id, payment) in &known.payments {
            self.learn_payment(*id, payment);
        }
        for (id, row) in &known.rows {
            self.learn_row(*id, row);
        }
        for (id, debt) in &known.debts {
            let open = debt.open();
            if open > Rupiah::ZERO {
                self.open.insert(*id, (open, debt.bills.iter().copied().collect()));
            }
        }
        self.suspense.extend(known.balances.keys().filter(|leg| leg.account == Account::Suspense).filter_map(|leg| leg.item));
    }

    fn learn_payment(&mut self, id: ItemId, payment: &BookedPayment) {
        self.payments.note(id, payment.debt);
        for alias in &payment.aliases {
            self.aliases.note(*alias, id);
        }
        for row in payment.row.into_iter().chain(Some(payment.held_as).filter(|item| item.subject() == BooksSubject::Row)) {
            self.paid_by.note(row, id);
        }
    }

    fn learn_row(&mut self, id: ItemId, row: &BookedRow) {
        self.rows.note(id, ());
        if let (RowState::Twice, RowKind::Of(_, payment)) = (row.state, row.kind) {
            self.paid_by.note(id, payment);
        }
        if row.waits() {
            self.unclaimed.insert(id, row.clone());
        }
    }

    /// Puts what was learned in order.
    pub(super) fn sort(&mut self) {
        self.bills.sort();
        self.payments.sort();
        self.aliases.sort();
        self.rows.sort();
        self.paid_by.sort();
    }

    /// How many bills are known.
    pub(super) fn bill_count(&self) -> usize {
        self.bills.len()
    }

    /// The debt of a bill.
    #[must_use]
    pub fn debt_of_bill(&self, bill: ItemId) -> Option<ItemId> {
        self.bills.get(bill)
    }

    /// The debt of what is known as `item`.
    #[must_use]
    pub fn debt_of(&self, item: ItemId) -> Option<ItemId> {
        match item.subject() {
            BooksSubject::Debt => Some(item),
            BooksSubject::Bill => self.bills.get(item),
            BooksSubject::Payment => self.payments.get(self.payment_id(item)).flatten(),
            BooksSubject::Row => self.debt_of(self.paid_by.get(item)?),
            _ => None,
        }
    }

    /// The debt of a row that may not have been learned yet.
    pub(super) fn debt_of_row(&self, id: ItemId, row: &BookedRow) -> Option<ItemId> {
        match (row.state, row.kind) {
            (RowState::Twice, RowKind::Of(_, payment)) => self.debt_of(self.paid_by.get(id).unwrap_or(payment)),
            _ => self.debt_of(id),
        }
    }

    /// The id a payment is kept under.
    fn payment_id(&self, id: ItemId) -> ItemId {
        self.aliases.get(id).unwrap_or(id)
    }

    /// Whether this payment is known.
    #[must_use]
    pub fn has_payment(&self, id: ItemId) -> bool {
        self.payments.get(id).is_some()
    }

    /// Whether the fact with this id is known.
    #[must_use]
    pub fn has(&self, id: ItemId) -> bool {
        match id.subject() {
            BooksSubject::Bill => self.bills.get(id).is_some(),
            BooksSubject::Payment => self.has_payment(self.payment_id(id)),
            BooksSubject::Row => self.rows.get(id).is_some(),
            _ => false,
        }
    }

    /// Which of these payments rows have settled, each with its row: all are looked through, so it is asked once.
    #[must_use]
    pub fn settled(&self, payments: &HashSet<ItemId>) -> Vec<(ItemId, ItemId)> {
        let known: HashMap<ItemId, ItemId> = payments.iter().map(|id| (self.payment_id(*id), *id)).collect();
        self.paid_by.iter().filter_map(|(row, payment)| Some((*known.get(&payment)?, row))).collect()
    }

    /// Whether an item stands in suspense.
    #[must_use]
    pub fn is_in_suspense(&self, item: ItemId) -> bool {
        self.suspense.contains(&item)
    }

    /// The settlement rows without a payment: every run looks for theirs anew. What was decided about one is decided about its payment.
    pub fn unclaimed_rows(&self) -> impl Iterator<Item = (&ItemId, &BookedRow)> {
        self.unclaimed.iter()
    }

    /// The debts whose bills those name.
    pub(super) fn debts_of_unclaimed_rows(&self) -> impl Iterator<Item = ItemId> + '_ {
        self.unclaimed_rows().filter_map(|(_, row)| self.bills.get(row.bill?))
    }

    /// Debts that are open: what each is, how much, and its bills.
    pub fn open_debts(&self) -> impl Iterator<Item = (Rupiah, &[ItemId])> {
        self.open.values().map(|(open, bills)| (*open, &**bills))
    }

    /// What any decision moved or is about, and what was accepted.
    pub(super) fn decided(&self) -> impl Iterator<Item = ItemId> + '_ {
        let accepted = self.common.accepted.keys().filter_map(|leg| leg.item);
        let decided = self.common.decisions.values().flat_map(|decided| {
            let posted = decided.posted.iter().flat_map(|(debit, credit, _)| [debit.item, credit.item]);
            posted.chain([decided.debt, decided.leg.and_then(|leg| leg.item)]).flatten()
        });
        accepted.chain(decided)
    }
}

impl Known {
    /// The debt that each of those is about that can be about one, if it is.
    pub(super) fn debts_of<'k>(&'k self, brief: &'k Brief) -> impl Iterator<Item = Option<ItemId>> + 'k {
        let balances = self.balances.keys().map(|leg| leg.item.and_then(|item| brief.debt_of(item)));
        let rows = self.rows.iter().map(|(id, row)| brief.debt_of_row(*id, row));
        let payments = self.payments.values().map(|payment| payment.debt);
        let bills = self.bills.values().map(|bill| Some(bill.debt));
        balances.chain(rows).chain(payments).chain(bills).chain(self.debts.keys().map(|id| Some(*id)))
    }

    /// Everything that is known, each with the others of its place: where `place` has it, by the debt it is about, if it is about one.
    pub(super) fn divided<Place: Ord>(mut self, brief: &Brief, place: impl Fn(Option<ItemId>) -> Place) -> BTreeMap<Place, Self> {
        let mut places: BTreeMap<Place, Self> = BTreeMap::new();
        let empty = Self { began_on: self.began_on, ..Self::default() };
        macro_rules! divide {
            ($map:ident, $debt_of:expr) => {
                for (id, value) in std::mem::take(&mut self.$map) {
                    let debt: Option<ItemId> = $debt_of(&id, &value);
                    places.entry(place(debt)).or_insert_with(|| empty.clone()).$map.insert(id, value);
                }
            };
        }
        divide!(balances, |leg: &Leg, _: &_| leg.item.and_then(|item| brief.debt_of(item)));
        divide!(rows, |id: &ItemId, row: &BookedRow| brief.debt_of_row(*id, row));
        divide!(payments, |_: &ItemId, payment: &BookedPayment| payment.debt);
        divide!(bills, |_: &ItemId, bill: &super::known::BookedBill| Some(bill.debt));
        divide!(debts, |id: &ItemId, _: &_| Some(*id));
        let Self { batches, payouts, bank_lines, decisions, alarms, accepted, .. } = self;
        let common = Self { batches, payouts, bank_lines, decisions, alarms, accepted, ..Self::default() };
        if common != Self::default() {
            places.entry(place(None)).or_insert(empty).join(common);
        }
        for known in places.values_mut() {
            known.remember_aliases();
        }
        places
    }

    /// How many things are known, whatever they are.
    pub(super) fn count(&self) -> usize {
        let Self {
            began_on: _,
            bills,
            debts,
            payments,
            aliases: _,
            rows,
            batches,
            payouts,
            bank_lines,
            decisions,
            alarms,
            accepted,
            balances,
        } = self;
        let of_debts = [bills.len(), debts.len(), payments.len(), rows.len(), balances.len()];
        let of_none = [batches.len(), payouts.len(), bank_lines.len(), decisions.len(), alarms.len(), accepted.len()];
        of_debts.into_iter().chain(of_none).sum()
    }

    /// Takes what is known elsewhere of other things.
    pub fn join(&mut self, other: Self) {
        self.began_on = self.began_on.or(other.began_on);
        macro_rules! join {
            ($($map:ident)*) => {$(
                if self.$map.is_empty() {
                    self.$map = other.$map;
                } else {
                    self.$map.extend(other.$map);
                }
            )*};
        }
        join!(bills debts payments aliases rows batches payouts bank_lines decisions alarms accepted balances);
    }
}
