//! Why money moves in the books: the kinds of movements there are, by the names they have in files.
//!
//! Belongs here: their names. Must not be here: which of them an account takes (`account`).

use serde::{Deserialize, Serialize};

macro_rules! movements {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// Why rupiah move: a line of a roll-forward.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Movement {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Movement {
            /// All, in the order in which a roll-forward lists them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name used in files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

movements! {
    /// Taken over when the books began.
    TakenOn "taken_on";
    /// A debt arose.
    Billed "billed";
    /// A bill asks for more than before.
    AmendedUp "amended_up";
    /// A bill asks for less than before.
    AmendedDown "amended_down";
    /// Money came for what had been taken off a debt.
    Restored "restored";
    /// A debt is owed again.
    Reopened "reopened";
    /// Money came for a debt, or from a channel that DOKU does not settle.
    Received "received";
    /// Money held was used for a debt.
    Applied "applied";
    /// Money held found its bill.
    Matched "matched";
    /// The ledger says paid, nothing proves it.
    MarkedPaid "marked_paid";
    /// Paid by another way.
    PaidElsewhere "paid_elsewhere";
    /// Cancelled with something owed.
    Cancelled "cancelled";
    /// Given up because its code has long expired.
    Lapsed "lapsed";
    /// A customer need not pay it.
    Waived "waived";
    /// Given up.
    WrittenOff "written_off";
    /// Within the tolerance.
    Rounded "rounding";
    /// Money applied to a debt since cancelled is to go back.
    Unapplied "unapplied";
    /// Money or a reduction that a debt no longer takes.
    Returned "returned";
    /// A payment became known.
    Notified "notified";
    /// The amount of a payment was put right.
    Corrected "corrected";
    /// A settlement row of a payment.
    Settled "settled";
    /// A settlement row of a payment nobody notified.
    Unsettled "settled_not_notified";
    /// Money held until a person decides.
    Held "held";
    /// More than a debt takes.
    Excess "excess";
    /// Kept for the customer's next premium.
    Credited "credited";
    /// To go back to the payer.
    RefundDecided "refund_decided";
    /// Kept for good.
    Kept "kept";
    /// A refund was transferred.
    Transferred "transferred";
    /// DOKU took money back.
    TakenBack "taken_back";
    /// A row of another product.
    OtherProduct "other_product";
    /// DOKU paid a batch out.
    PaidOut "paid_out";
    /// Paid to a third party.
    Shared "shared";
    /// A difference was explained.
    Explained "explained";
    /// The bank has it.
    Banked "banked";
    /// A decision was taken back.
    Reversed "reversed";
}
