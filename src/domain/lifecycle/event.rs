//! The events of a bill, as the ledger keeps them. Append-only: a field is added, never changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DoubtVerdict, EventKind, OperationKind};
use crate::domain::amount::Amount;
use crate::domain::bill::RecordedTerms;
use crate::domain::check_status::{FoundPayment, StatusDetails, Word};
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};

/// What DOKU said of a live code, or what we decided of one that is registered here only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeAnswer {
    /// The code.
    pub payment_code: PaymentCode,
    /// When DOKU made it, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it stops being payable, if DOKU said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Where the customer reads how to pay, as DOKU wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_to_pay_page: Option<String>,
    /// Where a program reads how to pay (JSON, in DOKU's words for each counter), as DOKU wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_to_pay_api: Option<String>,
}

/// What is odd about an answer of DOKU's that counts all the same: for the eye of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// In words.
    pub note: String,
    /// Whether it is about when the code ends (L08).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub about_expiry: bool,
}

impl Remark {
    /// All of `parts` in one; none of none.
    #[must_use]
    pub fn joined(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let join = |one: Self, next: Self| Self {
            note: format!("{}; {}", one.note, next.note),
            about_expiry: one.about_expiry || next.about_expiry,
        };
        parts.into_iter().reduce(join)
    }
}

/// Why a bill is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldCause {
    /// DOKU's message says SUCCESS, or a status nobody can read, with an amount or a date that cannot be used (N12, P17).
    NotUnderstood,
    /// Check Status says SUCCESS with another amount than any that was asked for.
    AmountDiffers,
}

/// One thing that happened to a bill's code. Append-only; holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The bill is wanted under these terms.
    Planned {
        /// The wanted terms.
        terms: RecordedTerms,
    },
    /// A code that existed at DOKU before this ledger.
    Adopted {
        /// Its terms, as far as known.
        terms: RecordedTerms,
        /// The code.
        answer: CodeAnswer,
        /// The number DOKU knows it by, where that is not the bill's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wire_invoice_number: Option<InvoiceNumber>,
    },
    /// An operation is about to be sent; durable before any byte leaves (I1).
    Intended {
        /// What it does.
        operation: OperationKind,
        /// The terms it asks for.
        terms: RecordedTerms,
        /// Its idempotency key.
        request_id: RequestId,
        /// The invoice number on the wire (the bill's own, or a suffixed one for a re-issue).
        wire_invoice_number: InvoiceNumber,
        /// Stands for the pinned body, hexadecimal: [`Salt::digest_of_body`](crate::domain::bill::Salt::digest_of_body), or its SHA-256 where
        /// the bill has no salt, and in events of before.
        body_digest: String,
    },
    /// The operation provably never left.
    NotSent {
        /// Why.
        reason: String,
    },
    /// DOKU carried the operation out.
    Accepted {
        /// The code and its dates.
        answer: CodeAnswer,
        /// Whether the answer was a replay of an earlier one (HTTP 409).
        replayed: bool,
        /// What DOKU asks for the code, in rupiah, where Check Status says another amount than the one in the operation's terms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Amount>,
        /// What is odd about the answer, if anything is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remark: Option<Remark>,
    },
    /// DOKU definitely did not carry it out.
    Rejected {
        /// A stable code.
        code: String,
        /// DOKU's words.
        reason: String,
        /// Whether the refusal bore no valid signature: before the bill gets a new Request-Id, Check Status is asked once.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        provisional: bool,
    },
    /// The operation may have been carried out.
    Doubted {
        /// What happened instead of a usable answer.
        reason: String,
        /// Whether DOKU itself answered: then a 409 that follows is no replay of an answer that was lost.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        answered: bool,
        /// The stable code of DOKU's refusal of the repetition, if that is what it answered; its words are the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refusal: Option<String>,
    },
    /// What is in doubt is about to be sent again, under its own id and with its own bytes.
    Repeated,
    /// A provisional refusal did not stand: Check Status knows the order, so the operation is in doubt again.
    Reopened {
        /// What it does.
        operation: OperationKind,
        /// What was seen.
        reason: String,
    },
    /// Money was acknowledged that could not be understood, or DOKU tells of money that does not fit: until a person has
    /// looked, the bill's code is not to be asked for again, changed, cancelled or given up.
    Held {
        /// Which of these.
        cause: HoldCause,
        /// What was seen.
        reason: String,
        /// SHA-256 of the log line or answer it rests on, hexadecimal; empty where there is none.
        evidence: String,
    },
    /// The hold is over.
    Released {
        /// Who ended it: `person`.
        by: String,
        /// The reason given.
        reason: String,
    },
    /// An inquiry about its code was answered with a number of its own, by which a payment may name the bill.
    Aliased {
        /// The number.
        number: InvoiceNumber,
    },
    /// The doubt is over without an answer to the operation itself.
    #[serde(rename = "settled")]
    DoubtEnded {
        /// What was found.
        verdict: DoubtVerdict,
        /// The code, where the finding names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<CodeAnswer>,
        /// Who or what found it: `status`, `notification` or `person`.
        by: String,
        /// The reason given.
        reason: String,
        /// Not done: since when the bill's wish has been in doubt (UTC). The next doubt about it is as old as that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unsettled_since: Option<Timestamp>,
    },
    /// DOKU said a live code can no longer be paid, so that its bill may be issued anew, or another bill have the code.
    Retired {
        /// What was seen.
        reason: String,
    },
    /// Columns changed that only our ledger keeps.
    Noted {
        /// The terms with the change.
        terms: RecordedTerms,
    },
    /// Check Status said where the order of its code stands.
    Checked {
        /// The order that was asked about: the number DOKU knows the code by.
        order: InvoiceNumber,
        /// What DOKU called it.
        word: Word,
        /// Whether a person chose it; the schedule counts its own queries only.
        #[serde(default)]
        chosen: bool,
        /// The payment it told of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<FoundPayment>,
        /// What else it said that can prove something of an operation in doubt.
        #[serde(default, skip_serializing_if = "StatusDetails::is_empty")]
        details: StatusDetails,
    },
    /// A code was registered, changed or cancelled in this ledger alone: DOKU hears of it only by asking (direct inquiry).
    Registered {
        /// What was done.
        operation: OperationKind,
        /// The terms in force from now on; of a cancelled code the last ones.
        terms: RecordedTerms,
        /// The code, with the end we gave it.
        answer: CodeAnswer,
    },
}

impl Event {
    /// The codes it speaks of.
    pub fn payment_codes(&self) -> impl Iterator<Item = &PaymentCode> {
        let answer = match self {
            Self::Adopted { answer, .. } | Self::Accepted { answer, .. } | Self::Registered { answer, .. } => Some(answer),
            Self::DoubtEnded { answer, .. } => answer.as_ref(),
            Self::Planned { .. }
            | Self::Intended { .. }
            | Self::NotSent { .. }
            | Self::Rejected { .. }
            | Self::Doubted { .. }
            | Self::Repeated
            | Self::Reopened { .. }
            | Self::Held { .. }
            | Self::Released { .. }
            | Self::Aliased { .. }
            | Self::Retired { .. }
            | Self::Noted { .. }
            | Self::Checked { .. } => None,
        };
        let wanted = self.terms().and_then(|terms| terms.payment_code.as_ref());
        answer.map(|answer| &answer.payment_code).into_iter().chain(wanted)
    }

    /// The event's column in the table.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Planned { .. } => EventKind::Planned,
            Self::Adopted { .. } => EventKind::Adopted,
            Self::Intended { operation, .. } => EventKind::Intended(*operation),
            Self::NotSent { .. } => EventKind::NotSent,
            Self::Accepted { .. } => EventKind::Accepted,
            Self::Rejected { .. } => EventKind::Rejected,
            Self::Doubted { .. } => EventKind::Doubted,
            Self::DoubtEnded { verdict, .. } => EventKind::DoubtEnded(*verdict),
            Self::Retired { .. } => EventKind::Retired,
            Self::Noted { .. } => EventKind::Noted,
            Self::Checked { .. } => EventKind::Checked,
            Self::Registered { operation, .. } => EventKind::Registered(*operation),
            Self::Repeated => EventKind::Repeated,
            Self::Reopened { operation, .. } => EventKind::Reopened(*operation),
            Self::Held { .. } => EventKind::Held,
            Self::Released { .. } => EventKind::Released,
            Self::Aliased { .. } => EventKind::Aliased,
        }
    }
}
