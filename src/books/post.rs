//! A month is posted: what follows from what is known, from the facts it does not know, from decisions and settings, and from nothing else.
//!
//! The order is the accountant's own. A decision was made on facts: they are posted first, in the order of their days, and right after
//! them the decision. All other facts follow in the order of theirs, as something that became known later would. So a run with more or
//! less evidence, or with the same once more, finds every decision done and its money where it put it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::allocation::Allocation;
use super::bills::Happening;
use super::book::{Aside, Book, BooksError};
use super::decision::BooksDecision;
use super::fact::{AlarmFact, BillFact, Facts, PaymentFact, RowFact};
use super::item::ItemId;
use super::known::{Alarm, Known, Open};
use super::pair::{Leg, Pair};
use super::settings::{BooksSettings, PostingPeriod};
use super::shared_totals::SharedTotals;
use crate::domain::amount::Rupiah;
use crate::domain::calendar::wib_date;
use crate::domain::digest::Digest;

/// What a month comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedMonth {
    /// Its days.
    pub period: PostingPeriod,
    /// The balances it began with.
    pub opening: BTreeMap<Leg, Open>,
    /// Its pairs, by day, cause and accounts; equal ones of one cause added up.
    pub pairs: Vec<Pair>,
    /// How its payments met their debts.
    pub allocations: BTreeMap<ItemId, Allocation>,
    /// What is known at its end.
    pub known: Known,
    /// What was left aside.
    pub aside: Aside,
    /// What it left to the others, if it is one part; else what the parts left.
    pub handed: SharedTotals,
    /// Whether it is of debts that were posted apart.
    pub is_apart: bool,
}

/// By which rules a month is posted, whole or in parts.
#[derive(Clone, Copy, Debug)]
pub struct Posting<'a> {
    /// The settings.
    pub settings: &'a BooksSettings,
    /// Its days.
    pub period: PostingPeriod,
    /// Whether the evidence lists bills, so that one it does not list has vanished.
    pub lists_bills: bool,
}

/// Posts a month whole. The order of `facts` and `decisions` plays no part.
///
/// # Errors
/// [`BooksError`], when the facts are in a state that no evidence can lead to.
pub fn post(
    known: Known,
    facts: &Facts,
    decisions: &[BooksDecision],
    settings: &BooksSettings,
    period: PostingPeriod,
) -> Result<PostedMonth, BooksError> {
    let posting = Posting { settings, period, lists_bills: !facts.bills.is_empty() };
    posting.together(known, facts, decisions, SharedTotals::default())
}

impl Posting<'_> {
    /// Posts debts that nothing else is about.
    ///
    /// # Errors
    /// [`BooksError`], when the facts are in a state that no evidence can lead to.
    pub fn apart(&self, known: Known, facts: &Facts) -> Result<PostedMonth, BooksError> {
        let (opening, mut book) = self.open(known);
        book.take(facts, Of::Apart)?;
        self.conclude(&mut book, facts)?;
        let handed = SharedTotals::out_of(&mut book);
        Ok(self.close(book, opening, handed, true))
    }

    /// Posts everything else, after what the debts posted apart have left to it.
    ///
    /// # Errors
    /// [`BooksError`], when the facts are in a state that no evidence can lead to.
    pub fn together(
        &self,
        known: Known,
        facts: &Facts,
        decisions: &[BooksDecision],
        handed: SharedTotals,
    ) -> Result<PostedMonth, BooksError> {
        let (opening, mut book) = self.open(known);
        let mut made: Vec<&BooksDecision> = decisions.iter().filter(|decision| !book.known.decisions.contains_key(&decision.id)).collect();
        made.sort_by_key(|decision| (decision.made_at, decision.id));
        for decision in made {
            if decision.effective_on > self.period.to {
                book.aside.later.insert(decision.id);
                continue;
            }
            if book.is_too_old(decision.effective_on) {
                book.aside.too_old.insert(decision.id);
                continue;
            }
            book.take(&decision.facts, Of::Decision)?;
            book.mark_all(&decision.facts)?;
            book.decide(decision)?;
        }
        // What a decision keeps of rows was not told again by any file.
        book.aside.copies.clear();
        handed.put_into(&mut book);
        book.take(facts, Of::Run)?;
        self.conclude(&mut book, facts)?;
        Ok(self.close(book, opening, handed, false))
    }

    fn open(&self, known: Known) -> (BTreeMap<Leg, Open>, Book<'_>) {
        let opening = known.balances.clone();
        let mut book = Book::open(known, self.settings, self.period);
        book.known.began_on = Some(book.known.began_on.unwrap_or(self.period.from));
        (opening, book)
    }

    /// The last postings of a month: what follows from its bills' marks and from its end. Nothing is posted after them.
    fn conclude(&self, book: &mut Book<'_>, facts: &Facts) -> Result<(), BooksError> {
        book.mark_all(facts)?;
        if self.lists_bills {
            book.miss(&facts.bills);
        }
        book.lapse_all()?;
        book.drop_accepted();
        Ok(())
    }

    fn close(&self, mut book: Book<'_>, opening: BTreeMap<Leg, Open>, handed: SharedTotals, is_apart: bool) -> PostedMonth {
        let since = book.known_since();
        book.known.forget_before(since, &handed.batches);
        for debt in book.known.debts.values_mut() {
            debt.applied = debt.standing();
        }
        let Book { pairs, known, aside, mut allocations, .. } = book;
        for (id, allocation) in &mut allocations {
            if let Some(debt) = known.payments.get(id).and_then(|payment| known.debts.get(&payment.debt?)) {
                allocation.ends_with(debt.due);
            }
        }
        PostedMonth { period: self.period, opening, pairs: added_up(pairs), allocations, known, aside, handed, is_apart }
    }
}

/// Equal pairs of one cause are one.
fn added_up(mut pairs: Vec<Pair>) -> Vec<Pair> {
    let what = |pair: &Pair| (pair.day, pair.original, pair.cause, pair.movement, pair.debit, pair.credit);
    pairs.sort_unstable_by_key(what);
    pairs.dedup_by(|again, pair| {
        let is_same = what(again) == what(pair);
        if is_same {
            pair.amount = pair.amount.plus(again.amount);
        }
        is_same
    });
    pairs
}

/// Whose facts are posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// What a decision saw.
    Decision,
    /// The run's own evidence.
    Run,
    /// That evidence, as far as it is of debts posted apart: batches are left to the others.
    Apart,
}

/// When something happens, and of one instant before what else: a bill before a payment, of payments as the classes have them.
type Turn = (Timestamp, u8, Option<Digest>, ItemId);

/// What happens to debts, in the order in which it happened: bills before the payments of the same instant.
enum Step<'a> {
    Bill(ItemId, Happening),
    Pay(&'a PaymentFact),
}

impl Book<'_> {
    /// Posts facts in the order of their days.
    pub(super) fn take(&mut self, facts: &Facts, of: Of) -> Result<(), BooksError> {
        let mut steps: Vec<(Turn, Step<'_>)> = Vec::new();
        for bill in &facts.bills {
            if self.is_forgotten(bill) {
                self.aside.too_old.insert(bill.id);
                continue;
            }
            let news = self.news_of(bill, of != Of::Decision)?;
            if news.is_empty() && !self.known.bills.contains_key(&bill.id) {
                self.aside.later.insert(bill.id);
                continue;
            }
            self.meet(bill);
            steps.extend(news.into_iter().map(|happening| ((happening.at, 0, None, bill.id), Step::Bill(bill.id, happening))));
        }
        for payment in &facts.payments {
            if payment.day() > self.period.to {
                self.aside.later.insert(payment.id);
            } else if self.is_too_old(payment.day()) && !self.known.payments.contains_key(&self.known.payment_id(payment.id)) {
                self.aside.too_old.insert(payment.id);
            } else {
                steps.push(((payment.paid_at, 1, payment.identity, payment.id), Step::Pay(payment)));
            }
        }
        steps.sort_by_key(|(key, _)| *key);
        self.claims_of(&facts.rows);
        for (_, step) in steps {
            match step {
                Step::Bill(id, happening) => self.happen(id, happening)?,
                Step::Pay(fact) => self.pay(fact)?,
            }
        }
        let rows: Vec<_> = facts.rows.iter().filter(|row| !self.is_old_row(row)).cloned().collect();
        self.settle(&rows)?;
        self.state_totals(&facts.batches, &rows);
        // Once a month, unless a decision is about what a batch or the bank holds.
        if of == Of::Run || !facts.batches.is_empty() || !facts.bank_lines.is_empty() {
            self.pay_out()?;
            self.bank(&facts.bank_lines)?;
        }
        facts.alarms.iter().for_each(|alarm| self.alarm(alarm));
        Ok(())
    }

    /// The first day of which the books know everything they ever posted.
    fn known_since(&self) -> Date {
        let months = jiff::Span::new().try_months(self.settings.known_months).unwrap_or_default();
        self.period.from.checked_sub(months).unwrap_or(Date::MIN)
    }

    fn is_too_old(&self, day: Date) -> bool {
        day < self.known_since()
    }

    /// A bill made so long ago that the books may have known it, and settled, and forgotten.
    fn is_forgotten(&self, bill: &BillFact) -> bool {
        let created = bill.events.first().and_then(|event| event.at);
        !self.known.bills.contains_key(&bill.id) && created.is_some_and(|at| self.is_too_old(wib_date(at)))
    }

    fn is_old_row(&mut self, row: &RowFact) -> bool {
        let is_old = row.paid_out_on.is_some_and(|on| self.is_too_old(on)) && !self.known.rows.contains_key(&row.id);
        if is_old {
            self.aside.too_old.insert(row.id);
        }
        is_old
    }

    /// Holds every debt of these bills against their marks.
    fn mark_all(&mut self, facts: &Facts) -> Result<(), BooksError> {
        let is_marked = facts.bills.iter().any(|bill| bill.mark.is_some());
        let waiting = if is_marked { self.rows_waiting(&facts.rows) } else { BTreeMap::new() };
        let known = facts.bills.iter().filter_map(|bill| Some((self.known.bills.get(&bill.id)?.debt, bill)));
        let mut by_debt: Vec<(ItemId, &BillFact)> = known.collect();
        by_debt.sort_by_key(|(debt, _)| *debt);
        for of_debt in by_debt.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((debt, _)) = of_debt.first() else { continue };
            self.mark(*debt, of_debt.iter().map(|(_, bill)| *bill), waiting.get(debt).copied().unwrap_or_default())?;
        }
        Ok(())
    }

    /// What settlement rows hold for each debt whose bill they name: in suspense, or, of these, still to be paid out. DOKU's own word that it
    /// was paid is no missing proof.
    fn rows_waiting(&self, rows: &[RowFact]) -> BTreeMap<ItemId, Rupiah> {
        let in_suspense =
            self.known.rows_waiting().into_iter().flat_map(|(debt, held)| held.into_iter().map(move |(_, held)| (debt, held)));
        let is_coming = |row: &&RowFact| self.aside.held_rows.contains(&row.id) || self.aside.later.contains(&row.id);
        let coming = rows.iter().filter(is_coming).filter_map(|row| {
            let bill = self.known.bills.get(&row.bill?)?;
            Some((bill.debt, Rupiah::new(row.amount.into()).max(Rupiah::ZERO)))
        });
        let mut waiting: BTreeMap<ItemId, Rupiah> = BTreeMap::new();
        for (debt, amount) in in_suspense.chain(coming) {
            let sum = waiting.entry(debt).or_default();
            *sum = sum.plus(amount);
        }
        waiting
    }

    /// Finds the bills of open debts that the ledger lists no more.
    fn miss(&mut self, bills: &[BillFact]) {
        let listed: BTreeSet<ItemId> = bills.iter().map(|bill| bill.id).collect();
        let open = self.known.debts.values().filter(|debt| debt.open() != Rupiah::ZERO);
        let vanished: Vec<ItemId> = open.flat_map(|debt| &debt.bills).filter(|bill| !listed.contains(bill)).copied().collect();
        self.aside.vanished.extend(vanished);
    }

    /// An alarm that is raised or answered. It is as old as it was when it was raised first, unless that was answered meanwhile; what is at
    /// stake, and whether something answers it, is what is told last.
    fn alarm(&mut self, fact: &AlarmFact) {
        if fact.on > self.period.to {
            self.aside.later.insert(fact.id);
            return;
        }
        let before = self.known.alarms.get(&fact.id);
        let on = before.filter(|alarm| alarm.answered_by.is_none() || fact.answered_by.is_some()).map_or(fact.on, |alarm| alarm.on);
        let alarm = Alarm {
            class: fact.class.clone(),
            on,
            at_stake: fact.at_stake,
            invoice_number: fact.invoice_number.clone(),
            payment_code: fact.payment_code.clone(),
            channel: fact.channel,
            answered_by: fact.answered_by,
            accepted_by: before.and_then(|alarm| alarm.accepted_by),
        };
        self.known.alarms.insert(fact.id, alarm);
    }

    /// What was accepted at another balance is open again.
    fn drop_accepted(&mut self) {
        let known = &mut self.known;
        known.accepted.retain(|leg, accepted| known.balances.get(leg).is_some_and(|open| open.amount == accepted.amount));
    }
}
