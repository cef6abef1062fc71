//! A question to the merchant, and what came of it: as it is asked for, sent and kept.
//!
//! Belongs here: what there is to know of one. Must not be here: asking (`inquiry`), and whether an answer is in order (`verdict`).

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::till::Till;
use crate::domain::amount::Amount;
use crate::domain::ids::InvoiceNumber;

/// One thing that is unusual about an inquiry, as DOKU's pages and merchants' experience have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InquiryQuirk {
    /// `payment_code` as a JSON number, as one page types it (a code with a leading zero stays a text).
    CodeAsNumber,
    /// An empty list of identifiers.
    WithoutIdentifiers,
    /// `identifer`, as DOKU's virtual account samples spell it.
    MisspeltIdentifiers,
    /// Fields nobody announced.
    ExtraFields,
    /// The `Request-Id` of the code's last inquiry once more.
    SameId,
    /// A `Request-Timestamp` ten minutes old.
    Stale,
    /// Signed with another key.
    Forged,
    /// Without a `Signature`.
    Unsigned,
}

impl InquiryQuirk {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CodeAsNumber,
        Self::WithoutIdentifiers,
        Self::MisspeltIdentifiers,
        Self::ExtraFields,
        Self::SameId,
        Self::Stale,
        Self::Forged,
        Self::Unsigned,
    ];
}

/// What an inquiry is made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InquiryScript {
    /// The path of the merchant's inquiry URL.
    pub target: String,
    /// The code the customer showed.
    pub payment_code: String,
    /// The idempotency key.
    pub request_id: String,
    /// When (UTC).
    pub asked_at: Timestamp,
    /// What is unusual about it.
    #[serde(default)]
    pub quirks: Vec<InquiryQuirk>,
}

/// DOKU's question to a merchant that keeps its codes to itself: what is owed on this code?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InquiryMessage {
    /// The path of the merchant's inquiry URL.
    pub target: String,
    /// Signed like every request of DOKU's.
    pub headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: Bytes,
    /// The code it asks about.
    pub payment_code: String,
    /// Its `Request-Id`.
    pub request_id: String,
}

/// What the merchant says is owed.
pub(super) struct Payable {
    pub(super) invoice_number: InvoiceNumber,
    pub(super) amount: Amount,
    pub(super) override_url: Option<String>,
    pub(super) till: Till,
}

/// One inquiry and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inquiry {
    /// Counted from 1.
    pub number: usize,
    /// When it was answered, or given up (UTC).
    pub at: Timestamp,
    /// The code it asked about.
    pub payment_code: String,
    /// Its `Request-Id`.
    pub request_id: String,
    /// The HTTP status of the answer; none when there was no answer.
    pub http_status: Option<u16>,
    /// The answer's word: `success`, `decline`, `billing_not_found`, ...
    pub status: Option<String>,
    /// What it named, when the code can be paid.
    pub invoice_number: Option<InvoiceNumber>,
    /// In rupiah.
    pub amount: Option<Amount>,
    /// What is wrong with the answer; DOKU takes no money then.
    pub problem: Option<String>,
}

impl Inquiry {
    /// Whether the counter may take the money.
    #[must_use]
    pub const fn is_payable(&self) -> bool {
        self.invoice_number.is_some()
    }
}
