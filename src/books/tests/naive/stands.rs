//! How debts and accounts stand, as the naive book-keeper reads them.

use std::collections::BTreeSet;

use super::{A, Balances, Id, Naive, Owed, Stands};

impl Naive {
    /// By the money that has come for it, whether or not it waits, and by what of it people have decided need not come.
    pub(super) fn stands(&self) -> Stands {
        let asks = self.debts.iter().filter(|(_, debt)| !debt.reusable && debt.bills.values().any(|(_, is_live, _)| *is_live));
        let stands = |debt: &Owed| {
            let waits: BTreeSet<Id> = debt.payers.iter().map(|payer| self.paid[payer].3).collect();
            let money = debt.given() + waits.iter().map(|item| self.held.get(item).copied().unwrap_or(0).max(0)).sum::<i64>();
            let off = |why: &str| debt.off.get(why).copied().unwrap_or(0);
            let rest = debt.due - ["waived", "lapsed", "written_off", "elsewhere"].into_iter().map(off).sum::<i64>() - money;
            match rest {
                _ if money == 0 && rest > 0 && off("unproven") > 0 => "marked",
                _ if money == 0 && rest > 0 => "unpaid",
                _ if rest > self.tolerance => "short",
                _ if -rest > self.tolerance => "over",
                _ => "settled",
            }
        };
        asks.map(|(id, debt)| (*id, stands(debt))).collect()
    }

    /// What stands where.
    pub(super) fn balances(&self) -> Balances {
        let mut all = Balances::new();
        let mut add = |account, id, amount: i64| *all.entry((account, id)).or_default() += i128::from(amount);
        for (id, debt) in &self.debts {
            let off = |why: &str| debt.off.get(why).copied().unwrap_or(0);
            add(A::Receivable, Some(*id), debt.open());
            add(A::Unproven, Some(*id), off("unproven"));
            add(A::WriteOff, None, off("written_off"));
            add(A::Rounding, None, off("rounding"));
            add(A::Elsewhere, None, off("elsewhere"));
            add(A::Premium, None, -(debt.due - off("cancelled") - off("lapsed") - off("waived")));
        }
        for (id, (amount, _, _, _, taken)) in &self.paid {
            add(A::Doku, Some(*id), amount - taken);
        }
        for (account, items) in [(A::Suspense, &self.held), (A::Deposits, &self.credits), (A::RefundsDue, &self.refunds)] {
            for (id, amount) in items {
                add(account, Some(*id), -amount);
            }
        }
        for (id, amount) in &self.batches {
            add(A::Clearing, Some(*id), *amount);
        }
        for (account, amount) in &self.sums {
            add(*account, None, *amount);
        }
        all.retain(|_, amount| *amount != 0);
        all
    }
}
