//! A settlement row with its class, and what it settles.

use super::subjects::ToldIn;
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, ClassSet, Nature};

/// A readable settlement row with its class.
#[derive(Clone, Copy, Debug)]
pub struct JudgedRow {
    /// Its class.
    pub class: Class,
    /// Lower hits.
    pub flags: ClassSet,
    /// TIMING or BREAK of S01; else that of its class.
    pub nature: Nature,
    /// Whose it is, if it is ours.
    pub channel: Option<Channel>,
    /// The bill it is about, or [`NO_BILL`].
    pub bill: u32,
    /// The payment it settles.
    pub payment: Option<ToldIn>,
    /// Rupiah as notified, of the payment it settles.
    pub amount_notified: Option<u64>,
    /// What the fee should be, in rupiah, where the contract is known.
    pub fee_expected: Option<u64>,
    /// Whether the very same row stands elsewhere already.
    pub is_repeated: bool,
    /// Whether it is part of what its batch comes to: a row that stands there once more is not, held before it was paid out or not.
    pub counts: bool,
}

impl JudgedRow {
    /// The payment of this evidence it settles, by its place in `Outcome::judged`.
    #[must_use]
    pub const fn here(&self) -> Option<u32> {
        if let Some(ToldIn::Here(payment)) = self.payment { Some(payment) } else { None }
    }
}
