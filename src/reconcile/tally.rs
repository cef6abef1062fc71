//! Counts and rupiah by class, and the identities that hold independent counters against each other.

use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Nature};
use crate::domain::sum::Sum;

/// One tally a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tallies([Sum; Class::COUNT]);

impl Default for Tallies {
    fn default() -> Self {
        Self([Sum::default(); Class::COUNT])
    }
}

impl Tallies {
    /// Counts one more of `class`.
    pub fn add(&mut self, class: Class, amount: Rupiah) {
        if let Some(tally) = self.0.get_mut(usize::from(class.index())) {
            *tally = tally.plus(Sum::one(amount));
        }
    }

    /// Counts one of `class` no more.
    pub(super) fn take_one(&mut self, class: Class, amount: Rupiah) {
        if let Some(tally) = self.0.get_mut(usize::from(class.index())) {
            *tally = tally.minus(Sum::one(amount));
        }
    }

    /// Both added, class by class.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (tally, more) in self.0.iter_mut().zip(other.0) {
            *tally = tally.plus(more);
        }
        self
    }

    /// The tally of `class`.
    #[must_use]
    pub fn of(&self, class: Class) -> Sum {
        self.0.get(usize::from(class.index())).copied().unwrap_or_default()
    }

    /// Every class that occurred, in the order of the rules.
    pub fn iter(&self) -> impl Iterator<Item = (Class, Sum)> {
        Class::all().zip(self.0).filter(|(_, tally)| tally.count > 0)
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> Sum {
        self.0.iter().copied().sum()
    }
}

pub(super) const fn place(nature: Nature) -> usize {
    match nature {
        Nature::Ok => 0,
        Nature::Timing => 1,
        Nature::Break => 2,
    }
}

pub(super) fn add_nature(natures: &mut [Sum; 3], nature: Nature, tally: Sum) {
    if let Some(sum) = natures.get_mut(place(nature)) {
        *sum = sum.plus(tally);
    }
}

/// Counts one of the nature `from` as of `to` instead.
pub(super) fn move_nature(natures: &mut [Sum; 3], from: Nature, to: Nature, amount: Rupiah) {
    if let Some(sum) = natures.get_mut(place(from)) {
        *sum = sum.minus(Sum::one(amount));
    }
    add_nature(natures, to, Sum::one(amount));
}

/// Two figures that must be one, each from its own counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlIdentity {
    /// What is compared.
    pub name: &'static str,
    /// By the reader, the raw sums or the ledger's own query.
    pub left: i128,
    /// By the classes.
    pub right: i128,
}

impl ControlIdentity {
    /// Whether they are one.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.left == self.right
    }
}
