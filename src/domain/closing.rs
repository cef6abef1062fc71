//! The closing balances: what is signed, and what the next period is carried on from. Their hash covers the items behind them
//! and the hash of the balances they were carried on from, so that periods form a chain.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::balance::Balance;
use super::digest;

/// The balances at the end of a period, in rupiah.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// The first WIB day.
    pub from: Date,
    /// The last WIB day.
    pub to: Date,
    /// Codes that could still be paid.
    pub outstanding_codes: Balance,
    /// Money that was nobody's yet.
    pub suspense: Balance,
    /// Discrepancies that waited for a person; `None` when they were not followed.
    pub open_discrepancies: Option<Balance>,
    /// Stands for the list of outstanding codes.
    pub outstanding_digest: String,
    /// Stands for the list of money held.
    pub suspense_digest: String,
    /// The hash of the balances this period opened with; `None` for the first.
    pub opening_hash: Option<String>,
    /// The hash of the carry of its books; `None` for periods closed before there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub books_hash: Option<String>,
}

impl Closing {
    /// Equal for equal balances with equal items and an equal past, and for nothing else.
    #[must_use]
    pub fn hash(&self) -> String {
        let words = |balance: Balance| format!("{} {}", balance.count, balance.amount);
        let parts = [
            self.from.to_string(),
            self.to.to_string(),
            words(self.outstanding_codes),
            words(self.suspense),
            self.open_discrepancies.map_or_else(String::new, words),
            self.outstanding_digest.clone(),
            self.suspense_digest.clone(),
            self.opening_hash.clone().unwrap_or_default(),
        ];
        let books = self.books_hash.iter().map(String::as_bytes);
        let parts: Vec<&[u8]> = std::iter::once(&b"closing"[..]).chain(parts.iter().map(String::as_bytes)).chain(books).collect();
        digest::hex(&digest::of_parts(&parts))
    }

    /// Every figure by its name, for telling two closings apart.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, String)> {
        let words = |balance: Balance| format!("{} / {}", balance.count, balance.amount);
        vec![
            ("outstanding_codes", words(self.outstanding_codes)),
            ("suspense", words(self.suspense)),
            ("open_discrepancies", self.open_discrepancies.map_or_else(String::new, words)),
            ("outstanding_digest", self.outstanding_digest.clone()),
            ("suspense_digest", self.suspense_digest.clone()),
            ("opening_hash", self.opening_hash.clone().unwrap_or_default()),
            ("books_hash", self.books_hash.clone().unwrap_or_default()),
        ]
    }
}
