//! How debts stand, as the naive book-keeper reads them.

use std::collections::BTreeSet;

use super::{Id, Naive, Owed, Stands};

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
}
