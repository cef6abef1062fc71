//! An operation that is open, what was heard and found of it, and how it was refused.
//!
//! Belongs here: the facts a doubt rests on. Must not be here: what they conclude (`domain::doubt`'s).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::OperationKind;
use crate::domain::bill::RecordedTerms;
use crate::domain::check_status::{StatusDetails, Word};
use crate::domain::ids::{InvoiceNumber, RequestId};

/// An operation whose intent is durable and whose end is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOperation {
    /// What it does.
    pub operation: OperationKind,
    /// The terms it asks for.
    pub terms: RecordedTerms,
    /// Its idempotency key.
    pub request_id: RequestId,
    /// The invoice number on the wire.
    pub wire_invoice_number: InvoiceNumber,
    /// When its intent was recorded (UTC).
    pub intended_at: Timestamp,
    /// When it was last in doubt or about to be sent again (UTC): what it leads to may show only some time after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted_at: Option<Timestamp>,
    /// Whether DOKU itself answered every attempt that left it in doubt: then a 409 is no replay of an answer that was lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always_answered: bool,
    /// Whether it was about to be sent again, and nothing is recorded of what came of that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_awaited: bool,
    /// DOKU's refusal of a repetition, by its stable code, and its words: no proof about the first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<HeardRefusal>,
    /// What Check Status has said since it was last sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<StatusFinding>,
}

impl OpenOperation {
    /// Whether an attempt under its id ended without an answer of DOKU's own.
    #[must_use]
    pub const fn lost_an_answer(&self) -> bool {
        self.doubted_at.is_some() && (!self.always_answered || self.is_awaited)
    }

    /// An attempt may have been carried out, with or without DOKU's own answer; a `refusal` is what it answered to a repetition.
    pub(super) fn doubt(&mut self, at: Timestamp, reason: &str, answered: bool, refusal: Option<&str>) {
        self.always_answered = answered && (self.doubted_at.is_none() || self.always_answered);
        self.is_awaited = false;
        self.doubted_at = Some(at);
        self.findings.clear();
        if let Some(code) = refusal {
            self.heard = Some(HeardRefusal { code: code.to_owned(), reason: reason.to_owned() });
        }
    }

    /// It is about to be sent again.
    pub(super) fn repeat(&mut self, at: Timestamp) {
        self.always_answered &= !self.is_awaited;
        self.is_awaited = true;
        self.doubted_at = Some(at);
        self.findings.clear();
    }

    /// When its bytes last left, or were about to (UTC).
    #[must_use]
    pub fn last_sent_at(&self) -> Timestamp {
        self.doubted_at.unwrap_or(self.intended_at)
    }
}

/// A refusal that was heard while its operation was in doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardRefusal {
    /// A stable code.
    pub code: String,
    /// DOKU's words.
    pub reason: String,
}

/// What Check Status said of an open operation's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusFinding {
    /// When (UTC).
    pub at: Timestamp,
    /// What DOKU called the order.
    pub word: Word,
    /// What else it said.
    #[serde(default, skip_serializing_if = "StatusDetails::is_empty")]
    pub details: StatusDetails,
}

/// The last definite refusal, so that an unchanged row is not sent to be refused again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What was refused.
    pub operation: OperationKind,
    /// The terms it asked for.
    pub terms: RecordedTerms,
    /// A stable code.
    pub code: String,
    /// DOKU's words.
    pub reason: String,
    /// The operation as it was, where the refusal bore no valid signature: it may have to be taken up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisional: Option<Box<OpenOperation>>,
}

impl Refusal {
    /// Check Status was asked about the refused order, and what it said did not take the operation up again: the refusal stands.
    pub(super) fn settle(&mut self, order: &InvoiceNumber) {
        if self.provisional.as_ref().is_some_and(|open| open.wire_invoice_number == *order) {
            self.provisional = None;
        }
    }
}
