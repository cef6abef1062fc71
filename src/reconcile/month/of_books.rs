//! What the month's older figures read from the books: suspense, what became known of earlier periods, and what waits for a person.

use super::ages::AgeTable;
use crate::books::account::Account;
use crate::domain::amount::Rupiah;
use crate::domain::balance::{Balance, RollForward, SignedLine};
use crate::reconcile::open_items::Items;
use crate::reconcile::posted::Posted;

/// Money that nobody is owed yet, from opening to closing; what is owed to others counts as positive.
pub(super) fn suspense(posted: &Posted) -> RollForward {
    let statement = posted.statement(Account::Suspense);
    let credit = |balance: Balance| Balance { amount: Rupiah::ZERO.minus(balance.amount), ..balance };
    let lines = statement.into_iter().flat_map(|statement| &statement.lines);
    let prior: Balance = lines.clone().filter(|line| line.is_prior_period).map(|line| credit(line.balance)).sum();
    let mut movements = vec![SignedLine { name: "prior_period", balance: prior }];
    let own = lines.filter(|line| !line.is_prior_period);
    movements.extend(own.map(|line| SignedLine { name: line.movement.name(), balance: credit(line.balance) }));
    let of = |balance: Option<Balance>| credit(balance.unwrap_or_default());
    RollForward {
        name: "suspense",
        opening: of(statement.map(|statement| statement.opening)),
        movements,
        closing: of(statement.map(|statement| statement.closing)),
    }
}

/// What customers owe, by the day it was due: the ages of the account.
pub(super) fn receivables(posted: &Posted) -> AgeTable {
    let of = posted.ageing.iter().find(|ageing| ageing.account == Account::Receivable);
    AgeTable { name: "unpaid_bills_by_due_date", buckets: of.map(|ageing| ageing.normal).unwrap_or_default() }
}

/// What waits for a person, by age.
pub(super) const fn exceptions(items: &Items) -> AgeTable {
    AgeTable { name: "exceptions_by_open_date", buckets: items.ages() }
}
