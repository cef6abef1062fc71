//! Values and how they are to be shown.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::amount::Rupiah;

/// What a column holds: decides alignment, number format and width, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Words.
    Text,
    /// An identifier: text with all its digits, never a number.
    Code,
    /// How many.
    Count,
    /// Whole rupiah.
    Rupiah,
    /// Whole rupiah whose sign matters.
    Difference,
    /// A WIB day.
    Date,
    /// An instant, shown as WIB to the second.
    Instant,
    /// Hundredths of a percent.
    Percent,
}

impl CellKind {
    /// Whether values stand to the right.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Count | Self::Rupiah | Self::Difference | Self::Percent)
    }

    /// The name used in style sheets.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Code => "code",
            Self::Count => "count",
            Self::Rupiah => "rupiah",
            Self::Difference => "difference",
            Self::Date => "date",
            Self::Instant => "instant",
            Self::Percent => "percent",
        }
    }
}

/// One value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing is known, or nothing applies.
    #[default]
    Empty,
    /// Words or a code.
    Text(Cow<'a, str>),
    /// How many, with the sign it has in a sum.
    Count(i64),
    /// How much.
    Rupiah(Rupiah),
    /// A WIB day.
    Date(Date),
    /// An instant.
    Instant(Timestamp),
    /// Hundredths of a percent.
    Percent(i64),
}

impl Cell<'_> {
    /// This value and `other`, where both can be summed up; else this one.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Count(a), Self::Count(b)) => Self::Count(a.saturating_add(*b)),
            (Self::Rupiah(a), Self::Rupiah(b)) => Self::Rupiah(a.plus(*b)),
            (this, _) => this,
        }
    }

    /// The value as a number, for drawings; 0 when it is none.
    #[must_use]
    pub fn number(&self) -> i128 {
        match self {
            Self::Count(count) => i128::from(*count),
            Self::Rupiah(amount) => amount.get(),
            Self::Percent(hundredths) => i128::from(*hundredths),
            Self::Empty | Self::Text(_) | Self::Date(_) | Self::Instant(_) => 0,
        }
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(Cow::Borrowed(text)) }
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(Cow::Owned(text)) }
    }
}

impl<'a> From<Cow<'a, str>> for Cell<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }
}

impl From<u64> for Cell<'_> {
    fn from(count: u64) -> Self {
        Self::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Cell<'_> {
    fn from(count: i64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Cell<'_> {
    fn from(count: usize) -> Self {
        Self::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<Rupiah> for Cell<'_> {
    fn from(amount: Rupiah) -> Self {
        Self::Rupiah(amount)
    }
}

impl From<Date> for Cell<'_> {
    fn from(day: Date) -> Self {
        Self::Date(day)
    }
}

impl From<Timestamp> for Cell<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Instant(at)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}
