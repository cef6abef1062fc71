//! What a month says, read from its postings and open items: opening, movements and closing of each account, and how old what is open is.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::account::{Account, AgesFrom, PerAccount, Side};
use super::known::{Known, Open};
use super::movement::Movement;
use super::pair::{Leg, Pair, Why};
use super::post::PostedMonth;
use super::shared_totals::is_common;
use crate::domain::ageing::{AgeBucket, day_number};
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;

/// One line between opening and closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovementLine {
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
    pub lines: Vec<MovementLine>,
    /// Open items and their sum at the end, counted from the items.
    pub closing: Balance,
}

impl Statement {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.lines.is_empty() && self.opening == Balance::ZERO && self.closing == Balance::ZERO
    }

    fn add(&mut self, other: Self) {
        (self.opening, self.closing) = (self.opening.plus(other.opening), self.closing.plus(other.closing));
        let why = |line: &MovementLine| (line.is_prior_period, line.movement);
        for line in other.lines {
            match self.lines.binary_search_by_key(&why(&line), why) {
                Ok(at) => self.lines.get_mut(at).into_iter().for_each(|sum| sum.balance = sum.balance.plus(line.balance)),
                Err(at) => self.lines.insert(at, line),
            }
        }
    }

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

/// Adds the statements of one more part to those of others; both are of every account.
pub fn add_up(all: &mut Vec<Statement>, more: Vec<Statement>) {
    if all.is_empty() {
        *all = more;
    } else {
        all.iter_mut().zip(more).for_each(|(sum, one)| sum.add(one));
    }
}

/// Adds the ages of one more part.
pub fn add_ages(all: &mut Vec<Ageing>, more: Vec<Ageing>) {
    if all.is_empty() {
        *all = more;
        return;
    }
    for (sum, one) in all.iter_mut().zip(more) {
        let buckets = sum.normal.iter_mut().zip(one.normal).chain(sum.other.iter_mut().zip(one.other));
        buckets.for_each(|(sum, one)| *sum = sum.plus(one));
    }
}

impl Ageing {
    /// All of it, debit +, credit −.
    #[must_use]
    pub fn total(&self) -> Balance {
        self.normal.into_iter().chain(self.other).sum()
    }
}

/// How many items each account has, and what they come to.
fn sums(balances: &BTreeMap<Leg, Open>) -> PerAccount<Balance> {
    let mut sums = PerAccount::<Balance>::default();
    for (leg, open) in balances {
        let sum = sums.at(leg.account);
        *sum = sum.plus(Balance::one(open.amount));
    }
    sums
}

impl PostedMonth {
    /// Every account, in the order of the chart.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        let mut lines: PerAccount<BTreeMap<Why, Balance>> = PerAccount::default();
        let mut moved: Vec<(Leg, Why, Rupiah)> = Vec::new();
        for pair in &self.pairs {
            for ((leg, amount), side) in pair.legs().into_iter().zip([Side::Debit, Side::Credit]) {
                let why = (pair.is_prior_period(), pair.movement.seen_from(leg.account, side));
                let line = lines.at(leg.account).entry(why).or_default();
                *line = line.plus(Balance { count: i64::from(leg.item.is_none()), amount });
                if leg.item.is_some() && self.is_told_here(leg) {
                    moved.push((leg, why, amount));
                }
            }
        }
        // What the parts moved is in their lines already; which items it opened and closed is known here only.
        let handed = self.handed.moved.iter().filter(|_| !self.is_apart).flat_map(|(leg, sums)| sums.iter().map(move |sum| (leg, sum)));
        moved.extend(handed.map(|(leg, ((why, _), amount))| (*leg, *why, *amount)));
        moved.sort_unstable_by_key(|(leg, why, _)| (*leg, *why));
        for of_leg in moved.chunk_by(|(one, ..), (other, ..)| one == other) {
            let sums = of_leg.chunk_by(|(_, one, _), (_, other, _)| one == other);
            let sums = sums.map(|of_why| (of_why.first().map(|(_, why, _)| *why), of_why.iter().map(|(.., amount)| *amount).sum()));
            let sums: Vec<(Why, Rupiah)> = sums.filter_map(|(why, sum)| Some((why?, sum))).collect();
            if let Some((leg, ..)) = of_leg.first() {
                for (why, count) in self.opened_and_closed(*leg, &sums) {
                    let line = lines.at(leg.account).entry(why).or_default();
                    *line = line.plus(Balance { count, amount: Rupiah::ZERO });
                }
            }
        }
        let lines_of = |lines: BTreeMap<Why, Balance>| {
            lines.into_iter().map(|((is_prior_period, movement), balance)| MovementLine { movement, is_prior_period, balance }).collect()
        };
        let [opening, closing] = [&self.opening, &self.known.balances].map(sums);
        let all = lines.into_each().zip(opening.into_each()).zip(closing.into_each());
        all.map(|(((account, lines), (_, opening)), (_, closing))| Statement { account, opening, lines: lines_of(lines), closing })
            .collect()
    }

    /// Which movements opened an item and which closed it, as +1 and −1: the first that moves it away from zero, and the last that moves
    /// it back. The order in which they were posted plays no part.
    fn opened_and_closed(&self, leg: Leg, sums: &[(Why, Rupiah)]) -> Vec<(Why, i64)> {
        let before = self.opening.get(&leg).map_or(Rupiah::ZERO, |open| open.amount);
        let after = self.known.balance(leg);
        let normal = Rupiah::new(if leg.account.info().side == Side::Debit { 1 } else { -1 });
        let away = if after != Rupiah::ZERO {
            after
        } else if before != Rupiah::ZERO {
            before
        } else {
            normal
        };
        let is_away = |amount: Rupiah| (amount > Rupiah::ZERO) == (away > Rupiah::ZERO);
        let first = sums.iter().find(|(_, amount)| *amount != Rupiah::ZERO && is_away(*amount)).map(|(why, _)| (*why, 1));
        let last = sums.iter().rev().find(|(_, amount)| *amount != Rupiah::ZERO && !is_away(*amount)).map(|(why, _)| (*why, -1));
        match (before == Rupiah::ZERO, after == Rupiah::ZERO) {
            (true, false) => first.into_iter().collect(),
            (false, true) => last.into_iter().collect(),
            (true, true) => first.zip(last).into_iter().flat_map(|(first, last)| [first, last]).collect(),
            (false, false) => Vec::new(),
        }
    }

    /// The age of what is open on every account that has items, on the day `today`.
    #[must_use]
    pub fn ageing(&self, today: Date) -> Vec<Ageing> {
        let none = |account| Ageing { account, normal: [Balance::ZERO; 5], other: [Balance::ZERO; 5] };
        let mut all = PerAccount::of(none);
        for (leg, open) in &self.known.balances {
            let days = day_number(today).saturating_sub(day_number(self.known.ages_from(*leg, open)));
            let is_normal = (open.amount > Rupiah::ZERO) == (leg.account.info().side == Side::Debit);
            let ageing = all.at(leg.account);
            let buckets = if is_normal { &mut ageing.normal } else { &mut ageing.other };
            let place = AgeBucket::ALL.iter().position(|bucket| *bucket == AgeBucket::of(days));
            if let Some(bucket) = place.and_then(|place| buckets.get_mut(place)) {
                *bucket = bucket.plus(Balance::one(open.amount));
            }
        }
        all.into_each().filter(|(account, _)| !account.info().holds.is_empty()).map(|(_, ageing)| ageing).collect()
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
    /// The day from which an open item ages. A batch is moved by rows of many debts, in whatever order they are posted: it is as old as
    /// its first day.
    #[must_use]
    pub fn ages_from(&self, leg: Leg, open: &Open) -> Date {
        let batch = leg.item.and_then(|item| self.batches.get(&item)).and_then(|batch| batch.days.keys().next());
        if let Some(first) = batch.filter(|_| leg.account == Account::Clearing) {
            return *first;
        }
        let debt = leg.item.and_then(|item| self.debts.get(&item)).filter(|_| leg.account.info().ages == AgesFrom::Due);
        let bills = debt.into_iter().flat_map(|debt| &debt.bills).filter_map(|bill| self.bills.get(bill)).filter(|bill| bill.is_live);
        let mut due: Vec<(Option<Date>, Option<Date>)> = bills.map(|bill| (bill.due_on, bill.expires_on)).collect();
        due.sort_unstable();
        let due_on = due.iter().filter_map(|(due, _)| *due).min();
        due_on.or_else(|| due.iter().filter_map(|(_, expires)| *expires).max()).unwrap_or(open.since)
    }
}

impl PostedMonth {
    /// Whether this part says what moves on a leg: what all parts have in common is told where they come together.
    #[must_use]
    pub const fn is_told_here(&self, leg: Leg) -> bool {
        !self.is_apart || !is_common(leg)
    }

    /// What the parts moved for earlier periods on what they have in common: where, why, of which day, how much.
    pub fn handed_of_earlier_periods(&self) -> impl Iterator<Item = (Leg, Movement, Date, Rupiah)> + '_ {
        let handed = self.handed.moved.iter().filter(|_| !self.is_apart);
        let all = handed
            .flat_map(|(leg, sums)| sums.iter().map(|(((is_prior, movement), on), amount)| (*leg, *is_prior, *movement, *on, *amount)));
        all.filter(|(_, is_prior, ..)| *is_prior).map(|(leg, _, movement, on, amount)| (leg, movement, on, amount))
    }
}
