//! How old what is open has become, in WIB days at as-of.

use crate::domain::ageing::AgeBucket;
use crate::domain::balance::Balance;

/// One table: what is open, by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeTable {
    /// Of what, and by which day.
    pub name: &'static str,
    /// In the order of [`Bucket::ALL`].
    pub buckets: [Balance; 5],
}

impl AgeTable {
    /// The buckets with their figures.
    pub fn rows(&self) -> impl Iterator<Item = (AgeBucket, Balance)> + '_ {
        AgeBucket::ALL.into_iter().zip(self.buckets)
    }

    /// Everything older than 60 days.
    #[must_use]
    pub fn past_limit(&self) -> Balance {
        self.rows().filter(|(bucket, _)| bucket.is_past_limit()).map(|(_, balance)| balance).sum()
    }

    /// All buckets together.
    #[must_use]
    pub fn total(&self) -> Balance {
        self.buckets.into_iter().sum()
    }
}
