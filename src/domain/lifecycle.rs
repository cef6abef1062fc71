//! The life of a bill's code: which status follows which event, and the fold of events that yields a bill's state.
//!
//! Recovery and live running use the same [`BillState::apply`]; a pair the table does not know is an error that stops the
//! run. Payments are not here: a payment is never illegal, whenever it arrives, and expiry follows from an as-of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::bill::RecordedTerms;
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
    /// DOKU said the code has expired; the bill may be issued anew.
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
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
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
            | EventKind::Noted => None,
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
        _ => None,
    }
}

/// What DOKU said of a live code.
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
    /// DOKU said a live code has expired, so that the bill may be issued anew.
    Retired {
        /// What was seen.
        reason: String,
    },
    /// Columns changed that only our ledger keeps.
    Noted {
        /// The terms with the change.
        terms: RecordedTerms,
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

/// The code a bill holds or held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// What DOKU said of it.
    pub answer: CodeAnswer,
    /// The invoice number DOKU knows it by.
    pub wire_invoice_number: InvoiceNumber,
    /// When the acceptance was recorded (UTC).
    pub accepted_at: Timestamp,
    /// Amounts it asked for before its present terms, each with when they were superseded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<Superseded>,
}

/// An amount a code asked for until it was amended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superseded {
    /// The earlier amount.
    pub amount: Amount,
    /// When the amendment was acknowledged (UTC).
    pub until: Timestamp,
}

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
}

/// Where one bill stands: the fold of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillState {
    /// The key.
    pub invoice_number: InvoiceNumber,
    /// Its status.
    pub status: Status,
    /// How many operations were intended; also after a definite rejection the next is a new one.
    pub generation: u32,
    /// The terms in force; for a bill without a code, the wanted ones.
    pub terms: RecordedTerms,
    /// The code it holds or held last.
    pub code: Option<Code>,
    /// How many codes it has had and lost to expiry: the suffix of a re-issue.
    pub retired_count: u32,
    /// The operation on its way or in doubt.
    pub open: Option<OpenOperation>,
    /// The last definite refusal.
    pub refusal: Option<Refusal>,
    /// When the ledger first heard of the bill (UTC).
    pub planned_at: Timestamp,
    /// When DOKU acknowledged the cancellation (UTC).
    pub cancelled_at: Option<Timestamp>,
    /// Since when an operation is in doubt (UTC).
    pub in_doubt_since: Option<Timestamp>,
}

impl BillState {
    /// The state after `event`, which happened at `at`.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the table does not know the pair.
    pub fn apply(before: Option<Self>, invoice_number: &InvoiceNumber, at: Timestamp, event: &Event) -> Result<Self, IllegalTransition> {
        let status_before = before.as_ref().map(|state| state.status);
        let illegal = || IllegalTransition { invoice_number: invoice_number.clone(), status: status_before, event: event.kind() };
        let status = next_status(status_before, event.kind()).ok_or_else(illegal)?;
        let mut state = match (before, event) {
            (Some(state), _) => state,
            (None, Event::Planned { terms } | Event::Adopted { terms, .. }) => Self::new(invoice_number.clone(), terms.clone(), at),
            (None, _) => return Err(illegal()),
        };
        state.status = status;
        state.in_doubt_since = if matches!(status, Status::InDoubt(_)) { state.in_doubt_since.or(Some(at)) } else { None };
        match event {
            Event::Planned { terms } | Event::Noted { terms } => state.terms = terms.clone(),
            Event::Adopted { terms, answer } => {
                state.terms = terms.clone();
                state.code = Some(Code {
                    answer: answer.clone(),
                    wire_invoice_number: invoice_number.clone(),
                    accepted_at: at,
                    superseded: Vec::new(),
                });
            }
            Event::Intended { operation, terms, request_id, wire_invoice_number, body_digest: _ } => {
                state.generation = state.generation.saturating_add(1);
                state.refusal = None;
                state.open = Some(OpenOperation {
                    operation: *operation,
                    terms: terms.clone(),
                    request_id: *request_id,
                    wire_invoice_number: wire_invoice_number.clone(),
                    intended_at: at,
                });
            }
            Event::NotSent { .. } => state.open = None,
            Event::Doubted { .. } => {}
            Event::Accepted { answer, .. } => state.carry_out(at, Some(answer)),
            Event::Settled { verdict: Verdict::Done, answer, .. } => state.carry_out(at, answer.as_ref()),
            Event::Rejected { code, reason } => state.refuse(code, reason),
            Event::Settled { verdict: Verdict::NotDone, reason, .. } => state.refuse("settled", reason),
            Event::Settled { verdict: Verdict::Dead, .. } | Event::Retired { .. } => {
                state.open = None;
                state.retired_count = state.retired_count.saturating_add(1);
            }
        }
        Ok(state)
    }

    const fn new(invoice_number: InvoiceNumber, terms: RecordedTerms, at: Timestamp) -> Self {
        Self {
            invoice_number,
            status: Status::Planned,
            generation: 0,
            terms,
            code: None,
            retired_count: 0,
            open: None,
            refusal: None,
            planned_at: at,
            cancelled_at: None,
            in_doubt_since: None,
        }
    }

    /// The open operation is done: its terms are in force.
    fn carry_out(&mut self, at: Timestamp, answer: Option<&CodeAnswer>) {
        let Some(open) = self.open.take() else { return };
        match open.operation {
            OperationKind::Issue => {
                self.code = answer.map(|answer| Code {
                    answer: answer.clone(),
                    wire_invoice_number: open.wire_invoice_number,
                    accepted_at: at,
                    superseded: Vec::new(),
                });
                self.terms = open.terms;
            }
            OperationKind::Amend => {
                if let Some(code) = &mut self.code {
                    if self.terms.amount != open.terms.amount {
                        code.superseded.push(Superseded { amount: self.terms.amount, until: at });
                    }
                    if let Some(expires_at) = answer.and_then(|answer| answer.expires_at) {
                        code.answer.expires_at = Some(expires_at);
                    }
                }
                self.terms = open.terms;
            }
            OperationKind::Cancel => self.cancelled_at = Some(at),
        }
    }

    /// The open operation was definitely not done: the terms before it stay in force.
    fn refuse(&mut self, code: &str, reason: &str) {
        if let Some(open) = self.open.take() {
            self.refusal = Some(Refusal { operation: open.operation, terms: open.terms, code: code.into(), reason: reason.into() });
        }
    }

    /// The code a counter would take now, as far as the ledger knows; expiry is not considered.
    #[must_use]
    pub fn live_code(&self) -> Option<&Code> {
        if self.status.may_be_live() { self.code.as_ref() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What design section 3 says, one row a status and one column an event; `.` is illegal. Columns: plan, adopt, intend to
    /// issue, to amend, to cancel, not sent, accepted, rejected, doubted, settled as done, as not done, as dead, retired, noted.
    const GRID: &str = "
        status    plan  adopt issue amend cancel unsent accept reject doubt done  undone dead  retire note
        unknown   plan  live  .     .     .      .      .      .      .     .     .      .     .      .
        plan      plan  live  sent  .     .      .      .      .      .     .     .      .     .      .
        sent      .     .     .     .     .      plan   live   refuse ?iss  .     .      .     .      .
        live      .     .     .     amend cancel .      .      .      .     .     .      .     gone   live
        amend     .     .     .     .     .      live   live   live   ?amd  .     .      .     .      .
        cancel    .     .     .     .     .      live   dead   live   ?can  .     .      .     .      .
        refuse    plan  live  .     .     .      .      .      .      .     .     .      .     .      .
        dead      .     .     .     .     .      .      .      .      .     .     .      .     .      .
        gone      .     .     sent  .     .      .      .      .      .     .     .      .     .      .
        ?iss      .     .     .     .     .      .      live   refuse ?iss  live  refuse gone  .      .
        ?amd      .     .     .     .     .      .      live   live   ?amd  live  live   gone  .      .
        ?can      .     .     .     .     .      .      dead   live   ?can  dead  live   gone  .      .
    ";

    fn status_of(word: &str) -> Option<Status> {
        Some(match word {
            "unknown" | "." => return None,
            "plan" => Status::Planned,
            "sent" => Status::Requested,
            "live" => Status::Active,
            "amend" => Status::Amending,
            "cancel" => Status::Cancelling,
            "refuse" => Status::Rejected,
            "dead" => Status::Cancelled,
            "gone" => Status::Retired,
            "?iss" => Status::InDoubt(OperationKind::Issue),
            "?amd" => Status::InDoubt(OperationKind::Amend),
            "?can" => Status::InDoubt(OperationKind::Cancel),
            other => panic!("{other}"),
        })
    }

    fn event_of(word: &str) -> EventKind {
        match word {
            "plan" => EventKind::Planned,
            "adopt" => EventKind::Adopted,
            "issue" => EventKind::Intended(OperationKind::Issue),
            "amend" => EventKind::Intended(OperationKind::Amend),
            "cancel" => EventKind::Intended(OperationKind::Cancel),
            "unsent" => EventKind::NotSent,
            "accept" => EventKind::Accepted,
            "reject" => EventKind::Rejected,
            "doubt" => EventKind::Doubted,
            "done" => EventKind::Settled(Verdict::Done),
            "undone" => EventKind::Settled(Verdict::NotDone),
            "dead" => EventKind::Settled(Verdict::Dead),
            "retire" => EventKind::Retired,
            "note" => EventKind::Noted,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_status_meets_every_event_as_the_design_says() {
        let mut lines = GRID.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty());
        let events: Vec<EventKind> = lines.next().unwrap()[1..].iter().map(|word| event_of(word)).collect();
        assert_eq!(events, EventKind::ALL, "the grid has every event, in order");
        let mut statuses = Vec::new();
        for words in lines {
            let status = status_of(words[0]);
            assert_eq!(words.len(), events.len() + 1, "row {words:?}");
            for (event, expected) in events.iter().zip(&words[1..]) {
                assert_eq!(next_status(status, *event), status_of(expected), "{} meets {event:?}", words[0]);
            }
            statuses.push(status);
        }
        let all: Vec<_> = std::iter::once(None).chain(Status::ALL.map(Some)).collect();
        assert_eq!(statuses, all, "the grid has every status, in order");
    }
}
