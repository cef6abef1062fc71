//! How something is taken off a debt without money of ours, what brings it back, and in which order it gives way.

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::item::ItemId;
use super::movement::Movement;
use super::pair::Leg;

/// How something was taken off a debt without money of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayOff {
    /// The ledger says paid, nothing proves it.
    Unproven,
    /// Its last code has long expired.
    Lapsed,
    /// Cancelled.
    Cancelled,
    /// Given up.
    WrittenOff,
    /// The customer need not pay.
    Waived,
    /// Within the tolerance.
    Rounding,
    /// Paid by another way.
    Elsewhere,
}

impl WayOff {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Unproven, Self::Lapsed, Self::Cancelled, Self::WrittenOff, Self::Waived, Self::Rounding, Self::Elsewhere];

    /// What late money restores, in this order. What was waived, rounded or paid by another way is not owed again by paying it.
    pub const RESTORED: [Self; 4] = [Self::Unproven, Self::Lapsed, Self::Cancelled, Self::WrittenOff];

    /// What a falling debt gives back before any payment gives way. What was paid by another way goes last of all.
    pub const GIVES_WAY: [Self; 6] = [Self::Rounding, Self::Waived, Self::WrittenOff, Self::Cancelled, Self::Lapsed, Self::Unproven];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Lapsed => "lapsed",
            Self::Cancelled => "cancelled",
            Self::WrittenOff => "written_off",
            Self::Waived => "waived",
            Self::Rounding => "rounding",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// Where the other end of it stands, for the debt `debt`.
    #[must_use]
    pub const fn counterpart(self, debt: ItemId) -> Leg {
        match self {
            Self::Unproven => Leg::of(Account::Unproven, debt),
            Self::Lapsed | Self::Cancelled | Self::Waived => Leg::total(Account::Premium),
            Self::WrittenOff => Leg::total(Account::WriteOff),
            Self::Rounding => Leg::total(Account::Rounding),
            Self::Elsewhere => Leg::total(Account::Elsewhere),
        }
    }

    /// The movement that takes it off.
    #[must_use]
    pub const fn movement(self) -> Movement {
        match self {
            Self::Unproven => Movement::MarkedPaid,
            Self::Lapsed => Movement::Lapsed,
            Self::Cancelled => Movement::Cancelled,
            Self::WrittenOff => Movement::WrittenOff,
            Self::Waived => Movement::Waived,
            Self::Rounding => Movement::Rounded,
            Self::Elsewhere => Movement::PaidElsewhere,
        }
    }
}
