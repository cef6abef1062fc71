//! What the month's older figures read from the books: suspense, what became known of earlier periods, and what waits for a person.

use std::collections::BTreeMap;

use super::ages::AgeTable;
use super::prior::PriorLine;
use crate::books::PostedMonth;
use crate::books::account::Account;
use crate::books::pair::{Leg, Movement as Why};
use crate::domain::amount::Rupiah;
use crate::domain::balance::{Balance, RollForward, SignedLine};
use crate::domain::calendar::start_of_wib_day;
use crate::domain::channel::Channel;
use crate::reconcile::open_items::{Items, names_of};
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

/// What of earlier periods a part of the books posted in this one: each item that moved, by account, movement and cause. What stands on
/// batches is told where all parts come together.
pub(in crate::reconcile) fn prior(month: &PostedMonth) -> Vec<PriorLine> {
    let mut lines: BTreeMap<(Leg, Why, jiff::civil::Date, bool), Rupiah> = BTreeMap::new();
    let mut add = |leg: Leg, movement: Why, original: jiff::civil::Date, amount: Rupiah| {
        let sum = lines.entry((leg, movement, original, is_new(month, leg, original))).or_default();
        *sum = sum.plus(amount);
    };
    for pair in month.pairs.iter().filter(|pair| pair.is_prior_period()) {
        for (leg, amount) in pair.legs().into_iter().filter(|(leg, _)| leg.item.is_some() && month.is_told_here(*leg)) {
            add(leg, pair.movement, pair.original, amount);
        }
    }
    for (leg, movement, original, amount) in month.handed_of_earlier_periods() {
        add(leg, movement, original, amount);
    }
    let line = |((leg, movement, on, is_new), amount): ((Leg, Why, jiff::civil::Date, bool), Rupiah)| {
        let item = leg.item?;
        let (invoice_number, payment_code, channel) = names_of(&month.known, item);
        Some(PriorLine {
            moves: leg.account.name(),
            kind: movement.name(),
            invoice_number,
            payment_code,
            channel: Channel::parse(&channel),
            at_us: start_of_wib_day(on).map(jiff::Timestamp::as_microsecond),
            count: i64::from(is_new),
            amount: if leg.account.info().side == crate::books::account::Side::Credit { Rupiah::ZERO.minus(amount) } else { amount },
            discrepancy_id: item.key_text(),
        })
    };
    lines.into_iter().filter_map(line).collect()
}

/// Whether the pair is what opened the item.
fn is_new(month: &PostedMonth, leg: Leg, original: jiff::civil::Date) -> bool {
    !month.opening.contains_key(&leg) && month.known.balances.get(&leg).is_some_and(|open| open.since == original)
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
