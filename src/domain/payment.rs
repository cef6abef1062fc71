//! A payment: the fact that a counter took money for a code, proved by a verified notification.

use jiff::Timestamp;

use super::amount::Amount;
use super::channel::Channel;
use super::digest::Digest;
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
