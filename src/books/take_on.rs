//! The day before the first: what the books begin with. Bills that were open are found in the ledger; money in transit, held, credited or
//! to be refunded is told, item by item. All of it stands against `opening`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::account::{Account, Side};
use super::book::{Book, BooksError, Cause};
use super::debt::Asked;
use super::fact::{BillEvent, BillFact, Notified, Payee, PaymentFact};
use super::item::{BooksSubject, ItemId};
use super::known::{AppliedMoney, BatchDay, BookedBankLine, BookedBatch, BookedPayment, Known, Payout};
use super::movement::Movement;
use super::pair::Leg;
use super::post::PostedMonth;
use super::settings::{BooksSettings, PostingPeriod};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::{at_wib, wib_date};
use crate::domain::channel::Channel;
use crate::domain::digest::Digest;

/// The content of a payment that was told in short: the first evidence of it stands for it from then on.
pub(super) const TAKEN_ON: Digest = [0; 32];

/// One item to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOn {
    /// On which account: doku, direct, payouts, suspense, deposits or refunds due.
    pub account: Account,
    /// The item.
    pub item: ItemId,
    /// The rupiah on the account's normal side.
    pub amount: Rupiah,
    /// Its original WIB day.
    pub on: Date,
    /// Of a payment: where it was made.
    pub channel: Option<Channel>,
    /// Of a pay-out: its batch, and the batch's name.
    pub batch: Option<(ItemId, Box<str>)>,
}

/// Begins the books on `from`. `bills` is the ledger's list; bills made before `from` and neither paid by its word nor cancelled before
/// open at what they asked for, less what the ledger knows was paid for them before (`paid`).
///
/// # Errors
/// [`BooksError`]: an item that cannot be taken on.
pub fn begin(
    bills: &[BillFact],
    paid: &[PaymentFact],
    items: &[TakenOn],
    settings: &BooksSettings,
    from: Date,
) -> Result<PostedMonth, BooksError> {
    let eve = from.yesterday().unwrap_or(Date::MIN);
    let period = PostingPeriod { from: eve, to: eve };
    let mut book = Book::open(Known { began_on: Some(from), ..Known::default() }, settings, period);
    let paid_bills: BTreeSet<ItemId> = paid
        .iter()
        .filter(|payment| payment.day() < from)
        .filter_map(|payment| if let Payee::Bill(bill) = payment.payee { Some(bill) } else { None })
        .collect();
    // A bill that does not say since when is of before if it was paid then.
    let is_old = |bill: &&BillFact| is_before(bill, from) || (is_undated(bill) && paid_bills.contains(&bill.id));
    let mut old: Vec<&BillFact> = bills.iter().filter(is_old).collect();
    old.sort_by_key(|bill| bill.id);
    for bill in &old {
        book.know(bill, from);
    }
    // A bill that is listed twice under two groups is of the first.
    let debts: BTreeSet<ItemId> = book.known.bills.values().map(|bill| bill.debt).collect();
    let mut before: Vec<&PaymentFact> = paid.iter().filter(|payment| payment.day() < from).collect();
    before.sort_by_key(|payment| (payment.paid_at, payment.identity, payment.id));
    for payment in before {
        book.know_before(payment);
    }
    let mut bills_of: BTreeMap<ItemId, Vec<&BillFact>> = BTreeMap::new();
    for bill in old {
        bills_of.entry(bill.debt).or_default().push(bill);
    }
    debts.into_iter().try_for_each(|debt| book.begin_debt(debt, bills_of.get(&debt).map_or(&[], Vec::as_slice), from))?;
    items.iter().try_for_each(|item| book.begin_item(item))?;
    let Book { pairs, known, aside, allocations, .. } = book;
    let (opening, handed) = Default::default();
    Ok(PostedMonth { period, opening, pairs, allocations, known, aside, handed, is_apart: false })
}

fn is_before(bill: &BillFact, from: Date) -> bool {
    bill.events.first().and_then(|event| event.at).is_some_and(|at| wib_date(at) < from)
}

fn is_undated(bill: &BillFact) -> bool {
    bill.events.first().is_none_or(|event| event.at.is_none())
}

impl Book<'_> {
    /// What a bill was on the eve.
    fn know(&mut self, fact: &BillFact, from: Date) {
        self.meet(fact);
        let Some(bill) = self.known.bills.get_mut(&fact.id) else { return };
        let is_of_before = |event: &&BillEvent| event.at.map_or(is_undated(fact), |at| wib_date(at) < from);
        bill.events.extend(fact.events.iter().filter(is_of_before));
        let asked = Asked::after(bill.events.iter().map(|event| event.change));
        (bill.amount, bill.is_live) = (asked.rupiah(), asked.is_live);
    }

    /// A payment of a day before: its debt was paid by it then.
    fn know_before(&mut self, fact: &PaymentFact) {
        let Payee::Bill(bill) = fact.payee else { return };
        let Some(debt) = self.known.bills.get(&bill).map(|bill| bill.debt) else { return };
        if self.known.payments.contains_key(&fact.id) {
            return;
        }
        self.know_payment(fact.id, fact, Some(debt));
        if let Some(debt) = self.known.debts.get_mut(&debt) {
            debt.payments.push(fact.id);
        }
    }

    /// A row pays what was paid before the books began: its money was on its way then.
    pub(super) fn take_on_late(&mut self, id: ItemId) -> Result<(), BooksError> {
        let Some(payment) = self.known.payments.get_mut(&id).filter(|payment| payment.is_before_books) else { return Ok(()) };
        payment.is_before_books = false;
        let (own, amount, on) = (Leg::of(payment.account, id), payment.amount, wib_date(payment.paid_at));
        let cause = Cause { on, ..Cause::concluded("taken on", &[id], on) };
        self.move_to(own, Leg::total(Account::Opening), amount, Movement::TakenOn, cause)
    }

    /// `bills`: those of before that are part of it.
    fn begin_debt(&mut self, id: ItemId, bills: &[&BillFact], from: Date) -> Result<(), BooksError> {
        let was_paid = bills.iter().filter_map(|bill| bill.mark?.at).any(|at| wib_date(at) < from);
        let debt = self.debt(id)?;
        let live = debt.bills.iter().filter_map(|bill| self.known.bills.get(bill)).filter(|bill| bill.is_live);
        let asked = live.map(|bill| bill.amount).max().filter(|_| !was_paid && !debt.is_reusable);
        let is_reusable = debt.is_reusable;
        let amount = |payment: &ItemId| Some((*payment, self.known.payments.get(payment)?.amount));
        let paid: Vec<(ItemId, Rupiah)> = debt.payments.iter().filter_map(amount).collect();
        let debt = self.debt_mut(id)?;
        let Some(asked) = asked else {
            debt.is_before_books = !is_reusable;
            return Ok(());
        };
        debt.due = asked;
        for (payment, amount) in paid {
            let (from, back) = (Leg::total(Account::Opening), Leg::of(Account::Suspense, payment));
            let taken = amount.min(debt.open());
            if taken > Rupiah::ZERO {
                debt.applied.push(AppliedMoney { from, back, amount: taken });
            }
        }
        let asked = debt.open();
        let made = bills.iter().filter_map(|bill| bill.events.first()?.at).min();
        let cause = Cause { on: made.map_or(self.period.to, wib_date), ..Cause::concluded("taken on", &[id], self.period.to) };
        self.move_to(Leg::of(Account::Receivable, id), Leg::total(Account::Opening), asked, Movement::TakenOn, cause)
    }

    fn begin_item(&mut self, taken: &TakenOn) -> Result<(), BooksError> {
        let TakenOn { account, item, amount, on, .. } = *taken;
        let missing = BooksError::Missing { what: "where it belongs: the channel of a payment, the batch of a pay-out, for", id: item };
        match item.subject() {
            BooksSubject::Payment => {
                let channel = taken.channel.ok_or(missing)?;
                let paid_at = at_wib(on.at(12, 0, 0, 0)).unwrap_or_default();
                let payment = self.known.payments.entry(item).or_insert_with(|| BookedPayment {
                    identity: None,
                    notified: Notified::default(),
                    is_before_books: false,
                    channel,
                    amount: Rupiah::ZERO,
                    paid_at,
                    content: TAKEN_ON,
                    payee: Payee::Nobody,
                    hold: None,
                    only_told: false,
                    class: None,
                    debt: None,
                    account: Account::Doku,
                    held_as: item,
                    row: None,
                    canonical: None,
                    aliases: Vec::new(),
                });
                if matches!(account, Account::Doku | Account::Direct) {
                    let told = if payment.is_before_books { amount } else { payment.amount.plus(amount) };
                    (payment.account, payment.amount, payment.is_before_books) = (account, told, false);
                }
            }
            BooksSubject::Payout => {
                let (id, name) = taken.batch.clone().ok_or(missing)?;
                self.known.payouts.insert(item, Payout { batch: id, on });
                let batch = self.known.batches.entry(id).or_insert_with(|| BookedBatch { name, ..BookedBatch::default() });
                batch.days.insert(on, BatchDay { column: amount, posted: amount, ..BatchDay::default() });
            }
            BooksSubject::BankLine => drop(self.known.bank_lines.insert(item, BookedBankLine { on, amount })),
            BooksSubject::Row | BooksSubject::Decision => {}
            BooksSubject::Bill
            | BooksSubject::Event
            | BooksSubject::Debt
            | BooksSubject::Batch
            | BooksSubject::Alarm
            | BooksSubject::Books => return Err(missing),
        }
        let cause = Cause { on, ..Cause::concluded("taken on", &[item], self.period.to) };
        let (own, opening) = (Leg::of(account, item), Leg::total(Account::Opening));
        match account.info().side {
            Side::Debit => self.move_to(own, opening, amount, Movement::TakenOn, cause),
            Side::Credit => self.move_to(opening, own, amount, Movement::TakenOn, cause),
        }
    }
}
