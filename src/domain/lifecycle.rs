//! The life of a bill's code: which status follows which event, and the fold of events that yields a bill's state.
//!
//! Recovery and live running use the same [`BillState::apply`]; a pair the table does not know is an error that stops the
//! run. Payments are not here: a payment is never illegal, whenever it arrives, and expiry follows from an as-of.

mod event;
mod operation;
mod order;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::event::{CodeAnswer, Event, HoldCause, Remark};
pub use self::operation::{HeardRefusal, OpenOperation, Refusal, StatusFinding};
pub use self::order::{FormerOrder, Order};
pub use self::state::{BillHold, BillState, IssuedCode, Superseded};
use super::ids::InvoiceNumber;

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
pub enum DoubtVerdict {
    /// It was carried out.
    Done,
    /// It was not, and never will be.
    NotDone,
    /// The code exists at DOKU but can no longer be paid.
    Dead,
}

impl DoubtVerdict {
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
    /// See [`Event::DoubtEnded`].
    DoubtEnded(DoubtVerdict),
    /// See [`Event::Retired`].
    Retired,
    /// See [`Event::Noted`].
    Noted,
    /// See [`Event::Checked`].
    Checked,
    /// See [`Event::Registered`].
    Registered(OperationKind),
    /// See [`Event::Repeated`].
    Repeated,
    /// See [`Event::Reopened`].
    Reopened(OperationKind),
    /// See [`Event::Held`].
    Held,
    /// See [`Event::Released`].
    Released,
    /// See [`Event::Aliased`].
    Aliased,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 25] = [
        Self::Planned,
        Self::Adopted,
        Self::Intended(OperationKind::Issue),
        Self::Intended(OperationKind::Amend),
        Self::Intended(OperationKind::Cancel),
        Self::NotSent,
        Self::Accepted,
        Self::Rejected,
        Self::Doubted,
        Self::DoubtEnded(DoubtVerdict::Done),
        Self::DoubtEnded(DoubtVerdict::NotDone),
        Self::DoubtEnded(DoubtVerdict::Dead),
        Self::Retired,
        Self::Noted,
        Self::Checked,
        Self::Registered(OperationKind::Issue),
        Self::Registered(OperationKind::Amend),
        Self::Registered(OperationKind::Cancel),
        Self::Repeated,
        Self::Reopened(OperationKind::Issue),
        Self::Reopened(OperationKind::Amend),
        Self::Reopened(OperationKind::Cancel),
        Self::Held,
        Self::Released,
        Self::Aliased,
    ];
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, of) = match self {
            Self::Planned => ("planned", None),
            Self::Adopted => ("adopted", None),
            Self::Intended(operation) => ("intended", Some(operation.name())),
            Self::NotSent => ("not sent", None),
            Self::Accepted => ("accepted", None),
            Self::Rejected => ("rejected", None),
            Self::Doubted => ("doubted", None),
            Self::DoubtEnded(DoubtVerdict::Done) => ("settled", Some("done")),
            Self::DoubtEnded(DoubtVerdict::NotDone) => ("settled", Some("not done")),
            Self::DoubtEnded(DoubtVerdict::Dead) => ("settled", Some("dead")),
            Self::Retired => ("retired", None),
            Self::Noted => ("noted", None),
            Self::Checked => ("checked", None),
            Self::Registered(operation) => ("registered", Some(operation.name())),
            Self::Repeated => ("repeated", None),
            Self::Reopened(operation) => ("reopened", Some(operation.name())),
            Self::Held => ("held", None),
            Self::Released => ("released", None),
            Self::Aliased => ("aliased", None),
        };
        match of {
            Some(of) => write!(f, "{name} ({of})"),
            None => f.write_str(name),
        }
    }
}

/// What a bill that is not in the ledger can begin with.
const fn first_status(event: EventKind) -> Option<Status> {
    match event {
        EventKind::Planned => Some(Status::Planned),
        EventKind::Adopted | EventKind::Registered(OperationKind::Issue) => Some(Status::Active),
        EventKind::Intended(_)
        | EventKind::NotSent
        | EventKind::Accepted
        | EventKind::Rejected
        | EventKind::Doubted
        | EventKind::DoubtEnded(_)
        | EventKind::Retired
        | EventKind::Noted
        | EventKind::Checked
        | EventKind::Registered(OperationKind::Amend | OperationKind::Cancel)
        | EventKind::Repeated
        | EventKind::Reopened(_)
        | EventKind::Held
        | EventKind::Released
        | EventKind::Aliased => None,
    }
}

/// The table: the status after `event` in `status` (`None`: the bill is not in the ledger), or `None` when that is illegal.
#[must_use]
#[allow(clippy::match_same_arms, reason = "one line a rule, grouped by operation")]
pub const fn next_status(status: Option<Status>, event: EventKind) -> Option<Status> {
    use OperationKind::{Amend, Cancel, Issue};
    use Status as S;
    let Some(status) = status else { return first_status(event) };
    match (status, event) {
        (S::Planned | S::Rejected, EventKind::Planned) => Some(S::Planned),
        // An issue may be in doubt because the order was there before: then its code is known elsewhere.
        (S::Planned | S::Rejected | S::Active | S::InDoubt(Issue), EventKind::Adopted) => Some(S::Active),
        (S::Planned | S::Retired, EventKind::Intended(Issue)) => Some(S::Requested),

        (S::Requested, EventKind::NotSent) => Some(S::Planned),
        (S::Requested | S::InDoubt(Issue), EventKind::Accepted) => Some(S::Active),
        (S::Requested | S::InDoubt(Issue), EventKind::Rejected) => Some(S::Rejected),
        (S::Requested | S::InDoubt(Issue), EventKind::Doubted) => Some(S::InDoubt(Issue)),
        (S::InDoubt(Issue), EventKind::DoubtEnded(DoubtVerdict::Done)) => Some(S::Active),
        (S::InDoubt(Issue), EventKind::DoubtEnded(DoubtVerdict::NotDone)) => Some(S::Rejected),

        (S::Active, EventKind::Intended(Amend)) => Some(S::Amending),
        (S::Amending, EventKind::NotSent) => Some(S::Active),
        (S::Amending | S::InDoubt(Amend), EventKind::Accepted | EventKind::Rejected) => Some(S::Active),
        (S::Amending | S::InDoubt(Amend), EventKind::Doubted) => Some(S::InDoubt(Amend)),
        (S::InDoubt(Amend), EventKind::DoubtEnded(DoubtVerdict::Done | DoubtVerdict::NotDone)) => Some(S::Active),

        (S::Active, EventKind::Intended(Cancel)) => Some(S::Cancelling),
        (S::Cancelling, EventKind::NotSent) => Some(S::Active),
        (S::Cancelling | S::InDoubt(Cancel), EventKind::Accepted) => Some(S::Cancelled),
        (S::Cancelling | S::InDoubt(Cancel), EventKind::Rejected) => Some(S::Active),
        (S::Cancelling | S::InDoubt(Cancel), EventKind::Doubted) => Some(S::InDoubt(Cancel)),
        (S::InDoubt(Cancel), EventKind::DoubtEnded(DoubtVerdict::Done)) => Some(S::Cancelled),
        (S::InDoubt(Cancel), EventKind::DoubtEnded(DoubtVerdict::NotDone)) => Some(S::Active),

        (S::InDoubt(_), EventKind::DoubtEnded(DoubtVerdict::Dead)) | (S::Active, EventKind::Retired) => Some(S::Retired),
        (S::Active, EventKind::Noted) => Some(S::Active),
        // Sent again under a new id, because the old one is past repeating: neither makes a code.
        (S::InDoubt(Amend), EventKind::Intended(Amend)) | (S::InDoubt(Cancel), EventKind::Intended(Cancel)) => Some(status),
        (S::InDoubt(_), EventKind::Repeated) => Some(status),
        (S::Rejected, EventKind::Reopened(Issue)) => Some(S::InDoubt(Issue)),
        (S::Active, EventKind::Reopened(kind @ (Amend | Cancel))) => Some(S::InDoubt(kind)),

        // What DOKU says of an order changes nothing by itself; a code that is dead to us may have been paid before, and an
        // order that DOKU refused may exist all the same.
        (_, EventKind::Checked) if !matches!(status, S::Planned) => Some(status),
        (_, EventKind::Held | EventKind::Released) => Some(status),
        (S::Active, EventKind::Aliased) => Some(status),

        (S::Planned | S::Retired, EventKind::Registered(Issue)) | (S::Active, EventKind::Registered(Amend)) => Some(S::Active),
        (S::Active, EventKind::Registered(Cancel)) => Some(S::Cancelled),
        _ => None,
    }
}

/// An event that cannot happen in the status the bill is in. Stops the run (I6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{event}` cannot happen to invoice `{invoice_number}` while it is {}", .status.map_or("unknown to the ledger", Status::name))]
pub struct IllegalTransition {
    /// The bill.
    pub invoice_number: InvoiceNumber,
    /// Its status.
    pub status: Option<Status>,
    /// What was to happen.
    pub event: EventKind,
}
