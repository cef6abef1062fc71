//! Balances and how they roll forward: opening, movements, closing. Pure arithmetic, count and rupiah side by side.

use serde::{Deserialize, Serialize};

use super::amount::Rupiah;

/// How many and how much, of either sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// How many.
    pub count: i64,
    /// Their rupiah.
    pub amount: Rupiah,
}

impl Balance {
    /// Nothing.
    pub const ZERO: Self = Self { count: 0, amount: Rupiah::ZERO };

    /// One item of `amount`.
    #[must_use]
    pub const fn one(amount: Rupiah) -> Self {
        Self { count: 1, amount }
    }

    /// Rupiah alone: what an amendment moves.
    #[must_use]
    pub const fn rupiah(amount: Rupiah) -> Self {
        Self { count: 0, amount }
    }

    /// `self + other`.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { count: self.count.saturating_add(other.count), amount: self.amount.plus(other.amount) }
    }

    /// `self − other`.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self { count: self.count.saturating_sub(other.count), amount: self.amount.minus(other.amount) }
    }

    /// The same with its sign turned.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self::ZERO.minus(self)
    }
}

impl std::iter::Sum for Balance {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Self::plus)
    }
}

/// One line between opening and closing, with the sign it has in the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLine {
    /// What moved, such as `issued`.
    pub name: &'static str,
    /// By how much.
    pub balance: Balance,
}

/// A balance carried from one end of a period to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollForward {
    /// Of what.
    pub name: &'static str,
    /// The balance at the start.
    pub opening: Balance,
    /// What moved it, in the order of the report.
    pub movements: Vec<SignedLine>,
    /// The balance at the end, counted by itself and not from the movements.
    pub closing: Balance,
}

impl RollForward {
    /// Opening and movements added up: what the closing must be.
    #[must_use]
    pub fn carried(&self) -> Balance {
        self.opening.plus(self.movements.iter().map(|movement| movement.balance).sum())
    }

    /// Whether both ways lead to one balance.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.carried() == self.closing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balance(count: i64, amount: i128) -> Balance {
        Balance { count, amount: Rupiah::new(amount) }
    }

    #[test]
    fn a_roll_forward_holds_only_if_count_and_rupiah_both_do() {
        let roll = |closing| RollForward {
            name: "codes",
            opening: balance(2, 300),
            movements: vec![
                SignedLine { name: "issued", balance: balance(3, 500) },
                SignedLine { name: "amended", balance: Balance::rupiah(Rupiah::new(-50)) },
                SignedLine { name: "settled", balance: balance(4, 600).negated() },
            ],
            closing,
        };
        assert!(roll(balance(1, 150)).holds());
        assert!(!roll(balance(2, 150)).holds(), "a wrong count");
        assert!(!roll(balance(1, 151)).holds(), "a wrong sum");
    }
}
