//! What the naive book-keeper does with decisions.

use super::{A, Id, Naive, Undo};
use crate::books::decision::{Action, Decision};

impl Naive {
    pub(super) fn obey(&mut self, decision: &Decision) {
        let place = self.paid.get(&decision.item).map_or(decision.item, |paid| paid.3);
        let item = if decision.account == Some(A::Suspense) { place } else { decision.item };
        let debt = match decision.target {
            Some(bill) => Some(self.debt_of[&bill]),
            None if decision.action == Action::Apply => self.paid.get(&decision.item).and_then(|paid| paid.1),
            None => Some(decision.item).filter(|id| self.debts.contains_key(id)),
        };
        let before = debt.map(|id| (self.debts[&id].given.clone(), self.debts[&id].off.clone()));
        let asked = |open: i64| decision.amount.map_or(open, |amount| amount as i64);
        let purse = if decision.account == Some(A::Deposits) { &mut self.credits } else { &mut self.held };
        let open = purse.get(&item).copied().unwrap_or(0);
        let mut amount = asked(open);
        match decision.action {
            Action::Credit => drop(self.credits.insert(decision.id, amount)),
            Action::Keep => *self.sums.entry(A::Income).or_default() -= amount,
            Action::Refund => drop(self.refunds.insert(decision.id, amount)),
            Action::Apply => {
                let over = self.give(debt.unwrap(), item, amount, 0);
                amount -= over;
            }
            Action::Transferred => {
                let due = self.refunds.get_mut(&item).unwrap();
                amount = asked(*due);
                *due -= amount;
                *self.sums.entry(A::Bank).or_default() -= amount;
            }
            Action::Waive | Action::Lapse | Action::WriteOff | Action::PaidElsewhere => {
                let why = match decision.action {
                    Action::Waive => "waived",
                    Action::Lapse => "lapsed",
                    Action::WriteOff => "written_off",
                    _ => "elsewhere",
                };
                let id = debt.unwrap();
                let debt = self.debts.get_mut(&id).unwrap();
                amount = asked(debt.open());
                *debt.off(why) += amount;
                self.sink(id);
            }
            Action::Reopen => return self.take_back(decision.item),
            _ => amount = 0,
        }
        if matches!(decision.action, Action::Credit | Action::Keep | Action::Refund | Action::Apply) {
            let purse = if decision.account == Some(A::Deposits) { &mut self.credits } else { &mut self.held };
            *purse.get_mut(&item).unwrap() -= amount;
        }
        if decision.account == Some(A::Suspense) {
            *self.touched.entry(item).or_default() += 1;
        }
        let (given, off) = before.zip(debt).map_or_else(Default::default, |((given, off), id)| {
            let now = &self.debts[&id];
            let changed = now.off.iter().map(|(why, amount)| (*why, amount - off.get(why).unwrap_or(&0))).collect();
            (now.given[given.len()..].to_vec(), changed)
        });
        self.undo.insert(
            decision.id,
            Undo { item, in_suspense: decision.account == Some(A::Suspense), action: decision.action, debt, given, off, amount },
        );
    }

    fn take_back(&mut self, id: Id) {
        let Undo { item, in_suspense, action, debt, given, off, amount } = self.undo.remove(&id).unwrap();
        if in_suspense {
            *self.touched.get_mut(&item).unwrap() -= 1;
        }
        match action {
            Action::Credit => *self.credits.get_mut(&id).unwrap() -= amount,
            Action::Keep => *self.sums.get_mut(&A::Income).unwrap() += amount,
            Action::Refund => *self.refunds.get_mut(&id).unwrap() -= amount,
            Action::Transferred => {
                *self.refunds.get_mut(&item).unwrap() += amount;
                *self.sums.get_mut(&A::Bank).unwrap() += amount;
            }
            _ => {}
        }
        if matches!(action, Action::Credit | Action::Keep | Action::Refund | Action::Apply) {
            let purse = if self.credits.contains_key(&item) { &mut self.credits } else { &mut self.held };
            *purse.get_mut(&item).unwrap() += amount;
        }
        let Some(debt) = debt else { return };
        let owed = self.debts.get_mut(&debt).unwrap();
        if owed.reusable {
            owed.due -= given.iter().map(|(_, amount)| amount).sum::<i64>();
        }
        for (from, mut amount) in given {
            for entry in owed.given.iter_mut().rev().filter(|entry| entry.0 == from) {
                let part = amount.min(entry.1);
                (entry.1, amount) = (entry.1 - part, amount - part);
            }
        }
        for (why, amount) in off {
            *owed.off(why) -= amount;
        }
        self.sink(debt);
        self.lift(debt);
        self.bury(debt);
    }
}
