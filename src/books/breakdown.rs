//! What customers owe by product, branch, agent: from opening to closing, and how old what is open is.
//!
//! Belongs here: the account `receivable` by the dimensions of its debts. Must not be here: how a report shows it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use super::account::Account;
use super::item::ItemId;
use super::movement::Movement;
use super::post::PostedMonth;
use crate::domain::ageing::{AgeBucket, day_number};
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::dimensions::Dimensions;

/// What debts of one kind come to over a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receivables {
    /// Open at the start.
    pub opening: Balance,
    /// Asked for: billed, amended, reopened.
    pub billed: Rupiah,
    /// Paid.
    pub received: Rupiah,
    /// Whatever else took it off, or brought it back: cancelled, lapsed, written off, marked paid.
    pub other: Rupiah,
    /// What was open at the start of debts that came from another value, less what went to one.
    pub moved: Rupiah,
    /// Open at the end, by age, in the order of [`Bucket::ALL`].
    pub closing: [Balance; 5],
}

impl Receivables {
    fn add(&mut self, more: &Self) {
        self.opening = self.opening.plus(more.opening);
        self.billed = self.billed.plus(more.billed);
        self.received = self.received.plus(more.received);
        self.other = self.other.plus(more.other);
        self.moved = self.moved.plus(more.moved);
        self.closing.iter_mut().zip(more.closing).for_each(|(sum, one)| *sum = sum.plus(one));
    }

    /// All that is open at the end.
    #[must_use]
    pub fn closed(&self) -> Balance {
        self.closing.into_iter().sum()
    }

    /// What of it is older than 60 days.
    #[must_use]
    pub fn past_limit(&self) -> Balance {
        AgeBucket::ALL.into_iter().zip(self.closing).filter(|(bucket, _)| bucket.is_past_limit()).map(|(_, balance)| balance).sum()
    }

    fn post(&mut self, movement: Movement, amount: Rupiah) {
        let sum = match movement {
            Movement::Billed | Movement::AmendedUp | Movement::AmendedDown | Movement::Reopened => &mut self.billed,
            Movement::Received | Movement::Applied | Movement::Matched | Movement::Rounded => &mut self.received,
            _ => &mut self.other,
        };
        *sum = sum.plus(amount);
    }
}

/// See the module; of all debts that have the same dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breakdown(HashMap<Dimensions, Receivables>);

impl Breakdown {
    /// Of a month or a part of one, with ages on the day `today`.
    #[must_use]
    pub fn of(month: &PostedMonth, today: Date) -> Self {
        let mut all: HashMap<Dimensions, Receivables> = HashMap::new();
        let none = Dimensions::default();
        let now = |debt: Option<ItemId>| debt.and_then(|debt| month.known.dimensions_of(debt)).unwrap_or(&none);
        let mut under = |dimensions: &Dimensions, add: &mut dyn FnMut(&mut Receivables)| match all.get_mut(dimensions) {
            Some(sum) => add(sum),
            None => add(all.entry(dimensions.clone()).or_default()),
        };
        for (leg, open) in month.opening.iter().filter(|(leg, _)| leg.account == Account::Receivable) {
            let now = now(leg.item);
            let then = leg.item.and_then(|debt| month.aside.regrouped.get(&debt)).unwrap_or(now);
            under(then, &mut |sum| sum.opening = sum.opening.plus(Balance::one(open.amount)));
            if then != now {
                under(then, &mut |sum| sum.moved = sum.moved.minus(open.amount));
                under(now, &mut |sum| sum.moved = sum.moved.plus(open.amount));
            }
        }
        let mut at = |debt: Option<ItemId>, add: &mut dyn FnMut(&mut Receivables)| under(now(debt), add);
        for pair in &month.pairs {
            for (leg, amount) in pair.legs().into_iter().filter(|(leg, _)| leg.account == Account::Receivable) {
                at(leg.item, &mut |sum| sum.post(pair.movement, amount));
            }
        }
        for (leg, open) in month.known.balances.iter().filter(|(leg, _)| leg.account == Account::Receivable) {
            let days = day_number(today).saturating_sub(day_number(month.known.ages_from(*leg, open)));
            let place = AgeBucket::ALL.iter().position(|bucket| *bucket == AgeBucket::of(days));
            at(leg.item, &mut |sum| {
                if let Some(bucket) = place.and_then(|place| sum.closing.get_mut(place)) {
                    *bucket = bucket.plus(Balance::one(open.amount));
                }
            });
        }
        Self(all)
    }

    /// Adds those of one more part.
    pub fn add(&mut self, more: Self) {
        for (dimensions, one) in more.0 {
            self.0.entry(dimensions).or_default().add(&one);
        }
    }

    /// By one dimension and its value after the other; what has no value of a dimension is under the empty one.
    #[must_use]
    pub fn by_dimension(&self) -> BTreeMap<(String, String), Receivables> {
        let names: BTreeSet<&str> = self.0.keys().flat_map(Dimensions::iter).map(|(name, _)| name).collect();
        let mut all: BTreeMap<(String, String), Receivables> = BTreeMap::new();
        for name in names {
            for (dimensions, one) in &self.0 {
                all.entry((name.to_owned(), dimensions.value(name).to_owned())).or_default().add(one);
            }
        }
        all
    }

    /// All debts together.
    #[must_use]
    pub fn total(&self) -> Receivables {
        let mut total = Receivables::default();
        self.0.values().for_each(|one| total.add(one));
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_past_the_limit_is_what_is_older_than_60_days_and_all_of_it_is_what_is_closed() {
        let closing = [1, 20, 300, 4_000, 50_000].map(|amount| Balance { count: 1, amount: Rupiah::new(amount) });
        let open = Receivables { closing, ..Receivables::default() };
        assert_eq!(open.past_limit(), Balance { count: 2, amount: Rupiah::new(54_000) });
        assert_eq!(open.closed(), Balance { count: 5, amount: Rupiah::new(54_321) });
    }
}
