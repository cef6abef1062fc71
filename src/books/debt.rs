//! A debt: what it asks for, what was applied to it, and what was taken off.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fact::{BillFact, Change};
use super::item::ItemId;
use super::off::Off;
use super::pair::Leg;
use crate::domain::amount::{Amount, Rupiah};

/// What a bill asks for, and whether it still does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// What it asks for, or last did.
    pub amount: Option<Amount>,
    /// Whether it is asked for.
    pub is_live: bool,
}

impl Asked {
    /// What a bill asks for after all that happened to it, oldest first.
    pub fn after(changes: impl IntoIterator<Item = Change>) -> Self {
        changes.into_iter().fold(Self::default(), |asked, change| match change {
            Change::Created(amount) | Change::Reinstated(amount) => Self { amount: Some(amount), is_live: true },
            Change::Amended(amount) => Self { amount: Some(amount), ..asked },
            Change::Cancelled => Self { is_live: false, ..asked },
        })
    }

    /// What a bill asks for after everything that is told of it.
    #[must_use]
    pub fn of(bill: &BillFact) -> Self {
        Self::after(bill.events.iter().map(|event| event.change))
    }

    /// That amount; nothing where there is none.
    #[must_use]
    pub fn rupiah(self) -> Rupiah {
        self.amount.map(Rupiah::from).unwrap_or_default()
    }
}

/// Money that was applied to a debt, and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// Where it came from.
    pub from: Leg,
    /// Where it returns to if the debt no longer takes it.
    pub back: Leg,
    /// How much.
    pub amount: Rupiah,
}

/// What is owed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debt {
    /// Its bills.
    pub bills: BTreeSet<ItemId>,
    /// What it asks for, all told.
    pub due: Rupiah,
    /// Whether its code may be paid any number of times, so that it owes nothing by itself.
    pub is_reusable: bool,
    /// Whether it was settled before the books began.
    pub is_before_books: bool,
    /// What was applied and, negative, what was given back, in that order.
    pub applied: Vec<Applied>,
    /// Its payments, in the order in which they were posted.
    pub payments: Vec<ItemId>,
    /// What was taken off.
    pub taken_off: BTreeMap<Off, Rupiah>,
}

impl Debt {
    /// What was applied, all told.
    #[must_use]
    pub fn applied(&self) -> Rupiah {
        self.applied.iter().map(|applied| applied.amount).sum()
    }

    /// What is applied of the money that would return to `back`.
    #[must_use]
    pub fn applied_from(&self, back: Leg) -> Rupiah {
        self.applied.iter().filter(|applied| applied.back == back).map(|applied| applied.amount).sum()
    }

    /// What is applied now, in the order in which it came: what was given back is taken from the latest of its source.
    #[must_use]
    pub fn standing(&self) -> Vec<Applied> {
        let mut standing: Vec<Applied> = Vec::new();
        for applied in &self.applied {
            if applied.amount > Rupiah::ZERO {
                standing.push(*applied);
                continue;
            }
            let mut back = Rupiah::ZERO.minus(applied.amount);
            for earlier in standing.iter_mut().rev().filter(|earlier| earlier.back == applied.back) {
                let part = back.min(earlier.amount);
                (earlier.amount, back) = (earlier.amount.minus(part), back.minus(part));
            }
            // Money that went back another way than it came, as after a cancellation.
            if back > Rupiah::ZERO {
                standing.push(Applied { amount: Rupiah::ZERO.minus(back), ..*applied });
            }
        }
        standing.retain(|applied| applied.amount != Rupiah::ZERO);
        standing
    }

    /// What was taken off in this way.
    #[must_use]
    pub fn off(&self, off: Off) -> Rupiah {
        self.taken_off.get(&off).copied().unwrap_or_default()
    }

    /// Changes what was taken off.
    pub fn add_off(&mut self, off: Off, amount: Rupiah) {
        let sum = self.off(off).plus(amount);
        if sum == Rupiah::ZERO {
            self.taken_off.remove(&off)
        } else {
            self.taken_off.insert(off, sum)
        };
    }

    /// What is still owed; negative while it takes less than was applied.
    #[must_use]
    pub fn open(&self) -> Rupiah {
        self.due.minus(self.applied()).minus(self.taken_off.values().copied().sum())
    }

    /// How much money it can take: what is open, and what money would restore.
    #[must_use]
    pub fn takes(&self) -> Rupiah {
        Off::RESTORED.into_iter().fold(self.open(), |sum, off| sum.plus(self.off(off)))
    }
}
