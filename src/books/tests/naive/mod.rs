//! A naive book-keeper: single entries, no carry. For any month it reads all months from the first again and works out from plain
//! lists what is owed, held and paid out. It shares ids and fact types with the books, and no rule.

mod obey;
mod stands;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::books::account::Account as A;
use crate::books::decision::{Action, BooksDecision};
use crate::books::fact::*;
use crate::books::item::ItemId;
use crate::books::settings::{BooksSettings, PostingPeriod};
use crate::domain::calendar::{end_of_wib_day, wib_date};

type Id = ItemId;
/// What stands where.
type Balances = BTreeMap<(A, Option<Id>), i128>;

/// What a month was given.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) period: PostingPeriod,
    pub(super) facts: Facts,
    pub(super) decisions: Vec<BooksDecision>,
    pub(super) settings: BooksSettings,
}

/// What a bill asks for, whether it still does, and what made it so.
type Asking = (i64, bool, Vec<(Timestamp, BillChange)>);

#[derive(Default)]
struct Owed {
    bills: BTreeMap<Id, Asking>,
    reusable: bool,
    due: i64,
    given: Vec<(Id, i64)>,
    off: BTreeMap<&'static str, i64>,
    payers: Vec<Id>,
}

impl Owed {
    fn given(&self) -> i64 {
        self.given.iter().map(|(_, amount)| amount).sum()
    }
    fn open(&self) -> i64 {
        self.due - self.given() - self.off.values().sum::<i64>()
    }
    fn off(&mut self, why: &'static str) -> &mut i64 {
        self.off.entry(why).or_default()
    }
}

#[derive(Default)]
pub(super) struct Naive {
    tolerance: i64,
    debts: BTreeMap<Id, Owed>,
    debt_of: BTreeMap<Id, Id>,
    /// Payment: amount, its debt, whether it waits, where its surplus is held, what rows have taken.
    paid: BTreeMap<Id, (i64, Option<Id>, bool, Id, i64)>,
    held: BTreeMap<Id, i64>,
    credits: BTreeMap<Id, i64>,
    refunds: BTreeMap<Id, i64>,
    batches: BTreeMap<Id, i64>,
    sums: BTreeMap<A, i64>,
    seen: BTreeSet<(Id, Option<Timestamp>, Option<BillChange>)>,
    settled: BTreeSet<Id>,
    waiting: BTreeSet<Id>,
    /// The bill that a row names for want of a payment.
    named: BTreeMap<Id, Id>,
    /// How many standing decisions are about an item in suspense.
    touched: BTreeMap<Id, usize>,
    undo: BTreeMap<Id, Undo>,
    /// Of the month's own payments: where a surplus is held, how much is over, and what the debt then asked for and still lacked.
    met: BTreeMap<Id, (Id, i64, i64, i64)>,
}

struct Undo {
    item: Id,
    in_suspense: bool,
    action: Action,
    debt: Option<Id>,
    given: Vec<(Id, i64)>,
    off: BTreeMap<&'static str, i64>,
    amount: i64,
}

/// How each debt that still asks for something stands.
pub(super) type Stands = BTreeMap<Id, &'static str>;

/// All balances after the last of `months`, of each payment that it brought to a debt how much is over by its end, and how much
/// was lacking after it of what the debt asks for by then; and how the debts stand.
pub(super) fn balances(months: &[Given]) -> (Balances, BTreeMap<Id, (i64, i64)>, Stands) {
    let mut naive = Naive::default();
    for month in months {
        naive.met.clear();
        naive.tolerance = month.settings.tolerance as i64;
        let mut made = month.decisions.clone();
        made.sort_by_key(|decision| (decision.made_at, decision.id));
        for decision in &made {
            naive.read(&decision.facts, month);
            naive.believe(&decision.facts, month);
            naive.obey(decision);
        }
        naive.read(&month.facts, month);
        naive.believe(&month.facts, month);
    }
    let met = naive.met.iter().map(|(id, (_, over, asked, lacked))| {
        let now = naive.paid[id].1.map_or(*asked, |debt| naive.debts[&debt].due);
        (*id, (*over, (lacked + now - asked).max(0)))
    });
    (naive.balances(), met.collect(), naive.stands())
}

impl Naive {
    fn is_touched(&self, item: &Id) -> bool {
        self.touched.get(item).is_some_and(|count| *count > 0)
    }

    fn read(&mut self, facts: &Facts, month: &Given) {
        let last = end_of_wib_day(month.period.to).unwrap();
        let mut news: Vec<(Timestamp, u8, Id, Option<BillChange>, usize)> = Vec::new();
        for (index, bill) in facts.bills.iter().enumerate() {
            if bill.events[0].at.unwrap_or(last) <= last {
                self.debt_of.insert(bill.id, bill.debt);
                let debt = self.debts.entry(bill.debt).or_default();
                debt.reusable |= bill.reusable;
                debt.bills.entry(bill.id).or_insert((0, false, Vec::new()));
            }
            for event in bill.events.iter().filter(|event| event.at.unwrap_or(last) <= last) {
                if self.seen.insert((bill.id, event.at, Some(event.change))) {
                    news.push((event.at.unwrap_or(last), 0, bill.id, Some(event.change), index));
                }
            }
        }
        for (index, payment) in facts.payments.iter().enumerate().filter(|(_, payment)| payment.paid_at <= last) {
            news.push((payment.paid_at, 1, payment.id, None, index));
        }
        news.sort();
        for (at, _, _, change, index) in news {
            match change {
                Some(change) => self.bill(&facts.bills[index], at, change),
                None => self.payment(&facts.payments[index], facts),
            }
        }
        let mut rows: Vec<&RowFact> = facts.rows.iter().filter(|row| row.paid_out_on.is_some_and(|on| on <= month.period.to)).collect();
        rows.sort_by_key(|row| (row.paid_out_on, self.claimed(row).is_none_or(|id| self.paid[&id].0 != row.amount), row.id));
        for row in rows {
            self.row(row);
        }
    }

    fn claimed(&self, row: &RowFact) -> Option<Id> {
        let RowKind::Of(_, payment) = row.kind else { return None };
        self.paid.contains_key(&payment).then_some(payment)
    }

    fn bill(&mut self, fact: &BillFact, at: Timestamp, change: BillChange) {
        let debt = self.debts.get_mut(&fact.debt).unwrap();
        let bill = debt.bills.get_mut(&fact.id).unwrap();
        let (was, is_last) = ((bill.0, bill.1), bill.2.iter().all(|(before, _)| *before <= at));
        bill.2.push((at, change));
        bill.2.sort_by_key(|(at, _)| *at);
        for (_, change) in &bill.2 {
            match change {
                BillChange::Created(amount) | BillChange::Reinstated(amount) => (bill.0, bill.1) = (amount.get() as i64, true),
                BillChange::Amended(amount) => bill.0 = amount.get() as i64,
                BillChange::Cancelled => bill.1 = false,
            }
        }
        if !is_last && was == (bill.0, bill.1) {
            return;
        }
        if debt.reusable {
            return;
        }
        match debt.bills.values().filter(|bill| bill.1).map(|bill| bill.0).max() {
            None => self.bury(fact.debt),
            Some(asked) => {
                if *debt.off("cancelled") > 0 || matches!(change, BillChange::Reinstated(_)) {
                    (*debt.off("cancelled"), *debt.off("lapsed")) = (0, 0);
                }
                debt.due = asked;
                self.sink(fact.debt);
                self.lift(fact.debt);
            }
        }
    }

    /// The debt was given too much: reductions go, then money goes back, the last first.
    fn sink(&mut self, id: Id) {
        let debt = self.debts.get_mut(&id).unwrap();
        for why in ["rounding", "waived", "written_off", "cancelled", "lapsed", "unproven"] {
            let back = (-debt.open()).max(0).min(*debt.off(why));
            *debt.off(why) -= back;
        }
        for at in (0..debt.given.len()).rev() {
            let (from, amount) = debt.given[at];
            let back = (-debt.open()).max(0).min(amount);
            debt.given[at].1 -= back;
            let place = if self.credits.contains_key(&from) { &mut self.credits } else { &mut self.held };
            *place.entry(from).or_default() += back;
            // Over is what a payment has that its own debt does not take, whatever another's bill gives back.
            let paid = &self.paid;
            self.met.iter_mut().filter(|(payer, met)| met.0 == from && paid[*payer].1 == Some(id)).for_each(|(_, met)| met.1 += back);
        }
        let back = (-debt.open()).max(0).min(*debt.off("elsewhere"));
        *debt.off("elsewhere") -= back;
    }

    /// The debt takes more: free surplus of its payers goes in.
    fn lift(&mut self, id: Id) {
        for payer in self.debts[&id].payers.clone() {
            let (_, _, waits, place, _) = self.paid[&payer];
            let free = self.held.get(&place).copied().unwrap_or(0).min(self.debts[&id].open());
            if !waits && !self.is_touched(&place) && free > 0 {
                let rest = self.give(id, place, free, self.tolerance);
                *self.held.get_mut(&place).unwrap() -= free;
                self.met.values_mut().filter(|met| met.0 == place).for_each(|met| met.1 -= free - rest);
            }
        }
    }

    /// Puts money in, as far as it goes; says what is over.
    fn give(&mut self, id: Id, from: Id, amount: i64, tolerance: i64) -> i64 {
        let debt = self.debts.get_mut(&id).unwrap();
        if debt.reusable {
            let taken = amount.min(debt.bills.values().map(|bill| bill.0).max().unwrap());
            debt.due += taken;
            debt.given.push((from, taken));
            return amount - taken;
        }
        let mut taken = amount.min(debt.open().max(0));
        for why in ["unproven", "lapsed", "cancelled", "written_off"] {
            let more = (amount - taken).min(*debt.off(why));
            *debt.off(why) -= more;
            taken += more;
        }
        if taken == 0 {
            return amount;
        }
        debt.given.push((from, taken));
        let over = amount - taken;
        if over > 0 && over <= tolerance {
            *self.sums.entry(A::Rounding).or_default() -= over;
            return 0;
        }
        let short = debt.open();
        if short > 0 && short <= tolerance {
            *debt.off("rounding") += short;
        }
        over
    }

    fn payment(&mut self, fact: &PaymentFact, facts: &Facts) {
        let debt = if let Payee::Bill(bill) = fact.payee { Some(self.debt_of[&bill]) } else { None };
        let waits = fact.hold.is_some();
        if let Some(&(_, owner, _, place, _)) = self.paid.get(&fact.id) {
            let (None, Some(debt)) = (owner, debt) else { return };
            if !self.is_touched(&place) {
                let paid = self.paid.get_mut(&fact.id).unwrap();
                (paid.1, paid.2) = (Some(debt), waits);
                self.debts.get_mut(&debt).unwrap().payers.push(fact.id);
                let held = self.held.get(&place).copied().unwrap_or(0);
                if !waits && held > 0 {
                    let over = self.give(debt, place, held, self.tolerance);
                    self.held.insert(place, over);
                }
            }
            return;
        }
        let amount = fact.amount.get() as i64;
        let own = |row: &&RowFact| row.kind == RowKind::Of(fact.channel, fact.id) && self.waiting.contains(&row.id);
        let row = facts.rows.iter().filter(own).min_by_key(|row| (row.paid_out_on, row.amount != amount, row.id));
        let place = row.map_or(fact.id, |row| row.id);
        self.paid.insert(fact.id, (amount, debt, waits, place, row.map_or(0, |row| row.amount)));
        if let Some(debt) = debt {
            self.debts.get_mut(&debt).unwrap().payers.push(fact.id);
        }
        let mut free = amount;
        if let Some(row) = row {
            self.settled.insert(fact.id);
            self.waiting.remove(&row.id);
            free = self.held[&place] + amount - row.amount;
        }
        if let Some(debt) = debt.filter(|_| !waits && free > 0) {
            free = self.give(debt, place, free, self.tolerance);
            if row.is_none() {
                let owed = &self.debts[&debt];
                self.met.insert(fact.id, (place, free, owed.due, owed.open().max(0)));
            }
        }
        self.held.insert(place, free);
    }

    fn row(&mut self, row: &RowFact) {
        if !self.seen.insert((row.id, None, None)) {
            // Money in suspense that turns out to be a payment's.
            if let Some(payment) = self.claimed(row).filter(|id| self.waiting.contains(&row.id) && !self.settled.contains(id))
                && self.held[&row.id] == row.amount
                && !self.is_touched(&row.id)
            {
                self.held.insert(row.id, 0);
                self.waiting.remove(&row.id);
                self.settled.insert(payment);
                self.paid.get_mut(&payment).unwrap().4 += row.amount;
            }
            return;
        }
        let fee = row.fee + row.discount;
        match (row.kind, self.claimed(row)) {
            (RowKind::Of(..), Some(payment)) if !self.settled.insert(payment) => {
                *self.batches.entry(row.batch).or_default() -= row.paid_out;
                *self.sums.entry(A::Bank).or_default() += row.paid_out;
                return;
            }
            (RowKind::Of(..), Some(payment)) => self.paid.get_mut(&payment).unwrap().4 += row.amount,
            (RowKind::Of(..) | RowKind::Unclaimed(_), _) => {
                self.named.extend(row.bill.map(|bill| (row.id, bill)));
                self.waiting.insert(row.id);
                self.held.insert(row.id, row.amount);
            }
            (RowKind::Refund(_), _) => drop(self.held.insert(row.id, -row.amount.abs())),
            (RowKind::Other, _) => *self.sums.entry(A::OtherProducts).or_default() -= row.paid_out,
            (RowKind::Unreadable | RowKind::Repeated | RowKind::Again(_), _) => {}
        }
        let is_ours = !matches!(row.kind, RowKind::Other | RowKind::Unreadable | RowKind::Repeated | RowKind::Again(_));
        // Others get their share of whatever the row is of, but not of a row that is no money.
        let shares = if matches!(row.kind, RowKind::Repeated | RowKind::Again(_)) { 0 } else { row.shares };
        *self.sums.entry(A::Shares).or_default() += shares;
        *self.sums.entry(A::Bank).or_default() += row.paid_out - shares;
        *self.batches.entry(row.batch).or_default() += match row.kind {
            RowKind::Unreadable | RowKind::Repeated | RowKind::Again(_) => -row.paid_out,
            RowKind::Other => 0,
            RowKind::Refund(_) => -row.amount.abs() - fee - row.paid_out,
            RowKind::Of(..) | RowKind::Unclaimed(_) => row.amount - fee - row.paid_out,
        };
        if is_ours {
            *self.sums.entry(A::Fees).or_default() += row.fee;
            *self.sums.entry(A::Discounts).or_default() += row.discount;
        }
    }

    /// What the ledger calls paid and nobody proved: neither money that has come, nor a line of DOKU's that names the bill, paid out or not.
    fn believe(&mut self, facts: &Facts, month: &Given) {
        let debts: BTreeSet<Id> = facts.bills.iter().filter_map(|bill| self.debt_of.get(&bill.id).copied()).collect();
        let is_out = |row: &&RowFact| row.paid_out_on.is_some_and(|on| on <= month.period.to);
        let promised: Vec<(Id, i64)> =
            facts.rows.iter().filter(|row| !is_out(row)).filter_map(|row| Some((row.bill?, row.amount.max(0)))).collect();
        for id in debts {
            let is_marked = |bill: &&BillFact| bill.debt == id && self.debt_of.contains_key(&bill.id) && bill.mark.is_some();
            let marks = facts.bills.iter().filter(is_marked).filter_map(|bill| bill.mark);
            let marks: Vec<LedgerMark> = marks.filter(|mark| mark.at.is_none_or(|at| wib_date(at) <= month.period.to)).collect();
            let is_of = |bill: &Id| self.debt_of.get(bill) == Some(&id);
            let lying = self.named.iter().filter(|(row, bill)| self.waiting.contains(row) && is_of(bill));
            let lying: i64 = lying.map(|(row, _)| self.held.get(row).copied().unwrap_or(0).max(0)).sum();
            let promised: i64 = promised.iter().filter(|(bill, _)| is_of(bill)).map(|(_, amount)| amount).sum();
            let held: i64 =
                self.debts[&id].payers.iter().map(|payer| self.held.get(&self.paid[payer].3).copied().unwrap_or(0).max(0)).sum();
            let debt = self.debts.get_mut(&id).unwrap();
            if debt.reusable {
                continue;
            }
            let unexplained = (debt.open() + *debt.off("unproven") - held - lying - promised).max(0);
            if marks.is_empty() {
                *debt.off("unproven") = 0;
                self.lift(id);
            } else {
                let said = marks.iter().map(|mark| mark.paid.map_or(i64::MAX, |paid| paid.get() as i64)).max();
                *debt.off("unproven") = unexplained.min(said.unwrap());
            }
            self.bury(id);
        }
    }

    /// Nobody asks for a debt whose bills are all cancelled, whatever came back to it.
    fn bury(&mut self, id: Id) {
        let debt = self.debts.get_mut(&id).unwrap();
        if !debt.reusable && debt.bills.values().all(|bill| !bill.1) {
            *debt.off("cancelled") += debt.open();
        }
    }
}
