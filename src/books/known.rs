//! What the books know of each thing they have posted: what a month hands on to the next, settled or not.
//!
//! A debt's balance can be read from here without any posting: what it asks for, less what was applied, less what was taken off. The
//! identities hold this against the postings.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::account::{Account, PerAccount};
pub use super::booked_settlement::{BatchDay, BookedBatch, BookedRow, Payout, RowState, Unposted};
pub use super::debt::{AppliedMoney, Debt};
use super::decision::{Action, PostingRefusal};
use super::fact::{BillEvent, Notified, Payee, PaymentHold};
use super::item::{BooksSubject, ItemId};
use super::movement::Movement;
use super::pair::Leg;
use super::ways_off::WayOff;
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::classify::Class;
use crate::domain::digest::Digest;
use crate::domain::dimensions::Dimensions;

/// A bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookedBill {
    /// What it is part of.
    pub debt: ItemId,
    /// Its invoice number.
    pub invoice_number: Box<str>,
    /// Every code and number it is known by.
    pub names: Vec<Box<str>>,
    /// When it is due.
    pub due_on: Option<Date>,
    /// When its last code expires.
    pub expires_on: Option<Date>,
    /// What has happened to it, each with its time.
    pub events: Vec<BillEvent>,
    /// What it asks for.
    pub amount: Rupiah,
    /// Whether it asks for anything.
    pub is_live: bool,
    /// Branch, agent, product.
    pub dimensions: Dimensions,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookedPayment {
    /// What makes it this payment, in full; none where it was only told.
    #[serde(with = "crate::domain::digest::as_hex_or_none")]
    pub identity: Option<Digest>,
    /// What it would be called however its message was written, where that is something else.
    #[serde(default, with = "crate::domain::digest::as_hex_or_none")]
    pub canonical: Option<Digest>,
    /// What it was paid as.
    pub notified: Notified,
    /// Whether it was made, and its debt paid by it, before the books began. It stands on no account unless its money proves to have
    /// been on its way then.
    pub is_before_books: bool,
    /// Where.
    pub channel: Channel,
    /// How much; after a correction, what is right.
    pub amount: Rupiah,
    /// When.
    pub paid_at: Timestamp,
    /// What it said when it was posted.
    #[serde(with = "crate::domain::digest::as_hex")]
    pub content: Digest,
    /// Whose it is.
    pub payee: Payee,
    /// Why it waits.
    pub hold: Option<PaymentHold>,
    /// Whether only Check Status tells of it.
    pub only_told: bool,
    /// The class of what is wrong with it, as the run told that brought it.
    #[serde(default)]
    pub class: Option<Class>,
    /// The debt it is for.
    pub debt: Option<ItemId>,
    /// Where it stands until it is paid out: doku or direct.
    pub account: Account,
    /// The item under which its money stands in suspense: its own, or that of the row it took over.
    pub held_as: ItemId,
    /// The row that settled it.
    pub row: Option<ItemId>,
    /// Other ids it is known by.
    pub aliases: Vec<ItemId>,
}

/// A line of a bank statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookedBankLine {
    /// Its value date.
    pub on: Date,
    /// What the account received.
    pub amount: Rupiah,
}

/// What a decision posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// What was done.
    pub action: Action,
    /// Its day.
    pub on: Date,
    /// On which item of which account; none for alarms and `reopen`.
    pub leg: Option<Leg>,
    /// The debt it changed.
    pub debt: Option<ItemId>,
    /// The pairs: debit, credit, amount.
    pub posted: Vec<(Leg, Leg, Rupiah)>,
    /// What it changed of what had been taken off the debt: + taken off, − restored.
    pub taken_off: Vec<(WayOff, Rupiah)>,
    /// What it applied to the debt: + applied, − taken from it.
    pub applied: Vec<AppliedMoney>,
    /// Why it moved nothing.
    pub refused: Option<PostingRefusal>,
    /// Whether it was taken back.
    pub is_taken_back: bool,
}

impl Decided {
    /// What it moved, all told.
    #[must_use]
    pub fn moved(&self) -> Rupiah {
        self.posted.iter().map(|(.., amount)| *amount).sum::<Rupiah>().minus(self.let_go())
    }

    /// Of a decision that takes another back: how much money that was held goes to the debt that is open again by that.
    #[must_use]
    pub fn let_go(&self) -> Rupiah {
        let is_of = |debit: &Leg, credit: &Leg| (debit.account, credit.account) == (Account::Suspense, Account::Receivable);
        let posted = self.posted.iter().filter(|(debit, credit, _)| self.action == Action::Reopen && is_of(debit, credit));
        posted.map(|(.., amount)| *amount).sum()
    }
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// Its class.
    pub class: Box<str>,
    /// The day it is of.
    pub on: Date,
    /// How many rupiah are at stake.
    pub at_stake: Rupiah,
    /// The invoice number it is about, and the code; empty where it has none.
    #[serde(default)]
    pub invoice_number: Box<str>,
    /// See above.
    #[serde(default)]
    pub payment_code: Box<str>,
    /// The channel, if it is of one.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// The fact that answers it.
    pub answered_by: Option<ItemId>,
    /// The decision that accepts it.
    pub accepted_by: Option<ItemId>,
}

/// What is open on an item, with the way it came there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Debit +, credit −; never zero.
    pub amount: Rupiah,
    /// The original date of what opened it.
    pub since: Date,
    /// The day of the last movement.
    pub moved_on: Date,
    /// The last movement.
    pub moved_by: Movement,
    /// What caused it.
    pub cause: ItemId,
}

/// That an open item may stay as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The decision.
    pub decision: ItemId,
    /// The balance it was made on.
    pub amount: Rupiah,
}

/// Everything the books know at the end of a month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The first day of the books.
    pub began_on: Option<Date>,
    /// Bills by id.
    pub bills: BTreeMap<ItemId, BookedBill>,
    /// Debts by id.
    pub debts: BTreeMap<ItemId, Debt>,
    /// Payments by id.
    pub payments: BTreeMap<ItemId, BookedPayment>,
    /// Other ids of payments.
    pub aliases: BTreeMap<ItemId, ItemId>,
    /// Settlement rows by id.
    pub rows: BTreeMap<ItemId, BookedRow>,
    /// Batches by id.
    pub batches: BTreeMap<ItemId, BookedBatch>,
    /// Pay-outs by id.
    pub payouts: BTreeMap<ItemId, Payout>,
    /// Bank lines by id.
    pub bank_lines: BTreeMap<ItemId, BookedBankLine>,
    /// Decisions by id.
    pub decisions: BTreeMap<ItemId, Decided>,
    /// Alarms by id.
    pub alarms: BTreeMap<ItemId, Alarm>,
    /// Accepted items.
    pub accepted: BTreeMap<Leg, Accepted>,
    /// Every balance that is not zero.
    pub balances: BTreeMap<Leg, Open>,
}

impl Known {
    /// What the bills of a debt are broken down by: as the first of them says that says anything.
    #[must_use]
    pub fn dimensions_of(&self, debt: ItemId) -> Option<&Dimensions> {
        let bills = self.debts.get(&debt).into_iter().flat_map(|debt| &debt.bills).filter_map(|bill| self.bills.get(bill));
        bills.map(|bill| &bill.dimensions).find(|dimensions| !dimensions.is_empty())
    }

    /// The balance of a leg: debit +, credit −.
    #[must_use]
    pub fn balance(&self, leg: Leg) -> Rupiah {
        self.balances.get(&leg).map_or(Rupiah::ZERO, |open| open.amount)
    }

    /// The balance of a leg of an account whose normal side is credit: what we owe.
    #[must_use]
    pub fn held(&self, leg: Leg) -> Rupiah {
        Rupiah::ZERO.minus(self.balance(leg))
    }

    /// The id a payment is kept under.
    #[must_use]
    pub fn payment_id(&self, id: ItemId) -> ItemId {
        self.aliases.get(&id).copied().unwrap_or(id)
    }

    /// Whether the books know what an item of an account is about.
    #[must_use]
    pub fn has(&self, leg: Leg) -> bool {
        leg.item.is_some_and(|id| match id.subject() {
            BooksSubject::Debt => self.debts.contains_key(&id),
            BooksSubject::Payment => self.payments.contains_key(&self.payment_id(id)),
            BooksSubject::Row => self.rows.contains_key(&id),
            BooksSubject::Batch => self.batches.contains_key(&id),
            BooksSubject::Payout => self.payouts.contains_key(&id),
            BooksSubject::BankLine => self.bank_lines.contains_key(&id),
            BooksSubject::Decision => self.decisions.contains_key(&id),
            BooksSubject::Bill | BooksSubject::Event | BooksSubject::Alarm | BooksSubject::Books => false,
        })
    }

    /// The balance of every account: debit +, credit −.
    #[must_use]
    pub fn totals(&self) -> PerAccount<Rupiah> {
        let mut totals = PerAccount::<Rupiah>::default();
        for (leg, open) in &self.balances {
            let total = totals.at(leg.account);
            *total = total.plus(open.amount);
        }
        totals
    }

    /// The payments in suspense that no bill is known of: every run looks for theirs anew.
    pub fn orphans(&self) -> impl Iterator<Item = (&ItemId, &BookedPayment)> {
        let is_held = |payment: &BookedPayment| self.held(Leg::of(Account::Suspense, payment.held_as)) > Rupiah::ZERO;
        self.payments.iter().filter(move |(_, payment)| payment.debt.is_none() && is_held(payment))
    }

    /// What stands in suspense of settlement rows that name a bill, by the debt it is part of: money of the debt that waits to be told as a payment.
    #[must_use]
    pub fn rows_waiting(&self) -> BTreeMap<ItemId, Vec<(Leg, Rupiah)>> {
        let mut waiting: BTreeMap<ItemId, Vec<(Leg, Rupiah)>> = BTreeMap::new();
        for (id, row) in self.rows.iter().filter(|(_, row)| row.state == RowState::Suspense) {
            let (leg, debt) = (Leg::of(Account::Suspense, *id), row.bill.and_then(|bill| self.bills.get(&bill)).map(|bill| bill.debt));
            if let (Some(debt), held) = (debt, self.held(leg))
                && held > Rupiah::ZERO
            {
                waiting.entry(debt).or_default().push((leg, held));
            }
        }
        waiting
    }

    /// The settlement rows in suspense: every run looks for their payments anew.
    pub fn unclaimed_rows(&self) -> impl Iterator<Item = (&ItemId, &BookedRow)> {
        self.rows
            .iter()
            .filter(|(id, row)| row.state == RowState::Suspense && self.balances.contains_key(&Leg::of(Account::Suspense, **id)))
    }
}
