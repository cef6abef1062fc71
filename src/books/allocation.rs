//! What a payment found when it was posted, and the class that follows: classes read the books, so that a bill paid in parts, over whatever
//! months, is under-paid only as long as something is owed.

use super::known::Debt;
use super::off::Off;
use crate::domain::amount::Rupiah;

/// How a payment met its debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// What it came to.
    pub amount: Rupiah,
    /// What the debt asked for, all told.
    pub asked: Rupiah,
    /// What the debt took of it, rounding included.
    pub taken: Rupiah,
    /// What is over.
    pub over: Rupiah,
    /// What is still owed after it.
    pub left: Rupiah,
    /// Whether a rest or a shortage was rounded.
    pub is_rounded: bool,
    /// Whether the bill may be paid any number of times.
    pub is_reusable: bool,
    /// Whether the debt had been paid by another way.
    pub is_paid_elsewhere: bool,
}

/// A debt just before a payment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    applied: Rupiah,
    rounding: Rupiah,
    is_paid_elsewhere: bool,
}

impl Standing {
    pub(super) fn of(debt: &Debt) -> Self {
        Self { applied: debt.applied(), rounding: debt.off(Off::Rounding), is_paid_elsewhere: debt.off(Off::Elsewhere) > Rupiah::ZERO }
    }

    /// What became of `amount`, of which `over` was not taken.
    pub(super) fn after(self, debt: &Debt, amount: Rupiah, over: Rupiah) -> Allocation {
        let taken = amount.minus(over);
        let is_rounded = taken != debt.applied().minus(self.applied) || debt.off(Off::Rounding) != self.rounding;
        Allocation {
            amount,
            asked: debt.due,
            taken,
            over,
            left: debt.open(),
            is_rounded,
            is_reusable: debt.is_reusable,
            is_paid_elsewhere: self.is_paid_elsewhere,
        }
    }
}

/// What a payment was to its debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// It paid what was asked.
    Exact,
    /// It is less than was asked, and completes the debt.
    Completes,
    /// It paid the debt within the tolerance.
    Rounded,
    /// It paid a bill that may be paid any number of times.
    Reusable,
    /// Something is owed after it.
    Short,
    /// It is more than was owed.
    Over,
    /// Nothing was owed any more.
    Twice,
    /// Nothing was owed any more, because another way had paid it.
    Elsewhere,
}

impl Met {
    /// The class that this is, as far as the books go.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Exact => "P00",
            Self::Completes => "P14",
            Self::Rounded => "P05",
            Self::Reusable => "P13",
            Self::Short => "P03",
            Self::Over => "P04",
            Self::Twice => "P06",
            Self::Elsewhere => "P12",
        }
    }
}

impl Allocation {
    /// What follows from the books alone; what else is known of the payment (its code, its channel, its time) may go before it.
    #[must_use]
    pub fn met(&self) -> Met {
        match self {
            Self { taken: Rupiah::ZERO, is_paid_elsewhere: true, .. } => Met::Elsewhere,
            Self { taken: Rupiah::ZERO, .. } => Met::Twice,
            Self { over, .. } if *over > Rupiah::ZERO => Met::Over,
            Self { left, .. } if *left > Rupiah::ZERO => Met::Short,
            Self { is_reusable: true, .. } => Met::Reusable,
            Self { is_rounded: true, .. } => Met::Rounded,
            Self { amount, asked, .. } if amount < asked => Met::Completes,
            Self { .. } => Met::Exact,
        }
    }
}
