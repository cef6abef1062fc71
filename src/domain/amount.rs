//! Whole rupiah. An [`Amount`] is what a bill may ask for; [`Rupiah`] is what sums and differences are made of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount a bill may carry: 1 to 999,999,999,999 rupiah (12 digits, DOKU's `order.amount`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Amount(u64);

/// Why a number or a text is not an [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum AmountError {
    /// Nothing was written.
    #[error("the amount is empty")]
    Empty,
    /// Something other than the digits 0 to 9.
    #[error("the amount must be digits only: no separators, decimals, signs or currency")]
    NotDigits,
    /// Zero.
    #[error("the amount must be more than zero")]
    Zero,
    /// More than 12 digits.
    #[error("the amount has more than 12 digits")]
    TooLarge,
}

impl Amount {
    /// The largest amount DOKU accepts, in rupiah.
    pub const MAX: u64 = 999_999_999_999;

    /// An amount of `rupiah`, 1 to [`Amount::MAX`].
    pub const fn new(rupiah: u64) -> Result<Self, AmountError> {
        match rupiah {
            0 => Err(AmountError::Zero),
            1..=Self::MAX => Ok(Self(rupiah)),
            _ => Err(AmountError::TooLarge),
        }
    }

    /// Reads plain digits; leading zeros are allowed, anything else is not.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        if text.is_empty() {
            return Err(AmountError::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AmountError::NotDigits);
        }
        let significant = text.trim_start_matches('0');
        if significant.is_empty() {
            return Err(AmountError::Zero);
        }
        Self::new(significant.parse().map_err(|_| AmountError::TooLarge)?)
    }

    /// The amount in rupiah.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Amount {
    type Error = AmountError;
    fn try_from(rupiah: u64) -> Result<Self, AmountError> {
        Self::new(rupiah)
    }
}

impl From<Amount> for u64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Digits in groups of three, parted by dots as both languages do it: `1.500.000`.
#[must_use]
pub fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len().saturating_mul(2));
    for (left, digit) in (1..=digits.len()).rev().zip(digits.chars()) {
        grouped.push(digit);
        if left > 1 && left % 3 == 1 {
            grouped.push('.');
        }
    }
    grouped
}

/// A sum or difference in whole rupiah, of either sign. Wide enough that no count of 12-digit amounts overflows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Rupiah(i128);

/// The readers of tagged entries know no wider integers, and no sum of a period comes near their bound.
impl<'de> Deserialize<'de> for Rupiah {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(|rupiah| Self(rupiah.into()))
    }
}

impl Rupiah {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `rupiah` whole rupiah.
    #[must_use]
    pub const fn new(rupiah: i128) -> Self {
        Self(rupiah)
    }

    /// The number of rupiah.
    #[must_use]
    pub const fn get(self) -> i128 {
        self.0
    }

    /// `self + other`. Saturates at a bound no real sum reaches (1.7 × 10³⁸).
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self − other`, saturating like [`Rupiah::plus`].
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<Amount> for Rupiah {
    fn from(amount: Amount) -> Self {
        Self(i128::from(amount.0))
    }
}

impl std::iter::Sum for Rupiah {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Self::plus)
    }
}

impl fmt::Display for Rupiah {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_one_to_twelve_digits_and_nothing_else() {
        assert_eq!(Amount::parse("150000").map(Amount::get), Ok(150_000));
        assert_eq!(Amount::parse("000150000").map(Amount::get), Ok(150_000));
        assert_eq!(Amount::parse("999999999999").map(Amount::get), Ok(Amount::MAX));
        assert_eq!(Amount::parse("1000000000000"), Err(AmountError::TooLarge));
        assert_eq!(Amount::parse("99999999999999999999999"), Err(AmountError::TooLarge));
        assert_eq!(Amount::parse("0"), Err(AmountError::Zero));
        assert_eq!(Amount::parse(""), Err(AmountError::Empty));
        for wrong in ["150.000", "150,000", "1e5", "-5", "+5", " 5", "Rp5", "٥", "5.0"] {
            assert_eq!(Amount::parse(wrong), Err(AmountError::NotDigits), "{wrong}");
        }
    }
}
