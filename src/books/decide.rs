//! Decisions at work: what each action moves, all of it or nothing, and how it is taken back.

use super::account::Account;
use super::allocate::Source;
use super::book::{Book, BooksError, Cause};
use super::decision::{Action, BooksDecision, PostingRefusal};
use super::item::{BooksSubject, ItemId};
use super::known::{Accepted, AppliedMoney, Decided};
use super::movement::Movement;
use super::pair::Leg;
use super::ways_off::WayOff;
use crate::domain::amount::Rupiah;

/// Why a decision was not posted: it is refused, or the books are in a state that cannot be.
enum Stop {
    Refused(PostingRefusal),
    Impossible(BooksError),
}

impl From<PostingRefusal> for Stop {
    fn from(refusal: PostingRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<BooksError> for Stop {
    fn from(error: BooksError) -> Self {
        Self::Impossible(error)
    }
}

/// What a decision found on its item, and how much of it it moves.
#[derive(Clone, Copy)]
struct Ground {
    leg: Leg,
    cause: Cause,
    /// What is open on the item, as its account is normally counted; negative where it stands on the other side.
    open: Rupiah,
    /// What is to move; more than zero.
    amount: Rupiah,
}

impl Book<'_> {
    /// Posts a decision, or notes why it moves nothing. Either way it is known from now on.
    pub(super) fn decide(&mut self, decision: &BooksDecision) -> Result<(), BooksError> {
        let leg = decision.account.map(|account| self.leg_of(account, decision.item));
        let debt = leg.and_then(|leg| self.debt_of_leg(leg, decision));
        if let Some(debt) = debt {
            self.lapse(debt, decision.effective_on)?;
        }
        let first = self.pairs.len();
        let before = debt.and_then(|debt| self.known.debts.get(&debt)).cloned();
        let refused = match self.carry_out(decision, leg, debt) {
            Ok(()) => {
                debt.map_or(Ok(()), |debt| self.cancel_rest(debt, Self::cause_of(decision)))?;
                None
            }
            Err(Stop::Refused(refusal)) => Some(refusal),
            Err(Stop::Impossible(error)) => return Err(error),
        };
        let posted = self.pairs.get(first..).unwrap_or_default().iter().map(|pair| (pair.debit, pair.credit, pair.amount)).collect();
        let after = debt.and_then(|debt| self.known.debts.get(&debt));
        let (taken_off, applied) = before.zip(after).map_or_else(Default::default, |(before, after)| {
            let change = |off| (off, after.off(off).minus(before.off(off)));
            let changes = WayOff::ALL.into_iter().map(change).filter(|(_, amount)| *amount != Rupiah::ZERO).collect();
            let applied: Vec<AppliedMoney> = after.applied.get(before.applied.len()..).unwrap_or_default().to_vec();
            (changes, applied)
        });
        if let Some(refusal) = refused {
            self.aside.refused.insert(decision.id, refusal);
        } else {
            self.decided.extend(leg);
        }
        let BooksDecision { action, effective_on: on, .. } = *decision;
        let decided = Decided { action, on, leg, debt, posted, taken_off, applied, refused, is_taken_back: false };
        self.known.decisions.insert(decision.id, decided);
        Ok(())
    }

    /// Where an item stands: a payment's money in suspense may stand under the row it took over.
    fn leg_of(&self, account: Account, item: ItemId) -> Leg {
        let item = if item.subject() == BooksSubject::Payment { self.known.payment_id(item) } else { item };
        let held_as = self.known.payments.get(&item).filter(|_| account == Account::Suspense).map(|payment| payment.held_as);
        Leg::of(account, held_as.unwrap_or(item))
    }

    /// The debt that a decision changes.
    fn debt_of_leg(&self, leg: Leg, decision: &BooksDecision) -> Option<ItemId> {
        match decision.action {
            Action::Apply => match decision.target {
                Some(bill) => self.known.bills.get(&bill).map(|bill| bill.debt),
                None => self.known.payments.get(&self.known.payment_id(decision.item))?.debt,
            },
            Action::Correct => self.known.payments.get(&leg.item?)?.debt,
            _ => leg.item.filter(|item| item.subject() == BooksSubject::Debt && self.known.debts.contains_key(item)),
        }
    }

    fn carry_out(&mut self, decision: &BooksDecision, leg: Option<Leg>, debt: Option<ItemId>) -> Result<(), Stop> {
        decision.check()?;
        let cause = Self::cause_of(decision);
        let Some(leg) = leg else {
            return if decision.action == Action::Reopen { self.reopen(decision, cause) } else { self.accept_alarm(decision) };
        };
        if decision.action == Action::Correct {
            return self.correct(decision, leg, debt, cause);
        }
        let open = super::pair::signed(leg.account.info().side, self.known.balance(leg));
        if decision.action == Action::Unapply {
            return self.unapply(decision, debt, cause);
        }
        if open == Rupiah::ZERO && decision.action != Action::PaidElsewhere {
            return Err(PostingRefusal::NothingOpen.into());
        }
        let size = open.max(Rupiah::ZERO.minus(open));
        if decision.action == Action::Accept {
            if decision.amount.is_some_and(|amount| Rupiah::new(amount.into()) != size) {
                return Err(PostingRefusal::Changed.into());
            }
            self.known.accepted.insert(leg, Accepted { decision: decision.id, amount: self.known.balance(leg) });
            return Ok(());
        }
        let amount = decision.amount.map_or_else(|| self.all_of(decision, size), |amount| Rupiah::new(amount.into()));
        let is_over = amount > size && decision.action != Action::PaidElsewhere;
        if is_over || amount <= Rupiah::ZERO {
            return Err(if is_over { PostingRefusal::TooMuch } else { PostingRefusal::NothingOpen }.into());
        }
        self.act(decision, debt, Ground { leg, cause, open, amount })
    }

    /// All that is open: of what a bank line proves, as far as that goes.
    fn all_of(&self, decision: &BooksDecision, size: Rupiah) -> Rupiah {
        let target = decision.target.filter(|_| decision.action == Action::Received);
        target.map_or(size, |line| size.min(self.known.held(Leg::of(Account::Suspense, line)).max(Rupiah::ZERO)))
    }

    /// The actions that move what is open on an item.
    fn act(&mut self, decision: &BooksDecision, debt: Option<ItemId>, ground: Ground) -> Result<(), Stop> {
        let Ground { leg, cause, open, amount } = ground;
        let own = |account| Leg::of(account, decision.id);
        let is_normal = open > Rupiah::ZERO;
        if !is_normal && !matches!(decision.action, Action::WriteOff | Action::Explain | Action::PaidElsewhere) {
            return Err(PostingRefusal::NothingOpen.into());
        }
        match decision.action {
            Action::Apply => self.apply(decision, debt, ground),
            Action::Credit => Ok(self.move_to(leg, own(Account::Deposits), amount, Movement::Credited, cause)?),
            Action::Keep => Ok(self.move_to(leg, Leg::total(Account::Income), amount, Movement::Kept, cause)?),
            Action::Refund => Ok(self.move_to(leg, own(Account::RefundsDue), amount, Movement::RefundDecided, cause)?),
            Action::Transferred => {
                let proof = self.proof(decision, amount)?;
                Ok(self.move_to(leg, proof, amount, Movement::Transferred, cause)?)
            }
            Action::Received => {
                let proof = self.proof(decision, Rupiah::ZERO.minus(amount))?;
                Ok(self.move_to(proof, leg, amount, Movement::Received, cause)?)
            }
            Action::Waive => self.give_up(debt, WayOff::Waived, amount, cause),
            Action::Lapse => self.give_up(debt, WayOff::Lapsed, amount, cause),
            Action::PaidElsewhere => self.paid_elsewhere(debt, ground),
            Action::WriteOff => self.write_off(debt, ground),
            Action::Explain => {
                let explained = Leg::total(decision.explained_as.ok_or(PostingRefusal::Target)?);
                let amount = if is_normal { amount } else { Rupiah::ZERO.minus(amount) };
                Ok(self.move_to(explained, leg, amount, Movement::Explained, cause)?)
            }
            Action::Accept | Action::Reopen | Action::Correct | Action::Unapply => Err(PostingRefusal::Unfit.into()),
        }
    }

    fn apply(&mut self, decision: &BooksDecision, debt: Option<ItemId>, ground: Ground) -> Result<(), Stop> {
        let debt = debt.ok_or(PostingRefusal::Unknown)?;
        let owed = self.debt(debt)?;
        let takes = if owed.is_reusable { ground.amount } else { owed.takes() };
        if takes <= Rupiah::ZERO {
            return Err(PostingRefusal::TargetEmpty.into());
        }
        if decision.amount.is_some() && ground.amount > takes {
            return Err(PostingRefusal::TargetLess.into());
        }
        let (movement, restores) = (Movement::Applied, Movement::Reopened);
        let source = Source { from: ground.leg, back: ground.leg, movement, restores, rounds: false };
        self.allocate(source, ground.amount.min(takes), debt, ground.cause)?;
        Ok(())
    }

    /// What a transfer is set against: the bank, or the open item (a bank line, DOKU's own refund) that proves it. `amount` is what
    /// that item must hold as a debit; negative: as a credit.
    fn proof(&self, decision: &BooksDecision, amount: Rupiah) -> Result<Leg, PostingRefusal> {
        let Some(target) = decision.target else { return Ok(Leg::total(Account::Bank)) };
        let proof = Leg::of(Account::Suspense, target);
        let held = self.known.balance(proof);
        if held == Rupiah::ZERO {
            let is_known = self.known.bank_lines.contains_key(&target) || self.known.rows.contains_key(&target);
            return Err(if is_known { PostingRefusal::TargetEmpty } else { PostingRefusal::Unknown });
        }
        let is_enough = if amount > Rupiah::ZERO { held >= amount } else { held <= amount };
        if is_enough { Ok(proof) } else { Err(PostingRefusal::TargetLess) }
    }

    fn give_up(&mut self, debt: Option<ItemId>, off: WayOff, amount: Rupiah, cause: Cause) -> Result<(), Stop> {
        Ok(self.take_off(debt.ok_or(PostingRefusal::Unknown)?, off, amount, off.movement(), cause)?)
    }

    /// Another way paid it: that may be more than is open, as far as the debt goes; then money of ours gives way.
    fn paid_elsewhere(&mut self, debt: Option<ItemId>, ground: Ground) -> Result<(), Stop> {
        let Ground { leg, cause, open, amount } = ground;
        let id = debt.ok_or(PostingRefusal::Unknown)?;
        let owed = self.debt(id)?;
        let limit = if leg.account == Account::Unproven { open } else { owed.due.minus(owed.off(WayOff::Elsewhere)) };
        if amount > limit {
            return Err(PostingRefusal::TooMuch.into());
        }
        if leg.account == Account::Unproven {
            let debt = self.debt_mut(id)?;
            debt.add_off(WayOff::Unproven, Rupiah::ZERO.minus(amount));
            debt.add_off(WayOff::Elsewhere, amount);
            return Ok(self.move_to(Leg::total(Account::Elsewhere), leg, amount, Movement::PaidElsewhere, cause)?);
        }
        self.take_off(id, WayOff::Elsewhere, amount, Movement::PaidElsewhere, cause)?;
        Ok(self.fall(id, cause)?)
    }

    fn write_off(&mut self, debt: Option<ItemId>, ground: Ground) -> Result<(), Stop> {
        let Ground { leg, cause, open, amount } = ground;
        let lost = Leg::total(Account::WriteOff);
        match (leg.account, debt) {
            (Account::Receivable, Some(debt)) => return self.give_up(Some(debt), WayOff::WrittenOff, amount, cause),
            (Account::Unproven, Some(id)) => {
                let debt = self.debt_mut(id)?;
                debt.add_off(WayOff::Unproven, Rupiah::ZERO.minus(amount));
                debt.add_off(WayOff::WrittenOff, amount);
            }
            // Only what DOKU or the bank took can be lost; a customer's money is kept, not written off.
            (Account::Suspense, _) if open > Rupiah::ZERO => return Err(PostingRefusal::Unfit.into()),
            _ => {}
        }
        let is_debit = self.known.balance(leg) > Rupiah::ZERO;
        let amount = if is_debit { amount } else { Rupiah::ZERO.minus(amount) };
        Ok(self.move_to(lost, leg, amount, Movement::WrittenOff, cause)?)
    }

    /// Money applied to a debt that was cancelled since goes back, and the debt is cancelled to that extent too.
    fn unapply(&mut self, decision: &BooksDecision, debt: Option<ItemId>, cause: Cause) -> Result<(), Stop> {
        let id = debt.ok_or(PostingRefusal::Unknown)?;
        let debt = self.debt(id)?;
        if debt.bills.iter().any(|bill| self.known.bills.get(bill).is_some_and(|bill| bill.is_live)) {
            return Err(PostingRefusal::Unfit.into());
        }
        let applied = debt.applied();
        let amount = decision.amount.map_or(applied, |amount| Rupiah::new(amount.into()));
        if amount > applied || amount <= Rupiah::ZERO {
            return Err(if applied > Rupiah::ZERO { PostingRefusal::TooMuch } else { PostingRefusal::NothingOpen }.into());
        }
        let (receivable, due) = (Leg::of(Account::Receivable, id), Leg::of(Account::RefundsDue, decision.id));
        let taken = AppliedMoney { from: due, back: due, amount: Rupiah::ZERO.minus(amount) };
        self.debt_mut(id)?.applied.push(taken);
        self.move_to(receivable, due, amount, Movement::Unapplied, cause)?;
        Ok(self.take_off(id, WayOff::Cancelled, amount, Movement::Unapplied, cause)?)
    }

    /// The right amount of a payment: what is more is held, what is less comes off what is held, then off its debt.
    fn correct(&mut self, decision: &BooksDecision, leg: Leg, debt: Option<ItemId>, cause: Cause) -> Result<(), Stop> {
        let right = Rupiah::new(decision.amount.unwrap_or_default().into());
        let payment = leg.item.and_then(|id| self.known.payments.get_mut(&id)).ok_or(PostingRefusal::Unknown)?;
        let difference = right.minus(payment.amount);
        if difference == Rupiah::ZERO || payment.account != leg.account {
            return Err(PostingRefusal::NothingOpen.into());
        }
        let held = Leg::of(Account::Suspense, payment.held_as);
        // What its debt gives back comes to suspense first, so that both ways of paying less are one.
        let missing = Rupiah::ZERO.minus(difference).minus(self.known.held(held).max(Rupiah::ZERO)).max(Rupiah::ZERO);
        if missing > Rupiah::ZERO {
            let debt = debt.ok_or(PostingRefusal::MovedOn)?;
            self.give_back(debt, held, missing, cause)?;
        }
        if let Some(payment) = leg.item.and_then(|id| self.known.payments.get_mut(&id)) {
            payment.amount = right;
        }
        self.move_to(leg, held, difference, Movement::Corrected, cause)?;
        match debt {
            Some(debt) => Ok(self.rise(debt, cause)?),
            None => Ok(()),
        }
    }

    /// Takes `amount` of what `back` had given to a debt from it again.
    fn give_back(&mut self, id: ItemId, back: Leg, amount: Rupiah, cause: Cause) -> Result<(), Stop> {
        if self.debt(id)?.applied_from(back) < amount {
            return Err(PostingRefusal::MovedOn.into());
        }
        let debt = self.debt_mut(id)?;
        debt.applied.push(AppliedMoney { from: back, back, amount: Rupiah::ZERO.minus(amount) });
        let receivable = Leg::of(Account::Receivable, id);
        if debt.is_reusable {
            debt.due = debt.due.minus(amount);
            self.move_to(Leg::total(Account::Premium), receivable, amount, Movement::AmendedDown, cause)?;
        }
        Ok(self.move_to(receivable, back, amount, Movement::Returned, cause)?)
    }

    fn accept_alarm(&mut self, decision: &BooksDecision) -> Result<(), Stop> {
        let alarm = self.known.alarms.get_mut(&decision.item).ok_or(PostingRefusal::Unknown)?;
        alarm.accepted_by = Some(decision.id);
        Ok(())
    }

    /// Takes a decision back: what it posted is posted the other way round, if what it moved is still where it moved it.
    fn reopen(&mut self, decision: &BooksDecision, cause: Cause) -> Result<(), Stop> {
        let former = self.known.decisions.get(&decision.item).cloned().ok_or(PostingRefusal::Unknown)?;
        if former.is_taken_back || former.refused.is_some() || former.action == Action::Reopen {
            return Err(PostingRefusal::TakenBack.into());
        }
        let is_there = |leg: &Leg, amount: Rupiah| match leg.account {
            Account::Deposits | Account::RefundsDue => self.known.held(*leg) >= amount,
            Account::Suspense if former.action == Action::PaidElsewhere => self.known.held(*leg) >= amount,
            _ => true,
        };
        if !former.posted.iter().all(|(_, credit, amount)| is_there(credit, *amount)) || !self.can_undo(&former) {
            return Err(PostingRefusal::MovedOn.into());
        }
        if let Some(id) = former.debt {
            let debt = self.debt_mut(id)?;
            if debt.is_reusable {
                // What such a bill was paid is what it billed.
                debt.due = debt.due.minus(former.applied.iter().map(|applied| applied.amount).sum());
            }
            for applied in &former.applied {
                debt.applied.push(AppliedMoney { amount: Rupiah::ZERO.minus(applied.amount), ..*applied });
            }
            for (off, amount) in &former.taken_off {
                debt.add_off(*off, Rupiah::ZERO.minus(*amount));
            }
        }
        for (debit, credit, amount) in &former.posted {
            self.move_to(*credit, *debit, *amount, Movement::Reversed, cause)?;
        }
        for alarm in self.known.alarms.values_mut().filter(|alarm| alarm.accepted_by == Some(decision.item)) {
            alarm.accepted_by = None;
        }
        if let Some(former) = self.known.decisions.get_mut(&decision.item) {
            former.is_taken_back = true;
        }
        if let Some(leg) = former.leg {
            self.known.accepted.retain(|_, accepted| accepted.decision != decision.item);
            let is_other = |other: &Decided| other.leg == Some(leg) && !other.is_taken_back && other.refused.is_none();
            if !self.known.decisions.values().any(is_other) {
                self.decided.remove(&leg);
            }
        }
        if let Some(debt) = former.debt {
            self.fall(debt, cause)?;
            self.rise(debt, cause)?;
            self.cancel_rest(debt, cause)?;
        }
        Ok(())
    }

    /// Whether the debt a decision changed is still as it left it, as far as that decision goes.
    fn can_undo(&self, former: &Decided) -> bool {
        let Some(debt) = former.debt.and_then(|debt| self.known.debts.get(&debt)) else { return former.debt.is_none() };
        let is_off = |&(off, amount): &(WayOff, Rupiah)| debt.off(off) >= amount;
        let is_applied = |applied: &AppliedMoney| debt.applied_from(applied.back) >= applied.amount;
        former.taken_off.iter().all(is_off) && former.applied.iter().all(is_applied) && former.action != Action::Correct
    }
}
