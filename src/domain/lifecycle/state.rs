//! The fold: what a bill's events, in order, have made of it.
//!
//! Belongs here: what each event changes. Must not be here: which event may follow which (the table's, one level up).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    CodeAnswer, DoubtVerdict, Event, FormerOrder, HoldCause, IllegalTransition, OpenOperation, OperationKind, Refusal, Remark, Status,
    StatusFinding, next_status,
};
use crate::domain::amount::Amount;
use crate::domain::bill::{RecordedTerms, Salt};
use crate::domain::channel::IssuanceMethod;
use crate::domain::check_status::Checks;
use crate::domain::ids::{InvoiceNumber, RequestId};

/// The code a bill holds or held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCode {
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
    /// What is odd about DOKU's last answer that made or changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Remark>,
}

impl IssuedCode {
    const fn new(answer: CodeAnswer, wire_invoice_number: InvoiceNumber, issued_as: Option<RequestId>, accepted_at: Timestamp) -> Self {
        Self { answer, wire_invoice_number, issued_as, accepted_at, superseded: Vec::new(), remark: None }
    }
}

/// An amount a code asked for until it was amended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superseded {
    /// The earlier amount.
    pub amount: Amount,
    /// When the amendment was acknowledged (UTC).
    pub until: Timestamp,
}

/// Why the bill waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillHold {
    /// Since when (UTC).
    pub at: Timestamp,
    /// Why.
    pub cause: HoldCause,
    /// What was seen.
    pub reason: String,
    /// What it rests on, hexadecimal: the SHA-256 of the log line, or a digest of the order and amount Check Status told; empty where
    /// there is none.
    pub evidence: String,
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
    pub code: Option<IssuedCode>,
    /// How many codes it has had and lost to expiry: the suffix of a re-issue.
    pub retired_count: u32,
    /// The operation on its way or in doubt.
    pub open: Option<Box<OpenOperation>>,
    /// The last definite refusal.
    pub refusal: Option<Box<Refusal>>,
    /// When the ledger first heard of the bill (UTC).
    pub planned_at: Timestamp,
    /// When DOKU acknowledged the cancellation (UTC).
    pub cancelled_at: Option<Timestamp>,
    /// Since when an operation is in doubt, or was before it was found not done and was wanted again (UTC).
    pub in_doubt_since: Option<Timestamp>,
    /// What Check Status said of its codes; most bills are never asked about.
    pub checks: Option<Box<Checks>>,
    /// Why it waits for a person, if it does.
    pub hold: Option<Box<BillHold>>,
    /// The orders it had at DOKU before the present one, oldest first; most bills have none.
    pub former: Vec<FormerOrder>,
    /// The number of its last event in the ledger that keeps it, by which that tells whether anything has happened to the bill since;
    /// 0 outside of one. The fold leaves it alone.
    pub last_event: u64,
    /// The salt of its personal digests, as its ledger keeps it; none where nothing personal is known of it, or not any more. The fold
    /// leaves it alone.
    pub salt: Option<Salt>,
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
            | Self::Repeated
            | Self::Reopened { .. }
            | Self::Held { .. }
            | Self::Released { .. }
            | Self::Aliased { .. }
            | Self::DoubtEnded { .. }
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
            (None, Event::Planned { terms } | Event::Adopted { terms, .. } | Event::Registered { terms, .. }) => {
                Self::new(invoice_number.clone(), terms.clone(), at)
            }
            (None, _) => return Err(illegal()),
        };
        state.status = status;
        state.in_doubt_since = in_doubt_since(state.in_doubt_since, at, event);
        match event {
            Event::Planned { terms } | Event::Noted { terms } => state.terms = terms.clone(),
            Event::Adopted { terms, answer, wire_invoice_number } => state.adopt(at, terms, answer, wire_invoice_number.as_ref()),
            Event::Intended { .. } => state.intend(at, event),
            Event::NotSent { .. } => {
                // What provably never left used up nothing: asked for again in the same words, it is the same operation.
                state.open = None;
                state.generation = state.generation.saturating_sub(1);
            }
            // Not done is no refusal: nobody turned it down, so the next plan may ask for it again.
            Event::DoubtEnded { verdict: DoubtVerdict::NotDone, .. } => state.open = None,
            Event::Doubted { reason, answered, refusal } => {
                state.open.iter_mut().for_each(|open| open.doubt(at, reason, *answered, refusal.as_deref()));
            }
            Event::Repeated => state.open.iter_mut().for_each(|open| open.repeat(at)),
            Event::Reopened { operation, .. } => {
                let refusal = state.refusal.take().filter(|refusal| refusal.operation == *operation);
                state.open = Some(refusal.and_then(|refusal| refusal.provisional).ok_or_else(illegal)?);
            }
            Event::Aliased { number } => {
                let alias = state.code.as_ref().map(|code| FormerOrder::alias(number.clone(), code, state.terms.channel));
                // Two inquiries at the same time may each have recorded it.
                state.former.extend(alias.filter(|alias| !state.former.contains(alias)));
            }
            Event::Held { cause, reason, evidence } => {
                let hold = || Box::new(BillHold { at, cause: *cause, reason: reason.clone(), evidence: evidence.clone() });
                state.hold.get_or_insert_with(hold);
            }
            Event::Released { .. } => state.hold = None,
            Event::Checked { order, word, chosen, payment, details } => {
                state.found(order, StatusFinding { at, word: *word, details: details.clone() });
                state.checks = Some(Box::new(Checks::after(state.checks.take(), order, at, *word, *chosen, payment.as_ref())));
            }
            Event::Accepted { answer, amount, remark, .. } => {
                if let (Some(open), Some(amount)) = (&mut state.open, amount) {
                    open.terms.amount = *amount;
                }
                let changes_code = state.open.as_ref().is_some_and(|open| open.operation != OperationKind::Cancel);
                state.carry_out(at, Some(answer));
                state.code.iter_mut().filter(|_| changes_code).for_each(|code| code.remark.clone_from(remark));
            }
            Event::DoubtEnded { verdict: DoubtVerdict::Done, answer, .. } => state.carry_out(at, answer.as_ref()),
            Event::Registered { operation, terms, answer } => {
                state.refusal = None;
                state.put_in_force(*operation, terms, at, Some(answer), None);
            }
            Event::Rejected { code, reason, provisional } => state.refuse(code, reason, *provisional),
            Event::DoubtEnded { verdict: DoubtVerdict::Dead, .. } | Event::Retired { .. } => {
                // Its code, if it was to have one, never became the bill's, and may be paid all the same.
                let unborn = state.open.take().filter(|open| open.operation == OperationKind::Issue);
                state.former.extend(unborn.map(|open| FormerOrder::of_open(*open)));
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
            former: Vec::new(),
            last_event: 0,
            salt: None,
        }
    }

    /// A code that DOKU knew before this ledger did.
    fn adopt(&mut self, at: Timestamp, terms: &RecordedTerms, answer: &CodeAnswer, wire_invoice_number: Option<&InvoiceNumber>) {
        self.open = None;
        // Of a code the bill has already this is a correction: what it was before stays known.
        let corrected = self.code.as_ref().filter(|code| code.answer.payment_code == answer.payment_code);
        let superseded = corrected.map_or_else(Vec::new, |code| code.superseded.clone());
        let known = corrected.map(|code| &code.wire_invoice_number);
        let wire_invoice_number = wire_invoice_number.or(known).unwrap_or(&self.invoice_number).clone();
        self.replace_code(Some(IssuedCode { superseded, ..IssuedCode::new(answer.clone(), wire_invoice_number, None, at) }));
        self.terms = terms.clone();
    }

    /// An operation is about to be sent. What is in doubt stays so when it is sent anew: the earlier sending may still have been
    /// carried out.
    fn intend(&mut self, at: Timestamp, event: &Event) {
        let Event::Intended { operation, terms, request_id, wire_invoice_number, body_digest: _ } = event else { return };
        self.generation = self.generation.saturating_add(1);
        self.refusal = None;
        let earlier = self.open.take();
        self.open = Some(Box::new(OpenOperation {
            operation: *operation,
            terms: terms.clone(),
            request_id: *request_id,
            wire_invoice_number: wire_invoice_number.clone(),
            intended_at: at,
            doubted_at: earlier.as_ref().map(|_| at),
            always_answered: earlier.is_some(),
            is_awaited: earlier.is_some(),
            heard: earlier.and_then(|open| open.heard),
            findings: Vec::new(),
        }));
    }

    /// Check Status said where an order stands.
    fn found(&mut self, order: &InvoiceNumber, finding: StatusFinding) {
        if let Some(open) = self.open.as_mut().filter(|open| open.wire_invoice_number == *order) {
            open.findings.push(finding);
        } else if let Some(refusal) = &mut self.refusal {
            refusal.settle(order);
        }
    }

    /// The open operation is done: its terms are in force.
    fn carry_out(&mut self, at: Timestamp, answer: Option<&CodeAnswer>) {
        if let Some(open) = self.open.take() {
            let open = *open;
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
                self.replace_code(answer.map(|answer| IssuedCode::new(answer.clone(), wire_invoice_number, issued_as, at)));
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

    /// The bill has another code now; the one before it stays known.
    fn replace_code(&mut self, code: Option<IssuedCode>) {
        let is_same = |old: &IssuedCode| {
            code.as_ref().is_some_and(|new| {
                (&new.wire_invoice_number, &new.answer.payment_code) == (&old.wire_invoice_number, &old.answer.payment_code)
            })
        };
        let channel = self.terms.channel;
        self.former.extend(self.code.take().filter(|old| !is_same(old)).map(|old| FormerOrder::of_code(old, channel)));
        self.code = code;
    }

    /// The open operation was definitely not done: the terms before it stay in force.
    fn refuse(&mut self, code: &str, reason: &str, provisional: bool) {
        if let Some(open) = self.open.take() {
            self.refusal = Some(Box::new(Refusal {
                operation: open.operation,
                terms: open.terms.clone(),
                code: code.into(),
                reason: reason.into(),
                provisional: provisional.then_some(open),
            }));
        }
    }

    /// When the code that may be payable stops being so, if DOKU said it. While an issue is on its way or in doubt, that is
    /// another code than the one before it, and its expiry is not known yet.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let issue_open = matches!(self.status, Status::Requested | Status::InDoubt(OperationKind::Issue));
        self.code.as_ref().filter(|_| !issue_open).and_then(|code| code.answer.expires_at)
    }

    /// Whether DOKU was ever told of the code the bill holds or asks for. It knows nothing of one that is registered here only
    /// before it is paid, so asking about it proves nothing.
    #[must_use]
    pub fn is_known_to_doku(&self) -> bool {
        self.open.is_some() || (self.code.is_some() && self.terms.method != IssuanceMethod::Inquiry)
    }

    /// The code a counter would take now, as far as the ledger knows; expiry is not considered.
    #[must_use]
    pub fn live_code(&self) -> Option<&IssuedCode> {
        if self.status.may_be_live() { self.code.as_ref() } else { None }
    }
}

/// Since when a bill's wish is in doubt. What was not done is wanted still, and the next doubt about it is no newer than that one.
const fn in_doubt_since(before: Option<Timestamp>, at: Timestamp, event: &Event) -> Option<Timestamp> {
    match event {
        Event::DoubtEnded { unsettled_since, .. } => *unsettled_since,
        Event::Doubted { .. } | Event::Repeated | Event::Reopened { .. } if before.is_none() => Some(at),
        Event::Adopted { .. } | Event::Accepted { .. } | Event::Rejected { .. } | Event::Retired { .. } | Event::Registered { .. } => None,
        Event::Doubted { .. }
        | Event::Repeated
        | Event::Reopened { .. }
        | Event::Intended { .. }
        | Event::NotSent { .. }
        | Event::Planned { .. }
        | Event::Checked { .. }
        | Event::Held { .. }
        | Event::Released { .. }
        | Event::Aliased { .. }
        | Event::Noted { .. } => before,
    }
}
