//! What a payment found when it was posted: where a decision has moved a debt, its class is read from this.

use super::known::Debt;
use super::ways_off::WayOff;
use crate::domain::amount::Rupiah;

/// How a payment met its debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// What it came to.
    pub amount: Rupiah,
    /// What the debt asks for, all told.
    pub asked: Rupiah,
    /// What was open on the debt before it, with what money restores.
    pub open: Rupiah,
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
    takes: Rupiah,
    is_paid_elsewhere: bool,
}

impl Standing {
    pub(super) fn of(debt: &Debt) -> Self {
        let is_paid_elsewhere = debt.off(WayOff::Elsewhere) > Rupiah::ZERO;
        Self { applied: debt.applied(), rounding: debt.off(WayOff::Rounding), takes: debt.takes(), is_paid_elsewhere }
    }

    /// What became of `amount`, of which `over` was not taken.
    pub(super) fn after(self, debt: &Debt, amount: Rupiah, over: Rupiah) -> Allocation {
        let taken = amount.minus(over);
        let is_rounded = taken != debt.applied().minus(self.applied) || debt.off(WayOff::Rounding) != self.rounding;
        Allocation {
            amount,
            asked: debt.due,
            open: self.takes,
            taken,
            over,
            left: debt.open().max(Rupiah::ZERO),
            is_rounded,
            is_reusable: debt.is_reusable,
            is_paid_elsewhere: self.is_paid_elsewhere,
        }
    }
}

impl Allocation {
    /// What was still owed when it came, as it turned out: what the debt took of a payment that is over, else what it paid and what it
    /// left. The rules of payments hold its amount against that.
    #[must_use]
    pub fn owed(&self) -> Rupiah {
        match self {
            Self { over, .. } if *over > Rupiah::ZERO => self.taken,
            Self { is_rounded: true, .. } => self.open,
            Self { .. } => self.amount.plus(self.left),
        }
    }

    /// Its debt asks for `due` by the end.
    pub(super) fn ends_with(&mut self, due: Rupiah) {
        self.left = self.left.plus(due).minus(self.asked).max(Rupiah::ZERO);
        self.asked = due;
    }

    /// So much more of it is over since, or less, because its debt fell or rose.
    pub(super) fn over_by(&mut self, more: Rupiah) {
        (self.taken, self.over) = (self.taken.minus(more), self.over.plus(more));
    }
}
