//! What the month's older figures read from the books: suspense, what became known of earlier periods, and what waits for a person.

use std::collections::BTreeMap;

use super::ages::Ageing;
use super::prior::PriorLine;
use crate::books::account::Account;
use crate::books::pair::{Leg, Movement as Why, Pair};
use crate::domain::amount::Rupiah;
use crate::domain::balance::{Balance, Movement, RollForward};
use crate::domain::calendar::start_of_wib_day;
use crate::domain::channel::Channel;
use crate::reconcile::open_items::{OpenItem, Todo, names_of};
use crate::reconcile::posted::Posted;

/// Money that nobody is owed yet, from opening to closing; what is owed to others counts as positive.
pub(super) fn suspense(posted: &Posted) -> RollForward {
    let statement = posted.month.statements().into_iter().find(|statement| statement.account == Account::Suspense);
    let credit = |balance: Balance| Balance { amount: Rupiah::ZERO.minus(balance.amount), ..balance };
    let lines = statement.iter().flat_map(|statement| &statement.lines);
    let prior: Balance = lines.clone().filter(|line| line.is_prior_period).map(|line| credit(line.balance)).sum();
    let mut movements = vec![Movement { name: "prior_period", balance: prior }];
    let own = lines.filter(|line| !line.is_prior_period);
    movements.extend(own.map(|line| Movement { name: line.movement.name(), balance: credit(line.balance) }));
    let of = |balance: Option<Balance>| credit(balance.unwrap_or_default());
    RollForward {
        name: "suspense",
        opening: of(statement.as_ref().map(|statement| statement.opening)),
        movements,
        closing: of(statement.as_ref().map(|statement| statement.closing)),
    }
}

/// What of earlier periods the books posted in this one: each item that moved, by account, movement and cause.
pub(super) fn prior(posted: &Posted) -> Vec<PriorLine> {
    let mut lines: BTreeMap<(Leg, Why, jiff::civil::Date, bool), Rupiah> = BTreeMap::new();
    for pair in posted.month.pairs.iter().filter(|pair| pair.is_prior_period()) {
        for (leg, amount) in pair.legs().into_iter().filter(|(leg, _)| leg.item.is_some()) {
            let sum = lines.entry((leg, pair.movement, pair.original, is_new(posted, leg, pair))).or_default();
            *sum = sum.plus(amount);
        }
    }
    let line = |((leg, movement, on, is_new), amount): ((Leg, Why, jiff::civil::Date, bool), Rupiah)| {
        let item = leg.item?;
        let (invoice_number, payment_code, channel) = names_of(&posted.month.known, item);
        Some(PriorLine {
            moves: leg.account.name(),
            kind: movement.name(),
            invoice_number,
            payment_code,
            channel: Channel::parse(&channel).unwrap_or(Channel::Alfa),
            at_us: start_of_wib_day(on).map(jiff::Timestamp::as_microsecond),
            count: i64::from(is_new),
            amount: if leg.account.info().side == crate::books::account::Side::Credit { Rupiah::ZERO.minus(amount) } else { amount },
            discrepancy_id: item.key_text(),
        })
    };
    lines.into_iter().filter_map(line).collect()
}

/// Whether the pair is what opened the item.
fn is_new(posted: &Posted, leg: Leg, pair: &Pair) -> bool {
    !posted.month.opening.contains_key(&leg) && posted.month.known.balances.get(&leg).is_some_and(|open| open.since == pair.original)
}

/// What waits for a person, by age.
pub(super) fn exceptions(items: &[OpenItem]) -> Ageing {
    let mut table = Ageing::new("exceptions_by_open_date");
    for item in items.iter().filter(|item| item.todo == Todo::Now) {
        table.add(item.age_days.max(0), size(item));
    }
    table
}

/// What waits for a person, all together.
pub(super) fn to_do(items: &[OpenItem]) -> Balance {
    items.iter().filter(|item| item.todo == Todo::Now).map(size).sum()
}

/// One item with its rupiah, whichever side it stands on.
fn size(item: &OpenItem) -> Balance {
    Balance::one(item.amount.max(Rupiah::ZERO.minus(item.amount)))
}
