//! A small business to keep books for: short names for facts, months that follow one another.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use crate::books::account::Account;
use crate::books::decision::{Action, BooksDecision};
use crate::books::fact::*;
use crate::books::item::{BooksSubject, ItemId};
use crate::books::known::Known;
use crate::books::pair::Leg;
use crate::books::post::{PostedMonth, post};
use crate::books::settings::{BooksSettings, PostingPeriod};
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::{at_wib, wib_date};
use crate::domain::channel::Channel;
use crate::domain::dimensions::Dimensions;

pub(super) fn day(month: i8, day: i8) -> Date {
    date(2026, month, day)
}

pub(super) fn at(on: Date) -> Timestamp {
    at_wib(on.at(12, 0, 0, 0)).unwrap()
}

pub(super) fn month(number: i8) -> PostingPeriod {
    PostingPeriod { from: day(number, 1), to: day(number, 1).last_of_month() }
}

pub(super) fn rupiah(amount: u64) -> Amount {
    Amount::new(amount).unwrap()
}

/// A bill of no group.
pub(super) fn bill(name: &str, on: Date, amount: u64) -> BillFact {
    BillFact {
        id: ItemId::bill(name),
        debt: ItemId::debt_of(name),
        invoice_number: name.into(),
        names: Vec::new(),
        reusable: false,
        due_on: None,
        expires_on: None,
        events: vec![BillEvent { at: Some(at(on)), change: BillChange::Created(rupiah(amount)) }],
        mark: None,
        dimensions: Dimensions::default(),
    }
}

pub(super) trait Told {
    fn then(self, on: Date, change: BillChange) -> Self;
}

impl Told for BillFact {
    fn then(mut self, on: Date, change: BillChange) -> Self {
        self.events.push(BillEvent { at: Some(at(on)), change });
        self
    }
}

pub(super) fn payment(name: &str, on: Date, amount: u64, payee: Payee) -> PaymentFact {
    PaymentFact {
        id: ItemId::of(BooksSubject::Payment, &[name.as_bytes()]),
        identity: None,
        canonical: None,
        aliases: Vec::new(),
        notified: Notified::default(),
        channel: Channel::Alfa,
        amount: rupiah(amount),
        paid_at: at(on),
        payee,
        hold: None,
        only_told: false,
        class: None,
    }
}

pub(super) fn pays(name: &str, on: Date, amount: u64, invoice: &str) -> PaymentFact {
    payment(name, on, amount, Payee::Bill(ItemId::bill(invoice)))
}

/// A row without fee.
pub(super) fn row(name: &str, batch: &str, on: Date, amount: i64, kind: RowKind) -> RowFact {
    RowFact {
        codes: Vec::new(),
        number: "".into(),
        id: ItemId::of(BooksSubject::Row, &[name.as_bytes()]),
        batch: ItemId::of(BooksSubject::Batch, &[batch.as_bytes()]),
        invoice_number: "".into(),
        paid_on: None,
        bill: None,
        listed_as: "".into(),
        paid_out_on: Some(on),
        amount,
        fee: 0,
        discount: 0,
        paid_out: amount,
        shares: 0,
        kind,
    }
}

pub(super) fn settles(payment: &str) -> RowKind {
    RowKind::Of(Channel::Alfa, ItemId::of(BooksSubject::Payment, &[payment.as_bytes()]))
}

pub(super) fn decide(name: &str, on: Date, action: Action, leg: Leg, facts: Facts) -> BooksDecision {
    BooksDecision {
        id: ItemId::of(BooksSubject::Decision, &[name.as_bytes()]),
        made_at: at(on),
        effective_on: wib_date(at(on)),
        action,
        account: Some(leg.account),
        item: leg.item.unwrap(),
        amount: None,
        target: None,
        explained_as: None,
        reference: "BA-1".into(),
        facts,
    }
}

pub(super) fn debt(invoice: &str) -> Leg {
    Leg::of(Account::Receivable, ItemId::debt_of(invoice))
}

pub(super) fn on(account: Account, payment: &str) -> Leg {
    Leg::of(account, ItemId::of(BooksSubject::Payment, &[payment.as_bytes()]))
}

pub(super) fn of_decision(account: Account, name: &str) -> Leg {
    Leg::of(account, ItemId::of(BooksSubject::Decision, &[name.as_bytes()]))
}

/// Months that follow one another.
#[derive(Default)]
pub(super) struct Business {
    pub(super) settings: BooksSettings,
    pub(super) known: Known,
    pub(super) decisions: Vec<BooksDecision>,
}

impl Business {
    /// Posts a month without closing it.
    pub(super) fn run(&self, number: i8, facts: &Facts) -> PostedMonth {
        post(self.known.clone(), facts, &self.decisions, &self.settings, month(number)).unwrap()
    }

    /// Posts a month and goes on from it.
    pub(super) fn close(&mut self, number: i8, facts: &Facts) -> PostedMonth {
        let month = self.run(number, facts);
        self.known = month.known.clone();
        month
    }
}

pub(super) fn facts(bills: &[BillFact], payments: &[PaymentFact], rows: &[RowFact]) -> Facts {
    Facts { bills: bills.to_vec(), payments: payments.to_vec(), rows: rows.to_vec(), ..Facts::default() }
}

/// The balance of a leg in plain numbers: debit +, credit −.
pub(super) fn balance(known: &Known, leg: Leg) -> i128 {
    known.balance(leg).get()
}

pub(super) fn total(known: &Known, account: Account) -> i128 {
    known.totals().at(account).get()
}

pub(super) fn moved(month: &PostedMonth, account: Account) -> i128 {
    let legs = month.pairs.iter().flat_map(super::super::pair::Pair::legs);
    legs.filter(|(leg, _)| leg.account == account).map(|(_, amount)| amount).sum::<Rupiah>().get()
}
