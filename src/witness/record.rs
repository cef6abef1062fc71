//! What the sandbox says it carried out: a line for each code made, changed, cancelled or paid, in the order in which it was.

use std::io::BufRead;

use jiff::Timestamp;
use serde::Deserialize;

use super::json_lines::{Unreadable, lines};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Every change, oldest first.
    pub changes: Vec<Change>,
}

/// One thing that was carried out, and the order as it was afterwards.
#[derive(Clone, Debug, Deserialize)]
pub struct Change {
    /// What was asked; none where a customer paid.
    pub call: Option<Call>,
    /// What it led to.
    pub order: Order,
}

/// A request.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    /// `POST` or `PATCH`.
    pub method: String,
    /// Its idempotency key.
    pub request_id: String,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Order {
    /// Its number.
    pub invoice_number: String,
    /// Its code.
    pub payment_code: String,
    /// Where it can be paid.
    #[serde(default)]
    pub channel: String,
    /// What it asks for, in rupiah.
    pub amount: u64,
    /// `live` or `cancelled`.
    pub state: String,
    /// UTC.
    pub created_at: Timestamp,
    /// UTC.
    pub expires_at: Timestamp,
    /// Whether it may be paid any number of times.
    #[serde(default)]
    pub reusable: bool,
    /// What was paid for it.
    #[serde(default)]
    pub payments: Vec<Payment>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Payment {
    /// `SUCCESS` where there was money.
    pub status: String,
}

impl Record {
    /// Reads `sandbox --record`.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(from: impl BufRead) -> Result<Self, Unreadable> {
        Ok(Self { changes: lines(from, "change of a sandbox's record").collect::<Result<_, _>>()? })
    }
}

impl Order {
    /// Whether a counter may take money for it at `at`.
    #[must_use]
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.state == "live" && self.expires_at > at && (self.reusable || !self.is_paid())
    }

    /// Whether a counter has taken money for it.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.payments.iter().any(|payment| payment.status == "SUCCESS")
    }
}
