//! What a month says, read from its postings and open items: opening, movements and closing of each account, and how old what is open is.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::account::{Account, AgesFrom, Side};
use super::known::{Known, Open};
use super::pair::{Leg, Movement, Pair};
use super::post::Month;
use crate::domain::ageing::{Bucket, day_number};
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;

/// One line between opening and closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Why.
    pub movement: Movement,
    /// Whether it belongs to a month before and became known in this one.
    pub is_prior_period: bool,
    /// By how many it changed the number of open items, and what it comes to (debit +, credit −); of an account of totals, how many
    /// postings it had.
    pub balance: Balance,
}

/// An account over a month; amounts are debit +, credit −.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Which.
    pub account: Account,
    /// Open items and their sum at the start.
    pub opening: Balance,
    /// What moved, in the order of [`Movement::ALL`], the month's own before what is of months before.
    pub lines: Vec<Line>,
    /// Open items and their sum at the end, counted from the items.
    pub closing: Balance,
}

impl Statement {
    /// What opening and lines come to.
    #[must_use]
    pub fn carried(&self) -> Balance {
        self.lines.iter().fold(self.opening, |sum, line| sum.plus(line.balance))
    }
}

/// How old the open items of an account are; what stands on the wrong side is never netted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ageing {
    /// Of which account.
    pub account: Account,
    /// What stands on its normal side, in the order of [`Bucket::ALL`].
    pub normal: [Balance; 5],
    /// What stands on the other side.
    pub other: [Balance; 5],
}

impl Ageing {
    /// All of it, debit +, credit −.
    #[must_use]
    pub fn total(&self) -> Balance {
        self.normal.into_iter().chain(self.other).sum()
    }
}

fn sum<'a>(balances: &'a BTreeMap<Leg, Open>, account: Account) -> Balance {
    balances.iter().filter(|(leg, _)| leg.account == account).map(|(_, open): (_, &'a Open)| Balance::one(open.amount)).sum()
}

impl Month {
    /// Every account that has something to say.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        let mut lines: BTreeMap<Account, BTreeMap<(bool, Movement), Balance>> = BTreeMap::new();
        let mut moved: BTreeMap<Leg, Rupiah> = BTreeMap::new();
        for pair in &self.pairs {
            for ((leg, amount), side) in pair.legs().into_iter().zip([Side::Debit, Side::Credit]) {
                let movement = pair.movement.seen_from(leg.account, side);
                let line = lines.entry(leg.account).or_default().entry((pair.is_prior_period(), movement)).or_default();
                let before = moved.entry(leg).or_insert_with(|| self.opening.get(&leg).map_or(Rupiah::ZERO, |open| open.amount));
                let after = before.plus(amount);
                let count = i64::from(after != Rupiah::ZERO).saturating_sub(i64::from(*before != Rupiah::ZERO));
                *before = after;
                *line = line.plus(Balance { count: if leg.item.is_some() { count } else { 1 }, amount });
            }
        }
        let of = |account| Statement {
            account,
            opening: sum(&self.opening, account),
            lines: lines
                .remove(&account)
                .unwrap_or_default()
                .into_iter()
                .map(|((is_prior_period, movement), balance)| Line { movement, is_prior_period, balance })
                .collect(),
            closing: sum(&self.known.balances, account),
        };
        let is_silent =
            |statement: &Statement| statement.lines.is_empty() && statement.opening == Balance::ZERO && statement.closing == Balance::ZERO;
        Account::ALL.map(of).into_iter().filter(|statement| !is_silent(statement)).collect()
    }

    /// The age of what is open on every account that has items, on the day `today`.
    #[must_use]
    pub fn ageing(&self, today: Date) -> Vec<Ageing> {
        let of = |account: Account| {
            let mut ageing = Ageing { account, normal: [Balance::ZERO; 5], other: [Balance::ZERO; 5] };
            for (leg, open) in self.known.balances.iter().filter(|(leg, _)| leg.account == account) {
                let days = day_number(today).saturating_sub(day_number(self.known.ages_from(*leg, open)));
                let is_normal = (open.amount > Rupiah::ZERO) == (account.info().side == Side::Debit);
                let buckets = if is_normal { &mut ageing.normal } else { &mut ageing.other };
                let place = Bucket::ALL.iter().position(|bucket| *bucket == Bucket::of(days));
                if let Some(bucket) = place.and_then(|place| buckets.get_mut(place)) {
                    *bucket = bucket.plus(Balance::one(open.amount));
                }
            }
            ageing
        };
        Account::ALL.into_iter().filter(|account| !account.info().holds.is_empty()).map(of).collect()
    }
}

/// The balances that `pairs` began with, by where they led.
#[must_use]
pub fn balances_before(pairs: &[Pair], after: &Known) -> BTreeMap<Leg, Rupiah> {
    let mut before: BTreeMap<Leg, Rupiah> = after.balances.iter().map(|(leg, open)| (*leg, open.amount)).collect();
    for (leg, amount) in pairs.iter().flat_map(Pair::legs) {
        let sum = before.entry(leg).or_default();
        *sum = sum.minus(amount);
    }
    before.retain(|_, amount| *amount != Rupiah::ZERO);
    before
}

impl Known {
    /// The day from which an open item ages.
    #[must_use]
    pub fn ages_from(&self, leg: Leg, open: &Open) -> Date {
        let debt = leg.item.and_then(|item| self.debts.get(&item)).filter(|_| leg.account.info().ages == AgesFrom::Due);
        let bills = debt.into_iter().flat_map(|debt| &debt.bills).filter_map(|bill| self.bills.get(bill)).filter(|bill| bill.is_live);
        let mut due: Vec<(Option<Date>, Option<Date>)> = bills.map(|bill| (bill.due_on, bill.expires_on)).collect();
        due.sort_unstable();
        let due_on = due.iter().filter_map(|(due, _)| *due).min();
        due_on.or_else(|| due.iter().filter_map(|(_, expires)| *expires).max()).unwrap_or(open.since)
    }
}
