//! From what the ledger asks for to what the books have owed: every difference between the two, by why.
//!
//! Belongs here: the ledger's own word at the end of the period beside the account `receivable`, debt by debt. Must not be here: postings,
//! which play no part in it.

use std::collections::BTreeMap;

use super::debt::Asked;
use super::fact::BillFact;
use super::item::ItemId;
use super::known::Known;
use super::off::Off;
use super::settings::Period;
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::calendar::end_of_wib_day;

/// A line between the two; what lines there are, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// What the ledger's bills ask for that are not cancelled, whatever was paid on them; a group's debt once.
    Asked,
    /// What the books know as paid on them.
    Received,
    /// What was taken off them without money of ours.
    TakenOff(Off),
    /// What the books have otherwise than the ledger asks for: money applied by a decision reopened what was cancelled, say.
    Differing,
    /// What is owed on bills that the ledger does not list.
    Unlisted,
}

impl Line {
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Received => "received",
            Self::TakenOff(off) => off.name(),
            Self::Differing => "differing",
            Self::Unlisted => "unlisted",
        }
    }
}

/// See the module: how many debts each line is of, and by how much it changes the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tie(BTreeMap<Line, Balance>);

impl Tie {
    /// Of what is known at the end of `period`, and of the bills that the ledger lists.
    #[must_use]
    pub fn of(known: &Known, bills: &[BillFact], period: Period) -> Self {
        let mut listed: BTreeMap<ItemId, Vec<&BillFact>> = BTreeMap::new();
        for bill in bills {
            listed.entry(known.bills.get(&bill.id).map_or(bill.debt, |known| known.debt)).or_default().push(bill);
        }
        let mut tie = Self::default();
        for (id, debt) in known.debts.iter().filter(|(_, debt)| !debt.is_reusable && !debt.is_before_books) {
            match listed.get(id).filter(|bills| bills.len() >= debt.bills.len()) {
                None => tie.add(Line::Unlisted, debt.open()),
                Some(bills) => {
                    let asked = bills.iter().filter_map(|bill| asked_at_end(bill, period)).max();
                    let Some(asked) = asked else {
                        // Nothing is asked for: what is open nevertheless is a difference.
                        tie.add(Line::Differing, debt.open());
                        continue;
                    };
                    tie.add(Line::Asked, asked);
                    tie.add(Line::Received, Rupiah::ZERO.minus(debt.applied()));
                    for (off, amount) in &debt.taken_off {
                        tie.add(Line::TakenOff(*off), Rupiah::ZERO.minus(*amount));
                    }
                    tie.add(Line::Differing, debt.due.minus(asked));
                }
            }
        }
        tie
    }

    fn add(&mut self, line: Line, amount: Rupiah) {
        if amount != Rupiah::ZERO {
            let sum = self.0.entry(line).or_default();
            *sum = sum.plus(Balance::one(amount));
        }
    }

    /// Adds that of one more part.
    pub fn add_part(&mut self, more: Self) {
        for (line, balance) in more.0 {
            let sum = self.0.entry(line).or_default();
            *sum = sum.plus(balance);
        }
    }

    /// The lines, in their order.
    pub fn lines(&self) -> impl Iterator<Item = (Line, Balance)> + '_ {
        self.0.iter().map(|(line, balance)| (*line, *balance))
    }

    /// What they come to: what is owed.
    #[must_use]
    pub fn total(&self) -> Rupiah {
        self.0.values().map(|balance| balance.amount).sum()
    }
}

/// What a bill asks for at the end of the period, by its ledger's word; none if nothing.
fn asked_at_end(bill: &BillFact, period: Period) -> Option<Rupiah> {
    let undated = end_of_wib_day(period.to);
    let mut events: Vec<_> = bill.events.iter().filter(|event| event.day(period.to) <= period.to).collect();
    events.sort_by_key(|event| event.at.or(undated));
    let asked = Asked::after(events.into_iter().map(|event| event.change));
    asked.is_live.then(|| asked.rupiah())
}
