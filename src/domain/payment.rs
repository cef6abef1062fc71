//! A payment: the fact that a counter took money for a code, proved by a verified notification.

use jiff::Timestamp;

use super::amount::Amount;
use super::channel::Channel;
use super::digest::{self, Digest};
use super::ids::{InvoiceNumber, PaymentCode};

/// One payment, as the ledger keeps it. Its identity, not its content, makes it one (reconciliation rules, 1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What makes it this payment and no other.
    pub identity: Digest,
    /// The invoice number the notification names (on the wire: a re-issued bill's carries a suffix).
    pub invoice_number: InvoiceNumber,
    /// The code that was paid.
    pub payment_code: PaymentCode,
    /// Where.
    pub channel: Channel,
    /// How much, in rupiah.
    pub amount: Amount,
    /// When, by `transaction.date` (UTC).
    pub paid_at: Timestamp,
    /// When the notification arrived (UTC), if the log says so.
    pub received_at: Option<Timestamp>,
    /// SHA-256 of the raw log line that proves it.
    pub line_digest: Digest,
}

impl Payment {
    /// What its identity is, or would be, without the store's own number of it.
    #[must_use]
    pub fn identity_by_date(&self) -> Digest {
        identity_by_date(self.channel, self.payment_code.as_str(), self.invoice_number.as_str(), self.paid_at)
    }
}

/// The identity of a payment that names the store's own number of it (reconciliation rules, 1.3).
#[must_use]
pub fn identity_by_transaction(channel: Channel, payment_code: &str, agent_id: &str, store_id: &str, transaction_id: &str) -> Digest {
    let (channel, code) = (channel.name().as_bytes(), payment_code.as_bytes());
    digest::of_parts(&[b"trx", channel, code, agent_id.as_bytes(), store_id.as_bytes(), transaction_id.as_bytes()])
}

/// The identity of a payment that does not.
#[must_use]
pub fn identity_by_date(channel: Channel, payment_code: &str, invoice_number: &str, paid_at: Timestamp) -> Digest {
    let paid_at = paid_at.as_microsecond().to_be_bytes();
    digest::of_parts(&[b"date", channel.name().as_bytes(), payment_code.as_bytes(), invoice_number.as_bytes(), &paid_at])
}
