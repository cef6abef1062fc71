//! What is found about a line with yes or no.

/// Yes-or-no findings about a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(pub(super) u8);

impl Marks {
    /// The signature is right.
    pub const VERIFIED: Self = Self(1);
    /// Flag N05.
    pub const REQUEST_REUSED: Self = Self(2);
    /// Flag N10.
    pub const SKEWED: Self = Self(4);
    /// Flag N11.
    pub const LATE: Self = Self(8);
    /// The acquirer is not the channel's own.
    pub const ACQUIRER_DIFFERS: Self = Self(16);
    /// It is no line of a log but an answer of Check Status; it arrived when it was asked for.
    pub const BY_STATUS: Self = Self(32);
    /// It leaves out the store's own number of the payment.
    pub const NO_TRANSACTION: Self = Self(64);
    /// Its identity, evened out, is another: that stands in the text of [`Lines`](super::Lines), after the invoice number and the code.
    pub const EVENED: Self = Self(128);

    /// Whether all of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and, if `on`, also `other`.
    #[must_use]
    pub const fn and(self, other: Self, on: bool) -> Self {
        if on { Self(self.0 | other.0) } else { self }
    }
}
