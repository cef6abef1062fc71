//! What a period is carried on from: the balances and the items behind them, as the report of the period before left them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::channel::Channel;
use crate::domain::digest::{self, Digest};

/// A code that was outstanding at the end of a period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutstandingItem {
    /// Its bill.
    pub invoice_number: String,
    /// The code.
    pub payment_code: String,
    /// Where it is to be paid.
    pub channel: Channel,
    /// What it asked for then.
    pub amount: Rupiah,
}

impl OutstandingItem {
    /// Stands for the item in a sum of digests.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let amount = self.amount.get().to_be_bytes();
        digest::of_parts(&[self.invoice_number.as_bytes(), self.payment_code.as_bytes(), self.channel.name().as_bytes(), &amount])
    }
}

/// Money that is nobody's yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuspenseItem {
    /// The id of its discrepancy, under which people decide on it.
    pub discrepancy_id: String,
    /// Its class when it came.
    pub class: String,
    /// As notified.
    pub invoice_number: String,
    /// As notified.
    pub payment_code: String,
    /// Where it was paid.
    pub channel: Channel,
    /// How much.
    pub amount: Rupiah,
    /// When (microseconds since 1970).
    pub paid_at_us: i64,
    /// What makes it this payment.
    pub identity: Digest,
}

impl SuspenseItem {
    /// Stands for the item in a sum of digests.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest::of_parts(&[b"suspense", &self.identity, &self.amount.get().to_be_bytes(), &self.paid_at_us.to_be_bytes()])
    }
}

/// Which report the opening balances are from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningFrom {
    /// The first day of its period.
    pub from: Date,
    /// The last day of its period.
    pub to: Date,
    /// Its run.
    pub run_id: String,
    /// The hash of its closing balances.
    pub hash: String,
    /// Whether the journal holds a close of that period with this hash.
    pub signed: bool,
}

/// The balances at the end of the period before, with their items.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Whose.
    pub from: OpeningFrom,
    /// Outstanding codes.
    pub codes: Balance,
    /// The hash of the carry of its books, if it had any.
    pub books: Option<String>,
    /// The codes behind the balance, sorted.
    pub outstanding: Vec<OutstandingItem>,
    /// Of a report of before there were books: the money it held, sorted.
    pub held: Vec<SuspenseItem>,
}
