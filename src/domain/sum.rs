//! How many, and how much: what every total of bills, payments, lines and rows is.

use serde::Serialize;

use super::amount::Rupiah;

/// How many, and their rupiah. What may be less than nothing is a [`Balance`](super::balance::Balance).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// Their rupiah; `amount` in files.
    #[serde(rename = "amount")]
    pub rupiah: Rupiah,
}

impl Sum {
    /// One of `rupiah`.
    #[must_use]
    pub const fn one(rupiah: Rupiah) -> Self {
        Self { count: 1, rupiah }
    }

    /// Both added.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { count: self.count.saturating_add(other.count), rupiah: self.rupiah.plus(other.rupiah) }
    }

    /// Less what is part of it.
    #[must_use]
    pub const fn minus(self, part: Self) -> Self {
        Self { count: self.count.saturating_sub(part.count), rupiah: self.rupiah.minus(part.rupiah) }
    }

    /// Adds one of `rupiah`.
    pub const fn add(&mut self, rupiah: Rupiah) {
        self.join(Self::one(rupiah));
    }

    /// Adds those of another.
    pub const fn join(&mut self, other: Self) {
        *self = self.plus(other);
    }
}

impl std::iter::Sum for Sum {
    fn sum<I: Iterator<Item = Self>>(sums: I) -> Self {
        sums.fold(Self::default(), Self::plus)
    }
}
