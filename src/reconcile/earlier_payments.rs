//! Payments of earlier months, as the books handed them on: what covers a bill although this evidence does not tell of it, and money
//! without a bill, whose bill every run looks for anew.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::bills::{BillMatch, Bills, TooMany};
use super::known_payments::KnownPayment;
use super::new_bill::{FormerCode, NewBill};
use crate::books::fact::{BillChange, Payee};
use crate::books::known::{BookedBill, BookedPayment, Known, RowState};
use crate::books::ways_off::WayOff;
use crate::books::{Account, ItemId};
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::end_of_wib_day;
use crate::domain::channel::Channel;
use crate::domain::digest::Digest;
use crate::domain::payment::{PaymentContent, Sameness};

/// A payment of an earlier month without a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Its item.
    pub id: ItemId,
    /// The item under which its money stands in suspense, as long as it does.
    pub held_as: ItemId,
    /// What makes it this payment.
    pub identity: Digest,
    /// What tells it from others, however its message is written.
    pub sameness: Sameness,
    /// As notified.
    pub invoice_number: Box<str>,
    /// As notified.
    pub payment_code: Box<str>,
    /// Where.
    pub channel: Channel,
    /// Rupiah.
    pub amount: u64,
    /// When.
    pub paid_at: Timestamp,
    /// The bill its ids lead to by now.
    pub bill: Option<u32>,
    /// Whether this evidence tells of it, too; found out by reconciling.
    pub is_proved: bool,
}

/// A bill that the books know and the ledger lists no more: what comes of it now is its money all the same.
#[derive(Clone, Debug)]
struct UnlistedBill {
    id: ItemId,
    bill: BookedBill,
    channel: Channel,
    amount: Amount,
    is_reusable: bool,
}

impl UnlistedBill {
    /// If it ever had a code, by which it could be paid. One that asks for nothing any more asks for what it last did.
    fn of(id: ItemId, bill: &BookedBill) -> Option<Self> {
        let (channel, _) = bill.names.iter().find_map(|name| name.split_once('/'))?;
        let asked = || bill.events.iter().rev().find_map(|event| event.change.asks_for());
        let amount = u64::try_from(bill.amount.get()).ok().and_then(|amount| Amount::new(amount).ok()).or_else(asked)?;
        Some(Self { id, bill: bill.clone(), channel: Channel::parse(channel)?, amount, is_reusable: false })
    }

    /// As the books know it: to the day where a ledger would say more.
    fn join(&self, bills: &mut Bills) -> Result<u32, TooMany> {
        let Self { id, bill, channel, amount, is_reusable } = self;
        let mut codes = bill.names.iter().filter_map(|name| name.split_once('/')).map(|(_, code)| code);
        let payment_code = codes.next();
        let former = codes.map(|code| FormerCode {
            wire_invoice_number: &bill.invoice_number,
            payment_code: Some(code),
            created_at: None,
            expires_at: None,
        });
        let cancelled = bill.events.iter().rev().find(|event| event.change == BillChange::Cancelled);
        let new = NewBill {
            payment_code,
            former: &former.collect::<Vec<_>>(),
            reusable: *is_reusable,
            created_at: bill.events.first().and_then(|event| event.at),
            expires_at: bill.expires_on.and_then(end_of_wib_day),
            cancelled_at: cancelled.filter(|_| !bill.is_live).and_then(|event| event.at),
            ..NewBill::of(&bill.invoice_number, *channel, *amount)
        };
        bills.push_unlisted(&new, *id)
    }
}

/// What the books know of payments, as far as it is no news: those of bills, and those without one. Payments that the ledger itself knows
/// are left to it.
#[derive(Debug)]
pub struct Carried<'a> {
    bills: &'a Bills,
    told: HashSet<&'a Digest>,
    /// What this evidence names and the ledger does not list.
    sought: HashSet<&'a str>,
    unlisted: Vec<UnlistedBill>,
    /// The bills of the ledger, and after them those it does not list, by what the books know them as.
    numbers: HashMap<ItemId, u32>,
    /// Bills that are listed in another group than the books have billed them in, each with its debt.
    regrouped: Vec<(u32, ItemId)>,
    covering: Vec<KnownPayment>,
    orphans: Vec<Orphan>,
    /// Bills whose mark nothing has proved: what comes of them is its proof.
    unproven: HashSet<u32>,
    /// Settlement rows without a payment, by the bill they name.
    rows: HashMap<ItemId, u32>,
    /// Bills whose row waits in suspense: DOKU's own word that they were paid.
    waited_for: HashSet<u32>,
}

/// What the books say of payments before this month.
#[derive(Debug)]
pub struct PaidBefore {
    unlisted: Vec<UnlistedBill>,
    regrouped: Vec<(u32, ItemId)>,
    covering: Vec<KnownPayment>,
    orphans: Vec<Orphan>,
    unproven: HashSet<u32>,
    rows: HashMap<ItemId, u32>,
    waited_for: HashSet<u32>,
}

/// Money of earlier months that still looks for what it is of.
#[derive(Debug, Default)]
pub struct WaitingMoney {
    /// Payments without a bill.
    pub orphans: Vec<Orphan>,
    /// Bills whose settlement row waits in suspense.
    pub waited_for: HashSet<u32>,
    /// Settlement rows without a payment, by the bill they name.
    pub bills_of_rows: HashMap<ItemId, u32>,
    /// How many bills are listed in another group than the books have billed them in, where they stay.
    pub regrouped: usize,
}

impl PaidBefore {
    /// Adds bills to `bills`, and the payments of bills to `known`, in order; gives what is of none. Marks that the books hold for unproven
    /// are noted.
    ///
    /// # Errors
    /// [`TooMany`] bills.
    pub fn join(self, bills: &mut Bills, known: &mut Vec<KnownPayment>) -> Result<WaitingMoney, TooMany> {
        for unlisted in &self.unlisted {
            unlisted.join(bills)?;
        }
        if !self.unlisted.is_empty() {
            bills.build_index();
        }
        for mark in known.iter_mut().filter(|one| one.is_mark()) {
            mark.is_unproven = self.unproven.contains(&mark.bill);
        }
        // Millions are not copied for the few that an external ledger knows.
        let mut all = self.covering;
        all.append(known);
        all.sort_unstable();
        *known = all;
        bills.stay_in(&self.regrouped);
        let (regrouped, bills_of_rows) = (self.regrouped.len(), self.rows);
        Ok(WaitingMoney { orphans: self.orphans, waited_for: self.waited_for, bills_of_rows, regrouped })
    }
}

impl<'a> Carried<'a> {
    /// Nothing yet. `sought` are the numbers and codes that this evidence names, and of which the ledger has no bill.
    #[must_use]
    pub fn of(bills: &'a Bills, ledger: &'a [KnownPayment], sought: HashSet<&'a str>) -> Self {
        let told = ledger.iter().filter(|payment| payment.in_ledger).map(|payment| &payment.identity).collect();
        Self {
            bills,
            told,
            sought,
            unlisted: Vec::new(),
            regrouped: Vec::new(),
            numbers: HashMap::new(),
            covering: Vec::new(),
            orphans: Vec::new(),
            unproven: HashSet::new(),
            rows: HashMap::new(),
            waited_for: HashSet::new(),
        }
    }

    /// Takes what the books know; of bills before it is asked of their payments.
    pub fn learn(&mut self, known: &Known) {
        let bills = self.bills;
        for (id, bill) in &known.bills {
            let number = number_of(bills, bill).or_else(|| self.unlisted(*id, bill));
            self.numbers.extend(number.map(|number| (*id, number)));
            let is_moved = |number: &u32| bills.debt_of_group(*number).is_some_and(|debt| debt != bill.debt);
            self.regrouped.extend(number.filter(is_moved).map(|number| (number, bill.debt)));
        }
        for (id, debt) in known.debts.iter().filter(|(_, debt)| debt.bills.len() > 1) {
            let numbers = debt.bills.iter().filter_map(|bill| self.numbers.get(bill).copied());
            // The codes of one invoice are owed once without being a group.
            let is_left = |number: &u32| bills.debt_of_group(*number).is_none() && ItemId::debt_of(bills.invoice_number(*number)) != *id;
            self.regrouped.extend(numbers.filter(is_left).map(|number| (number, *id)));
        }
        for bill in known.debts.values().filter(|debt| debt.is_reusable).flat_map(|debt| &debt.bills) {
            let place = self.numbers.get(bill).and_then(|number| usize::try_from(*number).ok()?.checked_sub(bills.len()));
            place.and_then(|place| self.unlisted.get_mut(place)).into_iter().for_each(|bill| bill.is_reusable = true);
        }
        let unproven = known.debts.values().filter(|debt| debt.off(WayOff::Unproven) > Rupiah::ZERO);
        self.unproven.extend(unproven.flat_map(|debt| &debt.bills).filter_map(|bill| self.numbers.get(bill)));
        let waiting = known.rows.iter().filter(|(_, row)| row.state == RowState::Suspense && row.gross > Rupiah::ZERO);
        self.rows.extend(waiting.filter_map(|(id, row)| Some((*id, *self.numbers.get(&row.bill?)?))));
        let held = known.balances.iter().filter(|(leg, open)| leg.account == Account::Suspense && open.amount < Rupiah::ZERO);
        self.waited_for.extend(held.filter_map(|(leg, _)| self.rows.get(&leg.item?)));
        for (id, payment) in &known.payments {
            let Some((identity, amount)) = payment.identity.zip(u64::try_from(payment.amount.get()).ok()) else { continue };
            match payment.payee {
                Payee::Bill(bill) if !self.told.contains(&identity) => {
                    self.covering.extend(self.numbers.get(&bill).map(|bill| KnownPayment {
                        bill: *bill,
                        paid_at: payment.paid_at,
                        identity,
                        amount,
                        sameness: sameness(payment, (bills.invoice_number(*bill), bills.payment_code(*bill)), identity, amount),
                        in_ledger: false,
                        is_unproven: false,
                        is_proved: false,
                    }));
                }
                Payee::Bill(_) => {}
                Payee::Nobody | Payee::Disagreeing | Payee::Ambiguous => self.orphans.extend(orphan(bills, *id, payment, identity, amount)),
            }
        }
    }

    /// The number of a bill that the ledger lists no more, if this evidence is about it.
    fn unlisted(&mut self, id: ItemId, bill: &BookedBill) -> Option<u32> {
        let mut names = bill.names.iter().filter_map(|name| name.split_once('/')).map(|(_, code)| code).chain([&*bill.invoice_number]);
        if self.bills.numbered(&bill.invoice_number).next().is_some() || !names.any(|name| self.sought.contains(name)) {
            return None;
        }
        let number = self.bills.len().checked_add(self.unlisted.len()).and_then(|number| u32::try_from(number).ok())?;
        self.unlisted.push(UnlistedBill::of(id, bill)?);
        Some(number)
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> PaidBefore {
        self.orphans.sort_by_key(|orphan| orphan.id);
        PaidBefore {
            unlisted: self.unlisted,
            regrouped: self.regrouped,
            covering: self.covering,
            orphans: self.orphans,
            unproven: self.unproven,
            rows: self.rows,
            waited_for: self.waited_for,
        }
    }
}

/// What tells a payment from others, however a message of it is written. Books of before it was noted what a payment of a bill was notified
/// as take it to have been what its bill is called.
fn sameness(payment: &BookedPayment, of_bill: (&str, &str), identity: Digest, amount: u64) -> Option<Sameness> {
    let notified = &payment.notified;
    let is_noted = !(notified.invoice_number.is_empty() && notified.payment_code.is_empty());
    let (number, code) = if is_noted { (&*notified.invoice_number, &*notified.payment_code) } else { of_bill };
    let amount = Amount::new(amount).ok()?;
    let facts = PaymentContent { channel: payment.channel, code, number, amount, paid_at: payment.paid_at };
    Some(Sameness::of(identity, payment.canonical.unwrap_or(identity), &facts))
}

fn orphan(bills: &Bills, id: ItemId, payment: &BookedPayment, identity: Digest, amount: u64) -> Option<Orphan> {
    let notified = &payment.notified;
    let found = bills.find(&notified.invoice_number, &notified.payment_code);
    Some(Orphan {
        id,
        held_as: payment.held_as,
        identity,
        sameness: sameness(payment, ("", ""), identity, amount)?,
        invoice_number: notified.invoice_number.clone(),
        payment_code: notified.payment_code.clone(),
        channel: payment.channel,
        amount,
        paid_at: payment.paid_at,
        bill: if let BillMatch::One(bill) = found { Some(bill) } else { None },
        is_proved: false,
    })
}

/// The bill of the ledger that is `bill` of the books.
fn number_of(bills: &Bills, bill: &BookedBill) -> Option<u32> {
    let mut codes = bill.names.iter().filter_map(|name| name.split_once('/')).map(|(_, code)| code);
    let by_code = codes.find_map(|code| bills.pair(&bill.invoice_number, code));
    by_code.or_else(|| {
        let mut numbered = bills.numbered(&bill.invoice_number);
        numbered.next().filter(|_| numbered.next().is_none())
    })
}
