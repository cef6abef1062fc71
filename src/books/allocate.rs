//! Where money goes: to its debt as far as it is owed, then to what had been taken off, and what is over to suspense.
//!
//! A debt's payments come in this order: those of earlier months, then those a decision stands on, then by time and identity. The order is
//! the order of posting itself: a decision is posted right after the facts it stands on and before all others, so that whatever
//! comes to light later finds it done.

use super::account::Account;
use super::allocation::Standing;
use super::book::{Book, BooksError, Cause};
use super::fact::{Payee, PaymentFact};
use super::item::ItemId;
use super::known::{AppliedMoney, BookedPayment, RowState};
use super::movement::Movement;
use super::pair::Leg;
use super::take_on::TAKEN_ON;
use super::ways_off::WayOff;
use crate::domain::amount::Rupiah;

/// How money comes to a debt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// From where.
    pub(super) from: Leg,
    /// Where it returns to if the debt falls.
    pub(super) back: Leg,
    /// How that is called.
    pub(super) movement: Movement,
    /// How it is called that it brings back what had been taken off.
    pub(super) restores: Movement,
    /// Whether a rest or a shortage within the tolerance is rounded.
    pub(super) rounds: bool,
}

impl Book<'_> {
    /// Posts a payment.
    pub(super) fn pay(&mut self, fact: &PaymentFact) -> Result<(), BooksError> {
        let id = self.payment_id_of(fact);
        let cause = Cause { id, on: fact.day() };
        if let Some(known) = self.known.payments.get_mut(&id) {
            if known.content == TAKEN_ON {
                (known.content, known.identity) = (fact.content(), fact.identity.or(known.identity));
            } else if known.content != fact.content() {
                self.aside.conflicting.insert(id);
            }
            self.learn(id, fact);
            return self.find_owner(id, fact);
        }
        let debt = self.debt_paid(fact)?;
        let is_before_books = self.known.began_on.is_some_and(|began_on| cause.on < began_on);
        if is_before_books && debt.is_some_and(|debt| self.known.debts.get(&debt).is_some_and(|debt| debt.is_before_books)) {
            self.aside.before_books.insert(id);
            self.know_payment(id, fact, debt);
            return Ok(());
        }
        let hold = fact.hold.filter(|_| !self.is_accepted_late(fact));
        let row = self.waiting_row(id, fact);
        self.know_payment(id, fact, debt);
        if let Some(payment) = self.known.payments.get_mut(&id) {
            (payment.hold, payment.row, payment.is_before_books) = (hold, row, false);
            payment.held_as = row.unwrap_or(id);
        }
        self.learn(id, fact);
        if let Some(debt) = debt {
            self.lapse(debt, cause.on)?;
            self.debt_mut(debt)?.payments.push(id);
        }
        match row {
            Some(row) => self.take_over(id, row, cause),
            None => self.spread(id, cause),
        }
    }

    /// Makes a payment known as one of before the books: it stands nowhere, and nothing is moved by it.
    pub(super) fn know_payment(&mut self, id: ItemId, fact: &PaymentFact, debt: Option<ItemId>) {
        let account = if self.settings.is_settled_by_doku(fact.channel) { Account::Doku } else { Account::Direct };
        let payment = BookedPayment {
            identity: fact.identity,
            canonical: fact.canonical,
            notified: fact.notified.clone(),
            is_before_books: true,
            channel: fact.channel,
            amount: fact.amount.into(),
            paid_at: fact.paid_at,
            content: fact.content(),
            payee: fact.payee,
            hold: None,
            only_told: fact.only_told,
            class: fact.class,
            debt,
            account,
            held_as: id,
            row: None,
            aliases: Vec::new(),
        };
        self.known.payments.insert(id, payment);
    }

    /// Splits a new payment between its debt and suspense.
    fn spread(&mut self, id: ItemId, cause: Cause) -> Result<(), BooksError> {
        let Some(payment) = self.known.payments.get(&id) else { return Ok(()) };
        let (from, back, amount) = (Leg::of(payment.account, id), Leg::of(Account::Suspense, payment.held_as), payment.amount);
        let Some(debt) = payment.debt.filter(|_| payment.hold.is_none()) else {
            return self.move_to(from, back, amount, Movement::Held, cause);
        };
        let source = Source { from, back, movement: Movement::Received, restores: Movement::Restored, rounds: true };
        let before = Standing::of(self.debt(debt)?);
        let rest = self.allocate(source, amount, debt, cause)?;
        let standing = before.after(self.debt(debt)?, amount, rest);
        self.allocations.insert(id, standing);
        self.move_to(from, back, rest, Movement::Excess, cause)
    }

    /// A payment whose settlement row came first: the row's money is its money, with whatever was decided about it.
    fn take_over(&mut self, id: ItemId, row: ItemId, cause: Cause) -> Result<(), BooksError> {
        let Some(payment) = self.known.payments.get(&id) else { return Ok(()) };
        let (own, held) = (Leg::of(payment.account, id), Leg::of(Account::Suspense, row));
        let (amount, debt) = (payment.amount, payment.debt.filter(|_| payment.hold.is_none()));
        let Some(known) = self.known.rows.get_mut(&row) else { return Ok(()) };
        known.state = RowState::Settled;
        let gross = known.gross;
        self.move_to(own, held, amount, Movement::Notified, cause)?;
        self.move_to(held, own, gross, Movement::Settled, cause)?;
        let Some(debt) = debt else { return Ok(()) };
        let open = self.known.held(held).max(Rupiah::ZERO);
        let source = Source { from: held, back: held, movement: Movement::Applied, restores: Movement::Restored, rounds: true };
        self.allocate(source, open, debt, cause).map(drop)
    }

    /// Gives `amount` to a debt; what it does not take is left where it was, and returned.
    pub(super) fn allocate(&mut self, source: Source, amount: Rupiah, id: ItemId, cause: Cause) -> Result<Rupiah, BooksError> {
        let receivable = Leg::of(Account::Receivable, id);
        if self.debt(id)?.is_reusable {
            return self.allocate_reusable(source, amount, id, cause);
        }
        let mut taken = amount.min(self.debt(id)?.open().max(Rupiah::ZERO));
        for off in WayOff::RESTORED {
            let restored = amount.minus(taken).min(self.debt(id)?.off(off)).max(Rupiah::ZERO);
            self.take_off(id, off, Rupiah::ZERO.minus(restored), source.restores, cause)?;
            taken = taken.plus(restored);
        }
        if taken <= Rupiah::ZERO {
            return Ok(amount);
        }
        self.move_to(source.from, receivable, taken, source.movement, cause)?;
        let applied = AppliedMoney { from: source.from, back: source.back, amount: taken };
        self.debt_mut(id)?.applied.push(applied);
        let (rest, open) = (amount.minus(taken), self.debt(id)?.open());
        let tolerance = if source.rounds { self.settings.tolerance() } else { Rupiah::ZERO };
        if rest > Rupiah::ZERO && rest <= tolerance {
            self.move_to(source.from, Leg::total(Account::Rounding), rest, Movement::Rounded, cause)?;
            return Ok(Rupiah::ZERO);
        }
        if open > Rupiah::ZERO && open <= tolerance {
            self.take_off(id, WayOff::Rounding, open, Movement::Rounded, cause)?;
        }
        Ok(rest)
    }

    /// A reusable bill owes nothing: each payment bills itself, up to the bill's amount.
    fn allocate_reusable(&mut self, source: Source, amount: Rupiah, id: ItemId, cause: Cause) -> Result<Rupiah, BooksError> {
        let debt = self.debt(id)?;
        let asked = debt.bills.iter().filter_map(|bill| self.known.bills.get(bill)).map(|bill| bill.amount).max();
        let taken = amount.min(asked.unwrap_or_default());
        let receivable = Leg::of(Account::Receivable, id);
        self.move_to(receivable, Leg::total(Account::Premium), taken, Movement::Billed, cause)?;
        self.move_to(source.from, receivable, taken, source.movement, cause)?;
        let debt = self.debt_mut(id)?;
        debt.due = debt.due.plus(taken);
        debt.applied.push(AppliedMoney { from: source.from, back: source.back, amount: taken });
        Ok(amount.minus(taken))
    }

    /// A debt that takes less than it was given: reductions give way first, then payments, the latest first; what was paid by
    /// another way goes last.
    pub(super) fn fall(&mut self, id: ItemId, cause: Cause) -> Result<(), BooksError> {
        for off in WayOff::GIVES_WAY {
            let over = Rupiah::ZERO.minus(self.debt(id)?.open());
            let back = over.min(self.debt(id)?.off(off)).max(Rupiah::ZERO);
            self.take_off(id, off, Rupiah::ZERO.minus(back), Movement::Returned, cause)?;
        }
        for last in self.debt(id)?.standing().into_iter().rev() {
            let over = Rupiah::ZERO.minus(self.debt(id)?.open());
            let back = over.min(last.amount).max(Rupiah::ZERO);
            if back > Rupiah::ZERO {
                self.debt_mut(id)?.applied.push(AppliedMoney { amount: Rupiah::ZERO.minus(back), ..last });
                self.move_to(Leg::of(Account::Receivable, id), last.back, back, Movement::Returned, cause)?;
                self.over_by(id, last.back, back)?;
            }
        }
        let over = Rupiah::ZERO.minus(self.debt(id)?.open());
        let elsewhere = over.min(self.debt(id)?.off(WayOff::Elsewhere)).max(Rupiah::ZERO);
        self.take_off(id, WayOff::Elsewhere, Rupiah::ZERO.minus(elsewhere), Movement::Returned, cause)
    }

    /// A debt that takes more than before: what its payments have in excess, and no decision is about, is applied first.
    pub(super) fn rise(&mut self, id: ItemId, cause: Cause) -> Result<(), BooksError> {
        for payment in self.debt(id)?.payments.clone() {
            let Some(held) = self.free_excess(payment) else { continue };
            let open = self.debt(id)?.open();
            if open <= Rupiah::ZERO {
                return Ok(());
            }
            let amount = self.known.held(held).min(open);
            let source = Source { from: held, back: held, movement: Movement::Applied, restores: Movement::Restored, rounds: true };
            let rest = self.allocate(source, amount, id, cause)?;
            self.over_by(id, held, rest.minus(amount))?;
        }
        Ok(())
    }

    /// The payment of this run whose money returns to `back` has more over, or less.
    fn over_by(&mut self, debt: ItemId, back: Leg, more: Rupiah) -> Result<(), BooksError> {
        let is_of = |id: &&ItemId| self.known.payments.get(id).is_some_and(|one| Leg::of(Account::Suspense, one.held_as) == back);
        let payment = self.debt(debt)?.payments.iter().find(is_of).copied();
        if let Some(allocation) = payment.and_then(|id| self.allocations.get_mut(&id)) {
            allocation.over_by(more);
        }
        Ok(())
    }

    /// Where a payment's excess stands, if there is any that waits for nobody.
    fn free_excess(&self, payment: ItemId) -> Option<Leg> {
        let payment = self.known.payments.get(&payment).filter(|payment| payment.hold.is_none())?;
        let held = Leg::of(Account::Suspense, payment.held_as);
        (self.known.held(held) > Rupiah::ZERO && !self.is_decided(held)).then_some(held)
    }

    /// A payment that had no owner, and has one now: what is still held of it is matched to the bill, unless a decision is about it.
    fn find_owner(&mut self, id: ItemId, fact: &PaymentFact) -> Result<(), BooksError> {
        let Payee::Bill(bill) = fact.payee else { return Ok(()) };
        let Some(held_as) = self.known.payments.get(&id).filter(|payment| payment.debt.is_none()).map(|payment| payment.held_as) else {
            return Ok(());
        };
        let held = Leg::of(Account::Suspense, held_as);
        let Some(debt) = self.debt_paid(fact)? else { return Ok(()) };
        if self.is_decided(held) || self.debt(debt)?.is_before_books {
            return Ok(());
        }
        let waits_for = fact.hold.filter(|_| !self.is_accepted_late(fact));
        if let Some(payment) = self.known.payments.get_mut(&id) {
            (payment.payee, payment.debt, payment.hold, payment.class) = (fact.payee, Some(debt), waits_for, fact.class);
        }
        self.debt_mut(debt)?.payments.push(id);
        let created = self.known.bills.get(&bill).and_then(|bill| bill.events.first()).map(|event| event.day(self.period.to));
        let on = created.unwrap_or(self.period.to).max(fact.day()).min(self.period.to);
        if waits_for.is_some() {
            return Ok(());
        }
        let source = Source { from: held, back: held, movement: Movement::Matched, restores: Movement::Restored, rounds: true };
        let open = self.known.held(held).max(Rupiah::ZERO);
        self.allocate(source, open, debt, Cause::concluded("matched", &[id, bill], on)).map(drop)
    }

    fn is_accepted_late(&self, fact: &PaymentFact) -> bool {
        self.settings.accept_late && fact.hold == Some(super::fact::PaymentHold::AfterExpiry)
    }

    /// The debt a payment is for. A bill that is still to come, or so old that it was forgotten, has none: its money waits.
    fn debt_paid(&self, fact: &PaymentFact) -> Result<Option<ItemId>, BooksError> {
        match fact.payee {
            Payee::Bill(bill) if self.aside.later.contains(&bill) || self.aside.too_old.contains(&bill) => Ok(None),
            Payee::Bill(bill) => self.debt_of(bill).map(Some),
            Payee::Nobody | Payee::Disagreeing | Payee::Ambiguous => Ok(None),
        }
    }

    /// The id a payment is kept under: its own, or one it was known by before.
    fn payment_id_of(&self, fact: &PaymentFact) -> ItemId {
        let ids = std::iter::once(&fact.id).chain(&fact.aliases).map(|id| self.known.payment_id(*id));
        let mut known = ids.filter(|id| self.known.payments.contains_key(id));
        known.next().unwrap_or(fact.id)
    }

    /// Remembers by what other ids a payment is known, and that a notification has come for what only Check Status had told.
    fn learn(&mut self, id: ItemId, fact: &PaymentFact) {
        let others = std::iter::once(fact.id).chain(fact.aliases.iter().copied()).filter(|other| *other != id);
        for other in others {
            self.known.aliases.insert(other, id);
            if let Some(payment) = self.known.payments.get_mut(&id).filter(|payment| !payment.aliases.contains(&other)) {
                payment.aliases.push(other);
                payment.aliases.sort_unstable();
            }
        }
        if let Some(payment) = self.known.payments.get_mut(&id) {
            payment.only_told &= fact.only_told;
            payment.canonical = payment.canonical.or(fact.canonical);
        }
    }
}
