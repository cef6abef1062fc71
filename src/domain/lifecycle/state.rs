//! The fold: what a bill's events, in order, have made of it.
//!
//! Belongs here: what each event changes. Must not be here: which event may follow which (the table's, one level up).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CodeAnswer, Event, HoldCause, IllegalTransition, OperationKind, Status, Verdict, next_status};
use crate::domain::amount::Amount;
use crate::domain::bill::RecordedTerms;
use crate::domain::channel::Method;
use crate::domain::check::{Checks, Details, Word};
use crate::domain::ids::{InvoiceNumber, RequestId};
use crate::domain::payment::Payment;

/// The code a bill holds or held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// What DOKU said of it.
    pub answer: CodeAnswer,
    /// The invoice number DOKU knows it by, or is told when it asks.
    pub wire_invoice_number: InvoiceNumber,
    /// The id of the request that made it, by which DOKU can be asked too; none for a code that was adopted or is registered
    /// here only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_as: Option<RequestId>,
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
    /// When it was last in doubt or about to be sent again (UTC): what it leads to may show only some time after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted_at: Option<Timestamp>,
    /// Whether DOKU itself answered every attempt that left it in doubt: then a 409 is no replay of an answer that was lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always_answered: bool,
    /// DOKU's refusal of a repetition, by its stable code, and its words: no proof about the first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Heard>,
    /// What Check Status has said since it was last sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl OpenOperation {
    /// Whether an attempt under its id ended without an answer of DOKU's own.
    #[must_use]
    pub const fn lost_an_answer(&self) -> bool {
        self.doubted_at.is_some() && !self.always_answered
    }

    /// When its bytes last left, or were about to (UTC).
    #[must_use]
    pub fn last_sent_at(&self) -> Timestamp {
        self.doubted_at.unwrap_or(self.intended_at)
    }
}

/// A refusal that was heard while its operation was in doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// A stable code.
    pub code: String,
    /// DOKU's words.
    pub reason: String,
}

/// What Check Status said of an open operation's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// When (UTC).
    pub at: Timestamp,
    /// What DOKU called the order.
    pub word: Word,
    /// What else it said.
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
}

/// Why the bill waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Since when (UTC).
    pub at: Timestamp,
    /// Why.
    pub cause: HoldCause,
    /// What was seen.
    pub reason: String,
    /// SHA-256 of the log line or answer it rests on, hexadecimal; empty where there is none.
    pub evidence: String,
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

/// Where one bill stands: the fold of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillState {
    /// The key.
    pub invoice_number: InvoiceNumber,
    /// Its status.
    pub status: Status,
    /// How many operations may have left; also after a definite rejection the next is a new one.
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
    /// What Check Status said of its codes; most bills are never asked about.
    pub checks: Option<Box<Checks>>,
    /// Why it waits for a person, if it does.
    pub hold: Option<Box<Hold>>,
}

impl Event {
    /// The terms it speaks of.
    #[must_use]
    pub const fn terms(&self) -> Option<&RecordedTerms> {
        match self {
            Self::Planned { terms }
            | Self::Adopted { terms, .. }
            | Self::Intended { terms, .. }
            | Self::Noted { terms }
            | Self::Registered { terms, .. } => Some(terms),
            Self::NotSent { .. }
            | Self::Accepted { .. }
            | Self::Rejected { .. }
            | Self::Doubted { .. }
            | Self::Reopened { .. }
            | Self::Held { .. }
            | Self::Released { .. }
            | Self::Settled { .. }
            | Self::Retired { .. }
            | Self::Checked { .. } => None,
        }
    }
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
                // Of a live code this is a correction; what it was before stays known.
                let superseded = state.code.take().map(|code| code.superseded).unwrap_or_default();
                let wire_invoice_number = invoice_number.clone();
                state.code = Some(Code { answer: answer.clone(), wire_invoice_number, issued_as: None, accepted_at: at, superseded });
            }
            Event::Intended { operation, terms, request_id, wire_invoice_number, body_digest: _ } => {
                state.generation = state.generation.saturating_add(1);
                state.refusal = None;
                // What is in doubt stays so when it is sent anew: the earlier sending may still have been carried out.
                let earlier = state.open.take();
                state.open = Some(OpenOperation {
                    operation: *operation,
                    terms: terms.clone(),
                    request_id: *request_id,
                    wire_invoice_number: wire_invoice_number.clone(),
                    intended_at: at,
                    doubted_at: earlier.as_ref().map(|_| at),
                    always_answered: earlier.is_some(),
                    heard: earlier.and_then(|open| open.heard),
                    findings: Vec::new(),
                });
            }
            Event::NotSent { .. } => {
                // What provably never left used up nothing: asked for again in the same words, it is the same operation.
                state.open = None;
                state.generation = state.generation.saturating_sub(1);
            }
            // Not done is no refusal: nobody turned it down, so the next plan may ask for it again.
            Event::Settled { verdict: Verdict::NotDone, .. } => state.open = None,
            Event::Doubted { reason, answered, refusal } => {
                if let Some(open) = &mut state.open {
                    open.always_answered = *answered && (open.doubted_at.is_none() || open.always_answered);
                    open.doubted_at = Some(at);
                    open.findings.clear();
                    if let Some(code) = refusal {
                        open.heard = Some(Heard { code: code.clone(), reason: reason.clone() });
                    }
                }
            }
            Event::Reopened { operation, .. } => {
                let refusal = state.refusal.take().filter(|refusal| refusal.operation == *operation);
                let open = refusal.and_then(|refusal| refusal.provisional).ok_or_else(illegal)?;
                state.open = Some(OpenOperation { findings: Vec::new(), ..*open });
            }
            Event::Held { cause, reason, evidence } => {
                let hold = || Box::new(Hold { at, cause: *cause, reason: reason.clone(), evidence: evidence.clone() });
                state.hold.get_or_insert_with(hold);
            }
            Event::Released { .. } => state.hold = None,
            Event::Checked { order, word, chosen, payment, details } => {
                if let Some(open) = state.open.as_mut().filter(|open| open.wire_invoice_number == *order) {
                    open.findings.push(Finding { at, word: *word, details: details.clone() });
                }
                state.checks = Some(Box::new(Checks::after(state.checks.take(), order, at, *word, *chosen, payment.as_ref())));
            }
            Event::Accepted { answer, amount, .. } => {
                if let (Some(open), Some(amount)) = (&mut state.open, amount) {
                    open.terms.amount = *amount;
                }
                state.carry_out(at, Some(answer));
            }
            Event::Settled { verdict: Verdict::Done, answer, .. } => state.carry_out(at, answer.as_ref()),
            Event::Registered { operation, terms, answer } => {
                state.refusal = None;
                state.put_in_force(*operation, terms, at, Some(answer), None);
            }
            Event::Rejected { code, reason, provisional } => state.refuse(code, reason, *provisional),
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
            checks: None,
            hold: None,
        }
    }

    /// The open operation is done: its terms are in force.
    fn carry_out(&mut self, at: Timestamp, answer: Option<&CodeAnswer>) {
        if let Some(open) = self.open.take() {
            self.put_in_force(open.operation, &open.terms, at, answer, Some((open.wire_invoice_number, open.request_id)));
        }
    }

    /// What was done at DOKU (`sent_as` the number and id there) or, for a code that is only registered here, by us.
    fn put_in_force(
        &mut self,
        operation: OperationKind,
        terms: &RecordedTerms,
        at: Timestamp,
        answer: Option<&CodeAnswer>,
        sent_as: Option<(InvoiceNumber, RequestId)>,
    ) {
        match operation {
            OperationKind::Issue => {
                let (wire_invoice_number, issued_as) =
                    sent_as.map_or_else(|| (self.invoice_number.clone(), None), |(number, id)| (number, Some(id)));
                let code = |answer: &CodeAnswer| Code {
                    answer: answer.clone(),
                    wire_invoice_number,
                    issued_as,
                    accepted_at: at,
                    superseded: Vec::new(),
                };
                self.code = answer.map(code);
                self.terms = terms.clone();
            }
            OperationKind::Amend => {
                if let Some(code) = &mut self.code {
                    if self.terms.amount != terms.amount {
                        code.superseded.push(Superseded { amount: self.terms.amount, until: at });
                    }
                    // A new end that nobody has told is not known: the old one would make a live code look dead.
                    let told = answer.and_then(|answer| answer.expires_at);
                    if told.is_some() || self.terms.expiry != terms.expiry {
                        code.answer.expires_at = told;
                    }
                }
                self.terms = terms.clone();
            }
            OperationKind::Cancel => self.cancelled_at = Some(at),
        }
    }

    /// The open operation was definitely not done: the terms before it stay in force.
    fn refuse(&mut self, code: &str, reason: &str, provisional: bool) {
        if let Some(open) = self.open.take() {
            self.refusal = Some(Refusal {
                operation: open.operation,
                terms: open.terms.clone(),
                code: code.into(),
                reason: reason.into(),
                provisional: provisional.then(|| Box::new(open)),
            });
        }
    }

    /// When the code that may be payable stops being so, if DOKU said it. While an issue is on its way or in doubt, that is
    /// another code than the one before it, and its expiry is not known yet.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let issue_open = matches!(self.status, Status::Requested | Status::InDoubt(OperationKind::Issue));
        self.code.as_ref().filter(|_| !issue_open).and_then(|code| code.answer.expires_at)
    }

    /// Whether `payment` is one of the bill's: it names the bill, or the number DOKU knows its code by, and it is for the code
    /// the bill holds, if it holds one.
    #[must_use]
    pub fn is_paid_by(&self, payment: &Payment) -> bool {
        let names_bill = payment.invoice_number == self.invoice_number;
        self.code.as_ref().map_or(names_bill, |code| {
            (names_bill || payment.invoice_number == code.wire_invoice_number) && payment.payment_code == code.answer.payment_code
        })
    }

    /// Whether Check Status told of a payment of the bill: no proof of one, and a reason not to ask for its money again.
    #[must_use]
    pub fn is_told_paid(&self) -> bool {
        self.checks.as_ref().is_some_and(|checks| !checks.found.is_empty())
    }

    /// Whether DOKU was ever told of the code the bill holds or asks for. It knows nothing of one that is registered here only
    /// before it is paid, so asking about it proves nothing.
    #[must_use]
    pub fn is_known_to_doku(&self) -> bool {
        self.open.is_some() || (self.code.is_some() && self.terms.method != Method::Inquiry)
    }

    /// The code a counter would take now, as far as the ledger knows; expiry is not considered.
    #[must_use]
    pub fn live_code(&self) -> Option<&Code> {
        if self.status.may_be_live() { self.code.as_ref() } else { None }
    }
}
