//! Bills and what they owe: a debt arises, rises, falls, is cancelled, lapses, is marked paid.
//!
//! A debt is its group's, and is owed once: the largest amount of its bills that are not cancelled. Cancelling the last of them takes off
//! what is still open and leaves what was paid, so that a payment made before and heard of later finds the same end.

use jiff::Timestamp;
use jiff::civil::Date;

use super::account::Account;
use super::book::{Book, BooksError, Cause};
use super::debt::Asked;
use super::fact::{BillChange, BillEvent, BillFact};
use super::item::ItemId;
use super::known::{BookedBill, Debt};
use super::movement::Movement;
use super::pair::Leg;
use super::ways_off::WayOff;
use crate::domain::amount::Rupiah;
use crate::domain::calendar::{end_of_wib_day, start_of_wib_day, wib_date};
use crate::domain::dimensions::Dimensions;

/// An event of a bill that is to be posted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happening {
    /// When, the end of the period for what is not dated.
    pub(super) at: Timestamp,
    /// What.
    pub(super) change: BillChange,
}

impl Book<'_> {
    /// What a bill's fact says that the books do not know, oldest first. `is_current`: it is the ledger's present word, so that
    /// whatever it asks for without saying since when is an amendment of the period's last day.
    pub(super) fn news_of(&self, fact: &BillFact, is_current: bool) -> Result<Vec<Happening>, BooksError> {
        let known = self.known.bills.get(&fact.id);
        let undated = end_of_wib_day(self.period.to).unwrap_or(Timestamp::MAX);
        if known.is_none() && !matches!(fact.events.first().map(|event| event.change), Some(BillChange::Created(_))) {
            return Err(BooksError::History(fact.id));
        }
        let is_known = |event: &BillEvent| {
            known.is_some_and(|bill| {
                matches!(event.change, BillChange::Created(_))
                    || bill.events.iter().any(|before| before.change == event.change && (event.at.is_none() || before.at == event.at))
            })
        };
        let reached = fact.events.iter().filter(|event| event.day(self.period.to) <= self.period.to);
        let fresh = reached.clone().filter(|event| !is_known(event));
        let mut news: Vec<Happening> = fresh.map(|event| Happening { at: event.at.unwrap_or(undated), change: event.change }).collect();
        news.sort_by_key(|happening| happening.at);
        if is_current && fact.events.len() == reached.count() {
            self.add_silent_changes(fact, &mut news, undated);
        }
        Ok(news)
    }

    /// The ledger asks for something else, or for nothing, and does not say since when. What a bill that owes nothing asks for each time is, for
    /// the whole month, what the ledger says now: nobody can say of one of its payments that it was made before.
    fn add_silent_changes(&self, fact: &BillFact, news: &mut Vec<Happening>, undated: Timestamp) {
        let Some(bill) = self.known.bills.get(&fact.id) else { return };
        let before = bill.events.iter().map(|event| (event.at.unwrap_or(Timestamp::MIN), event.change));
        let mut all: Vec<(Timestamp, BillChange)> = before.chain(news.iter().map(|happening| (happening.at, happening.change))).collect();
        all.sort_by_key(|(at, _)| *at);
        let (told, now) = (Asked::after(all.into_iter().map(|(_, change)| change)), Asked::of(fact));
        let Some(amount) = now.amount else { return };
        let change = match (told.is_live, now.is_live) {
            (true, false) => Some(BillChange::Cancelled),
            (false, true) => Some(BillChange::Reinstated(amount)),
            (true, true) if now.amount != told.amount => Some(BillChange::Amended(amount)),
            (true, true) | (false, false) => None,
        };
        let is_each_time = matches!(change, Some(BillChange::Amended(_))) && fact.reusable;
        let at = start_of_wib_day(self.period.from).filter(|_| is_each_time).unwrap_or(undated);
        news.extend(change.map(|change| Happening { at, change }));
    }

    /// Makes a bill known; its debt owes nothing by that.
    pub(super) fn meet(&mut self, fact: &BillFact) {
        let bill = self.known.bills.entry(fact.id).or_insert_with(|| BookedBill {
            debt: fact.debt,
            invoice_number: fact.invoice_number.clone(),
            names: Vec::new(),
            due_on: None,
            expires_on: None,
            events: Vec::new(),
            amount: Rupiah::ZERO,
            is_live: false,
            dimensions: Dimensions::default(),
        });
        bill.due_on = fact.due_on.or(bill.due_on);
        bill.expires_on = fact.expires_on.or(bill.expires_on);
        let unheard = fact.names.iter().filter(|name| !bill.names.contains(name)).cloned().collect::<Vec<_>>();
        bill.names.extend(unheard);
        let (id, is_of_another) = (bill.debt, !fact.dimensions.is_empty() && fact.dimensions != bill.dimensions);
        if is_of_another {
            let before = self.known.dimensions_of(id).cloned().unwrap_or_default();
            self.aside.regrouped.entry(id).or_insert(before);
            if let Some(bill) = self.known.bills.get_mut(&fact.id) {
                bill.dimensions.clone_from(&fact.dimensions);
            }
        }
        let debt = self.known.debts.entry(id).or_insert_with(|| Debt { is_reusable: fact.reusable, ..Debt::default() });
        debt.bills.insert(fact.id);
    }

    /// Posts one event of a bill.
    pub(super) fn happen(&mut self, id: ItemId, happening: Happening) -> Result<(), BooksError> {
        let Happening { at, change } = happening;
        let event = BillEvent { at: Some(at), change };
        let on = event.day(self.period.to);
        let cause = Cause { id: event.id(id, on), on };
        let debt_id = self.debt_of(id)?;
        self.lapse(debt_id, on)?;
        let bill = self.known.bills.get_mut(&id).ok_or(BooksError::Missing { what: "the bill", id })?;
        let is_latest = bill.events.iter().all(|before| before.at <= event.at);
        bill.events.push(event);
        bill.events.sort_by_key(|event| event.at);
        // What is heard of late counts by what it makes of all that is known of later days: a cancellation before an amendment stands.
        let asked = Asked::after(bill.events.iter().map(|event| event.change));
        let is_news = (bill.amount, bill.is_live) != (asked.rupiah(), asked.is_live);
        (bill.amount, bill.is_live) = (asked.rupiah(), asked.is_live);
        if is_latest || is_news { self.reckon(debt_id, change, cause) } else { Ok(()) }
    }

    /// Brings a debt to what its bills ask for.
    fn reckon(&mut self, id: ItemId, change: BillChange, cause: Cause) -> Result<(), BooksError> {
        let debt = self.debt(id)?;
        if debt.is_reusable || debt.is_before_books {
            return Ok(());
        }
        let live = debt.bills.iter().filter_map(|bill| self.known.bills.get(bill)).filter(|bill| bill.is_live);
        let amounts: Vec<Rupiah> = live.map(|bill| bill.amount).collect();
        if amounts.iter().any(|amount| Some(amount) != amounts.first()) {
            self.aside.differing_groups.insert(id);
        }
        let Some(asked) = amounts.into_iter().max() else { return self.cancel_rest(id, cause) };
        let debt = self.debt_mut(id)?;
        // What is asked for again was neither cancelled nor lapsed.
        let is_back = debt.off(WayOff::Cancelled) > Rupiah::ZERO || matches!(change, BillChange::Reinstated(_));
        let back = if is_back { debt.off(WayOff::Cancelled).plus(debt.off(WayOff::Lapsed)) } else { Rupiah::ZERO };
        if is_back {
            debt.taken_off.remove(&WayOff::Cancelled);
            debt.taken_off.remove(&WayOff::Lapsed);
        }
        let difference = asked.minus(debt.due).plus(back);
        debt.due = asked;
        let movement = match (change, difference > Rupiah::ZERO) {
            (_, true) if is_back => Movement::Reopened,
            (BillChange::Created(_), true) => Movement::Billed,
            (_, true) => Movement::AmendedUp,
            (BillChange::Cancelled, false) => Movement::Cancelled,
            (_, false) => Movement::AmendedDown,
        };
        self.move_to(Leg::of(Account::Receivable, id), Leg::total(Account::Premium), difference, movement, cause)?;
        self.fall(id, cause)?;
        self.rise(id, cause)
    }

    /// A debt none of whose bills asks for anything owes nothing: what is open, or comes back to it later, is cancelled with them.
    pub(super) fn cancel_rest(&mut self, id: ItemId, cause: Cause) -> Result<(), BooksError> {
        let debt = self.debt(id)?;
        let is_asked_for = debt.bills.iter().filter_map(|bill| self.known.bills.get(bill)).any(|bill| bill.is_live);
        if is_asked_for || debt.is_reusable || debt.is_before_books {
            return Ok(());
        }
        let open = debt.open();
        self.take_off(id, WayOff::Cancelled, open, Movement::Cancelled, cause)
    }

    /// The day on which a debt lapses by itself, if it does.
    fn lapses_on(&self, debt: &Debt) -> Option<Date> {
        let days = self.settings.lapse_after_days?;
        let bills = debt.bills.iter().filter_map(|bill| self.known.bills.get(bill)).filter(|bill| bill.is_live);
        // One that never expires keeps its group's debt alive.
        let last = bills.map(|bill| bill.expires_on).reduce(|one, other| Some(one?.max(other?)))??;
        last.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
    }

    /// Lets a debt lapse if its day came before `before`.
    pub(super) fn lapse(&mut self, id: ItemId, before: Date) -> Result<(), BooksError> {
        let Some(debt) = self.known.debts.get(&id).filter(|debt| debt.open() > Rupiah::ZERO) else { return Ok(()) };
        let Some(on) = self.lapses_on(debt).filter(|on| *on < before && *on <= self.period.to) else { return Ok(()) };
        let open = debt.open();
        self.take_off(id, WayOff::Lapsed, open, Movement::Lapsed, Cause::concluded("lapsed", &[id], on))
    }

    /// Lets every debt lapse whose day has come.
    pub(super) fn lapse_all(&mut self) -> Result<(), BooksError> {
        if self.settings.lapse_after_days.is_none() {
            return Ok(());
        }
        let open: Vec<ItemId> = self.known.debts.iter().filter(|(_, debt)| debt.open() > Rupiah::ZERO).map(|(id, _)| *id).collect();
        open.into_iter().try_for_each(|id| self.lapse(id, Date::MAX))
    }

    /// Holds a debt against its bills' marks: what the ledger calls paid and nothing proves is unproven, and is owed again if the
    /// mark goes. Money of the debt that waits for a decision is proof enough to wait, and so is what settlement rows hold for it (`waiting`):
    /// what had been unproven until that came is so no longer.
    pub(super) fn mark<'f>(&mut self, id: ItemId, facts: impl Iterator<Item = &'f BillFact>, waiting: Rupiah) -> Result<(), BooksError> {
        let debt = self.debt(id)?;
        if debt.is_reusable || debt.is_before_books {
            return Ok(());
        }
        let on = |fact: &BillFact| {
            let mark = fact.mark?;
            Some((mark.at.map_or(self.period.to, wib_date), mark.paid)).filter(|(on, _)| *on <= self.period.to)
        };
        let (mut marked, mut is_told) = (None, false);
        for fact in facts {
            is_told = true;
            marked = marked.max(on(fact));
        }
        let unproven = debt.off(WayOff::Unproven);
        match marked {
            // Nothing was withdrawn, and nothing is owed or nothing has come that could be given to it.
            None if unproven == Rupiah::ZERO && (debt.payments.is_empty() || debt.open() <= Rupiah::ZERO) => Ok(()),
            None if is_told => {
                let cause = Cause::concluded("mark withdrawn", &[id], self.period.to);
                self.take_off(id, WayOff::Unproven, Rupiah::ZERO.minus(unproven), Movement::Reopened, cause)?;
                self.rise(id, cause)?;
                self.cancel_rest(id, cause)
            }
            None => Ok(()),
            Some((on, paid)) => {
                let held: Rupiah = debt.payments.iter().map(|payment| self.held_of(*payment)).sum();
                let lacking = debt.open().plus(unproven).minus(held).minus(waiting);
                let told = paid.map_or(lacking, |paid| lacking.min(paid.into())).max(Rupiah::ZERO);
                let (movement, cause) = if told >= unproven {
                    (Movement::MarkedPaid, Cause::concluded("marked paid", &[id], on))
                } else {
                    (Movement::Reopened, Cause::concluded("money waits", &[id], self.period.to))
                };
                self.take_off(id, WayOff::Unproven, told.minus(unproven), movement, cause)?;
                self.cancel_rest(id, cause)
            }
        }
    }

    /// What of a payment stands in suspense.
    pub(super) fn held_of(&self, payment: ItemId) -> Rupiah {
        let held_as = self.known.payments.get(&payment).map(|payment| payment.held_as);
        held_as.map_or(Rupiah::ZERO, |item| self.known.held(Leg::of(Account::Suspense, item)).max(Rupiah::ZERO))
    }
}
