//! The hash chain over all events, and the JSON of those events that are not a bill's.
//!
//! Belongs here: what a hash covers, the same for every store. Must not be here: how a store keeps it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Head;
use super::rules::{microseconds, truncated};
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::digest::{self, Digest};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::payment::Payment;

/// Which sort of event a link holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An [`crate::domain::lifecycle::Event`].
    Bill,
    /// A [`PaymentRecord`] or a [`NumberRecord`].
    Payment,
    /// A [`PurgeRecord`].
    Purge,
}

impl Kind {
    /// The name stored beside the event.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::Payment => "payment",
            Self::Purge => "purge",
        }
    }
}

impl Head {
    /// The head of a ledger without events.
    pub const EMPTY: Self = Self { sequence: 0, hash: [0; 32] };

    /// The head after one more event: SHA-256 over the previous hash and everything the event's row holds. `None` when
    /// there are no numbers left.
    pub(super) fn then(&self, at_microseconds: i64, kind: &str, invoice_number: &str, json: &str) -> Option<Self> {
        let sequence = self.sequence.checked_add(1)?;
        let hash = digest::of_parts(&[
            &self.hash,
            &sequence.to_be_bytes(),
            &at_microseconds.to_be_bytes(),
            kind.as_bytes(),
            invoice_number.as_bytes(),
            json.as_bytes(),
        ]);
        Some(Self { sequence, hash })
    }
}

/// A payment as its event keeps it; the invoice number stands beside the event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PaymentRecord {
    identity: String,
    payment_code: PaymentCode,
    channel: Channel,
    amount: Amount,
    paid_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    received_at: Option<Timestamp>,
    line_digest: String,
    /// Where it is not the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canonical: Option<String>,
}

impl PaymentRecord {
    /// The record of a payment whose instants are [`truncated_payment`]'s.
    pub(super) fn of(payment: &Payment) -> Self {
        Self {
            identity: digest::hex(&payment.identity),
            payment_code: payment.payment_code.clone(),
            channel: payment.channel,
            amount: payment.amount,
            paid_at: payment.paid_at,
            received_at: payment.received_at,
            line_digest: digest::hex(&payment.line_digest),
            canonical: (payment.canonical != payment.identity).then(|| digest::hex(&payment.canonical)),
        }
    }

    /// The payment again; `None` when a digest is not one.
    pub(super) fn into_payment(self, invoice_number: InvoiceNumber) -> Option<Payment> {
        let identity = digest::of_hex(&self.identity)?;
        let canonical = match &self.canonical {
            Some(text) => digest::of_hex(text)?,
            None => identity,
        };
        Some(Payment {
            identity,
            canonical,
            invoice_number,
            payment_code: self.payment_code,
            channel: self.channel,
            amount: self.amount,
            paid_at: self.paid_at,
            received_at: self.received_at,
            line_digest: digest::of_hex(&self.line_digest)?,
        })
    }
}

/// That the store's number of a payment became known, which its own message had left out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberRecord {
    payment: String,
    canonical: String,
}

impl NumberRecord {
    /// The record of what `payment` is called by now.
    pub(super) fn of(payment: &Payment) -> Self {
        Self { payment: digest::hex(&payment.identity), canonical: digest::hex(&payment.canonical) }
    }

    /// The payment's identity, and what it is called by now; `None` when a digest is not one.
    pub(super) fn digests(&self) -> Option<(Digest, Digest)> {
        Some((digest::of_hex(&self.payment)?, digest::of_hex(&self.canonical)?))
    }
}

/// `payment` with its instants as the ledger keeps them.
pub(super) fn truncated_payment(payment: &Payment) -> Payment {
    Payment { paid_at: truncated(payment.paid_at), received_at: payment.received_at.map(truncated), ..payment.clone() }
}

/// When a payment's event happened, in microseconds: its notification's arrival, or else the payment itself. Not the moment
/// of recording, so that the same payments make the same chain wherever they are applied.
pub(super) fn payment_event_at(payment: &Payment) -> i64 {
    microseconds(payment.received_at.unwrap_or(payment.paid_at))
}

/// That personal data was purged, and how much.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PurgeRecord {
    /// Bills last touched before this were purged.
    pub(super) before: Timestamp,
    /// How many customers.
    pub(super) customers: u64,
    /// How many bodies.
    pub(super) bodies: u64,
}
