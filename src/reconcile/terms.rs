//! What decides in a reconciliation, beside what it concludes from.

use jiff::Timestamp;

use crate::domain::classify::{MatchingPolicy, Period};

/// What decides, beside the inputs.
#[derive(Clone, Debug)]
pub struct ReconcileTerms {
    /// Which days.
    pub period: Period,
    /// Seen from when.
    pub as_of: Timestamp,
    /// What the rules leave to the merchant.
    pub policy: MatchingPolicy,
}
