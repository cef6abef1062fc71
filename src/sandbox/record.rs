//! The sandbox's own books: its orders, and every attempt that arrived. Tests hold the client's ledger against them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::fault::FaultKind;
use super::till::Till;
use crate::domain::amount::Amount;
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::ids::{InvoiceNumber, PaymentCode};

/// Whether a code has been taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Not cancelled; it may still be expired or paid.
    Live,
    /// By PATCH DELETE.
    Cancelled,
}

/// One order with its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The merchant's number, unique among all orders ever made.
    pub invoice_number: InvoiceNumber,
    /// The code; a merchant's code may have belonged to an earlier order.
    pub payment_code: PaymentCode,
    /// Where it can be paid.
    pub channel: Channel,
    /// Who made the code.
    pub method: IssuanceMethod,
    /// What it asks for now, in rupiah.
    pub amount: Amount,
    /// Whether it may be paid more than once.
    pub reusable: bool,
    /// Whether it has been cancelled.
    pub state: OrderState,
    /// UTC, whole seconds.
    pub created_at: Timestamp,
    /// UTC, whole seconds.
    pub expires_at: Timestamp,
    /// When it was cancelled (UTC).
    pub cancelled_at: Option<Timestamp>,
    /// The `Request-Id` that made it.
    pub created_by: String,
    /// The `Request-Id`s that changed it, in order.
    pub changed_by: Vec<String>,
    /// Where its notifications go instead of the configured URL.
    pub override_notification_url: Option<String>,
    /// Payments DOKU took for it, in order.
    pub payments: Vec<PaymentTaken>,
    /// What Check Status calls it whatever it is, such as `REFUNDED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_word: Option<String>,
    /// What the cashier sees of it. Names are in it, so it stays out of every file and listing.
    #[serde(skip)]
    pub till: Till,
}

impl Order {
    /// Whether money covers it: a payment whose status is `SUCCESS`.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.payments.iter().any(|payment| payment.status == "SUCCESS")
    }

    /// Whether a counter would take money for it at `now`.
    #[must_use]
    pub fn is_payable(&self, now: Timestamp) -> bool {
        self.state == OrderState::Live && now < self.expires_at && (self.reusable || !self.is_paid())
    }

    /// Check Status's word for it: `SUCCESS`, `PENDING` or `EXPIRED` (also for a cancelled one: DOKU lists no other), unless it was
    /// given another.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> &str {
        if let Some(word) = &self.status_word {
            word
        } else if self.is_paid() {
            "SUCCESS"
        } else if self.state == OrderState::Live && now < self.expires_at {
            "PENDING"
        } else {
            "EXPIRED"
        }
    }
}

/// A payment as DOKU knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentTaken {
    /// The chain: `AGENT_ID`.
    pub agent_id: String,
    /// The store: `AGENT_STORE_ID`.
    pub store_id: String,
    /// The store's number for the payment: `AGENT_TRX_ID`, unique.
    pub transaction_id: String,
    /// What was paid, in rupiah; not limited to what an order may ask for.
    pub amount: u64,
    /// `SUCCESS`, `FAILED` or `PENDING`.
    pub status: String,
    /// When (UTC).
    pub paid_at: Timestamp,
}

/// What became of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// Done, for the first time: a code was made, changed or cancelled.
    Processed,
    /// The stored answer was given again.
    Replayed,
    /// The `Request-Id` had been used for something else.
    IdReused,
    /// Turned down by a rule; nothing changed.
    Rejected,
    /// Turned down at the door: client, signature, headers, path.
    Denied,
    /// A fault kept it from being done.
    NotProcessed,
}

/// One POST or PATCH that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// When (UTC).
    pub at: Timestamp,
    /// `POST` or `PATCH`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The idempotency key.
    pub request_id: String,
    /// SHA-256 of the body, in hexadecimal.
    pub body_digest: String,
    /// What became of it.
    pub handling: Handling,
    /// The status of the answer, whether or not it reached the client.
    pub status: u16,
    /// What went wrong with it on purpose.
    pub fault: Option<FaultKind>,
    /// The invoice it was about, if the body could be read.
    pub invoice_number: Option<InvoiceNumber>,
    /// The code it made or changed; also of a replay.
    pub payment_code: Option<PaymentCode>,
}

/// `at` without its fraction of a second: DOKU's dates have none.
pub(super) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// `minutes` after `at`; the end of time at most.
pub(super) fn minutes_after(at: Timestamp, minutes: u32) -> Timestamp {
    at.checked_add(SignedDuration::from_mins(i64::from(minutes))).unwrap_or(Timestamp::MAX)
}
