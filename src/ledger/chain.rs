//! The hash chain over all events, and the JSON of those events that are not a bill's.
//!
//! Belongs here: what a hash covers, the same for every store. Must not be here: how a store keeps it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LedgerHead;
use super::rules::{microseconds, truncated};
use super::seals::Seals;
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
    /// A [`KeyRecord`], or a [`Revocation`](crate::domain::revocation::Revocation) of one of DOKU's keys.
    Key,
}

impl Kind {
    /// The name stored beside the event.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::Payment => "payment",
            Self::Purge => "purge",
            Self::Key => "key",
        }
    }
}

impl LedgerHead {
    /// The head of a ledger without events.
    pub const EMPTY: Self = Self { sequence: 0, hash: [0; 32] };

    /// The head after one more event: a digest of the previous hash, everything the event's row holds, and what the ledger belongs to;
    /// events of before `origin` was kept have none of the last three parts. `None` when there are no numbers left.
    pub(super) fn then(&self, origin: &Origin, event: &Covered<'_>) -> Option<Self> {
        let sequence = self.sequence.checked_add(1)?;
        let (number, at) = (sequence.to_be_bytes(), event.at.to_be_bytes());
        let fence = event.fence.map(i64::to_be_bytes);
        let (kind, invoice_number, json) = (event.kind.as_bytes(), event.invoice_number.as_bytes(), event.json.as_bytes());
        let beside = event.beside.unwrap_or_default();
        let fence = fence.as_ref().map_or(&[][..], |fence| fence);
        let parts: [&[u8]; 9] = [&self.hash, &number, &at, kind, invoice_number, json, beside, fence, &origin.digest];
        let (before, _) = parts.split_at(6);
        let hash = if sequence > origin.after { origin.seals.digest(&parts) } else { digest::of_parts(before) };
        Some(Self { sequence, hash })
    }
}

/// What the hash of an event covers beside the hash before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Covered<'a> {
    /// In microseconds (UTC).
    pub(super) at: i64,
    /// See [`Kind::name`].
    pub(super) kind: &'a str,
    /// Empty for none.
    pub(super) invoice_number: &'a str,
    /// Its text, with a digest where its terms stood.
    pub(super) json: &'a str,
    /// What stands for the customer that was given with it.
    pub(super) beside: Option<&'a [u8]>,
    /// The number of its writer's lease.
    pub(super) fence: Option<i64>,
}

impl<'a> Covered<'a> {
    /// An event with nothing beside it.
    pub(super) const fn new(at: i64, kind: Kind, invoice_number: &'a str, json: &'a str) -> Self {
        Self { at, kind: kind.name(), invoice_number, json, beside: None, fence: None }
    }
}

/// Where ledgers of before kept a salt for all their bills.
pub(super) const NO_SALT: [u8; 16] = [0; 16];

/// What a ledger belongs to, as its chain covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    digest: Digest,
    /// The last event that was chained without it; 0 for a ledger that always had it.
    after: u64,
    /// What its hashes are made with.
    seals: Seals,
    /// The last event whose hash was made with something else; the event after it answers for all of those.
    keyed_after: u64,
}

impl Origin {
    /// Whether that event was chained without it.
    pub(super) const fn is_before(&self, sequence: u64) -> bool {
        sequence <= self.after
    }

    /// Of these fields.
    pub(super) fn of(environment: &str, client_id: &str, salt: &[u8], after: u64) -> Self {
        let digest = digest::of_parts(&[environment.as_bytes(), client_id.as_bytes(), salt, &after.to_be_bytes()]);
        Self { digest, after, seals: Seals::default(), keyed_after: 0 }
    }

    /// The same, with hashes made so from the event after that one on.
    pub(super) fn sealed(self, seals: Seals, keyed_after: u64) -> Self {
        Self { seals, keyed_after, ..self }
    }

    /// The last event whose hash was made with another key, or without one.
    pub(super) const fn keyed_after(&self) -> u64 {
        self.keyed_after
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
        let identity = digest::from_hex(&self.identity)?;
        let canonical = match &self.canonical {
            Some(text) => digest::from_hex(text)?,
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
            line_digest: digest::from_hex(&self.line_digest)?,
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
        Some((digest::from_hex(&self.payment)?, digest::from_hex(&self.canonical)?))
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

/// That hashes and seals are made otherwise from this event on, which answers for all events before it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRecord {
    /// The fingerprint of the key before, if there was one.
    pub(super) former: Option<String>,
    /// And of this one.
    pub(super) key: Option<String>,
    /// The [`History`] of all events before it.
    pub(super) history: String,
}

/// What is said where the event that changed the key does not answer for those before it.
pub(super) const OTHER_HISTORY: &str = "the events of before the key of the seals was changed are not those that were there then";

/// All that events hold, with their hashes, whatever those were made with.
#[derive(Clone, Debug, Default)]
pub(super) struct History(digest::Running);

impl History {
    /// The next event.
    pub(super) fn take(&mut self, head: &LedgerHead, event: &Covered<'_>) {
        let (number, at) = (head.sequence.to_be_bytes(), event.at.to_be_bytes());
        let fence = event.fence.map(i64::to_be_bytes);
        let (kind, invoice_number, json) = (event.kind.as_bytes(), event.invoice_number.as_bytes(), event.json.as_bytes());
        let parts: [&[u8]; 8] = [
            &number,
            &at,
            kind,
            invoice_number,
            json,
            event.beside.unwrap_or_default(),
            fence.as_ref().map_or(&[][..], |fence| fence),
            &head.hash,
        ];
        for part in parts {
            self.0.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            self.0.update(part);
        }
    }

    /// What stands for it.
    pub(super) fn finish(self) -> String {
        digest::hex(&self.0.finish())
    }
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
