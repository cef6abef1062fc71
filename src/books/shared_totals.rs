//! What debts that were posted apart leave to everything else: the totals of accounts and the batches their settlement rows stand in, which
//! all parts have in common.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::account::{Account, Side};
use super::book::Book;
use super::item::ItemId;
use super::known::{BatchDay, Open};
use super::pair::{Leg, Pair, Why};
use crate::domain::amount::Rupiah;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedTotals {
    /// What new rows come to, by batch and day; nothing is posted of it yet.
    days: BTreeMap<(ItemId, Date), BatchDay>,
    /// Batches with rows that are not paid out yet.
    waiting: BTreeSet<ItemId>,
    /// Every batch that a known row stands in.
    pub(super) batches: BTreeSet<ItemId>,
    /// What was posted on totals and batches.
    balances: BTreeMap<Leg, Open>,
    /// By which movements, of which days.
    pub(super) moved: BTreeMap<Leg, BTreeMap<(Why, Date), Rupiah>>,
}

/// Whether all parts have what stands on a leg in common: totals, and what is about a batch.
pub(super) const fn is_common(leg: Leg) -> bool {
    leg.item.is_none() || matches!(leg.account, Account::Clearing)
}

impl SharedTotals {
    /// Takes out of `book` what is not its own.
    pub(super) fn out_of(book: &mut Book<'_>) -> Self {
        let touched = std::mem::take(&mut book.touched);
        let batches = std::mem::take(&mut book.known.batches);
        let days = batches.into_iter().filter(|(id, _)| touched.contains(id));
        let days = days.flat_map(|(id, batch)| batch.days.into_iter().map(move |(on, day)| ((id, on), day))).collect();
        let (common, own) = std::mem::take(&mut book.known.balances).into_iter().partition(|(leg, _)| is_common(*leg));
        book.known.balances = own;
        let mut moved: BTreeMap<Leg, BTreeMap<(Why, Date), Rupiah>> = BTreeMap::new();
        for (leg, why, original, amount) in book.pairs.iter().flat_map(moves) {
            let sum = moved.entry(leg).or_default().entry((why, original)).or_default();
            *sum = sum.plus(amount);
        }
        let waiting = std::mem::take(&mut book.waiting);
        Self { days, waiting, batches: book.known.rows.values().map(|row| row.batch).collect(), balances: common, moved }
    }

    /// Adds what another part left.
    pub fn add(&mut self, other: Self) {
        for (on, day) in other.days {
            self.days.entry(on).or_default().add(&day);
        }
        self.waiting.extend(other.waiting);
        self.batches.extend(other.batches);
        for (leg, open) in other.balances {
            add_open(&mut self.balances, leg, open);
        }
        for (leg, sums) in other.moved {
            let all = self.moved.entry(leg).or_default();
            for (why, amount) in sums {
                let sum = all.entry(why).or_default();
                *sum = sum.plus(amount);
            }
        }
    }

    /// Puts it into the book of everything else.
    pub(super) fn put_into(&self, book: &mut Book<'_>) {
        for ((batch, on), day) in &self.days {
            book.known.batches.entry(*batch).or_default().days.entry(*on).or_default().add(day);
            book.touched.insert(*batch);
        }
        book.waiting.extend(&self.waiting);
        for (leg, open) in &self.balances {
            add_open(&mut book.known.balances, *leg, *open);
        }
    }
}

/// What a pair moves on accounts that all parts have in common.
fn moves(pair: &Pair) -> impl Iterator<Item = (Leg, Why, Date, Rupiah)> {
    let sides = pair.legs().into_iter().zip([Side::Debit, Side::Credit]).filter(|((leg, _), _)| leg.item.is_some() && is_common(*leg));
    let why = |side, account| (pair.is_prior_period(), pair.movement.seen_from(account, side));
    sides.map(move |((leg, amount), side)| (leg, why(side, leg.account), pair.original, amount))
}

/// The same leg, moved in two parts: open since the earlier, moved last by the later.
fn add_open(balances: &mut BTreeMap<Leg, Open>, leg: Leg, open: Open) {
    let Some(before) = balances.get(&leg).copied() else {
        balances.insert(leg, open);
        return;
    };
    let amount = before.amount.plus(open.amount);
    if amount == Rupiah::ZERO {
        balances.remove(&leg);
        return;
    }
    let last = if (open.moved_on, open.cause) > (before.moved_on, before.cause) { open } else { before };
    balances.insert(leg, Open { amount, since: before.since.min(open.since), ..last });
}
