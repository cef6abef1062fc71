//! What the books of a report know of a bill, a code or an item: also for bills of another system, and for months that are closed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::books::fact::{BillChange, PaymentHold};
use crate::books::known::{BookedBill, BookedPayment, Decided, Known};
use crate::books::{Account, Action, BooksSubject, ItemId, Leg, PostingRefusal};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::{end_of_wib_day, start_of_wib_day};
use crate::domain::channel::Channel;

/// What happened, by the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BooksHappening {
    /// To a bill with this invoice number.
    Bill(Box<str>, BillChange),
    /// Money came.
    Paid {
        /// How much.
        amount: Rupiah,
        /// Where.
        channel: Channel,
        /// Why it waits although its bill is known.
        hold: Option<PaymentHold>,
        /// Whether nobody's bill is known for it.
        is_orphan: bool,
    },
    /// DOKU paid it out.
    PaidOut(Rupiah),
    /// Somebody decided.
    Decided {
        /// What.
        action: Action,
        /// How much it moved.
        moved: Rupiah,
        /// Of a decision that was taken back: how much of the money that was held went to the bill again by that.
        applied: Rupiah,
        /// Why it moved nothing.
        refused: Option<PostingRefusal>,
        /// Whether it was taken back.
        is_taken_back: bool,
    },
}

/// What some names lead to: invoice numbers, codes, or items' ids.
#[derive(Debug, Default)]
pub(super) struct NamedInBooks {
    pub(super) debts: BTreeSet<ItemId>,
    pub(super) payments: BTreeSet<ItemId>,
    rows: BTreeSet<ItemId>,
    decisions: BTreeSet<ItemId>,
    alarms: BTreeSet<ItemId>,
}

impl NamedInBooks {
    pub(super) fn of(known: &Known, names: &BTreeSet<String>) -> Self {
        let mut about = Self::default();
        let keys = |name: &String| BooksSubject::ALL.into_iter().filter_map(|subject| ItemId::with_key(subject, name)).collect::<Vec<_>>();
        let ids: BTreeSet<ItemId> = names.iter().flat_map(keys).chain(names.iter().filter_map(|name| ItemId::parse(name))).collect();
        let is_named = |text: &str| names.contains(text);
        let has_code = |bill: &BookedBill| bill.names.iter().filter_map(|one| one.split_once('/')).any(|(_, code)| is_named(code));
        let bills = known.bills.iter().filter(|(id, bill)| is_named(&bill.invoice_number) || has_code(bill) || ids.contains(id));
        about.debts.extend(bills.map(|(_, bill)| bill.debt));
        about.debts.extend(known.debts.keys().filter(|id| ids.contains(id)));
        let notified = |payment: &BookedPayment| is_named(&payment.notified.invoice_number) || is_named(&payment.notified.payment_code);
        for (id, payment) in known.payments.iter().filter(|(id, payment)| ids.contains(id) || notified(payment)) {
            about.payments.insert(*id);
            about.debts.extend(payment.debt);
        }
        let rows = known.rows.iter().filter(|(id, row)| ids.contains(id) || is_named(&row.listed_as) || is_named(&row.invoice_number));
        about.rows.extend(rows.map(|(id, _)| *id));
        let of_debts = about.debts.iter().filter_map(|debt| known.debts.get(debt)).flat_map(|debt| &debt.payments);
        about.payments.extend(of_debts.copied().collect::<Vec<_>>());
        let paid: Vec<&BookedPayment> = about.payments.iter().filter_map(|id| known.payments.get(id)).collect();
        let held = paid.iter().map(|payment| payment.held_as).filter(|item| item.subject() == BooksSubject::Row);
        about.rows.extend(paid.iter().filter_map(|payment| payment.row).chain(held));
        let alarms = known.alarms.iter().filter(|(id, alarm)| ids.contains(id) || is_named(&alarm.invoice_number));
        about.alarms.extend(alarms.map(|(id, _)| *id));
        about.decided(known, &ids);
        about
    }

    /// What was decided about any of it, and about what became of that.
    fn decided(&mut self, known: &Known, ids: &BTreeSet<ItemId>) {
        loop {
            let is_of = |decided: &Decided| {
                let legs = decided.posted.iter().flat_map(|(debit, credit, _)| [*debit, *credit]).chain(decided.leg);
                decided.debt.is_some_and(|debt| self.has(debt)) || legs.filter_map(|leg| leg.item).any(|item| self.has(item))
            };
            let more = known.decisions.iter().filter(|(id, decided)| !self.decisions.contains(id) && (ids.contains(id) || is_of(decided)));
            let more: Vec<ItemId> = more.map(|(id, _)| *id).collect();
            if more.is_empty() {
                return;
            }
            self.decisions.extend(more);
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        [&self.debts, &self.payments, &self.rows, &self.decisions, &self.alarms].into_iter().all(BTreeSet::is_empty)
    }

    pub(super) fn codes(&self, known: &Known) -> Vec<String> {
        let names = self.bills(known).flat_map(|bill| &bill.names);
        let codes: BTreeSet<&str> = names.map(|name| name.split_once('/').map_or(&**name, |(_, code)| code)).collect();
        codes.into_iter().map(str::to_owned).collect()
    }

    pub(super) fn bills<'k>(&'k self, known: &'k Known) -> impl Iterator<Item = &'k BookedBill> {
        let debts = self.debts.iter().filter_map(|debt| known.debts.get(debt));
        debts.flat_map(|debt| &debt.bills).filter_map(|bill| known.bills.get(bill))
    }

    pub(super) fn has(&self, item: ItemId) -> bool {
        let of = match item.subject() {
            BooksSubject::Debt => &self.debts,
            BooksSubject::Payment => &self.payments,
            BooksSubject::Row => &self.rows,
            BooksSubject::Decision => &self.decisions,
            BooksSubject::Alarm => &self.alarms,
            _ => return false,
        };
        of.contains(&item)
    }

    pub(super) fn told(&self, known: &Known) -> Vec<(Timestamp, BooksHappening)> {
        let ends = |on: Date| end_of_wib_day(on).unwrap_or(Timestamp::MAX);
        let mut told: Vec<(Timestamp, BooksHappening)> = Vec::new();
        for bill in self.bills(known) {
            let entry = |change: BillChange| BooksHappening::Bill(bill.invoice_number.clone(), change);
            told.extend(bill.events.iter().map(|event| (event.at.unwrap_or(Timestamp::MAX), entry(event.change))));
        }
        for payment in self.payments.iter().filter_map(|id| known.payments.get(id)) {
            let (amount, channel, hold) = (payment.amount, payment.channel, payment.hold);
            told.push((payment.paid_at, BooksHappening::Paid { amount, channel, hold, is_orphan: payment.debt.is_none() }));
        }
        let rows = self.rows.iter().filter_map(|id| known.rows.get(id));
        told.extend(rows.map(|row| (start_of_wib_day(row.paid_out_on).unwrap_or(Timestamp::MAX), BooksHappening::PaidOut(row.gross))));
        told.extend(
            self.decisions.iter().filter_map(|id| known.decisions.get(id)).map(|decided| (ends(decided.on), BooksHappening::of(decided))),
        );
        told.sort_by_key(|(at, _)| *at);
        told
    }

    pub(super) fn open(&self, known: &Known) -> Vec<(Account, Rupiah)> {
        let is_of = |leg: &Leg| leg.item.is_some_and(|item| self.has(item));
        let mut sums: BTreeMap<Account, Rupiah> = BTreeMap::new();
        for (leg, open) in known.balances.iter().filter(|(leg, _)| is_of(leg)) {
            let sum = sums.entry(leg.account).or_default();
            *sum = sum.plus(open.amount);
        }
        sums.into_iter().filter(|(_, sum)| *sum != Rupiah::ZERO).collect()
    }
}

impl BooksHappening {
    fn of(decided: &Decided) -> Self {
        let Decided { action, refused, is_taken_back, .. } = *decided;
        Self::Decided { action, moved: decided.moved(), applied: decided.let_go(), refused, is_taken_back }
    }
}
