//! The life of a bill's code: which status follows which event, and the fold of events that yields a bill's state.
//!
//! Recovery and live running use the same [`BillState::apply`]; a pair the table does not know is an error that stops the
//! run. Payments are not here: a payment is never illegal, whenever it arrives, and expiry follows from an as-of.

mod state;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::state::{BillState, Code, OpenOperation, Refusal, Superseded};
use super::bill::RecordedTerms;
use super::check::{FoundPayment, Word};
use super::ids::{InvoiceNumber, PaymentCode, RequestId};

/// What a mutating call does at DOKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// POST: make or register a code.
    Issue,
    /// PATCH ACTIVE: change a live code's terms.
    Amend,
    /// PATCH DELETE: make a live code unpayable.
    Cancel,
}

impl OperationKind {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Issue, Self::Amend, Self::Cancel];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Amend => "amend",
            Self::Cancel => "cancel",
        }
    }
}

/// Where a bill stands with DOKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Wanted, nothing sent.
    Planned,
    /// An issue's intent is durable; bytes may have left.
    Requested,
    /// A code is live (or was, until it expired or was paid).
    Active,
    /// An amendment's intent is durable.
    Amending,
    /// A cancellation's intent is durable.
    Cancelling,
    /// DOKU refused to issue; no code.
    Rejected,
    /// DOKU cancelled the code.
    Cancelled,
    /// DOKU said the code can no longer be paid; unless it was paid, the bill may be issued anew.
    Retired,
    /// An operation may or may not have been carried out.
    InDoubt(OperationKind),
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::Requested,
        Self::Active,
        Self::Amending,
        Self::Cancelling,
        Self::Rejected,
        Self::Cancelled,
        Self::Retired,
        Self::InDoubt(OperationKind::Issue),
        Self::InDoubt(OperationKind::Amend),
        Self::InDoubt(OperationKind::Cancel),
    ];

    /// The name used in the ledger and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Requested => "requested",
            Self::Active => "active",
            Self::Amending => "amending",
            Self::Cancelling => "cancelling",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Retired => "retired",
            Self::InDoubt(OperationKind::Issue) => "in_doubt_issue",
            Self::InDoubt(OperationKind::Amend) => "in_doubt_amend",
            Self::InDoubt(OperationKind::Cancel) => "in_doubt_cancel",
        }
    }

    /// Reads a name as [`Status::name`] writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    /// The operation that is on its way or in doubt.
    #[must_use]
    pub const fn open_operation(self) -> Option<OperationKind> {
        match self {
            Self::Requested => Some(OperationKind::Issue),
            Self::Amending => Some(OperationKind::Amend),
            Self::Cancelling => Some(OperationKind::Cancel),
            Self::InDoubt(kind) => Some(kind),
            Self::Planned | Self::Active | Self::Rejected | Self::Cancelled | Self::Retired => None,
        }
    }

    /// Whether a counter might take money for this bill now, as far as we can know.
    #[must_use]
    pub const fn may_be_live(self) -> bool {
        match self {
            Self::Requested | Self::Active | Self::Amending | Self::Cancelling | Self::InDoubt(_) => true,
            Self::Planned | Self::Rejected | Self::Cancelled | Self::Retired => false,
        }
    }
}

/// What was found out about an operation in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was carried out.
    Done,
    /// It was not, and never will be.
    NotDone,
    /// The code exists at DOKU but can no longer be paid.
    Dead,
}

impl Verdict {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Done, Self::NotDone, Self::Dead];
}

/// The kinds of event, without what they carry: the columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// See [`Event::Planned`].
    Planned,
    /// See [`Event::Adopted`].
    Adopted,
    /// See [`Event::Intended`].
    Intended(OperationKind),
    /// See [`Event::NotSent`].
    NotSent,
    /// See [`Event::Accepted`].
    Accepted,
    /// See [`Event::Rejected`].
    Rejected,
    /// See [`Event::Doubted`].
    Doubted,
    /// See [`Event::Settled`].
    Settled(Verdict),
    /// See [`Event::Retired`].
    Retired,
    /// See [`Event::Noted`].
    Noted,
    /// See [`Event::Checked`].
    Checked,
    /// See [`Event::Registered`].
    Registered(OperationKind),
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Planned,
        Self::Adopted,
        Self::Intended(OperationKind::Issue),
        Self::Intended(OperationKind::Amend),
        Self::Intended(OperationKind::Cancel),
        Self::NotSent,
        Self::Accepted,
        Self::Rejected,
        Self::Doubted,
        Self::Settled(Verdict::Done),
        Self::Settled(Verdict::NotDone),
        Self::Settled(Verdict::Dead),
        Self::Retired,
        Self::Noted,
        Self::Checked,
        Self::Registered(OperationKind::Issue),
        Self::Registered(OperationKind::Amend),
        Self::Registered(OperationKind::Cancel),
    ];
}

/// The table: the status after `event` in `status` (`None`: the bill is not in the ledger), or `None` when that is illegal.
#[must_use]
#[allow(clippy::match_same_arms, reason = "one line a rule, grouped by operation")]
pub const fn next_status(status: Option<Status>, event: EventKind) -> Option<Status> {
    use OperationKind::{Amend, Cancel, Issue};
    use Status as S;
    let Some(status) = status else {
        return match event {
            EventKind::Planned => Some(S::Planned),
            EventKind::Adopted => Some(S::Active),
            EventKind::Intended(_)
            | EventKind::NotSent
            | EventKind::Accepted
            | EventKind::Rejected
            | EventKind::Doubted
            | EventKind::Settled(_)
            | EventKind::Retired
            | EventKind::Noted
            | EventKind::Checked
            | EventKind::Registered(_) => None,
        };
    };
    match (status, event) {
        (S::Planned | S::Rejected, EventKind::Planned) => Some(S::Planned),
        (S::Planned | S::Rejected, EventKind::Adopted) => Some(S::Active),
        (S::Planned | S::Retired, EventKind::Intended(Issue)) => Some(S::Requested),

        (S::Requested, EventKind::NotSent) => Some(S::Planned),
        (S::Requested | S::InDoubt(Issue), EventKind::Accepted) => Some(S::Active),
        (S::Requested | S::InDoubt(Issue), EventKind::Rejected) => Some(S::Rejected),
        (S::Requested | S::InDoubt(Issue), EventKind::Doubted) => Some(S::InDoubt(Issue)),
        (S::InDoubt(Issue), EventKind::Settled(Verdict::Done)) => Some(S::Active),
        (S::InDoubt(Issue), EventKind::Settled(Verdict::NotDone)) => Some(S::Rejected),

        (S::Active, EventKind::Intended(Amend)) => Some(S::Amending),
        (S::Amending, EventKind::NotSent) => Some(S::Active),
        (S::Amending | S::InDoubt(Amend), EventKind::Accepted | EventKind::Rejected) => Some(S::Active),
        (S::Amending | S::InDoubt(Amend), EventKind::Doubted) => Some(S::InDoubt(Amend)),
        (S::InDoubt(Amend), EventKind::Settled(Verdict::Done | Verdict::NotDone)) => Some(S::Active),

        (S::Active, EventKind::Intended(Cancel)) => Some(S::Cancelling),
        (S::Cancelling, EventKind::NotSent) => Some(S::Active),
        (S::Cancelling | S::InDoubt(Cancel), EventKind::Accepted) => Some(S::Cancelled),
        (S::Cancelling | S::InDoubt(Cancel), EventKind::Rejected) => Some(S::Active),
        (S::Cancelling | S::InDoubt(Cancel), EventKind::Doubted) => Some(S::InDoubt(Cancel)),
        (S::InDoubt(Cancel), EventKind::Settled(Verdict::Done)) => Some(S::Cancelled),
        (S::InDoubt(Cancel), EventKind::Settled(Verdict::NotDone)) => Some(S::Active),

        (S::InDoubt(_), EventKind::Settled(Verdict::Dead)) | (S::Active, EventKind::Retired) => Some(S::Retired),
        (S::Active, EventKind::Noted) => Some(S::Active),
        // What DOKU says of an order changes nothing by itself; a code that is dead to us may have been paid before.
        (S::Active | S::Cancelled | S::Retired, EventKind::Checked) => Some(status),

        (S::Planned | S::Retired, EventKind::Registered(Issue)) | (S::Active, EventKind::Registered(Amend)) => Some(S::Active),
        (S::Active, EventKind::Registered(Cancel)) => Some(S::Cancelled),
        _ => None,
    }
}

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
        /// SHA-256 of the pinned body, hexadecimal.
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
    },
    /// DOKU definitely did not carry it out.
    Rejected {
        /// A stable code.
        code: String,
        /// DOKU's words.
        reason: String,
    },
    /// The operation may have been carried out.
    Doubted {
        /// What happened instead of a usable answer.
        reason: String,
    },
    /// The doubt is over without an answer to the operation itself.
    Settled {
        /// What was found.
        verdict: Verdict,
        /// The code, where the finding names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<CodeAnswer>,
        /// Who or what found it: `status`, `notification` or `person`.
        by: String,
        /// The reason given.
        reason: String,
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
            Self::Settled { verdict, .. } => EventKind::Settled(*verdict),
            Self::Retired { .. } => EventKind::Retired,
            Self::Noted { .. } => EventKind::Noted,
            Self::Checked { .. } => EventKind::Checked,
            Self::Registered { operation, .. } => EventKind::Registered(*operation),
        }
    }
}

/// An event that cannot happen in the status the bill is in. Stops the run (I6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{event:?}` cannot happen to invoice `{invoice_number}` while it is {}", .status.map_or("unknown to the ledger", Status::name))]
pub struct IllegalTransition {
    /// The bill.
    pub invoice_number: InvoiceNumber,
    /// Its status.
    pub status: Option<Status>,
    /// What was to happen.
    pub event: EventKind,
}
